//! `isonomy list diff` and `isonomy list remove`.

use super::prove;
use crate::args::{DiffArgs, RemoveArgs};
use crate::commands::files;
use crate::commands::release::{self, Desk, Ground, rails};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_publisher::compose::{Proposal, Term, compose};
use isonomy_publisher::difference::{self, Difference, Finding};
use isonomy_publisher::draft::{self, MAX_REASON};
use isonomy_publisher::nearest::{Nearest, nearest};
use isonomy_publisher::stored::{StoredError, StoredList};
use isonomy_publisher::workspace::Base;
use serde_json::json;

/// Shows what would change, and whether a rail would stop it. Nothing is written, nothing is signed.
pub(super) async fn diff(args: &DiffArgs, output: &Output) -> Result<Exit> {
    let shown = if args.all { usize::MAX } else { difference::SHOWN };
    if let Some(old) = &args.old {
        let algorithm: Algorithm = args.algorithm.into();
        let new = super::read(&args.new, algorithm)?;
        let mut finding = Finding::new(&new, algorithm);
        let read =
            StoredList::new(old, algorithm.entry_size()).pieces(|piece| Ok::<(), StoredError>(finding.take(piece)?));
        read.map_err(|error| super::unreadable(old, algorithm, error))?;
        let report = difference::report(&finding.finish()?, &new, algorithm, shown)?;
        output.report(report.words(), &json!({ "difference": report }))?;
        return Ok(Exit::Done);
    }
    let (list, desk) = args.published()?;
    let Ground { view, bases, past, .. } = Desk::open(&desk)?.ground(&list).await?;
    let charter = view.editions().newest().context("the list has no charter")?.charter();
    let algorithm = charter.matching.algorithm;
    let new = super::read(&args.new, algorithm)?;
    let change = Difference::from_base(bases.last(), &new, algorithm)?;
    let report = difference::report(&change, &new, algorithm, shown)?;
    let subject = rails::Subject { change: &change, after: &new, charter, past: &past };
    let alarms = rails::look(&args.rails, subject)?;
    let is_stopped = alarms.iter().any(|alarm| rails::stops(&args.rails, alarm));
    let words = report.words() + &rails::words(&alarms) + &rails::past_words(&past);
    let document = json!({
        "difference": report,
        "alarms": alarms,
        "stopped": is_stopped,
        "known_since": past.since(),
    });
    output.report(words, &document)?;
    Ok(if is_stopped { Exit::Findings } else { Exit::Done })
}

/// The draft of a release that does nothing but remove entries: what a wrongly listed person waits for.
pub(super) async fn remove(args: &RemoveArgs, output: &Output) -> Result<Exit> {
    check_reason(&args.reason)?;
    draft::check_free(&args.out)?;
    let desk = Desk::open(&args.desk)?;
    let Ground { view, bases, past, .. } = desk.ground(&release::parse_list(&args.list)?).await?;
    let nothing = || Refused("the list has no release yet: nothing can be removed".to_owned());
    let old = bases.last().ok_or_else(nothing)?;
    let newest = view.editions().newest().context("the list has no charter")?.charter();
    let (removals, entries) = without(&args.hashes, old, newest)?;
    let term = Term { created: system_clock(), validity: None };
    let proposal = Proposal { entries: &entries, term, reason: Some(&args.reason) };
    let composed = compose(&view, &bases, proposal, files::folder_of(&args.out))?;
    let charter = composed.edition.charter();
    let subject = rails::Subject { change: &composed.change, after: &entries, charter, past: &past };
    let alarms = rails::check(&args.rails, subject, "nothing was composed")?;
    let report = composed.draft.report();
    composed.draft.save(&args.out)?;
    let removed: Vec<String> = removals.iter().map(to_hex).collect();
    let words = format!(
        "{}\n  It only removes, so clients that hold the version before use it at once, without waiting for its visibility.\n  \
         reason: {}\n  removed: {}\n  The charter promises removal within {} s.{}",
        release::draft_words(&report, &args.out),
        args.reason,
        removed.join(", "),
        charter.redress.removal_deadline,
        rails::words(&alarms),
    );
    let document =
        json!({ "draft": report, "file": args.out, "removed": removed, "reason": args.reason, "alarms": alarms });
    output.report(words, &document)?;
    Ok(Exit::Done)
}

/// The entries that are to go, each of which must be on the list, and the list without them.
fn without(hashes: &[String], old: &Base, charter: &Charter) -> Result<(Entries, Entries)> {
    let (listed, size) = (old.read()?, charter.matching.algorithm.entry_size());
    let removals = hashes.iter().map(|text| prove::hash(text, size)).collect::<Result<Vec<_>>>()?;
    for entry in &removals {
        check_listed(&listed, entry, charter.matching.algorithm, charter.matching.max_distance)?;
    }
    let removals = Entries::from_unsorted(size, removals.concat())?.0;
    let mut bytes = listed.into_bytes();
    let mut kept = 0;
    for start in (0..bytes.len()).step_by(size) {
        if !removals.contains(&bytes[start..start + size]) {
            bytes.copy_within(start..start + size, kept);
            kept += size;
        }
    }
    bytes.truncate(kept);
    Ok((removals, Entries::from_sorted(size, bytes)?))
}

fn check_reason(reason: &str) -> Result<()> {
    if !draft::is_reason(reason) {
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
    let hash = Entries::from_sorted(algorithm.hash_size(), algorithm.hash_of(entry).to_vec())?;
    let distance = u32::try_from(distance).unwrap_or(u32::MAX);
    let found = nearest(algorithm, list, &hash, distance, difference::SHOWN)?;
    let near = found.iter().flat_map(Nearest::all);
    let near =
        near.filter_map(|near| Some(format!("\n  {} at distance {}", to_hex(list.get(near.index)?), near.distance)));
    let near: String = near.collect();
    if !near.is_empty() {
        problem += &format!("; a picture with this hash matches because of:{near}");
    }
    Err(Refused(problem).into())
}
