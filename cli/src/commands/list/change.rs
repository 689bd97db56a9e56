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
use isonomy_core::rules::editions::Edition;
use isonomy_core::time::Timestamp;
use isonomy_publisher::compose::{Proposal, Term, compose};
use isonomy_publisher::difference::{self, Difference, DifferenceReport, Finding};
use isonomy_publisher::draft::{self, Draft, DraftReport, MAX_REASON};
use isonomy_publisher::endorse::examine;
use isonomy_publisher::import::{ImportOptions, Irregular, import};
use isonomy_publisher::memory::Outstanding;
use isonomy_publisher::nearest::{Nearest, nearest};
use isonomy_publisher::stored::{StoredError, StoredList};
use isonomy_publisher::view::ListView;
use isonomy_publisher::workspace::Base;
use serde::Serialize;
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

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
    let clock = system_clock().max(view.now());
    let edition = in_force(&view, clock)?;
    let algorithm = edition.charter().matching.algorithm;
    // A draft is examined as a curator's signature would: all but that.
    let draft = if draft::is_one(&args.new) { Some(Draft::open(&args.new)?) } else { None };
    if let Some(draft) = draft.as_ref().filter(|draft| draft.release().body().list != list) {
        return Err(Malformed(format!("{} is a draft of {}", args.new.display(), draft.release().body().list)).into());
    }
    let examined = draft.as_ref().map(|draft| examine(draft, &view, &bases, system_clock())).transpose()?;
    let (own_change, own);
    let (change, new, charter) = match &examined {
        Some(examined) => (examined.change(), examined.entries(), examined.charter()),
        None => {
            own = super::read(&args.new, algorithm)?;
            own_change = Difference::from_base(bases.last(), &own, algorithm)?;
            (&own_change, &own, edition.charter())
        }
    };
    let report = difference::report(change, new, algorithm, shown)?;
    let subject = rails::Subject { change, after: new, charter, past: &past };
    let held = rails::look(&args.rails, subject)?;
    let stopped = held.alarms.iter().any(|alarm| rails::stops(&args.rails, alarm));
    let adds_from = view.adds_from(charter).filter(|from| *from > clock && !change.added().is_empty());
    let mut words = report.words() + &held.words() + &edition_words(&view, charter, clock);
    if let Some(from) = adds_from {
        let interval = charter.limits.min_interval;
        words += &format!(
            "\n  ! Rule 7 refuses additions until {from}: the charter asks for {interval} s between two releases that add. Removals need not wait"
        );
    }
    let edition = charter.edition;
    output.report(words, &Compared { difference: report, edition, adds_from, stopped, held })?;
    Ok(if stopped { Exit::Findings } else { Exit::Done })
}

/// The edition under which a release would be composed now; before any is in force, the newest.
fn in_force(view: &ListView, clock: Timestamp) -> Result<&Edition> {
    view.in_force_at(clock).or(view.editions().newest()).context("the list has no charter")
}

/// Under which edition, and what of the others whoever reads this should know. A draft may cite an older one than the newest in force.
fn edition_words(view: &ListView, charter: &Charter, clock: Timestamp) -> String {
    let own = charter.edition;
    let in_force = view.in_force_at(clock).map_or(0, Edition::number);
    let newest = view.editions().newest().map_or(own, Edition::number);
    let mut words = format!("\n  Held against edition {own} of the charter");
    if own > in_force {
        words += ", which is not in force yet";
    } else if own < in_force {
        words += &format!("; edition {in_force} is in force by now");
    }
    if newest > own.max(in_force) {
        words += &format!("; edition {newest} is not in force yet");
    }
    words + "."
}

/// What would change, and whether a rail would stop it.
#[derive(Serialize)]
struct Compared {
    difference: DifferenceReport,
    /// The edition of the charter that it was held against.
    edition: u64,
    /// When the log admits additions again, if it does not yet (rule 7).
    adds_from: Option<Timestamp>,
    stopped: bool,
    #[serde(flatten)]
    held: rails::Held,
}

/// The draft of a release that does nothing but remove entries: what a wrongly listed person waits for.
pub(super) async fn remove(args: &RemoveArgs, output: &Output) -> Result<Exit> {
    check_reason(&args.reason)?;
    draft::check_free(&args.out)?;
    let desk = Desk::open(&args.desk)?;
    let Ground { view, bases, past, workspace } = desk.ground(&release::parse_list(&args.list)?).await?;
    let nothing = || Refused("the list has no release yet: nothing can be removed".to_owned());
    let old = bases.last().ok_or_else(nothing)?;
    let term = Term { created: system_clock(), validity: None };
    let in_force = in_force(&view, term.created.max(view.now()))?.charter();
    let removals = removals(args, in_force.matching.algorithm)?;
    let entries = without(&removals, old, in_force)?;
    let proposal = Proposal { entries: &entries, term, reason: Some(&args.reason) };
    let composed = compose(&view, &bases, proposal, files::folder_of(&args.out))?;
    let charter = composed.edition.charter();
    let subject = rails::Subject { change: &composed.change, after: &entries, charter, past: &past };
    let held = rails::check(&args.rails, subject, "nothing was composed")?;
    let near = still_near(&removals, &entries, charter)?;
    let report = composed.draft.report();
    composed.draft.save(&args.out)?;
    let signed = release::signed_before(&workspace, &view, &report)?;
    let removed: Vec<String> = removals.iter().map(to_hex).collect();
    let words = format!(
        "{}\n  It only removes, so clients that hold the version before use it at once, without waiting for its visibility.\n  \
         reason: {}\n  removed: {}\n  The charter promises removal within {} s.{}{}{}",
        release::draft_words(&report, &args.out),
        args.reason,
        removed.join(", "),
        charter.redress.removal_deadline,
        near_words(&near),
        release::signed_before_words(signed.as_ref()),
        held.words(),
    );
    let (file, reason) = (&args.out, &args.reason);
    output.report(words, &Removing { draft: report, file, removed, still_near: near, reason, signed, held })?;
    Ok(Exit::Done)
}

/// The draft of a removal that was written.
#[derive(Serialize)]
struct Removing<'r> {
    draft: DraftReport,
    file: &'r Path,
    /// The entries that go, in hexadecimal.
    removed: Vec<String>,
    still_near: Vec<serde_json::Value>,
    reason: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<Outstanding>,
    #[serde(flatten)]
    held: rails::Held,
}

/// The entries that are to go.
fn removals(args: &RemoveArgs, algorithm: Algorithm) -> Result<Entries> {
    let size = algorithm.entry_size();
    let mut removals = args.hashes.iter().map(|text| prove::hash(text, size)).collect::<Result<Vec<_>>>()?.concat();
    if let Some(path) = &args.from {
        let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
        let options =
            ImportOptions { irregular: Irregular::Allow, now: system_clock(), ..ImportOptions::new(algorithm) };
        let (imported, _) = import(BufReader::new(file), &options).with_context(|| super::not_read(path))?;
        if !imported.withdrawn.is_empty() {
            let problem = format!(
                "{} withdraws {} hashes itself: whether those are to go or the others is not clear. Give the hashes that are to go alone",
                path.display(),
                imported.withdrawn.len()
            );
            return Err(Malformed(problem).into());
        }
        removals.extend_from_slice(imported.entries.as_bytes());
    }
    if removals.is_empty() {
        return Err(Malformed("there is no hash that is to go".to_owned()).into());
    }
    Ok(Entries::from_unsorted(size, removals)?.0)
}

/// The list without these entries, each of which must be on it.
fn without(removals: &Entries, old: &Base, charter: &Charter) -> Result<Entries> {
    let (listed, size) = (old.read()?, charter.matching.algorithm.entry_size());
    for entry in removals {
        check_listed(&listed, entry, charter.matching.algorithm, charter.matching.max_distance)?;
    }
    let mut bytes = listed.into_bytes();
    let mut kept = 0;
    for start in (0..bytes.len()).step_by(size) {
        if !removals.contains(&bytes[start..start + size]) {
            bytes.copy_within(start..start + size, kept);
            kept += size;
        }
    }
    bytes.truncate(kept);
    Ok(Entries::from_sorted(size, bytes)?)
}

/// Entries that stay, and are within the distance of one that goes: pictures that match because of both still match.
fn still_near(removals: &Entries, after: &Entries, charter: &Charter) -> Result<Vec<serde_json::Value>> {
    let algorithm = charter.matching.algorithm;
    let hashes = removals.iter().flat_map(|entry| algorithm.hash_of(entry).to_vec()).collect();
    let hashes = Entries::from_unsorted(algorithm.hash_size(), hashes)?.0;
    let distance = u32::try_from(charter.matching.max_distance).unwrap_or(u32::MAX);
    let found = nearest(algorithm, after, &hashes, distance, difference::SHOWN)?;
    let near = hashes.iter().zip(&found).flat_map(|(hash, near)| near.all().iter().map(move |near| (hash, near)));
    Ok(near
        .filter_map(|(hash, near)| {
            let entry = to_hex(after.get(near.index)?);
            Some(json!({ "removed": to_hex(hash), "entry": entry, "distance": near.distance }))
        })
        .collect())
}

fn near_words(near: &[serde_json::Value]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let lines = near.iter().take(difference::SHOWN).map(|one| {
        format!(
            "\n      {} at distance {} of {}",
            one["entry"].as_str().unwrap_or_default(),
            one["distance"],
            one["removed"].as_str().unwrap_or_default()
        )
    });
    let more = near.len().saturating_sub(difference::SHOWN);
    let more = if more > 0 { format!("\n      and {more} more") } else { String::new() };
    format!(
        "\n  ! Entries that stay are so near to what goes that the same picture still matches. If it is listed wrongly, remove these, \
         too:{}{more}",
        lines.collect::<String>()
    )
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
