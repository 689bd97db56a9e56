//! What a log says of one list, verified: the editions of its charter and since when each is in force, the newest
//! release, and those before it on which the next one builds.
//!
//! Everything comes from the list's bundle and is believed by the log's signature, the quorum of witnesses, inclusion
//! proofs and seen proofs, as a client believes it. Earlier releases are believed by the hash chain from the newest one.
//! What a release or an edition must be like is judged by `isonomy_core::rules` alone, and a draft as the log judges it
//! ([`releases::judge_next`]); here it is only read what they need. After publication the maintainer's own client makes every
//! check once more (`confirm`).
//!
//! That there is no newer release than the newest one shown is the word of the log, or of the mirror that was asked: a
//! draft built on an old view is refused by the log in the end. Whoever wants to be sure follows the log
//! (`isonomy-monitor`).

use isonomy_core::bundle::{Bundle, BundleError, Included};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointError;
use isonomy_core::hash::StatementId;
use isonomy_core::note::{NoteError, VerifierKey};
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::{Release, delta_bases};
use isonomy_core::resource::Resource;
use isonomy_core::rules::editions::{Edition, Editions};
use isonomy_core::rules::releases::{self, Before, Chain, Earlier, Place};
use isonomy_core::rules::{Violation, signatures};
use isonomy_core::statement::{ListName, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::{LeafIndex, ProofError, TreeSize};
use isonomy_fetch::{FetchError, Source};
use std::collections::BTreeMap;

/// Why what a log says is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The log has nothing about the list.
    #[error("the log has no charter of {list} yet: publish its charter first, and wait until witnesses have cosigned")]
    NoList {
        /// The list.
        list: ListName,
    },
    /// It can't be read.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The policy names no log with this origin, or more than one could be meant.
    #[error("the checkpoint is of the log {origin}, which the policy does not know")]
    OtherLog {
        /// The origin in the checkpoint.
        origin: String,
    },
    /// The policy asks for no witness.
    #[error("the policy asks for no witness (`quorum none`), so nothing shows that the log says the same to everybody")]
    NoWitnesses,
    /// Too few witnesses have cosigned.
    #[error("the checkpoint is not cosigned by the quorum of witnesses that the policy asks for")]
    NoQuorum,
    /// The bundle is malformed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The checkpoint is not the log's.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A cosignature of a known witness is wrong.
    #[error("cosignature: {0}")]
    Cosignature(NoteError),
    /// A statement is malformed.
    #[error("the statement {id}: {source}")]
    Statement {
        /// The statement that was asked for.
        id: StatementId,
        /// What is wrong.
        source: StatementError,
    },
    /// Something else was given than what was asked for.
    #[error("the source gave something else than {wanted}")]
    Other {
        /// What was asked for.
        wanted: String,
    },
    /// A statement is not in the log.
    #[error("the statement {id} is not in the log: {source}")]
    NotLogged {
        /// The statement.
        id: StatementId,
        /// What does not verify.
        source: ProofError,
    },
    /// The time since when a statement is public is not proven.
    #[error("since when the statement {id} is public is not proven: {source}")]
    NotSeen {
        /// The statement.
        id: StatementId,
        /// What does not verify.
        source: TlogProofError,
    },
    /// The log holds statements that break the rules.
    #[error("what the log has about the list breaks {rule}: {0}", rule = .0.rule())]
    Rule(#[from] Violation),
}

/// The newest release in its place in the log.
#[derive(Clone, Debug)]
struct Newest {
    release: Signed<Release>,
    index: LeafIndex,
    edition: u64,
}

/// What a log says of one list, as verified.
#[derive(Clone, Debug)]
pub struct ListView {
    list: ListName,
    editions: Editions,
    newest: Option<Newest>,
    /// The releases on which the next one builds, by version: the newest, and the further bases of its deltas.
    bases: BTreeMap<u64, Signed<Release>>,
    last_addition: Option<Timestamp>,
    size: TreeSize,
    now: Timestamp,
}

impl ListView {
    /// Reads and verifies what the log at `source` says of `list`, under `trust`: its key, its witnesses and the quorum.
    pub async fn fetch(source: &Source, trust: &TlogPolicy, list: &ListName) -> Result<Self, ViewError> {
        let reader = Reader { source, trust, list };
        let bundle = reader.bundle().await?;
        let (log, now) = reader.check_checkpoint(&bundle)?;
        let editions = reader.editions(&bundle, &log).await?;
        let newest = reader.newest(&bundle, &editions, &log).await?;
        let mut view = Self {
            list: list.clone(),
            editions,
            newest,
            bases: BTreeMap::new(),
            last_addition: None,
            size: bundle.checkpoint.checkpoint().size,
            now,
        };
        view.bases = reader.bases(&view).await?;
        view.last_addition = reader.last_addition(&view).await?;
        Ok(view)
    }

    /// The list.
    pub fn list(&self) -> &ListName {
        &self.list
    }

    /// The editions of its charter.
    pub fn editions(&self) -> &Editions {
        &self.editions
    }

    /// The newest release, in use or not yet.
    pub fn newest(&self) -> Option<&Signed<Release>> {
        self.newest.as_ref().map(|newest| &newest.release)
    }

    /// The version that the next release has.
    pub fn next_version(&self) -> u64 {
        self.newest().map_or(1, |newest| newest.body().version.saturating_add(1))
    }

    /// The releases from which the next one has deltas, ascending.
    pub fn bases(&self) -> impl Iterator<Item = &Signed<Release>> {
        self.bases.values()
    }

    /// All releases, ascending: those before the newest by the hash chain that leads to them.
    pub async fn history(&self, source: &Source, trust: &TlogPolicy) -> Result<Vec<Signed<Release>>, ViewError> {
        let reader = Reader { source, trust, list: &self.list };
        let mut history: Vec<Signed<Release>> = self.newest().cloned().into_iter().collect();
        while let Some(last) = history.last()
            && let Some(previous) = last.body().previous
        {
            history.push(reader.release(&previous, last.body().version.saturating_sub(1)).await?);
        }
        history.reverse();
        Ok(history)
    }

    /// *Now*, as the witnesses say.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The newest edition in force at `time`.
    pub fn in_force_at(&self, time: Timestamp) -> Option<&Edition> {
        self.editions.in_force_at(time)
    }

    /// The charters whose keys count for an amendment: the newest edition, and the one in force. Nothing for a list
    /// without a charter.
    pub fn amended_charters(&self, clock: Timestamp) -> Vec<&Charter> {
        let newest = self.editions.newest().map(Edition::charter);
        let in_force = self.in_force_at(clock).map(Edition::charter);
        newest.into_iter().chain(in_force).collect()
    }

    /// Judges a draft of the next release as the log would at `clock`, without its signatures. Gives the edition that
    /// it cites.
    pub fn judge(&self, draft: &Release, clock: Timestamp) -> Result<&Edition, Violation> {
        signatures::admissible_at(draft, clock)?;
        let place = Place { index: LeafIndex(self.size.0), public_since: clock };
        let release = |version| self.bases.get(&version).map(Signed::id);
        let newest = self.newest().map_or(0, |newest| newest.body().version);
        let chain = Chain { newest, release: &release, before: self.before() };
        releases::judge_next(draft, &self.editions, &chain, place)
    }

    /// From when on the log admits additions under this charter (rule 7); `None` if none went before.
    pub fn adds_from(&self, charter: &Charter) -> Option<Timestamp> {
        self.last_addition.map(|last| last.plus(charter.limits.min_interval))
    }

    fn before(&self) -> Before {
        let earlier = self.newest.as_ref().map(|Newest { release, index, edition }| Earlier {
            id: release.id(),
            version: release.body().version,
            edition: *edition,
            created: release.body().created,
            index: *index,
        });
        Before { earlier, last_addition: self.last_addition }
    }
}

/// Reads one list of one log.
struct Reader<'r> {
    source: &'r Source,
    trust: &'r TlogPolicy,
    list: &'r ListName,
}

impl Reader<'_> {
    async fn get(&self, resource: &Resource) -> Result<Vec<u8>, FetchError> {
        self.source.get(resource, resource.max_bytes().unwrap_or(0)).await
    }

    fn other(wanted: impl ToString) -> ViewError {
        ViewError::Other { wanted: wanted.to_string() }
    }

    async fn bundle(&self) -> Result<Bundle, ViewError> {
        let resource = Resource::Bundle(self.list.clone());
        let bytes = match self.get(&resource).await {
            Err(FetchError::NotFound { .. }) => return Err(ViewError::NoList { list: self.list.clone() }),
            answer => answer?,
        };
        let bundle = Bundle::parse(&bytes)?;
        if bundle.list == *self.list { Ok(bundle) } else { Err(Self::other(resource)) }
    }

    /// The key of the log, and *now*.
    fn check_checkpoint(&self, bundle: &Bundle) -> Result<(VerifierKey, Timestamp), ViewError> {
        let origin = &bundle.checkpoint.checkpoint().origin;
        let log = self.trust.logs().iter().find(|log| log.key.name() == origin);
        let log = log.ok_or_else(|| ViewError::OtherLog { origin: origin.clone() })?;
        bundle.checkpoint.verify_log(&log.key)?;
        if self.trust.quorum().is_none() {
            return Err(ViewError::NoWitnesses);
        }
        let times = self.trust.newest_times(&bundle.checkpoint).map_err(ViewError::Cosignature)?;
        Ok((log.key.clone(), times.ok_or(ViewError::NoQuorum)?.latest))
    }

    /// The statement with this identity, about this list.
    async fn statement(&self, id: &StatementId) -> Result<Statement, ViewError> {
        let resource = Resource::Statement(*id);
        let bytes = self.get(&resource).await?;
        let statement = Statement::parse(&bytes).map_err(|source| ViewError::Statement { id: *id, source })?;
        let wanted = statement.id() == *id && statement.list() == self.list;
        if wanted { Ok(statement) } else { Err(Self::other(resource)) }
    }

    async fn release(&self, id: &StatementId, version: u64) -> Result<Signed<Release>, ViewError> {
        let release = self.statement(id).await?.into_release();
        let release = release.filter(|release| release.body().version == version);
        release.ok_or_else(|| Self::other(format_args!("the release {id} of version {version}")))
    }

    /// A statement of the bundle, proven to be in the log.
    async fn logged(&self, bundle: &Bundle, included: &Included) -> Result<Statement, ViewError> {
        let statement = self.statement(&included.id).await?;
        let not_logged = |source| ViewError::NotLogged { id: included.id, source };
        included.verify(&statement.to_bytes(), &bundle.checkpoint).map_err(not_logged)?;
        Ok(statement)
    }

    async fn public_since(&self, included: &Included, entry: &[u8], log: &VerifierKey) -> Result<Timestamp, ViewError> {
        let not_seen = |source| ViewError::NotSeen { id: included.id, source };
        let resource = Resource::SeenProof(included.id);
        let proof = TlogProof::parse(&self.get(&resource).await?).map_err(not_seen)?;
        let times = proof.verify(entry, log, self.trust).map_err(not_seen)?;
        if proof.index == included.index { Ok(times.earliest) } else { Err(Self::other(resource)) }
    }

    async fn editions(&self, bundle: &Bundle, log: &VerifierKey) -> Result<Editions, ViewError> {
        let mut logged = Vec::new();
        for included in &bundle.charters {
            let statement = self.logged(bundle, included).await?;
            let public_since = self.public_since(included, &statement.to_bytes(), log).await?;
            let charter = statement.into_charter().ok_or_else(|| Self::other("a charter"))?;
            logged.push((charter, included.index, public_since));
        }
        let editions = Editions::of_logged(log.name(), self.list, logged).map_err(|(_, violation)| violation)?;
        if editions.newest().is_none() {
            return Err(ViewError::NoList { list: self.list.clone() });
        }
        Ok(editions)
    }

    /// The newest release, judged in its place by the rules.
    async fn newest(
        &self,
        bundle: &Bundle,
        editions: &Editions,
        log: &VerifierKey,
    ) -> Result<Option<Newest>, ViewError> {
        let Some(included) = bundle.releases.last() else {
            return Ok(None);
        };
        let statement = self.logged(bundle, included).await?;
        let public_since = self.public_since(included, &statement.to_bytes(), log).await?;
        let release = statement.into_release().ok_or_else(|| Self::other("a release"))?;
        let editions = editions.known_with(included.index, public_since);
        releases::judge(&release, &editions, &Before::default(), Place { index: included.index, public_since })?;
        let edition = editions.find(&release.body().charter).map_or(0, Edition::number);
        Ok(Some(Newest { release, index: included.index, edition }))
    }

    /// The releases from which the next one has deltas. Each is a base of the one above it too, so the hash chain leads
    /// to it.
    async fn bases(&self, view: &ListView) -> Result<BTreeMap<u64, Signed<Release>>, ViewError> {
        let mut bases = BTreeMap::new();
        let Some(newest) = view.newest() else {
            return Ok(bases);
        };
        let mut above = newest.clone();
        for version in delta_bases(view.next_version()).into_iter().rev() {
            if version != above.body().version {
                let step = above.body().deltas.iter().find(|delta| delta.from == version);
                let id =
                    step.ok_or_else(|| Self::other(format_args!("a release with a delta from {version}")))?.release;
                above = self.release(&id, version).await?;
            }
            bases.insert(version, above.clone());
        }
        Ok(bases)
    }

    /// When the last release that added entries was created, unless that is too long ago to matter.
    async fn last_addition(&self, view: &ListView) -> Result<Option<Timestamp>, ViewError> {
        let intervals = view.editions.all().iter().map(|edition| edition.charter().limits.min_interval);
        let longest = intervals.max().unwrap_or(0);
        let Some(newest) = view.newest() else {
            return Ok(None);
        };
        let (end, mut at) = (newest.body().created, newest.clone());
        while at.body().added == 0 {
            let before = at.body().previous.filter(|_| end.since(at.body().created) < longest);
            let Some(previous) = before else {
                return Ok(None);
            };
            at = self.release(&previous, at.body().version.saturating_sub(1)).await?;
        }
        Ok(Some(at.body().created))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestLog, charter};

    #[tokio::test]
    async fn a_charter_without_releases_is_a_view() {
        let log = TestLog::with_charter().await;
        let view = log.view().await.unwrap();
        assert_eq!((view.next_version(), view.newest().is_none()), (1, true));
        assert_eq!(view.in_force_at(log.clock()).unwrap().charter(), &charter());
        assert_eq!(view.bases().count(), 0);
    }

    #[tokio::test]
    async fn a_log_without_the_list_says_so() {
        let log = TestLog::empty();
        assert!(matches!(log.view().await, Err(ViewError::NoList { .. })));
    }

    #[tokio::test]
    async fn nothing_is_believed_that_is_not_proven() {
        let log = TestLog::with_charter().await;
        let bundle = log.path("list/hotline.example/images/bundle");
        let original = std::fs::read_to_string(&bundle).unwrap();
        let without_witnesses: String =
            original.lines().filter(|line| !line.contains("— w")).map(|line| format!("{line}\n")).collect();
        std::fs::write(&bundle, without_witnesses).unwrap();
        assert!(matches!(log.view().await, Err(ViewError::NoQuorum)));
        std::fs::write(&bundle, original.replace("log.example/isonomy\n", "other.example/log\n")).unwrap();
        assert!(matches!(log.view().await, Err(ViewError::OtherLog { .. })));
        std::fs::write(&bundle, &original).unwrap();
        let id = log.history().lists().next().unwrap().1.editions().newest().unwrap().id();
        let statement = log.path(&format!("statement/{id}"));
        let text = std::fs::read_to_string(&statement).unwrap();
        std::fs::write(&statement, text.replace("desk@", "disk@")).unwrap();
        assert!(matches!(log.view().await, Err(ViewError::Other { .. })));
        // The text is the same, but a signature line is missing: the leaf is another one.
        let mut lines: Vec<&str> = text.lines().collect();
        lines.pop();
        std::fs::write(&statement, lines.join("\n") + "\n").unwrap();
        assert!(matches!(log.view().await, Err(ViewError::NotLogged { .. })));
    }
}
