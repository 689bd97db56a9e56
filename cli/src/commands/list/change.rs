//! `isonomy list diff` and `isonomy list remove`.

use super::prove;
use crate::args::{DiffArgs, RemoveArgs};
use crate::commands::release::{self, Desk, rails};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_matcher::lookup::Index;
use isonomy_publisher::compose::{Term, change, compose};
use isonomy_publisher::difference::{self, DifferenceReport};
use isonomy_publisher::draft::{Attachments, MAX_REASON};
use isonomy_publisher::guard::{Alarm, Canaries, inspect};
use serde_json::json;

/// Shows what would change. Nothing is written, nothing is signed.
pub(super) async fn diff(args: &DiffArgs, output: &Output) -> Result<Exit> {
    let shown = if args.all { usize::MAX } else { difference::SHOWN };
    if let Some(old) = &args.old {
        let algorithm: Algorithm = args.algorithm.into();
        let (old, new) = (super::read(old, algorithm)?, super::read(&args.new, algorithm)?);
        return show(&difference::between(&old, &new, algorithm, shown)?, Vec::new(), output);
    }
    let (list, desk) = args.published()?;
    let desk = Desk::open(&desk)?;
    let (view, bases) = desk.view(&list).await?;
    let charter = view.editions().newest().context("the list has no charter")?.charter();
    let algorithm = charter.matching.algorithm;
    let new = super::read(&args.new, algorithm)?;
    let old = match bases.last() {
        Some(base) => base.entries.clone(),
        None => Entries::empty(algorithm.entry_size())?,
    };
    let report = difference::between(&old, &new, algorithm, shown)?;
    show(&report, inspect(&old, &new, charter, &Canaries::built_in())?, output)
}

fn show(report: &DifferenceReport, alarms: Vec<Alarm>, output: &Output) -> Result<Exit> {
    let words = report.words() + &rails::words(&alarms);
    output.report(words, &json!({ "difference": report, "alarms": alarms }))?;
    Ok(Exit::Done)
}

/// The draft of a release that does nothing but remove entries: what a wrongly listed person waits for.
pub(super) async fn remove(args: &RemoveArgs, output: &Output) -> Result<Exit> {
    check_reason(&args.reason)?;
    let desk = Desk::open(&args.desk)?;
    let (view, bases) = desk.view(&release::parse_list(&args.list)?).await?;
    let nothing = || Refused("the list has no release yet: nothing can be removed".to_owned());
    let old = &bases.last().ok_or_else(nothing)?.entries;
    let newest = view.editions().newest().context("the list has no charter")?.charter();
    let removals = removals(&args.hashes, old, newest)?;
    let entries = change(old, &Entries::empty(old.entry_size())?, &removals)?.entries;
    let draft = compose(&view, &bases, &entries, Term { created: system_clock(), validity: None })?;
    let cited = view.editions().find(&draft.release().body().charter).context("the cited charter isn't in the log")?;
    let alarms = rails::check(&args.rails, old, &entries, cited.charter(), "nothing was composed")?;
    let beside = Attachments { entries: &entries, charter: cited.signed(), reason: Some(&args.reason) };
    draft.write(&args.out, &beside)?;
    let report = draft.report();
    let removed: Vec<String> = removals.iter().map(to_hex).collect();
    let words = format!(
        "{}\n  It only removes, so clients that hold the version before use it at once, without waiting for its visibility.\n  \
         reason: {}\n  removed: {}\n  The charter promises removal within {} s.{}",
        release::draft_words(&report, &args.out),
        args.reason,
        removed.join(", "),
        cited.charter().redress.removal_deadline,
        rails::words(&alarms),
    );
    let document =
        json!({ "draft": report, "folder": args.out, "removed": removed, "reason": args.reason, "alarms": alarms });
    output.report(words, &document)?;
    Ok(Exit::Done)
}

/// The entries that are to go, each of which must be on the list.
fn removals(hashes: &[String], old: &Entries, charter: &Charter) -> Result<Entries> {
    let size = old.entry_size();
    let removals = hashes.iter().map(|text| prove::hash(text, size)).collect::<Result<Vec<_>>>()?;
    for entry in &removals {
        check_listed(old, entry, charter.matching.algorithm, charter.matching.max_distance)?;
    }
    Ok(Entries::from_unsorted(size, removals.concat())?.0)
}

fn check_reason(reason: &str) -> Result<()> {
    let is_empty = reason.trim().is_empty();
    if is_empty || reason.len() > MAX_REASON || reason.chars().any(char::is_control) {
        let problem = format!("a reason has 1 to {MAX_REASON} bytes on one line; the curators read it");
        return Err(Malformed(problem).into());
    }
    Ok(())
}

/// Refuses what is not on the list, and says what is near to it.
fn check_listed(list: &Entries, entry: &[u8], algorithm: Algorithm, distance: u64) -> Result<()> {
    if list.contains(entry) {
        return Ok(());
    }
    let mut problem = format!("{} is not on the list", to_hex(entry));
    let found =
        Index::new(algorithm, list)?.within(algorithm.hash_of(entry), u32::try_from(distance).unwrap_or(u32::MAX))?;
    let near = found
        .iter()
        .filter_map(|found| Some(format!("\n  {} at distance {}", to_hex(list.get(found.index)?), found.distance)));
    let near: String = near.take(difference::SHOWN).collect();
    if !near.is_empty() {
        problem += &format!("; a picture with this hash matches because of:{near}");
    }
    Err(Refused(problem).into())
}
