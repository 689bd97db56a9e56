//! The questions of a proportionality assessment, as courts in Europe ask them; beside each, what the charter claims, what
//! was measured, and what software can't show. It is information, not legal advice.

use super::{Assessment, render};
use crate::units;
use isonomy_core::charter::{Action, Surface};
use serde::Serialize;

/// One question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Question {
    /// Its usual name.
    pub name: &'static str,
    /// The question.
    pub question: &'static str,
    /// What the charter says.
    pub claimed: Vec<String>,
    /// What the design of the system and the figures of this report show.
    pub shown: Vec<String>,
    /// What they can't show.
    pub limits: &'static str,
}

/// All five.
pub(super) fn all(report: &Assessment) -> Vec<Question> {
    vec![legality(report), aim(report), connection(report), means(report), balance(report)]
}

/// What the record answers under these names.
fn record(report: &Assessment, fields: &[&str]) -> Vec<String> {
    let asked = report.charter.record.iter().filter(|field| fields.contains(&field.field));
    asked
        .map(|field| match &field.answer {
            Some(answer) => format!("{} {answer}", field.question),
            None => format!("{} No answer.", field.question),
        })
        .collect()
}

fn legality(report: &Assessment) -> Question {
    let laws = &report.charter.statutes;
    let mut claimed = vec![match laws.is_empty() {
        true => "The charter names no law.".to_owned(),
        false => format!("The charter rests on: {}.", laws.join("; ")),
    }];
    claimed.extend(record(report, &["basis", "authority_notice", "foreseeability"]));
    Question {
        name: "Legality",
        question: "Is there a law for it that people can know and foresee?",
        claimed,
        shown: vec![
            format!(
                "The charter and each of its changes are public, in the log {}, cosigned by witnesses.",
                report.log
            ),
            format!(
                "A change that makes more possible is public for {} before it is in force.",
                units::duration(report.charter.limits.notice)
            ),
            match report.breaches.len() {
                0 if !report.not_judged.is_empty() => format!(
                    "Nothing shows that an entry of the log about this list breaks a rule; of {} it can't be told.",
                    units::count(report.not_judged.len(), "entry", "entries")
                ),
                0 if report.omitted.about_list > 0 => format!(
                    "Nothing that is remembered shows that an entry of the log about this list breaks a rule; {} had no room.",
                    units::count(
                        usize::try_from(report.omitted.about_list).unwrap_or(usize::MAX),
                        "finding about it",
                        "findings about it"
                    )
                ),
                0 => "No entry of the log about this list breaks a rule.".to_owned(),
                count => format!(
                    "{} of the rules by entries of the log about this list.",
                    units::count(count, "breach", "breaches")
                ),
            },
        ],
        limits: "Whether the law that is named exists, covers this use, and is good enough, is for lawyers and courts.",
    }
}

fn aim(report: &Assessment) -> Question {
    let mut claimed = vec![format!("The definition: {}", report.charter.definition)];
    if !report.charter.exclusions.is_empty() {
        claimed.push(format!("Never listed: {}.", report.charter.exclusions.join("; ")));
    }
    claimed.extend(record(report, &["aim", "evidence"]));
    Question {
        name: "Legitimate aim",
        question: "Does it pursue an aim that may justify an interference?",
        claimed,
        shown: vec![
            "One list has one purpose and one aim. Clients refuse a list for another purpose than they were built for."
                .to_owned(),
            "Every release is bound to the edition of the charter that it cites.".to_owned(),
        ],
        limits: "A hash does not show its picture. That the entries are what the definition says rests on maintainer and curators, and on auditors who may look at the material.",
    }
}

fn connection(report: &Assessment) -> Question {
    let mut shown: Vec<String> = report
        .recall
        .iter()
        .map(|edited| {
            let (found, turned) = (&edited.found, &edited.found_in_any_orientation);
            let turned = match turned.count > found.count {
                true => format!(" Of clients that look in all orientations: {} of {}.", turned.count, turned.of),
                false => String::new(),
            };
            format!(
                "Pictures {}: {} of {} found again (95 % interval {} to {}).{turned}",
                edited.edit, found.count, found.of, found.low, found.high
            )
        })
        .collect();
    match report.is_perceptual() {
        false => shown.push(
            "The algorithm finds identical files alone: any change, also an unintended one, hides a file from it."
                .to_owned(),
        ),
        true if shown.is_empty() => shown.push("No picture of the corpus could be edited.".to_owned()),
        true => {}
    }
    Question {
        name: "Rational connection",
        question: "Does it do anything for that aim?",
        claimed: record(report, &["rational_connection", "recall", "measured_on", "interval"]),
        shown,
        limits: "The pictures that were edited are those of the corpus, not those of the list. Whether finding them helps anybody, no figure here says. Material that nobody has listed is never found.",
    }
}

fn means(report: &Assessment) -> Question {
    let charter = &report.charter;
    let mut shown = vec![
        "The matcher runs where the picture is, and reports to nobody by itself.".to_owned(),
        match report.is_perceptual() {
            true => format!(
                "A match is at most {} bits of 256 away; pictures of quality below {} are not looked up.",
                charter.max_distance, charter.min_quality
            ),
            false => format!("A match is the same file, byte for byte, as far as {} can tell.", charter.algorithm),
        },
    ];
    if charter.surfaces.contains(&Surface::EndToEndEncrypted) {
        shown.push("It may be used in end-to-end encrypted messages.".to_owned());
    } else {
        shown.push("It may not be used in end-to-end encrypted messages. An app whose policy says where it matches refuses a list that may not be used there; of one that doesn’t say, nothing is enforced.".to_owned());
    }
    shown.push(match charter.action {
        Action::Warn => "A match leads to a warning at most.".to_owned(),
        Action::Block => "A match leads to blocking at most; the charter lets nobody else be told.".to_owned(),
        Action::Report => format!("A match may be reported to {}.", charter.recipients.join(", ")),
    });
    Question {
        name: "Less intrusive means",
        question: "Would something milder do as well?",
        claimed: record(report, &["alternatives"]),
        shown,
        limits: "What an app does after a match is not in any log: that it does no more than the charter lets it rests on the app. Milder means outside of matching, such as education, user reports or work on the source, can't be compared here.",
    }
}

fn balance(report: &Assessment) -> Question {
    let (positives, removals) = (&report.false_positives.at_charter, &report.removals);
    let mut shown = vec![format!(
        "{} of {} files that must not match do, at the charter's distance: a rate of {} (exact 95 % interval {} to {}).",
        positives.count, positives.of, positives.rate, positives.low, positives.high
    )];
    shown.push(match removals.entries {
        0 if removals.undated == 0 => "No entry was ever removed.".to_owned(),
        0 => format!("Removals that are stated: {}; none can be dated.", units::number(removals.undated)),
        _ => format!(
            "Removed so far: {}; after {} in the median, by the proofs that are shown.{}",
            render::removed(removals),
            units::duration(removals.median),
            match removals.undated {
                0 => String::new(),
                undated => format!(" {} more that are stated can't be dated.", units::number(undated)),
            }
        ),
    });
    shown.push(format!("Deadlines for a next release: {}.{}", render::missed(report), render::may_be_the_log(report)));
    shown.push(format!("Complaints: {}.", render::complained(report)));
    shown.push(
        "For every match the matcher gives the app a receipt, which proves to the person which public release caused it.".to_owned(),
    );
    let mut claimed = vec![format!(
        "Complaints: {}. A wrong entry goes within {}.",
        report.charter.complaints,
        units::duration(report.charter.removal_deadline)
    )];
    claimed.extend(record(
        report,
        &["fair_balance", "reviewer", "reviewed", "human_review", "precision", "reviews_per_entry"],
    ));
    Question {
        name: "Fair balance",
        question: "Does what is gained outweigh what it costs those affected?",
        claimed,
        shown,
        limits: "The rate holds for the files of this corpus; another kind of picture may fare otherwise, and a small corpus can't show that a rate is small: read the upper end of the interval. Whether an app shows the receipt to the person, no log can tell. Weighing is for people.",
    }
}
