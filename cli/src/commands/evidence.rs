//! `isonomy evidence`.

use super::files;
use crate::args::EvidenceCommand;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::MAX_EVIDENCE_SIZE;
use serde_json::json;

pub(crate) fn run(command: EvidenceCommand, output: &Output) -> Result<Exit> {
    let EvidenceCommand::Verify { file, policy } = command;
    let trust = files::tlog_policy(&policy)?;
    let evidence = Evidence::parse(&files::read(&file, MAX_EVIDENCE_SIZE)?)?;
    let breach = evidence.verify(&trust)?;
    let words = format!("✓ proven: {} {}", breach.by.join(" and "), breach.what);
    output.report(words, &json!({ "verified": true, "by": breach.by, "what": breach.what }))?;
    Ok(Exit::Done)
}
