//! The monitor's part: it has seen it all, without being told.

use super::narrator::Narrator;
use super::servers::Servers;
use anyhow::{Result, bail};
use isonomy_fetch::document;
use serde_json::Value;
use std::time::Duration;

/// The most bytes of a report.
const MAX_REPORT: u64 = 16 << 20;
/// How often the report is asked for, each half a second.
const PATIENCE: u32 = 60;

/// Waits until the monitor's report names the breach, and gives how many breaches it shows.
pub(crate) async fn show_monitor(servers: &Servers, narrator: &Narrator<'_>) -> Result<usize> {
    narrator.part(8, "The monitor follows the log on its own, and has seen the breach");
    for _ in 0..PATIENCE {
        let report = document(&servers.monitor.url, "report.json", MAX_REPORT).await?;
        let report: Value = serde_json::from_slice(&report)?;
        let findings = report["findings"].as_array().cloned().unwrap_or_default();
        let breaches: Vec<&Value> = findings.iter().filter(|finding| finding["severity"] == "breach").collect();
        if !breaches.is_empty() {
            for breach in &breaches {
                narrator.refused(format!("finding: {}", breach["words"].as_str().unwrap_or_default()));
            }
            narrator.done(format!("its page is up at {} (it stays up with --keep-running)", servers.monitor.url));
            return Ok(breaches.len());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    bail!("the monitor has not found the breach")
}
