//! The report as one page: nothing is loaded, nothing runs.

use super::{Assessment, Crowd, Crowds, Growth, InDoubt, Missed, Question, Removals, Share};
use crate::page::{self, bars};
use crate::units;
use isonomy_core::time::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The most releases named in the growth of a crowd.
const GROWN: usize = 6;
/// The most releases in the chart.
const CHARTED: usize = 120;

pub(super) fn page(report: &Assessment) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Assessment of " (report.list) }
                style { (PreEscaped(page::STYLE)) }
            }
            body {
                header { p class="brand" { "Isonomy assessment" } }
                main id="main" {
                    h1 { (report.list) }
                    (lead(report))
                    (figures(report))
                    (section("claims", "What the charter claims, and what was measured", &claims(report)))
                    (section("positives", "Files that must not match", &positives(report)))
                    (section("recall", "Pictures that were edited", &recall(report)))
                    (section("growth", "Growth and change", &growth(report)))
                    @if let Some(crowds) = &report.crowds { (section("crowds", "Entries near each other", &crowded(crowds))) }
                    (section("removals", "Removals and deadlines", &removals(report)))
                    (section("record", "The legal case", &record(report)))
                    (section("questions", "The five questions", &questions(report)))
                    (section("again", "The same again", &again(report)))
                }
            }
        }
    }
}

fn section(id: &str, title: &str, body: &Markup) -> Markup {
    html! { section aria-labelledby=(id) { h2 id=(id) { (title) } (body) } }
}

fn time(time: Timestamp) -> Markup {
    let exact = time.to_rfc3339();
    html! { time datetime=(exact) { (exact) } }
}

fn lead(report: &Assessment) -> Markup {
    html! {
        p class="lead" {
            (report.charter.definition) " Assessed as of " (time(report.as_of)) ", from the " (units::number(report.log_size))
            " entries of the log " (report.log) "."
        }
        @if !report.breaches.is_empty() {
            div class="status breach" {
                strong { (units::count(report.breaches.len(), "breach of the rules", "breaches of the rules")) }
                @for words in &report.breaches { p { (words) } }
            }
        }
        @if !report.not_judged.is_empty() {
            div class="status warning" {
                strong { (units::count(report.not_judged.len(), "entry that can’t be judged", "entries that can’t be judged")) }
                @for words in &report.not_judged { p { (words) } }
            }
        }
        (omitted(report))
    }
}

/// What was found and is not remembered.
fn omitted(report: &Assessment) -> Markup {
    let (about, elsewhere) = (report.omitted.about_list, report.omitted.elsewhere);
    html! {
        @if about > 0 {
            p { strong { (units::number(about)) " more findings about this list" } " had no room, so what is said here of breaches may not be all." }
        }
        @if elsewhere > 0 {
            p class="small soft" { (units::number(elsewhere)) " findings about other things in this log had no room; none of them is about this list." }
        }
    }
}

/// A rate in words that can't be read as more than was measured.
fn share(share: &Share) -> Markup {
    html! { (units::number(share.count)) " of " (units::number(share.of)) " = " (share.rate) " (" (share.low) " to " (share.high) ")" }
}

fn figures(report: &Assessment) -> Markup {
    let newest = report.growth.last();
    html! {
        dl class="cards" {
            div { dt { "False positives" } dd { strong { (units::number(report.false_positives.at_charter.count)) " of " (units::number(report.false_positives.at_charter.of)) } }
                dd class="small soft" { "= " (report.false_positives.at_charter.rate) ", 95 % interval " (report.false_positives.at_charter.low) " to " (report.false_positives.at_charter.high) } }
            div { dt { "Entries" } dd { strong { (newest.map_or("–".to_owned(), |release| units::number(release.entries))) } } }
            div { dt { "Deadlines missed" } dd { strong { (report.missed.len()) } " of " (units::number(report.deadlines)) }
                @if !report.in_doubt.is_empty() { dd class="small soft" { (report.in_doubt.len()) " in doubt" } }
                @if report.complaints.due > 0 { dd class="small soft" { (complained(report)) } } }
            div { dt { "Questions answered" } dd { strong { (answered(report)) } " of " (report.charter.record.len()) } }
        }
    }
}

/// How many deadlines were missed, and of how many; as it stands in a sentence.
pub(super) fn missed(report: &Assessment) -> String {
    let doubt = match report.in_doubt.len() {
        0 => String::new(),
        some => format!(", {some} in doubt"),
    };
    match report.deadlines {
        0 => "no deadline has come yet".to_owned(),
        come => format!(
            "{} of {} missed{doubt}, as far as the log shows",
            units::number(report.missed.len() as u64),
            units::count(usize::try_from(come).unwrap_or(usize::MAX), "deadline", "deadlines")
        ),
    }
}

/// What the log does not show of what came too late.
pub(super) fn may_be_the_log(report: &Assessment) -> &'static str {
    match report.missed.is_empty() {
        true => "",
        false => " A log that was down, or took nothing, looks the same.",
    }
}

/// What followed on complaints, as it stands in a sentence: the log does not show whether they are right.
pub(super) fn complained(report: &Assessment) -> String {
    let (without, doubt) = (report.complaints.without_removal.len(), report.complaints.in_doubt.len());
    let doubt = match doubt {
        0 => String::new(),
        some => format!("; {some} in doubt"),
    };
    match report.complaints.due {
        0 => "no removal after a complaint was due yet".to_owned(),
        due => format!(
            "nothing was removed in time after {} of {}, which is no fault if they are wrong{doubt}",
            units::number(without as u64),
            units::count(usize::try_from(due).unwrap_or(usize::MAX), "complaint", "complaints")
        ),
    }
}

/// How much was removed, as it stands in a sentence: what came back is not gone.
pub(super) fn removed(removals: &Removals) -> String {
    let back = match removals.came_back {
        0 => String::new(),
        back => format!(", {} of which came back with a later release", units::number(back)),
    };
    format!("{}{back}", units::entries(removals.entries))
}

fn answered(report: &Assessment) -> usize {
    report.charter.record.iter().filter(|field| field.answer.is_some()).count()
}

fn claims(report: &Assessment) -> Markup {
    let claimed = |field: &str| {
        let found = report.charter.record.iter().find(|one| one.field == field).and_then(|one| one.answer.clone());
        found.unwrap_or_else(|| "nothing".to_owned())
    };
    let most = |name: &str| match report
        .growth
        .iter()
        .map(|one| if name == "entries" { one.entries } else { one.added })
        .max()
    {
        Some(most) => units::number(most),
        None => "–".to_owned(),
    };
    let limits = &report.charter.limits;
    let rows = [
        (
            "Precision",
            claimed("precision"),
            html! { "of files that must not match, " (share(&report.false_positives.at_charter)) " match" },
        ),
        ("Recall", claimed("recall"), html! { "see the table of edits" }),
        ("Entries", format!("at most {}", units::number(limits.max_entries)), html! { "at most " (most("entries")) }),
        (
            "Added by a release",
            format!("at most {}", units::number(limits.max_added)),
            html! { "at most " (most("added")) },
        ),
        (
            "Removal",
            format!("within {}", units::duration(report.charter.removal_deadline)),
            html! { (complained(report)) },
        ),
    ];
    let rows: Vec<Markup> = rows
        .iter()
        .map(|(what, claimed, measured)| {
            html! {
                th role="rowheader" scope="row" data-label="What" { div { (what) } }
                (page::cell("Claimed", claimed)) (page::cell("Measured", measured))
            }
        })
        .collect();
    page::table("Claims beside measurements", &["What", "Claimed", "Measured"], &rows)
}

fn positives(report: &Assessment) -> Markup {
    let (corpus, found) = (&report.corpus, &report.false_positives);
    let counts: Vec<(String, u64)> =
        found.curve.iter().map(|one| (one.distance.to_string(), one.share.count)).collect();
    let rows: Vec<Markup> = found
        .curve
        .iter()
        .map(|one| html! {
            th role="rowheader" scope="row" data-label="Distance" { div { (one.distance) @if one.distance == found.max_distance { " (charter)" } } }
            (page::cell("Match", units::number(one.share.count)))
            (page::cell("Rate", &one.share.rate))
            (page::cell("95 % interval", html! { (one.share.low) " to " (one.share.high) }))
        })
        .collect();
    html! {
        p {
            "Of " (units::number(corpus.files)) " files in the corpus " (units::number(corpus.looked_up)) " were looked up, as clients do by "
            "default; " (units::number(corpus.below_quality)) " have too little quality for that, and " (units::number(corpus.not_decoded))
            " are no pictures. "
            @if corpus.copies > 0 { (units::number(corpus.copies)) " more would be looked up as one of these is: each counts once. " }
            @if corpus.links > 0 { "Links are not followed: there are " (units::number(corpus.links)) ". " }
            @if found.curve.len() > 1 { "At the charter’s distance of " (found.max_distance) " bits, " }
            strong { (share(&found.at_charter)) } " match."
        }
        @if corpus.looked_up < 1000 {
            p class="soft" { "That is a small corpus. Without a single match, 1,000 files show a rate below 0.004 and no less." }
        }
        @if !found.named.is_empty() {
            p { "Some that match:" }
            ul { @for name in &found.named { li { code { (name) } } } }
        }
        @if counts.len() > 1 { div class="charts" { (bars("curve", "Matches", "by distance in bits.", &counts)) } }
        details {
            summary { "At each distance" }
            (page::table("Files that match at each distance; exact binomial intervals (Clopper–Pearson)", &["Distance", "Match", "Rate", "95 % interval"], &rows))
        }
    }
}

fn recall(report: &Assessment) -> Markup {
    let rows: Vec<Markup> = report
        .recall
        .iter()
        .map(|one| {
            html! {
                th role="rowheader" scope="row" data-label="Edit" { div { (one.edit) } }
                (page::cell("Found", share(&one.found)))
                (page::cell("Found in any orientation", share(&one.found_in_any_orientation)))
                (page::cell("Median distance", html! { (one.median_distance) " bits" }))
            }
        })
        .collect();
    html! {
        @if !report.is_perceptual() { p { "The algorithm finds identical files alone. Whatever is changed is not found." } }
        @else if rows.is_empty() { p { "No picture of the corpus could be edited, so this was not measured." } }
        @else {
            p {
                "Pictures of the corpus, edited, and compared with what they were: as a client looks by default, upright, and as one does that "
                "looks in all eight orientations, which finds more, also by chance."
            }
            (page::table("How many stay within the charter’s distance, with exact 95 % intervals", &["Edit", "Found", "Found in any orientation", "Median distance"], &rows))
        }
    }
}

fn growth(report: &Assessment) -> Markup {
    let newest = report.growth.len().saturating_sub(CHARTED);
    let charted = report.growth.iter().skip(newest);
    let entries: Vec<(String, u64)> =
        charted.clone().map(|one| (format!("version {}", one.version), one.entries)).collect();
    let added: Vec<(String, u64)> =
        charted.clone().skip(1).map(|one| (format!("version {}", one.version), one.added)).collect();
    let removed: Vec<(String, u64)> =
        charted.skip(1).map(|one| (format!("version {}", one.version), one.removed)).collect();
    let rows: Vec<Markup> = report
        .curators
        .iter()
        .map(|one| html! {
            th role="rowheader" scope="row" data-label="Curator" { div { (one.curator) " (" (one.jurisdiction) ")" } }
            (page::cell("Releases endorsed", units::number(one.releases)))
            (page::cell("Additions endorsed", units::number(one.additions)))
        })
        .collect();
    let stated = report.growth.iter().filter(|one| one.as_stated).count() as u64;
    html! {
        @if stated > 0 {
            p {
                "Of " (units::number(stated)) " releases the content, or that of the release before, is no longer kept: a log need "
                "not keep what has expired and nothing builds on. Their changes are shown as they state them, which is what the "
                "curators endorsed. Entries that came or went there are dated by the next release whose content is kept."
            }
        }
        div class="charts" {
            (bars("entries", "Entries", "of each release.", &entries))
            @if !added.is_empty() {
                (bars("added", "Added", "by each release after the first.", &added))
                (bars("removed", "Removed", "by each release after the first.", &removed))
            }
        }
        (page::table("What each curator has endorsed", &["Curator", "Releases endorsed", "Additions endorsed"], &rows))
        p class="small soft" { "An addition is endorsed by every curator who signs the release that makes it. Who proposed it, the log does not say." }
    }
}

fn crowded(crowds: &Crowds) -> Markup {
    let grown = |crowd: &Crowd| {
        let parts: Vec<String> = crowd
            .growth
            .iter()
            .take(GROWN)
            .map(|one| format!("{} in version {}", units::number(one.entries), one.version))
            .collect();
        let more = if crowd.growth.len() > GROWN { ", and more later" } else { "" };
        parts.join(", ") + more
    };
    let rows: Vec<Markup> = crowds
        .largest
        .iter()
        .map(|crowd| {
            html! {
                th role="rowheader" scope="row" data-label="Entries" { div { (units::number(crowd.entries)) } }
                (page::cell("Added", grown(crowd)))
                (page::cell("First at place", units::number(crowd.place)))
            }
        })
        .collect();
    let additions: Vec<(String, u64)> =
        crowds.additions.iter().map(|one| (format!("version {}", one.version), one.in_remarkable)).collect();
    html! {
        p {
            (units::number(crowds.entries)) " entries lie within " (crowds.distance) " bits of another, in "
            (units::number(crowds.crowds)) " crowds; " strong { (units::number(crowds.in_remarkable)) } " of them in crowds of "
            (crowds.remarkable_from) " or more. One picture in several versions makes a few such entries. A great many, or ones "
            "that come together in one release, are a reason to ask: made-up entries around one picture look like this."
        }
        @if !rows.is_empty() { (page::table("The largest crowds in the newest release", &["Entries", "Added", "First at place"], &rows)) }
        @if crowds.in_remarkable > 0 && additions.len() > 1 {
            div class="charts" { (bars("crowded", "Crowded additions", "that still stand, by the release that added them.", &additions)) }
        }
    }
}

fn removals(report: &Assessment) -> Markup {
    let removals = &report.removals;
    let undated = report.growth.iter().filter(|one| one.unproven).map(|one| format!("version {}", one.version));
    let undated: Vec<String> = undated.collect();
    html! {
        @if removals.entries == 0 { p { @if removals.undated == 0 { "No entry was ever removed." } @else { "No removal can be dated." } } }
        @else {
            p {
                "Removed so far: " (removed(removals)) ". By the proofs that are shown, they had been public for "
                (units::duration(removals.shortest)) " to " (units::duration(removals.longest)) ", in the median for "
                strong { (units::duration(removals.median)) } "."
            }
        }
        @if removals.undated > 0 { p {
            "Of " (units::number(removals.entries + removals.undated)) " removals that are stated, "
            strong { (units::number(removals.undated)) " can’t be dated" } ": not every content is kept any more, and these were read: "
            (versions_read(&report.growth)) "."
        } }
        @if !undated.is_empty() { p {
            strong { "Since when " (units::count(undated.len(), "version is", "versions are")) " public is not proven" } ": nobody showed the seen proof of "
            (undated.join(", ")) " when this report was made. Times that rest on that are when the log was read, and may be too late; "
            "ask the log for the proofs, and make the report again."
        } }
        p { "Deadlines for a next release: " (missed(report)) "." (may_be_the_log(report)) }
        (late("Missed:", &report.missed))
        (in_doubt(&report.in_doubt))
        p { "Complaints: " (complained(report)) ". Whether a complaint is right, the log does not show." }
        (late("Nothing was removed in time:", &report.complaints.without_removal))
        (in_doubt(&report.complaints.in_doubt))
        p class="small soft" { "Whether the entry that a complaint was about is gone can be proven by whoever holds its salt and entry." }
    }
}

/// The versions whose content was read, runs of them as one.
fn versions_read(growth: &[Growth]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for version in growth.iter().filter(|one| !one.unread).map(|one| one.version) {
        match runs.last_mut().filter(|(_, last)| last.saturating_add(1) == version) {
            Some((_, last)) => *last = version,
            None => runs.push((version, version)),
        }
    }
    let runs = runs.iter().map(|(first, last)| match first == last {
        true => format!("version {first}"),
        false => format!("versions {first} to {last}"),
    });
    let runs: Vec<String> = runs.collect();
    if runs.is_empty() { "none".to_owned() } else { runs.join(", ") }
}

fn late(title: &str, all: &[Missed]) -> Markup {
    html! {
        @if !all.is_empty() {
            p { (title) }
            ul { @for one in all { li {
                (one.what) ", due " (time(one.due)) ", "
                @match (one.late, one.late_by_proofs) {
                    (Some(least), Some(most)) if most > least => {
                        (units::duration(least)) " late by when it was composed, at most " (units::duration(most)) " by the proofs that are shown"
                    }
                    (Some(late), _) => { (units::duration(late)) " late" }
                    (None, _) => "not there yet",
                }
            } } }
        }
    }
}

fn in_doubt(all: &[InDoubt]) -> Markup {
    html! {
        @if !all.is_empty() {
            p { "In doubt, since what is shown does not tell whether it was in time:" }
            ul { @for one in all { li {
                (one.what) ", due " (time(one.due)) ", "
                @match one.came { Some(came) => { "public since " (time(came)) " by the proofs that are shown" }, None => "not there yet" }
                ": " (one.why)
            } } }
        }
    }
}

fn record(report: &Assessment) -> Markup {
    html! {
        p { strong { (answered(report)) " of " (report.charter.record.len()) } " questions of the record are answered." }
        dl { @for field in &report.charter.record { dt { (field.question) } dd { @match &field.answer {
            Some(answer) => (answer), None => span class="soft" { "No answer." },
        } } } }
        @if !report.weaknesses.is_empty() {
            h3 { "What a reader will ask about" }
            ul { @for one in &report.weaknesses { li { code { (one.field) } ": " (one.words) } } }
        }
    }
}

fn questions(report: &Assessment) -> Markup {
    let list = |title: &str, items: &[String]| {
        html! {
            @if !items.is_empty() { h4 { (title) } ul { @for item in items { li { (item) } } } }
        }
    };
    let one = |question: &Question| {
        html! {
            article class="finding" {
                h3 { (question.name) ": " (question.question) }
                (list("The charter says", &question.claimed))
                (list("Shown", &question.shown))
                h4 { "What software can’t show" }
                p { (question.limits) }
            }
        }
    };
    html! {
        p class="soft" { "As courts in Europe ask them. This is information, not legal advice." }
        @for question in &report.questions { (one(question)) }
    }
}

fn again(report: &Assessment) -> Markup {
    html! {
        p {
            "Nothing here depends on when and where the report was made. The same log, the same proofs and the same files give the same "
            "bytes. A log can show a later proof of when something was public than the first: whose digest of the proofs is another "
            "was shown others, and the earlier time is the true one, or nearer to it; or had other contents, or other checkpoints that prove a breach."
        }
        dl {
            dt { "Log" } dd { (report.log) ", " (units::number(report.log_size)) " entries, root " code { (report.log_root) } }
            dt { "Proofs" } dd {
                "of " (units::count(usize::try_from(report.proofs.statements).unwrap_or(usize::MAX), "statement", "statements"))
                @if report.proofs.unproven > 0 { ", " (units::number(report.proofs.unproven)) " of which nobody shows" }
                ", digest " code { (report.proofs.digest) }
            }
            dt { "Corpus" } dd { (units::number(report.corpus.files)) " files, digest " code { (report.corpus.digest) } }
            dt { "Command" } dd { code { "isonomy assess --policy FILE --list " (report.list) " --size " (report.log_size) " --as-of " (report.as_of) " --corpus DIR --out DIR" } }
        }
    }
}
