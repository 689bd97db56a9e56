//! `isonomy receipt`.

use super::{files, subjects};
use crate::args::ReceiptCommand;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_matcher::pdq::Orientation;
use isonomy_matcher::receipt::{MAX_RECEIPT_SIZE, Proven, Receipt};
use isonomy_matcher::{Orientations, View};
use serde_json::json;
use std::path::Path;

pub(crate) fn run(command: ReceiptCommand, output: &Output) -> Result<Exit> {
    let ReceiptCommand::Verify { file, policy, picture, hash } = command;
    let trust = files::tlog_policy(&policy)?;
    let receipt = Receipt::parse(&files::read(&file, MAX_RECEIPT_SIZE)?)?;
    let proven = receipt.verify(&trust, None)?;
    let brought = match (hash, picture) {
        (Some(text), _) => Some(Brought { hash: digits(&text)?, seen: None }),
        (None, Some(path)) => Some(nearest(&proven, &path)?),
        (None, None) => None,
    };
    let proven = match &brought {
        Some(Brought { hash, .. }) => receipt.verify(&trust, Some(hash))?,
        None => proven,
    };
    let seen = brought.and_then(|brought| brought.seen);
    output.report(words(&proven, seen), &document(&proven, seen))?;
    Ok(Exit::Done)
}

/// The hash of what matched, which the person brought along.
struct Brought {
    hash: Vec<u8>,
    /// What of a file it is of.
    seen: Option<Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    /// Which of the pictures in the file, from 0.
    frame: usize,
    orientation: Orientation,
    quality: Option<u8>,
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
    let nearest = subject.nearest(matching, &proven.entry);
    let malformed = |why: String| Malformed(format!("the distance can't be checked: {}: {why}", path.display()));
    let (view, distance) = nearest.ok_or_else(|| malformed(unhashed()))?;
    let unseen = subject.only_beginning().map(ToString::to_string);
    let unseen = unseen.or_else(|| subject.unseen().map(ToString::to_string));
    match unseen {
        Some(why) if u64::from(distance) > matching.max_distance => Err(malformed(why).into()),
        _ => {
            let View { frame, orientation, ref fingerprint } = *view;
            let seen = Seen { frame, orientation, quality: fingerprint.quality };
            Ok(Brought { hash: fingerprint.hash.clone(), seen: Some(seen) })
        }
    }
}

fn words(proven: &Proven, seen: Option<Seen>) -> String {
    let (release, charter) = (proven.release.body(), proven.charter.body());
    let distance = distance_words(proven, seen);
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

fn distance_words(proven: &Proven, seen: Option<Seen>) -> String {
    let matching = &proven.charter.body().matching;
    let (distance, most) = match (matching.algorithm, proven.distance) {
        (_, None) => {
            return "· the distance was not checked: bring what matched (--picture) or its hash (--hash)".to_owned();
        }
        (Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5, Some(_)) => {
            return "✓ it is the digest of the file".to_owned();
        }
        (Algorithm::PdqFull | Algorithm::VpdqV1, Some(distance)) => (distance, matching.max_distance),
    };
    let turned = match seen.map(|seen| seen.orientation) {
        None | Some(Orientation::Original) => String::new(),
        Some(turn) => format!(", turned ({})", name_of(turn)),
    };
    let quality = seen.and_then(|seen| seen.quality).map(|quality| (quality, matching.min_quality));
    let (is_good, quality) = match quality {
        None => (true, String::new()),
        Some((quality, least)) if u64::from(quality) >= least => (true, format!("; its quality is {quality} of 100")),
        Some((quality, least)) => {
            (false, format!("; its quality is {quality}, and below {least} the charter takes nothing for a match"))
        }
    };
    if matching.algorithm == Algorithm::VpdqV1 {
        let number = seen.map_or(String::new(), |seen| format!(", number {},", seen.frame + 1));
        return format!(
            "· one frame{number} is at distance {distance} from it; the charter allows {most}{quality}. A receipt alone can't show \
             that 80 % of the frames are alike, as the rule asks"
        );
    }
    let which = match seen.map(|seen| seen.frame) {
        None | Some(0) => String::new(),
        Some(frame) => format!(", in its picture number {}", frame + 1),
    };
    let (mark, what) = if is_good { ("✓", "what matched") } else { ("·", "the picture") };
    format!("{mark} {what} is at distance {distance} from it{which}{turned}; the charter allows {most}{quality}")
}

/// As it is written in JSON.
fn name_of(orientation: Orientation) -> String {
    json!(orientation).as_str().unwrap_or_default().to_owned()
}

fn signers(proven: &Proven) -> Vec<&str> {
    proven.release.note().signatures().iter().map(|line| line.name.as_str()).collect()
}

fn document(proven: &Proven, seen: Option<Seen>) -> serde_json::Value {
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
        "frame": seen.map(|seen| seen.frame),
        "orientation": seen.map(|seen| seen.orientation),
        "quality": seen.and_then(|seen| seen.quality),
        "min_quality": charter.matching.min_quality,
        "complaints": charter.redress.complaints,
    })
}
