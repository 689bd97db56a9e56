//! `isonomy release new`.

use super::{Desk, Ground, irregular_words, parse_list, rails, signed_before, signed_before_words};
use crate::args::ComposeArgs;
use crate::commands::{files, list};
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_publisher::compose::{Proposal, Term, compose};
use isonomy_publisher::draft::{self, DraftReport};
use isonomy_publisher::memory::Outstanding;
use serde::Serialize;
use std::path::Path;

pub(super) async fn run(args: &ComposeArgs, output: &Output) -> Result<Exit> {
    draft::check_free(&args.out)?;
    let desk = Desk::open(&args.desk)?;
    let Ground { view, bases, past, workspace } = desk.ground(&parse_list(&args.list)?).await?;
    let algorithm = view.editions().newest().context("the list has no charter")?.charter().matching.algorithm;
    let entries = list::read(&args.content, algorithm)?;
    let term = Term { created: system_clock(), validity: args.validity };
    let proposal = Proposal { entries: &entries, term, reason: None };
    let composed = compose(&view, &bases, proposal, files::folder_of(&args.out))?;
    let charter = composed.edition.charter();
    let subject = rails::Subject { change: &composed.change, after: &entries, charter, past: &past };
    let held = rails::check(&args.rails, subject, "nothing was composed")?;
    let report = composed.draft.report();
    composed.draft.save(&args.out)?;
    let signed = signed_before(&workspace, &view, &report)?;
    let words = draft_words(&report, &args.out) + &signed_before_words(signed.as_ref()) + &held.words();
    output.report(words, &Composed { draft: report, file: &args.out, signed, held })?;
    Ok(Exit::Done)
}

/// A draft that was written.
#[derive(Serialize)]
struct Composed<'c> {
    draft: DraftReport,
    file: &'c Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<Outstanding>,
    #[serde(flatten)]
    held: rails::Held,
}

/// What is in a draft, in words.
pub(in crate::commands) fn draft_words(report: &DraftReport, out: &Path) -> String {
    let objects: Vec<String> =
        report.objects.iter().map(|object| format!("\n  {}: {} bytes", object.what, object.size)).collect();
    format!(
        "draft of {} version {}: {} entries{}, +{} −{}\n  id {}{}\n  Each curator gets the file {out}, and endorses it: isonomy release endorse {out} …",
        report.list,
        report.version,
        report.entries,
        irregular_words(report.irregular),
        report.added,
        report.removed,
        report.release,
        objects.concat(),
        out = out.display()
    )
}
