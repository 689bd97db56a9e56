//! `isonomy release endorse`.

use super::{Desk, Ground, irregular_words, parse_ids, rails, read_release};
use crate::args::{EndorseArgs, Overwrite};
use crate::commands::{files, key, list};
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::Result;
use isonomy_client::system_clock;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::Algorithm;
use isonomy_core::release::Release;
use isonomy_core::statement::Signed;
use isonomy_publisher::difference::{self, DifferenceReport};
use isonomy_publisher::draft::{self, Draft};
use isonomy_publisher::endorse::{EndorseError, EndorsementReport, Examined, Holdings, HoldingsReport, examine};
use isonomy_publisher::memory::{Role, SigningMemory};
use isonomy_publisher::stored::StoredList;
use serde::Serialize;
use std::path::{Path, PathBuf};

pub(super) async fn run(args: &EndorseArgs, output: &Output) -> Result<Exit> {
    let replaces = parse_ids(&args.replaces)?;
    let desk = Desk::open(&args.desk)?;
    let draft = Draft::open(&args.draft)?;
    let overwrite = overwrite_of(args, draft.release());
    files::check_free(&args.out, overwrite)?;
    let Ground { view, bases, past, workspace } = desk.ground(&draft.release().body().list).await?;
    let examined = examine(&draft, &view, &bases, system_clock())?;
    let algorithm = examined.charter().matching.algorithm;
    let change = difference::report(examined.change(), examined.entries(), algorithm, difference::SHOWN)?;
    if let Some(path) = &args.require_all_in {
        check_all_in(&examined, path, algorithm, output)?;
    }
    let compare = |path: &PathBuf| anyhow::Ok(examined.compare(&list::read_holdings(path, algorithm)?)?);
    let known = args.holdings.as_ref().map(compare).transpose()?;
    let held = rails::check(&args.rails, rails::Subject::of(&examined, &past), "nothing was signed")?;
    if let Some(reason) = draft.reason() {
        output.say(format!("the maintainer says why: {reason}"));
    }
    let mut memory = SigningMemory::of_key(&args.key)?.and_in(&workspace.signed(Role::Curator))?;
    desk.check_not_logged(&examined.others_signed(&memory)).await?;
    // After all checks, so that nobody is asked for a passphrase in vain.
    let key = key::open(&args.key)?;
    let signed = examined.endorse(key.as_ref(), &mut memory, &replaces, system_clock())?;
    files::save(&args.out, &signed.to_bytes(), overwrite)?;
    let report = examined.report(&signed);
    let out = args.out.display();
    let words = format!(
        "{}{}\n  Your endorsement is {out}: send it back to the maintainer{}{}",
        words(&report),
        change.entries_words(),
        holdings_words(known.as_ref()),
        held.words()
    );
    output
        .report(words, &Endorsed { endorsement: report, difference: change, file: &args.out, holdings: known, held })?;
    Ok(Exit::Done)
}

/// A draft that was endorsed.
#[derive(Serialize)]
struct Endorsed<'e> {
    endorsement: EndorsementReport,
    difference: DifferenceReport,
    file: &'e Path,
    holdings: Option<HoldingsReport>,
    #[serde(flatten)]
    held: rails::Held,
}

/// An endorsement of the same release is written again unasked: who repeats a command means that one.
fn overwrite_of(args: &EndorseArgs, release: &Signed<Release>) -> Overwrite {
    let is_same = || read_release(&args.out).is_ok_and(|there| there.id() == release.id());
    Overwrite { force: args.overwrite.force || !draft::is_one(&args.out) && is_same() }
}

/// Refuses a release with entries that the curator does not hold itself, and names each of them.
fn check_all_in(examined: &Examined<'_>, path: &Path, algorithm: Algorithm, output: &Output) -> Result<()> {
    let missing = if list::is_text(path)? {
        examined.missing_from(Holdings::Read(&list::read_holdings(path, algorithm)?))
    } else {
        examined.missing_from(Holdings::Stored(&StoredList::new(path, algorithm.entry_size())))
    };
    let missing = missing.map_err(|error| match error {
        EndorseError::Holdings(error) => list::unreadable(path, algorithm, error),
        other => other.into(),
    })?;
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
        "✓ {} version {}: recomputed from its content: {} entries{}, +{} −{}, root {}\n  signed by {}\n  with this endorsement alone, still missing: {missing}\n  to be published before {}",
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
