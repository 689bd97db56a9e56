//! How soon a split view is found: many light clients, an operator that shows some of them another history with as many
//! witnesses as that takes, and view digests in the messages that people send each other anyway.
//!
//! | who | does |
//! |---|---|
//! | the log and its colluding witnesses | show the targets another release for each version |
//! | every client | polls once a day at its own hour; sends messages to friends, in each the 32 bytes of its view |
//! | the receiver | where the digest differs, exchanges views: one of them is older, or they have the proof of the fork |
//! | some people | compare the code with the monitor's page |
//!
//! People write mostly inside groups. Targets are either strewn over all groups or, worse, groups of their own, who talk
//! mostly to each other. Everything follows from a seed.

use isonomy_core::hash::{StatementId, sha256};
use isonomy_core::tree::LeafIndex;
use isonomy_verifier::view;
use std::fmt;

/// Friends in a group.
const GROUP: usize = 50;
/// The share of messages that stay inside a group, in percent.
const INSIDE: u64 = 90;
/// After so many hours an undetected fork counts as undetected.
const LONGEST: u64 = 24 * 60;

/// Who is shown the other history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Targets {
    /// People here and there.
    Strewn(usize),
    /// Whole groups of friends, so that most of their messages go to other targets.
    Groups(usize),
}

/// What is simulated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// How many clients.
    pub clients: usize,
    /// Who is targeted.
    pub targets: Targets,
    /// Messages with a view digest that a client sends, per 100 days.
    pub messages: u64,
    /// People of 10,000 who compare their code with the monitor's page, per day.
    pub comparing: u64,
}

/// What came of one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Hours until somebody had the proof; `None` if nobody had after 60 days.
    pub hours: Option<u64>,
    /// Exchanges of views until then that showed only that one is older.
    pub exchanges: u64,
}

/// SplitMix64 (Steele, Lea, Flood 2014): all that a simulation needs of randomness.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// Whether something happens that does so `times` in `of`.
    fn happens(&mut self, times: u64, of: u64) -> bool {
        self.below(of) < times
    }
}

/// The digests of both histories, version by version.
struct Views {
    honest: Vec<[u8; 32]>,
    forked: Vec<[u8; 32]>,
}

impl Views {
    fn new(versions: u64) -> Self {
        let digest = |version: u64, side: u8| {
            let release = StatementId(sha256(&[&version.to_be_bytes(), &[side]]));
            view::digest(&crate::people::list(), version, &release, LeafIndex(version))
        };
        let all = |side| (0..versions).map(|version| digest(version, side)).collect();
        Self { honest: all(0), forked: all(1) }
    }

    /// What a client shows.
    fn of(&self, standing: Standing) -> &[u8; 32] {
        match standing {
            Standing::Before => &self.honest[0],
            Standing::Honest(version) => &self.honest[version as usize],
            Standing::Forked(version) => &self.forked[version as usize],
        }
    }
}

/// What a client holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// What both histories have in common: it has not polled since the attack began.
    Before,
    /// A version of the honest history.
    Honest(u64),
    /// A version of the other one.
    Forked(u64),
}

impl Standing {
    /// Of a client that polls once a day at `phase`, at `hour`.
    fn at(is_target: bool, phase: u64, hour: u64) -> Self {
        match hour.checked_sub(phase).map(|since| since / 24 + 1) {
            None => Self::Before,
            Some(version) if is_target => Self::Forked(version),
            Some(version) => Self::Honest(version),
        }
    }

    /// Whether two of them prove the fork; else one is older (`isonomy_verifier::peer`).
    fn contradicts(self, other: Self) -> bool {
        matches!((self, other), (Self::Honest(_), Self::Forked(_)) | (Self::Forked(_), Self::Honest(_)))
    }
}

/// Runs one simulation.
pub fn run(setting: Setting, seed: u64) -> Run {
    let Setting { clients, targets, messages, comparing } = setting;
    let (mut random, views) = (Random(seed), Views::new(LONGEST / 24 + 2));
    let phases: Vec<u64> = (0..clients).map(|_| random.below(24)).collect();
    let targeted = choose(clients, targets, &mut random);
    let mut exchanges = 0;
    for hour in 0..LONGEST {
        let standing = |who: usize| Standing::at(targeted[who], phases[who], hour);
        for target in (0..clients).filter(|client| comparing > 0 && targeted[*client]) {
            if random.happens(comparing, 240_000) && standing(target) != Standing::Before {
                return Run { hours: Some(hour + 1), exchanges };
            }
        }
        for client in (0..clients).take_while(|_| messages > 0) {
            if !random.happens(messages, 2400) {
                continue;
            }
            let (mine, theirs) = (standing(client), standing(friend(client, clients, &mut random)));
            if mine.contradicts(theirs) {
                return Run { hours: Some(hour + 1), exchanges };
            }
            exchanges += u64::from(views.of(mine) != views.of(theirs));
        }
    }
    Run { hours: None, exchanges }
}

fn choose(clients: usize, targets: Targets, random: &mut Random) -> Vec<bool> {
    let mut targeted = vec![false; clients];
    match targets {
        Targets::Strewn(count) => {
            while targeted.iter().filter(|targeted| **targeted).count() < count.min(clients) {
                targeted[random.below(clients as u64) as usize] = true;
            }
        }
        Targets::Groups(count) => targeted.iter_mut().take(count * GROUP).for_each(|targeted| *targeted = true),
    }
    targeted
}

fn friend(client: usize, clients: usize, random: &mut Random) -> usize {
    let group = client - client % GROUP;
    let (first, count) = match random.happens(INSIDE, 100) {
        true => (group, GROUP.min(clients - group)),
        false => (0, clients),
    };
    first + random.below(count as u64) as usize
}

/// One row of the table: many runs of one setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    setting: Setting,
    /// Hours until detection, ascending; [`LONGEST`] where there was none.
    hours: Vec<u64>,
    /// Exchanges that showed only that one is older, per client and day, in thousandths.
    exchanges: u64,
}

impl Row {
    /// Runs `setting` with this many seeds.
    pub fn of(setting: Setting, seeds: u64) -> Self {
        let runs: Vec<Run> = (1..=seeds).map(|seed| run(setting, seed)).collect();
        let mut hours: Vec<u64> = runs.iter().map(|run| run.hours.unwrap_or(LONGEST)).collect();
        let total: u64 = runs.iter().map(|run| run.exchanges).sum();
        let client_hours = hours.iter().sum::<u64>() * setting.clients as u64;
        hours.sort_unstable();
        Self { setting, hours, exchanges: total * 24_000 / client_hours.max(1) }
    }

    /// Hours by which a share of the runs, in percent, had the proof.
    pub fn percentile(&self, percent: usize) -> u64 {
        let at = (self.hours.len() * percent).div_ceil(100).max(1) - 1;
        self.hours.get(at).copied().unwrap_or(LONGEST)
    }
}

/// Shows the row of a Markdown table.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { targets, messages, comparing, .. } = self.setting;
        let targets = match targets {
            Targets::Strewn(1) => "one person".to_owned(),
            Targets::Strewn(count) => format!("{count} people"),
            Targets::Groups(1) => format!("one whole group of {GROUP} friends"),
            Targets::Groups(count) => format!("{count} whole groups of {GROUP} friends"),
        };
        let messages = if messages == 0 { "none".to_owned() } else { format!("{} a day", fraction(messages, 100)) };
        let hours = |percent| match self.percentile(percent) {
            LONGEST => "never in 60 days".to_owned(),
            hours if hours < 48 => format!("{hours} h"),
            hours => format!("{} days", fraction(hours * 10 / 24, 10)),
        };
        let comparing =
            if comparing == 0 { "nobody".to_owned() } else { format!("{} % a day", fraction(comparing, 100)) };
        let exchanges = fraction(self.exchanges, 1000);
        write!(f, "| {targets} | {messages} | {comparing} | {} | {} | {exchanges} |", hours(50), hours(95))
    }
}

fn fraction(value: u64, of: u64) -> String {
    let text = format!("{:.3}", value as f64 / of as f64);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The table for this many clients and seeds.
pub fn table(clients: usize, seeds: u64) -> String {
    let mut text = "| shown another history | messages with a digest, each | compare with the monitor's page | half of the runs | 95 % | exchanges, each a day |\n|---|---|---|---|---|---|\n".to_owned();
    for targets in [Targets::Strewn(1), Targets::Strewn(10), Targets::Strewn(100), Targets::Groups(1)] {
        for (messages, comparing) in [(0, 100), (10, 0), (100, 0), (2000, 0)] {
            let row = Row::of(Setting { clients, targets, messages, comparing }, seeds);
            text += &format!("{row}\n");
        }
    }
    text
}
