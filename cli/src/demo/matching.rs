//! The matcher's part: edited copies are found, other pictures aren't, and a receipt proves a match to others.

use super::narrator::Narrator;
use super::pictures::{self, Photo, Photos};
use anyhow::{Context, Result, ensure};
use isonomy_client::{VerifiedList, system_clock};
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_matcher::{Match, Matcher, Receipt, Verdict};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What the matcher found.
#[derive(Default, Serialize)]
pub(crate) struct Matching {
    /// Edited copies of listed photographs.
    pub(crate) edited: usize,
    /// How many of them were found.
    pub(crate) found: usize,
    /// Other pictures.
    pub(crate) others: usize,
    /// How many of them matched: none, if all is well.
    pub(crate) false_matches: usize,
    /// Where the receipt is.
    pub(crate) receipt: PathBuf,
}

/// Matches everything against the list, and checks one receipt offline.
pub(crate) fn show(
    list: VerifiedList,
    photos: &Photos,
    trust: &TlogPolicy,
    data: &Path,
    narrator: &Narrator<'_>,
) -> Result<Matching> {
    let version = list.version();
    let matcher = Matcher::new(list)?;
    let mut summary = Matching::default();
    let mut proof: Option<(Match, Vec<u8>)> = None;
    for photo in &photos.listed {
        let copies = pictures::edits(photo, &data.join("pictures").join("edited"))?;
        let mut words = Vec::new();
        for copy in copies {
            summary.edited += 1;
            match matcher.look_up(&copy.fingerprint, system_clock()).verdict {
                Verdict::Matched(matches) => {
                    let nearest = matches.into_iter().next().context("a match without an entry")?;
                    summary.found += 1;
                    words.push(format!("{} {}", copy.edit, nearest.distance));
                    proof.get_or_insert((nearest, copy.fingerprint.hash));
                }
                Verdict::NotMatched => words.push(format!("{} not found", copy.edit)),
                Verdict::NotCovered(why) => words.push(format!("{} not covered ({why})", copy.edit)),
            }
        }
        narrator.done(format!("{}: {} → warn (release {version})", photo.name, words.join(", ")));
    }
    others(&matcher, &photos.others, &mut summary, narrator);
    let (found, hash) = proof.context("no edited copy was found")?;
    summary.receipt = data.join("receipt.json");
    check_receipt(&found, &hash, &summary.receipt, trust, narrator)?;
    Ok(summary)
}

fn others(matcher: &Matcher, photos: &[Photo], summary: &mut Matching, narrator: &Narrator<'_>) {
    for photo in photos {
        summary.others += 1;
        match matcher.look_up(&photo.fingerprint, system_clock()).verdict {
            Verdict::Matched(_) => {
                summary.false_matches += 1;
                narrator.refused(format!("{}: matched, though it is not on the list", photo.name));
            }
            Verdict::NotMatched => narrator.done(format!("{}: no match", photo.name)),
            Verdict::NotCovered(why) => narrator.done(format!("{}: not covered: {why}", photo.name)),
        }
    }
}

/// Writes the receipt, reads it again, and checks it as a stranger would: with the log's and witnesses' keys alone.
fn check_receipt(found: &Match, hash: &[u8], path: &Path, trust: &TlogPolicy, narrator: &Narrator<'_>) -> Result<()> {
    isonomy_store::files::replace(path, found.receipt.to_text()?.as_bytes())?;
    let proven = Receipt::parse(&std::fs::read(path)?)?.verify(trust, Some(hash))?;
    ensure!(proven.distance == Some(found.distance), "the receipt proves another distance");
    narrator.done(format!(
        "the receipt proves it offline: entry in release {}, endorsed, logged, witnessed, distance {}",
        proven.release.body().version,
        found.distance
    ));
    narrator.note(path.display());
    Ok(())
}
