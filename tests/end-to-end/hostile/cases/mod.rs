//! The cases, by who attacks.

mod audited;
mod device;
mod forks;
mod publishers;
mod sources;
mod times;
mod wire;

use crate::scene::{Outcome, Scene, Start};

/// One row of the table.
pub(crate) struct Case {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    /// What is done, in words.
    pub(crate) what: &'static str,
    pub(crate) start: Start,
    pub(crate) verdict: Verdict,
    /// The check that answers, where it is no numbered rule.
    pub(crate) by: &'static str,
    pub(crate) attack: Attack,
    /// Whether it takes as long as a client waits.
    pub(crate) is_slow: bool,
}

/// What is done.
pub(crate) enum Attack {
    /// This is changed, and then the client updates from what is served.
    Served(fn(&mut Scene)),
    /// This is done, and this is what the last command said.
    Done(fn(&mut Scene) -> Result<Outcome, String>),
}

/// What a source is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    Bundle,
    /// The bundle's checkpoint, or what its tiles make.
    Checkpoint,
    Statement,
    SeenProof,
    Tile,
    Object,
}

impl What {
    /// What the path of a resource names.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path.split('/').next()? {
            "list" => Some(Self::Bundle),
            "checkpoint" => Some(Self::Checkpoint),
            "statement" => Some(Self::Statement),
            "proof" => Some(Self::SeenProof),
            "tile" => Some(Self::Tile),
            "object" => Some(Self::Object),
            _ => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Checkpoint => "checkpoint",
            Self::Statement => "statement",
            Self::SeenProof => "seen proof",
            Self::Tile => "tile",
            Self::Object => "object",
        }
    }
}

/// What must come of it, exactly.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    /// The update is refused with this code, for breach of the rule of this number.
    Refused(&'static str, Option<u64>),
    /// It is refused because a source did not give what was asked for, in this way (`isonomy_verifier::rejection::Lack`).
    Lacks(&'static str, What),
    /// It is refused because a source gave something else than what was asked for.
    Malformed(What),
    /// It is refused with this code, with evidence that verifies.
    Proven(&'static str, Option<u64>),
    /// The update is done, and this version is in force.
    InForce(u64),
    /// The version stays in force, and a newer one waits for this.
    Waits(u64, &'static str, u64),
    /// The command ends with this exit code and says this.
    Says(i32, &'static str),
}

impl Verdict {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Refused(code, _) => format!("refused: `{code}`"),
            Self::Lacks(lack, what) => format!("refused: `unavailable`, {} `{lack}`", what.words()),
            Self::Malformed(what) => format!("refused: `malformed`, {}", what.words()),
            Self::Proven(code, _) => format!("refused: `{code}`, with evidence"),
            Self::InForce(version) => format!("version {version} in force"),
            Self::Waits(version, code, _) => format!("version {version} stays, the newer one waits: `{code}`"),
            Self::Says(exit, words) => format!("exit {exit}: “{words}”"),
        }
    }

    pub(crate) fn rule(self) -> Option<String> {
        match self {
            Self::Refused(_, rule) | Self::Proven(_, rule) => rule.map(|rule| format!("rule {rule}")),
            Self::Waits(_, _, rule) => Some(format!("rule {rule}")),
            Self::Lacks(..) | Self::Malformed(_) | Self::InForce(_) | Self::Says(..) => None,
        }
    }
}

/// Name, attack, verdict, what is changed.
type Row = (&'static str, &'static str, Verdict, fn(&mut Scene));
/// Name, attack, verdict, what is done.
type DoneRow = (&'static str, &'static str, Verdict, fn(&mut Scene) -> Result<Outcome, String>);

fn served(group: &'static str, by: &'static str, start: Start, rows: &[Row]) -> Vec<Case> {
    let case = |&(name, what, verdict, attack): &Row| {
        let attack = Attack::Served(attack);
        Case { group, name, what, start, verdict, by, attack, is_slow: name.starts_with("slow-") }
    };
    rows.iter().map(case).collect()
}

fn done(group: &'static str, by: &'static str, start: Start, rows: &[DoneRow]) -> Vec<Case> {
    let case = |&(name, what, verdict, attack): &DoneRow| Case {
        group,
        name,
        what,
        start,
        verdict,
        by,
        attack: Attack::Done(attack),
        is_slow: false,
    };
    rows.iter().map(case).collect()
}

/// All cases, in the order of the table.
pub(crate) fn all() -> Vec<Case> {
    [
        sources::cases(),
        wire::cases(),
        publishers::cases(),
        times::cases(),
        forks::cases(),
        audited::cases(),
        device::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
