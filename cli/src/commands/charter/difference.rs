//! `isonomy charter diff`: what an edition changes, without asking anybody.

use super::{read, read_any, with_changes};
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::charter::Charter;
use isonomy_core::rules::Violation;
use isonomy_core::statement::Signed;
use isonomy_publisher::charter::{self, Edition};
use serde_json::json;
use std::path::Path;

pub(super) fn run(old: &Path, new: &Path, output: &Output) -> Result<Exit> {
    let before = read(old)?;
    let after = read_any(new, Edition::Amends(&before))?;
    let step = Step::between(&before, &after);
    let changes = charter::changes(before.body(), &after);
    let widens = changes.iter().any(|change| change.widens);
    let (number, notice) = (before.body().edition, before.body().limits.notice);
    let effect = match step {
        Step::Never(why) => format!("No log would take it up after edition {number}: {why}."),
        Step::Apart => format!(
            "Edition {} does not follow edition {number} directly: this is what differs, no more.",
            after.edition
        ),
        Step::Next if changes.is_empty() => "nothing changes".to_owned(),
        Step::Next if widens => format!(
            "What widens takes the whole edition along: it is in force {notice} s ({} days) after it is public; later if edition {number} is not in force by then and what is asks for a longer notice.",
            notice / 86_400
        ),
        Step::Next => format!(
            "Nothing widens edition {number}: if that is in force, this one is in force at once when it is public. If that still waits, `isonomy charter check` says what would come of it."
        ),
    };
    let document = json!({
        "list": after.list,
        "from_edition": number,
        "to_edition": after.edition,
        "changes": changes,
        "widens": widens,
        "notice": notice,
        "effect": effect,
    });
    output.report(with_changes(effect, &changes), &document)?;
    Ok(Exit::Done)
}

/// Refuses an edition that could never follow this one.
pub(super) fn check_can_follow(before: &Signed<Charter>, after: &Charter) -> Result<()> {
    match Step::between(before, after) {
        Step::Never(why) => {
            let number = before.body().edition;
            Err(Refused(format!("no log would take it up after edition {number} of {}: {why}", before.body().list))
                .into())
        }
        Step::Next | Step::Apart => Ok(()),
    }
}

/// How one edition stands to another.
enum Step {
    /// It is the next one.
    Next,
    /// It is of the same list, and there are others between, or it is not a later one.
    Apart,
    /// It can't follow, ever.
    Never(Violation),
}

impl Step {
    fn between(before: &Signed<Charter>, after: &Charter) -> Self {
        let old = before.body();
        if old.list != after.list {
            return Self::Never(Violation::OtherList { expected: old.list.clone(), found: after.list.clone() });
        }
        if old.log != after.log {
            return Self::Never(Violation::OtherLog { charter: after.log.clone(), log: old.log.clone() });
        }
        if old.matching.algorithm != after.matching.algorithm {
            return Self::Never(Violation::AlgorithmChanged);
        }
        if after.previous == Some(before.id()) { Self::Next } else { Self::Apart }
    }
}
