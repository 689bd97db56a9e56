//! `isonomy receipt`.

use super::files;
use crate::args::ReceiptCommand;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_matcher::Fingerprint;
use isonomy_matcher::image::Limits;
use isonomy_matcher::receipt::{MAX_RECEIPT_SIZE, Proven, Receipt};
use serde_json::json;
use std::path::PathBuf;

pub(crate) fn run(command: ReceiptCommand, output: &Output) -> Result<Exit> {
    let ReceiptCommand::Verify { file, policy, picture, hash } = command;
    let trust = files::tlog_policy(&policy)?;
    let receipt = Receipt::parse(&files::read(&file, MAX_RECEIPT_SIZE)?)?;
    let proven = receipt.verify(&trust, None)?;
    let hash = brought_along(&proven, picture, hash)?;
    let proven = match &hash {
        Some(hash) => receipt.verify(&trust, Some(hash))?,
        None => proven,
    };
    output.report(words(&proven), &document(&proven))?;
    Ok(Exit::Done)
}

/// The hash of what matched, if the person brought it along.
fn brought_along(proven: &Proven, picture: Option<PathBuf>, hash: Option<String>) -> Result<Option<Vec<u8>>> {
    if let Some(text) = hash {
        let hash = from_hex(&text.to_lowercase()).ok_or_else(|| Malformed(format!("{text} is not hexadecimal")))?;
        return Ok(Some(hash));
    }
    let Some(path) = picture else {
        return Ok(None);
    };
    let limits = Limits::default();
    let bytes = files::read(&path, limits.file_bytes)?;
    let algorithm = proven.charter.body().matching.algorithm;
    let fingerprint = Fingerprint::of_file(algorithm, &bytes, &limits)
        .with_context(|| format!("{} can't be hashed", path.display()))?;
    Ok(Some(fingerprint.hash))
}

fn words(proven: &Proven) -> String {
    let (release, charter) = (proven.release.body(), proven.charter.body());
    let distance = match proven.distance {
        Some(distance) => format!(
            "✓ the picture is at distance {distance} from it; the charter allows {}",
            charter.matching.max_distance
        ),
        None => "· the distance was not checked: bring the picture (--picture) or its hash (--hash)".to_owned(),
    };
    format!(
        "✓ the entry {} is in the list {}, version {}\n\
         ✓ that release is in the log {}, which the witnesses cosigned by {}\n\
         ✓ it was endorsed as edition {} of its charter asks, signed by {}\n\
         {distance}\n\
         The charter allows at most to {}. Complaints: {}",
        to_hex(&proven.entry),
        release.list,
        release.version,
        charter.log,
        proven.times.earliest,
        charter.edition,
        signers(proven).join(", "),
        charter.action.most,
        charter.redress.complaints,
    )
}

fn signers(proven: &Proven) -> Vec<&str> {
    proven.release.note().signatures().iter().map(|line| line.name.as_str()).collect()
}

fn document(proven: &Proven) -> serde_json::Value {
    let (release, charter) = (proven.release.body(), proven.charter.body());
    json!({
        "verified": true,
        "entry": to_hex(&proven.entry),
        "list": release.list,
        "version": release.version,
        "release": proven.release.id().to_hex(),
        "charter": proven.charter.id().to_hex(),
        "edition": charter.edition,
        "log": charter.log,
        "witnessed": proven.times.earliest,
        "signed_by": signers(proven),
        "action": charter.action.most,
        "max_distance": charter.matching.max_distance,
        "distance": proven.distance,
        "complaints": charter.redress.complaints,
    })
}
