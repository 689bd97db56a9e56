//! How files are to be read.

use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use serde::Serialize;

/// How the hashes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One hash on each line.
    Lines,
    /// As sha256sum, sha1sum and md5sum write it.
    Sums,
    /// A table with named columns.
    Csv,
    /// PDQ's own tools: `hash=…,quality=…`.
    Pdq,
    /// vPDQ: a hash for each frame of a video.
    Vpdq,
    /// ThreatExchange's table without a header.
    ThreatExchange,
    /// ThreatExchange's `threat_updates` JSON.
    Updates,
    /// StopNCII's JSON.
    #[serde(rename = "stopncii")]
    StopNcii,
    /// Tech Against Terrorism's JSON.
    Terrorism,
    /// NCMEC's hash-sharing XML, version 2.
    Ncmec,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 10] = [
        Self::Lines,
        Self::Sums,
        Self::Csv,
        Self::Pdq,
        Self::Vpdq,
        Self::ThreatExchange,
        Self::Updates,
        Self::StopNcii,
        Self::Terrorism,
        Self::Ncmec,
    ];
}

/// What to do with records that should hold a hash and don't.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Invalid {
    /// Refuse the whole import.
    #[default]
    Refuse,
    /// Leave them out, and report them.
    Skip,
}

/// What to do with hashes that rule 8 admits only by exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Irregular {
    /// Refuse them like records without a hash.
    #[default]
    Refuse,
    /// Admit them, and count them.
    Allow,
}

/// What to do with hashes that are in the files and not selected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unselected {
    /// Count their records, and forget them. So it is with those in records that are refused.
    #[default]
    Forget,
    /// Remember the hashes: a list of which they were part may have to lose them.
    Remember,
}

/// How files are to be read.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The list's algorithm.
    pub algorithm: Algorithm,
    /// The format; `None` to recognise it.
    pub format: Option<Format>,
    /// The column of a table that holds the hashes; `None` for one that is known to.
    pub column: Option<String>,
    /// The columns of a table that tell nothing of whether a record counts: by name, or by number where they have none.
    pub ignored: Vec<String>,
    /// The time of the import: a withdrawal that is dated later has not come yet.
    pub now: Timestamp,
    /// Records that hold no hash.
    pub invalid: Invalid,
    /// Irregular hashes.
    pub irregular: Irregular,
    /// The least quality of a picture that is taken, 0 to 100; above 0, records that give none are refused.
    pub min_quality: u64,
    /// The classes that are taken, in either case; all if there are none.
    pub classes: Vec<String>,
    /// The tags of which a record has at least one; all records if there are none.
    pub tags: Vec<String>,
    /// What is not selected.
    pub unselected: Unselected,
}

impl ImportOptions {
    /// To recognise the format, refuse what is not as it should be, and take everything. Who does not say what time it is hears of no
    /// withdrawal that is dated: it is refused.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            format: None,
            column: None,
            ignored: Vec::new(),
            now: Timestamp::default(),
            invalid: Invalid::default(),
            irregular: Irregular::default(),
            min_quality: 0,
            classes: Vec::new(),
            tags: Vec::new(),
            unselected: Unselected::default(),
        }
    }
}
