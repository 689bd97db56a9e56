//! `isonomy evidence`.

use super::files;
use crate::args::EvidenceCommand;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_client::keys_document;
use isonomy_matcher::Receipt;
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::MAX_EVIDENCE_SIZE;
use serde_json::json;

pub(crate) fn run(command: EvidenceCommand, output: &Output) -> Result<Exit> {
    let EvidenceCommand::Verify { file, policy } = command;
    let trust = files::tlog_policy(&policy)?;
    let bytes = files::read(&file, MAX_EVIDENCE_SIZE)?;
    if Receipt::parse(&bytes).is_ok() {
        let words = format!("{} is a receipt, not evidence: `isonomy receipt verify` checks it", file.display());
        return Err(Malformed(words).into());
    }
    let evidence = Evidence::parse(&bytes)?;
    let breach = evidence.verify(&trust)?;
    let words = format!("✓ proven: {}", breach.sentence());
    output.report(words, &json!({ "verified": true, "by": keys_document(&breach.by), "what": breach.what }))?;
    Ok(Exit::Done)
}
