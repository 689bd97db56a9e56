//! `isonomy match`.

use super::{client, files};
use crate::args::MatchArgs;
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_matcher::image::Limits;
use isonomy_matcher::{Answer, Fingerprint, Matcher, Verdict};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(crate) fn run(args: MatchArgs, output: &Output) -> Result<Exit> {
    let client = client::look(&args.folder)?;
    let list = client.list().cloned();
    let list =
        list.ok_or_else(|| Refused("no verified list is at hand: run `isonomy client update` first".to_owned()))?;
    let matcher = Matcher::new(list)?;
    let (mut matched, mut unchecked, mut documents) = (false, false, Vec::new());
    for subject in &args.subjects {
        let (result, document) = match check(&matcher, subject, args.receipts.as_deref(), output) {
            Ok(checked) => checked,
            Err(error) => {
                output.say(format!("{subject}: not checked: {error:#}"));
                (Exit::NotChecked, json!({ "subject": subject, "verdict": "error", "why": format!("{error:#}") }))
            }
        };
        matched |= result == Exit::Matched;
        unchecked |= result == Exit::NotChecked;
        documents.push(document);
    }
    if output.is_json() {
        output.report("", &documents)?;
    }
    Ok(match (matched, unchecked) {
        (true, _) => Exit::Matched,
        (false, true) => Exit::NotChecked,
        (false, false) => Exit::Done,
    })
}

/// Looks one picture or hash up, and says what came of it.
fn check(
    matcher: &Matcher,
    subject: &str,
    receipts: Option<&Path>,
    output: &Output,
) -> Result<(Exit, serde_json::Value)> {
    let answer = matcher.look_up(&fingerprint(matcher, subject)?, system_clock());
    let receipts = write_receipts(&answer, subject, receipts)?;
    output.say(words(subject, &answer, matcher, &receipts));
    let exit = match answer.verdict {
        Verdict::Matched(_) => Exit::Matched,
        Verdict::NotMatched => Exit::Done,
        Verdict::NotCovered(_) => Exit::NotChecked,
    };
    Ok((exit, document(subject, &answer, &receipts)))
}

/// A hash if it has the digits of one, and no file has that name; else a picture.
fn fingerprint(matcher: &Matcher, subject: &str) -> Result<Fingerprint> {
    let algorithm = matcher.algorithm();
    let path = Path::new(subject);
    if let Some(hash) = from_hex(&subject.to_lowercase())
        && hash.len() == algorithm.entry_size()
        && !path.exists()
    {
        return Ok(Fingerprint { algorithm, hash, quality: None });
    }
    let limits = Limits::default();
    let bytes = files::read(path, limits.file_bytes)?;
    Fingerprint::of_file(algorithm, &bytes, &limits).with_context(|| format!("{subject} can't be hashed"))
}

fn write_receipts(answer: &Answer, subject: &str, folder: Option<&Path>) -> Result<Vec<PathBuf>> {
    let (Verdict::Matched(matches), Some(folder)) = (&answer.verdict, folder) else {
        return Ok(Vec::new());
    };
    isonomy_store::files::create_dir_all_durable(folder)?;
    let stem = Path::new(subject).file_stem().map_or(subject.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let mut written = Vec::new();
    for found in matches {
        let entry = to_hex(&found.entry);
        let path = folder.join(format!("{stem}-{}.receipt.json", &entry[..12.min(entry.len())]));
        files::write(&path, found.receipt.to_text().as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

fn words(subject: &str, answer: &Answer, matcher: &Matcher, receipts: &[PathBuf]) -> String {
    let list = format!("{} version {}, {}", answer.list, answer.version, answer.freshness);
    match &answer.verdict {
        Verdict::NotMatched => format!("{subject}: no match ({list})"),
        Verdict::NotCovered(why) => format!("{subject}: not covered: {why} ({list})"),
        Verdict::Matched(matches) => {
            let found = matches.iter().map(|found| {
                format!("  entry {} at distance {}: {}", to_hex(&found.entry), found.distance, found.action)
            });
            let written = receipts.iter().map(|path| format!("  receipt {}", path.display()));
            let notice = answer.notice(matcher.list()).map(|notice| format!("  {notice}"));
            let lines: Vec<String> = found.chain(written).chain(notice).collect();
            format!("{subject}: match ({list})\n{}", lines.join("\n"))
        }
    }
}

fn document(subject: &str, answer: &Answer, receipts: &[PathBuf]) -> serde_json::Value {
    let (verdict, matches, why) = match &answer.verdict {
        Verdict::Matched(matches) => ("matched", matches.as_slice(), None),
        Verdict::NotMatched => ("not-matched", &[][..], None),
        Verdict::NotCovered(why) => ("not-covered", &[][..], Some(why.to_string())),
    };
    let matches: Vec<_> = matches
        .iter()
        .map(|found| json!({ "entry": to_hex(&found.entry), "distance": found.distance, "action": found.action }))
        .collect();
    json!({
        "subject": subject,
        "list": answer.list,
        "version": answer.version,
        "freshness": answer.freshness,
        "verdict": verdict,
        "matches": matches,
        "why": why,
        "receipts": receipts,
    })
}
