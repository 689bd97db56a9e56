//! `isonomy release endorse`.

use super::{Desk, irregular_words, parse_id, rails};
use crate::args::EndorseArgs;
use crate::commands::{key, list};
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::Result;
use isonomy_client::system_clock;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::Entries;
use isonomy_publisher::draft::{self, Draft};
use isonomy_publisher::endorse::{EndorsementReport, Examined, HoldingsReport, examine};
use isonomy_publisher::memory::SigningMemory;
use serde_json::json;
use std::path::{Path, PathBuf};

pub(super) async fn run(args: &EndorseArgs, output: &Output) -> Result<Exit> {
    let replaces = parse_id(args.replaces.as_deref())?;
    let desk = Desk::open(&args.desk)?;
    let draft = Draft::read(&args.draft)?;
    let (view, bases) = desk.view(&draft.release().body().list).await?;
    let examined = examine(&draft, &view, &bases, system_clock())?;
    let holdings = |path: &PathBuf| list::read(path, examined.charter().matching.algorithm);
    if let Some(path) = &args.require_all_in {
        check_all_in(&examined, &holdings(path)?, path, output)?;
    }
    let known = args.holdings.as_ref().map(|path| anyhow::Ok(examined.compare(&holdings(path)?)?)).transpose()?;
    let (before, after) = (examined.before(), examined.entries());
    let alarms = rails::check(&args.rails, before, after, examined.charter(), "nothing was signed")?;
    if let Some(reason) = draft::read_reason(&args.draft)? {
        output.say(format!("the maintainer says why: {reason}"));
    }
    // After all checks, so that nobody is asked for a passphrase in vain.
    let key = key::open(&args.key)?;
    let mut memory = SigningMemory::of_key(&args.key)?;
    let signed = examined.endorse(key.as_ref(), &mut memory, replaces, system_clock())?;
    draft::write_release(&args.draft, &signed)?;
    let report = examined.report(&signed);
    let words = words(&report) + &holdings_words(known.as_ref()) + &rails::words(&alarms);
    output.report(words, &json!({ "endorsement": report, "holdings": known, "alarms": alarms }))?;
    Ok(Exit::Done)
}

/// Refuses a release with entries that the curator does not hold itself, and names each of them.
fn check_all_in(examined: &Examined<'_>, holdings: &Entries, path: &Path, output: &Output) -> Result<()> {
    let missing = examined.missing_from(holdings)?;
    if missing.is_empty() {
        return Ok(());
    }
    for entry in &missing {
        output.say(format!("not in {}: {}", path.display(), to_hex(entry)));
    }
    let (count, all) = (missing.len(), examined.entries().len());
    Err(Refused(format!("{count} of {all} entries don't stand in {}; nothing was signed", path.display())).into())
}

fn holdings_words(known: Option<&HoldingsReport>) -> String {
    known.map_or(String::new(), |known| {
        format!("\n  of the added entries you know {}, and don't know {}", known.known, known.unknown)
    })
}

fn words(report: &EndorsementReport) -> String {
    let missing = report.missing.as_deref().unwrap_or("nothing: it can be published");
    format!(
        "✓ {} version {}: recomputed from its content: {} entries{}, +{} −{}, root {}\n  signed by {}\n  still missing: {missing}\n  to be published before {}",
        report.list,
        report.version,
        report.entries,
        irregular_words(report.irregular),
        report.added,
        report.removed,
        report.root,
        report.signed.join(", "),
        report.submit_before,
    )
}
