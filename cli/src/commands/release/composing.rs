//! `isonomy release new`.

use super::{Desk, irregular_words, parse_list, rails};
use crate::args::ComposeArgs;
use crate::commands::list;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::list::Entries;
use isonomy_publisher::compose::{Term, compose};
use isonomy_publisher::draft::{Attachments, DraftReport};
use serde_json::json;
use std::path::Path;

pub(super) async fn run(args: &ComposeArgs, output: &Output) -> Result<Exit> {
    let desk = Desk::open(&args.desk)?;
    let (view, bases) = desk.view(&parse_list(&args.list)?).await?;
    let algorithm = view.editions().newest().context("the list has no charter")?.charter().matching.algorithm;
    let entries = list::read(&args.content, algorithm)?;
    let before = match bases.last() {
        Some(base) => base.entries.clone(),
        None => Entries::empty(entries.entry_size())?,
    };
    let draft = compose(&view, &bases, &entries, Term { created: system_clock(), validity: args.validity })?;
    let cited = view.editions().find(&draft.release().body().charter).context("the cited charter isn't in the log")?;
    let alarms = rails::check(&args.rails, &before, &entries, cited.charter(), "nothing was composed")?;
    draft.write(&args.out, &Attachments { entries: &entries, charter: cited.signed(), reason: None })?;
    let report = draft.report();
    let words = draft_words(&report, &args.out) + &rails::words(&alarms);
    output.report(words, &json!({ "draft": report, "folder": args.out, "alarms": alarms }))?;
    Ok(Exit::Done)
}

/// What is in a draft, in words.
pub(in crate::commands) fn draft_words(report: &DraftReport, out: &Path) -> String {
    let objects: Vec<String> =
        report.objects.iter().map(|object| format!("\n  {}: {} bytes", object.what, object.size)).collect();
    format!(
        "draft of {} version {}: {} entries{}, +{} −{}\n  id {}{}\n  The curators endorse it now: isonomy release endorse {} …",
        report.list,
        report.version,
        report.entries,
        irregular_words(report.irregular),
        report.added,
        report.removed,
        report.release,
        objects.concat(),
        out.display()
    )
}
