//! `isonomy match`.

use super::{client, files};
use crate::args::MatchArgs;
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_matcher::image::Limits;
use isonomy_matcher::{Answer, Fingerprint, Match, Matcher, Verdict};
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
        let (result, document) = match check(&matcher, subject, &args, output) {
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
fn check(matcher: &Matcher, subject: &str, args: &MatchArgs, output: &Output) -> Result<(Exit, serde_json::Value)> {
    let answer = matcher.look_up(&fingerprint(matcher, subject)?, args.folder.clock());
    let receipts = write_receipts(&answer, args.receipts.as_deref());
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

/// What became of the receipt of each match, in their order. A match is told whether or not its receipt could be written.
type Receipts = Vec<Result<PathBuf, String>>;

fn write_receipts(answer: &Answer, folder: Option<&Path>) -> Receipts {
    let (Verdict::Matched(matches), Some(folder)) = (&answer.verdict, folder) else {
        return Vec::new();
    };
    let write = |found: &Match| -> Result<PathBuf> {
        isonomy_store::files::create_dir_all_durable(folder)?;
        let path = folder.join(receipt_name(answer, found));
        isonomy_store::files::replace(&path, found.receipt.to_text().as_bytes())?;
        Ok(path)
    };
    matches.iter().map(|found| write(found).map_err(|error| format!("{error:#}"))).collect()
}

/// Says which entry of which release, and nothing of the picture: one entry matched twice has one receipt.
fn receipt_name(answer: &Answer, found: &Match) -> String {
    let list = answer.list.as_str().replace('/', "-");
    format!("{list}-{}-{}.receipt.json", answer.version, to_hex(&found.entry))
}

fn words(subject: &str, answer: &Answer, matcher: &Matcher, receipts: &Receipts) -> String {
    let list = format!("{} version {}, {}", answer.list, answer.version, answer.freshness);
    match &answer.verdict {
        Verdict::NotMatched => format!("{subject}: no match ({list})"),
        Verdict::NotCovered(why) => format!("{subject}: not covered: {why} ({list})"),
        Verdict::Matched(matches) => {
            let found = matches.iter().map(|found| {
                format!("  entry {} at distance {}: {}", to_hex(&found.entry), found.distance, found.action)
            });
            let written = receipts.iter().map(|receipt| match receipt {
                Ok(path) => format!("  receipt {}", path.display()),
                Err(error) => format!("  no receipt: {error}"),
            });
            let notice = answer.notice(matcher.list()).map(|notice| format!("  {notice}"));
            let lines: Vec<String> = found.chain(written).chain(notice).collect();
            format!("{subject}: match ({list})\n{}", lines.join("\n"))
        }
    }
}

fn document(subject: &str, answer: &Answer, receipts: &Receipts) -> serde_json::Value {
    let (verdict, matches, why) = match &answer.verdict {
        Verdict::Matched(matches) => ("matched", matches.as_slice(), None),
        Verdict::NotMatched => ("not-matched", &[][..], None),
        Verdict::NotCovered(why) => ("not-covered", &[][..], Some(why.to_string())),
    };
    let matches = matches.iter().enumerate().map(|(number, found)| {
        let mut match_ = json!({ "entry": to_hex(&found.entry), "distance": found.distance, "action": found.action });
        match receipts.get(number) {
            Some(Ok(path)) => match_["receipt"] = json!(path),
            Some(Err(error)) => match_["receipt_error"] = json!(error),
            None => {}
        }
        match_
    });
    let matches: Vec<serde_json::Value> = matches.collect();
    json!({
        "subject": subject,
        "list": answer.list,
        "version": answer.version,
        "freshness": answer.freshness,
        "verdict": verdict,
        "matches": matches,
        "why": why,
    })
}
