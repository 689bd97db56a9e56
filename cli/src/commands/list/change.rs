//! `isonomy list diff` and `isonomy list remove`.

use super::prove;
use crate::args::{DiffArgs, RemoveArgs};
use crate::commands::release::{self, Desk};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::statement::ListName;
use isonomy_matcher::lookup::Index;
use isonomy_publisher::compose::{Term, change, compose};
use isonomy_publisher::difference::{self, DifferenceReport};
use isonomy_publisher::draft::{self, MAX_REASON};
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
    let (list, policy, workspace) = args.published()?;
    let desk = Desk::open(policy, workspace)?;
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
    let words = report.words() + &release::alarm_words(&alarms);
    output.report(words, &json!({ "difference": report, "alarms": alarms }))?;
    Ok(Exit::Done)
}

/// The draft of a release that does nothing but remove entries: what a wrongly listed person waits for.
pub(super) async fn remove(args: &RemoveArgs, output: &Output) -> Result<Exit> {
    let list = ListName::new(&args.list).ok_or_else(|| Malformed(format!("{} is no list's name", args.list)))?;
    check_reason(&args.reason)?;
    let desk = Desk::open(&args.policy, &args.workspace)?;
    let (view, bases) = desk.view(&list).await?;
    let charter = view.editions().newest().context("the list has no charter")?.charter();
    let old =
        &bases.last().ok_or_else(|| Refused("the list has no release yet: nothing can be removed".to_owned()))?.entries;
    let removals = args.hashes.iter().map(|text| prove::hash(text, old.entry_size())).collect::<Result<Vec<_>>>()?;
    for entry in &removals {
        check_listed(old, entry, charter.matching.algorithm, charter.matching.max_distance)?;
    }
    let (removals, _) = Entries::from_unsorted(old.entry_size(), removals.concat())?;
    let entries = change(old, &Entries::empty(old.entry_size())?, &removals)?.entries;
    let draft = compose(&view, &bases, &entries, Term { created: system_clock(), validity: None })?;
    draft.write(&args.out, &entries)?;
    draft::write_reason(&args.out, &args.reason)?;
    let report = draft.report();
    let removed: Vec<String> = removals.iter().map(to_hex).collect();
    let words = format!(
        "{}\n  It only removes, so clients that hold the version before use it at once, without waiting for its visibility.\n  \
         reason: {}\n  removed: {}\n  The charter promises removal within {} s.",
        release::draft_words(&report, &args.out),
        args.reason,
        removed.join(", "),
        charter.redress.removal_deadline,
    );
    let document = json!({ "draft": report, "folder": args.out, "removed": removed, "reason": args.reason });
    output.report(words, &document)?;
    Ok(Exit::Done)
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
