//! `isonomy receipt`.

use super::{files, subjects};
use crate::args::ReceiptCommand;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_matcher::Orientations;
use isonomy_matcher::pdq::Orientation;
use isonomy_matcher::receipt::{MAX_RECEIPT_SIZE, Proven, Receipt};
use serde_json::json;
use std::path::Path;

pub(crate) fn run(command: ReceiptCommand, output: &Output) -> Result<Exit> {
    let ReceiptCommand::Verify { file, policy, picture, hash } = command;
    let trust = files::tlog_policy(&policy)?;
    let receipt = Receipt::parse(&files::read(&file, MAX_RECEIPT_SIZE)?)?;
    let proven = receipt.verify(&trust, None)?;
    let brought = match (hash, picture) {
        (Some(text), _) => Some(Brought { hash: digits(&text)?, place: None }),
        (None, Some(path)) => Some(nearest(&proven, &path)?),
        (None, None) => None,
    };
    let proven = match &brought {
        Some(Brought { hash, .. }) => receipt.verify(&trust, Some(hash))?,
        None => proven,
    };
    let place = brought.and_then(|brought| brought.place);
    output.report(words(&proven, place), &document(&proven, place))?;
    Ok(Exit::Done)
}

/// The hash of what matched, which the person brought along.
struct Brought {
    hash: Vec<u8>,
    /// Which of the pictures in a file it is of, from 0, and in which orientation.
    place: Option<(usize, Orientation)>,
}

fn digits(text: &str) -> Result<Vec<u8>> {
    Ok(from_hex(&text.to_lowercase()).ok_or_else(|| Malformed(format!("{text} is not hexadecimal")))?)
}

/// Of all hashes of a file the one that is nearest to the entry. What was not looked at disproves nothing.
fn nearest(proven: &Proven, path: &Path) -> Result<Brought> {
    let matching = &proven.charter.body().matching;
    let subject = subjects::of_file(&[matching.algorithm], path, Orientations::All)?;
    let unhashed = || match (subject.not_a_picture(), subject.not_a_video()) {
        (Some(why), _) => why.to_string(),
        (None, Some(why)) => why.to_string(),
        (None, None) => "there is no picture in it".to_owned(),
    };
    let nearest = subject.nearest(matching.algorithm, &proven.entry);
    let malformed = |why: String| Malformed(format!("the distance can't be checked: {}: {why}", path.display()));
    let (view, distance) = nearest.ok_or_else(|| malformed(unhashed()))?;
    let unseen = subject.only_beginning().map(ToString::to_string);
    let unseen = unseen.or_else(|| subject.unseen().map(ToString::to_string));
    match unseen {
        Some(why) if u64::from(distance) > matching.max_distance => Err(malformed(why).into()),
        _ => Ok(Brought { hash: view.fingerprint.hash.clone(), place: Some((view.frame, view.orientation)) }),
    }
}

fn words(proven: &Proven, place: Option<(usize, Orientation)>) -> String {
    let (release, charter) = (proven.release.body(), proven.charter.body());
    let distance = distance_words(proven, place);
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

fn distance_words(proven: &Proven, place: Option<(usize, Orientation)>) -> String {
    let matching = &proven.charter.body().matching;
    let (frame, turn) = place.unwrap_or((0, Orientation::Original));
    let which = if frame == 0 { String::new() } else { format!(", in its picture number {}", frame + 1) };
    let turned = if turn == Orientation::Original { String::new() } else { format!(", turned ({})", name_of(turn)) };
    match (matching.algorithm, proven.distance) {
        (_, None) => "· the distance was not checked: bring what matched (--picture) or its hash (--hash)".to_owned(),
        (Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5, Some(_)) => "✓ it is the digest of the file".to_owned(),
        (Algorithm::PdqFull | Algorithm::VpdqV1, Some(distance)) => format!(
            "✓ what matched is at distance {distance} from it{which}{turned}; the charter allows {}",
            matching.max_distance
        ),
    }
}

/// As it is written in JSON.
fn name_of(orientation: Orientation) -> String {
    json!(orientation).as_str().unwrap_or_default().to_owned()
}

fn signers(proven: &Proven) -> Vec<&str> {
    proven.release.note().signatures().iter().map(|line| line.name.as_str()).collect()
}

fn document(proven: &Proven, place: Option<(usize, Orientation)>) -> serde_json::Value {
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
        "frame": place.map(|(frame, _)| frame),
        "orientation": place.map(|(_, orientation)| orientation),
        "complaints": charter.redress.complaints,
    })
}
