//! Checking a whole log, ours or any other of C2SP tlog-tiles, from nothing but its key: every entry and every tile
//! against the signed root.
//!
//! What is judged and blamed is [`isonomy_core::tile::audit`]'s affair; here is what reads, many spans at a time. Of a log
//! whose first entry is a statement, each statement's own file and its seen proof are checked, too, the bundle of each list and the
//! index of lists, where they are there, and on request the objects of each release.
//!
//! It is part of the log server because it is the operator's tool, reads what the server writes, and needs nothing that the
//! server doesn't import already.

mod coding;
mod collected;
mod finding;
mod served;
mod statements;

pub use finding::{Finding, Report};

use finding::Findings;
use futures_util::{StreamExt, stream};
use isonomy_core::checkpoint::{Checkpoint, CheckpointError, CheckpointNote, MAX_CHECKPOINT_SIZE};
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::tile::audit::{Fault, Known, MAX_AUDITED, Span, SpanOutcome, Top};
use isonomy_core::tile::{TileKind, TilePath};
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_fetch::{FetchError, Source};
use statements::{Claims, Kind};
use std::sync::Arc;

/// How a log is to be checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The log's key.
    pub log: VerifierKey,
    /// Whose cosignatures the checkpoint and the seen proofs must have; `None` if nobody's.
    pub policy: Option<Policy>,
    /// Whether to read what releases name, too.
    pub objects: Objects,
    /// The log's minimum index: full tiles and bundles that end at or before it need not be there (C2SP tlog-tiles, Pruning). 0
    /// for a log that is not pruned.
    pub minimum_index: LeafIndex,
    /// How many spans are read at a time. Each may hold one bundle of entries in memory, of at most 16 MiB.
    pub jobs: usize,
}

/// Whether snapshots and deltas are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Objects {
    /// They are left alone.
    Leave,
    /// Each is read and its SHA-256 compared. One that is not there is missing, unless nobody needs it any more by the policy of
    /// [`crate::collect`].
    Read,
}

/// Told how many more entries were read.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// Why a log can't be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// Its checkpoint can't be read.
    #[error("without its checkpoint nothing of a log can be checked: {0}")]
    Fetch(#[from] FetchError),
    /// Its checkpoint is malformed, of another log or not signed.
    #[error("the checkpoint is not one that this log signed: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// It is said to be pruned beyond its end.
    #[error("the minimum index {minimum} is above the size {size} of the log's checkpoint")]
    Minimum {
        /// What was said.
        minimum: LeafIndex,
        /// How many entries the log has.
        size: TreeSize,
    },
    /// There is too much of it.
    #[error("a log of {0} entries is too large to be checked by one process")]
    TooLarge(TreeSize),
    /// A part of the check has panicked.
    #[error("a part of the check has failed; please report this, it is a defect")]
    Panicked,
}

/// Checks the log at `source`, and says everything that is wrong with it. An error only if it can't even be begun.
pub async fn fsck(source: &Source, options: &Options, progress: Progress) -> Result<Report, FsckError> {
    let bytes = source.get(&Resource::Checkpoint, MAX_CHECKPOINT_SIZE as u64).await?;
    let checkpoint = CheckpointNote::parse(&bytes)?;
    checkpoint.verify_log(&options.log)?;
    let size = checkpoint.checkpoint().size;
    if size > MAX_AUDITED {
        return Err(FsckError::TooLarge(size));
    }
    let minimum = options.minimum_index;
    if minimum.0 > size.0 {
        return Err(FsckError::Minimum { minimum, size });
    }
    let kind = statements::kind_of(source, minimum, size).await;
    let work = Work {
        source: source.clone(),
        size,
        kind,
        options: Arc::new(options.clone()),
        findings: Findings::default(),
        progress,
    };
    work.check_quorum(&checkpoint);
    let top = work.read_top(&checkpoint).await?;
    let outcomes = work.read_spans(&top).await?;
    let mut faults = top.judge(outcomes);
    work.leave_pruned(&mut faults);
    work.findings.extend(faults.into_iter().map(Finding::Tree));
    let absent = work.findings.take_absent();
    let (missing, collected) = collected::sort_out(&work, &checkpoint, absent).await;
    work.findings.extend(missing);
    let bundles = served::check(&work, &checkpoint).await;
    Ok(work.findings.report(checkpoint, kind, collected, bundles))
}

/// What all parts of a check share.
#[derive(Clone)]
struct Work {
    source: Source,
    size: TreeSize,
    kind: Kind,
    options: Arc<Options>,
    findings: Findings,
    progress: Progress,
}

impl Work {
    fn check_quorum(&self, checkpoint: &CheckpointNote) {
        self.findings.extend(self.quorum(checkpoint).err().map(|reason| Finding::Quorum { reason }));
    }

    /// Whether a checkpoint has the cosignatures that the policy asks for; if not, why, in words.
    fn quorum(&self, checkpoint: &CheckpointNote) -> Result<(), String> {
        let Some(policy) = &self.options.policy else { return Ok(()) };
        match policy.newest_times(checkpoint) {
            Ok(Some(_)) => Ok(()),
            Ok(None) if policy.quorum().is_none() => Ok(()),
            Ok(None) => Err("too few of the policy's witnesses have cosigned it".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The log's checkpoint by now, if it has published more since this check began; in words, if that can't be told.
    async fn grown_to(&self) -> Result<Option<Checkpoint>, String> {
        let unknown = |error: &dyn std::fmt::Display| {
            format!("whether the log has more entries by now can't be told, so check again ({error})")
        };
        let bytes = self.source.get(&Resource::Checkpoint, MAX_CHECKPOINT_SIZE as u64).await;
        let now = CheckpointNote::parse(&bytes.map_err(|error| unknown(&error))?).map_err(|error| unknown(&error))?;
        now.verify_log(&self.options.log).map_err(|error| unknown(&error))?;
        Ok(Some(now.checkpoint().clone()).filter(|now| now.size > self.size))
    }

    async fn read_top(&self, checkpoint: &CheckpointNote) -> Result<Top, FsckError> {
        let read = self.read_all(Top::tiles(self.size)).await?;
        let mut top = Top::new(self.size, checkpoint.checkpoint().root, read);
        top.mend(self.read_all(top.doubtful()).await?);
        Ok(top)
    }

    async fn read_all(&self, tiles: Vec<TilePath>) -> Result<Vec<(TilePath, Result<Vec<u8>, String>)>, FsckError> {
        let take = |read: &mut Vec<_>, tile: TilePath, bytes: Result<Vec<u8>, FetchError>| {
            read.push((tile, bytes.map_err(|error| error.to_string())));
        };
        Ok(self.source.fold_tiles(tiles, Vec::new(), take).await?)
    }

    /// Drops what is no fault, because the log need not serve it any more, and counts it.
    fn leave_pruned(&self, faults: &mut Vec<Fault>) {
        let before = faults.len();
        let is_pruned = |tile: &TilePath| tile.may_be_pruned(self.options.minimum_index);
        faults.retain(|fault| !matches!(fault, Fault::Unreadable { tile, .. } if is_pruned(tile)));
        self.findings.count_pruned(before - faults.len());
    }

    async fn read_spans(&self, top: &Top) -> Result<Vec<SpanOutcome>, FsckError> {
        let spans = Span::all(self.size).map(|span| {
            let (work, known) = (self.clone(), top.known(&span));
            tokio::spawn(async move { work.check_span(span, known).await })
        });
        let mut checked = stream::iter(spans).buffer_unordered(self.options.jobs.max(1));
        let mut outcomes = Vec::new();
        while let Some(outcome) = checked.next().await {
            outcomes.push(outcome.map_err(|_| FsckError::Panicked)??);
        }
        outcomes.sort_unstable_by_key(|outcome| outcome.span.index());
        Ok(outcomes)
    }

    async fn check_span(self, span: Span, known: Known) -> Result<SpanOutcome, FsckError> {
        let (kind, progress) = (self.kind, Arc::clone(&self.progress));
        let take = move |(check, claims): &mut (_, Claims), tile: TilePath, bytes: Result<Vec<u8>, FetchError>| {
            let check: &mut isonomy_core::tile::audit::SpanCheck = check;
            let bytes = if tile.kind() == TileKind::Entries { bytes.map(coding::plain) } else { bytes };
            check.read(&tile, bytes.as_deref().map_err(ToString::to_string));
            if tile.kind() == TileKind::Entries {
                claims.collect(kind, &tile, bytes.as_deref().unwrap_or_default());
                progress(u64::from(tile.width()));
            }
        };
        let state = (span.check(known), Claims::default());
        let (check, claims) = self.source.fold_tiles(span.tiles(), state, take).await?;
        statements::check(&self, claims).await;
        let mut outcome = check.finish();
        self.leave_pruned(&mut outcome.faults);
        self.findings.limit(&mut outcome.faults);
        Ok(outcome)
    }
}
