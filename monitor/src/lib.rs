//! Follows any number of logs, each from several vantage points, audits everything that they say by the same rules as
//! everybody, and shows what it found: as pages, as JSON, and as evidence that anybody can check.
//!
//! | module | knows | does not know |
//! |---|---|---|
//! | [`mod@watch`], [`mod@folder`], [`mod@config`] | that there are several logs, and where what is known of each is | each other log |
//! | `trust` | what it takes for a checkpoint to count | where it came from |
//! | `mirror`, `checkpoints` | this monitor's own copy of the log, and what the log showed before | what entries mean |
//! | `vantage` | what a source or witness shows now | whether it is the same as elsewhere |
//! | `relation` | whether two signed views are one history, and the proof if not | |
//! | `follow` | the order of a poll | rules |
//! | `kept` | how much of each statement stays in memory | |
//! | `audit` | what breaks a rule, who answers for it, what proves it | files, the network |
//! | `content` | whether objects are what their releases say | |
//! | `offers` | whether a bundle gives clients what is public | where it came from |
//! | `turn` | which list has its turn first | |
//! | `availability`, `canary` | whether objects are still served; whether harmless files match | what that means |
//! | `posted` | views that others bring | whether they are of this history |
//! | `freshness` | what grows too old | |
//! | [`mod@assess`] | what can be measured of a list | this machine's clock and paths |
//! | [`finding`], [`report`] | what a reader is told | |
//! | [`mod@trace`] | where one entry stood, with proofs | |
//! | [`attest`] | what an auditor can say after a look | whose key signs it |
//! | [`structure`] | whether a copy's tiles have a root, fast | what entries mean |
//! | [`alert`] | who is told of what is new | |
//! | `page`, `site`, `feed`, `metrics`, `served`, `http` | how it is shown | |
//! | `explorer` | single entries of the copy with their proofs | |
//!
//! # What it accuses of
//!
//! A [`Severity::Breach`] is proven by signed bytes: by an evidence file, or by the entry in the log itself, whose place
//! under the log's signature anybody can check. Everything else is an *observation*: dated, worded as one, never an
//! accusation. What a source fails to serve, serves wrongly or serves late may be the fault of the way there.
//!
//! # Data folder
//!
//! ```text
//! logs/<name>/               what is known of one log, and nothing of any other:
//!
//! log                        whose log it is: the log's public key
//! mirror/                    checkpoint, tiles and seen proofs, laid out as the log serves them
//! checkpoints/<size>         earlier cosigned checkpoints, of each size the one with the latest witnessed time
//! evidence/<sha256>.json     proven breaches
//! findings.json              what was found, and when it was first and last seen
//! looks.json                 how large the log was at each look, and when each witness had cosigned last
//! content.journal            which releases' objects were verified; goes on in content-1.journal, …
//! alerts.json                what waits to be told
//! lock                       held while the monitor runs
//! ```
//!
//! The checkpoints are the monitor's memory of what the log signed; if the newest one is damaged, the monitor says so and
//! stops. Everything else is checked against it at each start: a copy of the tree that does not have the signed root is
//! set aside and fetched again.

#![forbid(unsafe_code)]

pub mod alert;
pub mod assess;
pub mod attest;
mod audit;
mod availability;
mod canary;
mod checkpoints;
pub mod config;
mod content;
mod evidence;
mod explorer;
mod feed;
pub mod finding;
pub mod folder;
mod follow;
mod freshness;
mod http;
mod journal;
mod kept;
mod ledger;
mod looks;
mod metrics;
mod mirror;
mod monitor;
mod offers;
mod page;
mod posted;
mod relation;
pub mod report;
mod served;
mod server;
mod set_aside;
mod site;
pub mod structure;
pub mod trace;
mod trust;
mod turn;
mod units;
mod vantage;
pub mod watch;

pub use alert::Alerts;
pub use assess::{Assessment, assess};
pub use finding::{Answerable, CitedRule, Finding, Role, Severity};
pub use monitor::{Config, MAX_NEW_ENTRIES, Monitor, MonitorError};
pub use report::Report;
pub use server::run;
pub use trace::{Trace, Traced, trace};
pub use units::count;
pub use watch::{Followed, RATES, Watch, WatchError};
