//! Before a signature: everything that a release says is recomputed from its content, by whoever is to sign it.
//!
//! 1. The draft is judged under the charter as the log would judge it ([`crate::view`]): chain, edition, limits.
//! 2. Its snapshot is decoded; entries, irregular entries and root are counted and computed (rule 8).
//! 3. Each of its deltas is applied to the release that it starts from, and must give the same list; what the release
//!    says to add and remove is what is counted there.
//! 4. The signatures that it has already are verified.
//!
//! An [`Examined`] draft is one that passed all this; only such a draft can be signed. A curator [`endorse`]s it before
//! the maintainer does; the maintainer signs last ([`finish`]). Both remember durably what they signed, before the
//! signature leaves.
//!
//! [`endorse`]: Examined::endorse
//! [`finish`]: Examined::finish

use crate::draft::{Draft, DraftError};
use crate::memory::{MemoryError, Role, SignedText, SigningMemory};
use crate::signer::Signer;
use crate::signing::{self, SigningError};
use crate::view::ListView;
use crate::workspace::{Base, ContentError, check_object, decode};
use isonomy_core::charter::{Charter, Curator};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::StatementId;
use isonomy_core::list::{Algorithm, Entries, ListError, delta};
use isonomy_core::note::{Note, VerifierKey};
use isonomy_core::release::{DeltaRef, ObjectRef, Release};
use isonomy_core::rules::content::{self, Churn};
use isonomy_core::rules::{Series, Violation, signatures};
use isonomy_core::statement::{ListName, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_matcher::lookup::{Index, LookupError};
use serde::Serialize;
use std::collections::BTreeSet;

/// The most entries that a report shows.
const SHOWN: usize = 20;

/// Why a draft is not signed.
#[derive(Debug, thiserror::Error)]
pub enum EndorseError {
    /// It breaks a rule.
    #[error("{rule}: {0}. Do not sign it", rule = .0.rule())]
    Rule(#[from] Violation),
    /// It is published already.
    #[error("it is already in the log as version {version}; there is nothing left to sign")]
    AlreadyLogged {
        /// The version.
        version: u64,
    },
    /// Its content is not what it says.
    #[error("{0}. Do not sign it")]
    Content(#[from] ContentError),
    /// The content of an earlier release is missing.
    #[error("the content of version {version} is needed to check a delta, and was not given")]
    BaseMissing {
        /// The version.
        version: u64,
    },
    /// An object is missing.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The key has no place in it, or a signature that is there already is wrong.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The key is the maintainer's.
    #[error(
        "the key {name} is the maintainer's, who signs last: once the curators have signed, use it with `isonomy release publish`"
    )]
    MaintainerKey {
        /// The key's name.
        name: String,
    },
    /// The key is a curator's.
    #[error(
        "the key {name} is not the maintainer's, so it can't finish the release; curators sign with `isonomy release endorse`"
    )]
    CuratorKey {
        /// The key's name.
        name: String,
    },
    /// The maintainer has signed already.
    #[error("the maintainer has signed this release already, and nobody signs after the maintainer")]
    AlreadyFinished,
    /// Too few have signed, so the maintainer does not sign yet.
    #[error("the release is not complete, {rule}: {0}. The maintainer signs last", rule = .0.rule())]
    Incomplete(Violation),
    /// What the key signed before forbids it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The signed release can't be a statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The entries can't be compared.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The content of an earlier release does not fit.
    #[error(transparent)]
    List(#[from] ListError),
}

/// A draft that passed every check.
#[derive(Clone, Debug)]
pub struct Examined<'e> {
    draft: &'e Draft,
    charter: &'e Charter,
    counted: Vec<VerifierKey>,
    entries: Entries,
    added: Entries,
    removed: Entries,
    /// The witnessed time at which the log was seen to have no release of this version.
    free_at: Timestamp,
}

/// Checks a draft against what the log says, and against its own content. `bases` are the releases of
/// [`ListView::bases`] with their content; `clock` is the time now.
pub fn examine<'e>(
    draft: &'e Draft,
    view: &'e ListView,
    bases: &[Base],
    clock: Timestamp,
) -> Result<Examined<'e>, EndorseError> {
    let release = draft.release().body();
    if view.newest().into_iter().chain(view.bases()).any(|logged| logged.id() == draft.release().id()) {
        return Err(EndorseError::AlreadyLogged { version: release.version });
    }
    let charter = view.judge(release, clock.max(view.now()))?.charter();
    let counted: Vec<VerifierKey> = charter.keys().cloned().collect();
    signing::check(draft.release().note(), &counted)?;
    let algorithm = charter.matching.algorithm;
    let entries = decode(release, algorithm, object(draft, &release.snapshot)?)?;
    for step in &release.deltas {
        check_delta(draft, step, bases, &entries, algorithm)?;
    }
    let direct = bases.iter().find(|base| Some(base.release.id()) == release.previous);
    let before = match direct {
        Some(base) => base.entries.clone(),
        None => Entries::empty(algorithm.entry_size())?,
    };
    let (added, removed) = (difference(&entries, &before)?, difference(&before, &entries)?);
    let churn = Churn { added: added.len() as u64, removed: removed.len() as u64 };
    content::judge(release, algorithm, &entries, Some(churn))?;
    Ok(Examined { draft, charter, counted, entries, added, removed, free_at: view.now() })
}

fn object<'d>(draft: &'d Draft, object: &ObjectRef) -> Result<&'d [u8], EndorseError> {
    let bytes = draft.object(&object.sha256).ok_or(DraftError::ObjectMissing { digest: object.sha256 })?;
    check_object(object, bytes)?;
    Ok(bytes)
}

/// Whether the delta leads from its base to exactly these entries.
fn check_delta(
    draft: &Draft,
    step: &DeltaRef,
    bases: &[Base],
    entries: &Entries,
    algorithm: Algorithm,
) -> Result<(), EndorseError> {
    let base = bases.iter().find(|base| base.release.id() == step.release);
    let base = base.ok_or(EndorseError::BaseMissing { version: step.from })?;
    content::judge(base.release.body(), algorithm, &base.entries, None)?;
    let bytes = object(draft, &ObjectRef { size: step.size, sha256: step.sha256 })?;
    let what = || format!("the delta from version {}", step.from);
    let applied =
        delta::apply(&base.entries, bytes).map_err(|source| ContentError::Malformed { what: what(), source })?;
    if applied.entries == *entries { Ok(()) } else { Err(Violation::RootMismatch.into()) }
}

/// The entries of `one` that `other` does not have.
fn difference(one: &Entries, other: &Entries) -> Result<Entries, ListError> {
    Ok(delta::diff(other, one)?.added().clone())
}

impl Examined<'_> {
    /// The content of the release.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The entries that it adds to the release before.
    pub fn added(&self) -> &Entries {
        &self.added
    }

    /// The entries that it removes from the release before.
    pub fn removed(&self) -> &Entries {
        &self.removed
    }

    /// How many of the added entries the curator knows itself: those within the charter's distance of one of its own.
    pub fn compare(&self, holdings: &Entries) -> Result<HoldingsReport, EndorseError> {
        let matching = &self.charter.matching;
        let index = Index::new(matching.algorithm, holdings)?;
        let distance = u32::try_from(matching.max_distance).unwrap_or(u32::MAX);
        let mut report = HoldingsReport { known: 0, unknown: 0, examples: Vec::new() };
        for entry in &self.added {
            if !index.within(matching.algorithm.hash_of(entry), distance)?.is_empty() {
                report.known += 1;
                continue;
            }
            report.unknown += 1;
            if report.examples.len() < SHOWN {
                report.examples.push(to_hex(entry));
            }
        }
        Ok(report)
    }

    /// The entries of the release that do not stand in `holdings`, to the bit.
    pub fn missing_from(&self, holdings: &Entries) -> Result<Entries, EndorseError> {
        Ok(difference(&self.entries, holdings)?)
    }

    /// Signs as a curator. The signature is remembered durably before it is returned. `replaces` is another text for the
    /// same version that this one is said to replace.
    pub fn endorse(
        &self,
        key: &dyn Signer,
        memory: &mut SigningMemory,
        replaces: Option<StatementId>,
        clock: Timestamp,
    ) -> Result<Signed<Release>, EndorseError> {
        if self.is_maintainer(key.verifier()) {
            return Err(EndorseError::MaintainerKey { name: key.verifier().name().to_owned() });
        }
        let note = self.draft.release().note();
        let is_maintainers = |line| self.charter.maintainer.keys.iter().any(|key| key.matches(line));
        if note.signatures().iter().any(is_maintainers) {
            return Err(EndorseError::AlreadyFinished);
        }
        let signed = self.sign(note, key)?;
        self.remember(memory, Role::Curator, replaces, clock)?;
        Ok(signed)
    }

    /// Signs as the maintainer, last of all: the release must be complete with this signature. The signature is
    /// remembered durably before it is returned.
    pub fn finish(
        &self,
        key: &dyn Signer,
        memory: &mut SigningMemory,
        clock: Timestamp,
    ) -> Result<Signed<Release>, EndorseError> {
        if !self.is_maintainer(key.verifier()) {
            return Err(EndorseError::CuratorKey { name: key.verifier().name().to_owned() });
        }
        let signed = self.sign(self.draft.release().note(), key)?;
        signatures::release(&signed, self.charter).map_err(EndorseError::Incomplete)?;
        self.remember(memory, Role::Maintainer, None, clock)?;
        Ok(signed)
    }

    /// What was counted, and who has signed. `signed` is the release with the newest signatures.
    pub fn report(&self, signed: &Signed<Release>) -> EndorsementReport {
        let body = signed.body();
        let lines = signed.note().signatures();
        let has = |key: &&VerifierKey| lines.iter().any(|line| key.matches(line));
        EndorsementReport {
            list: body.list.clone(),
            version: body.version,
            release: signed.id().to_hex(),
            edition: self.charter.edition,
            created: body.created,
            submit_before: body.created.plus(signatures::DRAFT_LIFETIME),
            entries: self.entries.len() as u64,
            irregular: body.irregular,
            added: self.added.len() as u64,
            removed: self.removed.len() as u64,
            root: body.root.to_hex(),
            signed: self.counted.iter().filter(has).map(|key| key.name().to_owned()).collect(),
            missing: self.missing(signed),
        }
    }

    /// What rule 2 still asks for, in words.
    fn missing(&self, signed: &Signed<Release>) -> Option<String> {
        let violation = signatures::release(signed, self.charter).err()?;
        let curators = match violation {
            // The rule names what is missing first; whoever reads this wants to know of the curators as well.
            Violation::MaintainerMissing { .. } => self.curators_missing(signed).unwrap_or_default(),
            _ => String::new(),
        };
        Some(format!("{}: {violation}{curators}", violation.rule()))
    }

    fn curators_missing(&self, signed: &Signed<Release>) -> Option<String> {
        let (lines, curation) = (signed.note().signatures(), &self.charter.curation);
        let has_signed = |curator: &&Curator| lines.iter().any(|line| curator.key.matches(line));
        let have: Vec<&Curator> = curation.curators.iter().filter(has_signed).collect();
        let countries: BTreeSet<&str> = have.iter().map(|curator| curator.jurisdiction.country()).collect();
        let (signers, from) = (have.len() as u64, countries.len() as u64);
        (signers < curation.threshold || from < curation.min_jurisdictions).then(|| {
            format!(
                "; {signers} of {} curators have signed, from {from} of {} jurisdictions",
                curation.threshold, curation.min_jurisdictions
            )
        })
    }

    fn is_maintainer(&self, key: &VerifierKey) -> bool {
        self.charter.maintainer.keys.contains(key)
    }

    fn sign(&self, note: &Note, key: &dyn Signer) -> Result<Signed<Release>, EndorseError> {
        let note = signing::add(note, &self.counted, key)?;
        Ok(Statement::from_note(note)?.into_release().ok_or(DraftError::NotARelease)?)
    }

    fn remember(
        &self,
        memory: &mut SigningMemory,
        role: Role,
        replaces: Option<StatementId>,
        clock: Timestamp,
    ) -> Result<(), EndorseError> {
        let release = self.draft.release();
        let text = SignedText {
            list: &release.body().list,
            series: Series::Version,
            number: release.body().version,
            statement: release.id(),
            created: Some(release.body().created),
            role,
            free_at: Some(self.free_at),
        };
        Ok(memory.remember(&text, replaces, clock)?)
    }
}

/// The release with the signatures that are on several copies of it, such as curators send back.
pub fn merge(copies: &[Signed<Release>], charter: &Charter) -> Result<Signed<Release>, EndorseError> {
    let counted: Vec<VerifierKey> = charter.keys().cloned().collect();
    let notes: Vec<&Note> = copies.iter().map(Signed::note).collect();
    let merged = signing::merge(&notes, &counted)?;
    Ok(Statement::from_note(merged)?.into_release().ok_or(DraftError::NotARelease)?)
}

/// What a curator knows of the entries that a release adds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HoldingsReport {
    /// Added entries that the curator has too.
    pub known: u64,
    /// Added entries that it does not have.
    pub unknown: u64,
    /// The first of the unknown ones, in hexadecimal.
    pub examples: Vec<String>,
}

/// What was counted in a release, and who has signed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EndorsementReport {
    /// The list.
    pub list: ListName,
    /// The version.
    pub version: u64,
    /// The identity, in hexadecimal.
    pub release: String,
    /// The edition of the charter that it cites.
    pub edition: u64,
    /// When it was composed.
    pub created: Timestamp,
    /// Until when the log admits it.
    pub submit_before: Timestamp,
    /// Entries, as counted.
    pub entries: u64,
    /// Irregular entries, as counted.
    pub irregular: u64,
    /// Added entries, as counted.
    pub added: u64,
    /// Removed entries, as counted.
    pub removed: u64,
    /// The root of the list, as computed, in hexadecimal.
    pub root: String,
    /// The names of the keys that have signed.
    pub signed: Vec<String>,
    /// What is still missing, in words; nothing once it can be submitted.
    pub missing: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{Term, change, compose};
    use crate::draft;
    use crate::testing::{TestLog, charter, entries, key, memory};
    use crate::workspace::Workspace;
    use isonomy_core::hash::{ListRoot, ObjectDigest};
    use isonomy_core::list::snapshot;
    use std::collections::BTreeMap;
    use std::path::Path;

    /// A maintainer's or curator's desk.
    struct Desk {
        folder: tempfile::TempDir,
    }

    impl Desk {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        fn path(&self) -> &Path {
            self.folder.path()
        }

        async fn bases(&self, log: &TestLog, view: &ListView) -> Vec<Base> {
            let workspace = Workspace::open(&self.path().join("work")).unwrap();
            workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap()
        }

        async fn compose(&self, log: &TestLog, content: &Entries) -> Draft {
            let view = log.view().await.unwrap();
            let bases = self.bases(log, &view).await;
            compose(&view, &bases, content, Term { created: log.clock(), validity: None }).unwrap()
        }
    }

    /// Lets both curators and the maintainer sign, each after their own checks, and logs the release.
    async fn publish(log: &mut TestLog, desk: &Desk, draft: Draft) {
        publish_by(log, desk, draft, ["c3", "c1", "m1"]).await;
    }

    /// As [`publish`]; the last is the maintainer's key.
    async fn publish_by(log: &mut TestLog, desk: &Desk, draft: Draft, [one, other, maintainer]: [&str; 3]) {
        let view = log.view().await.unwrap();
        let bases = desk.bases(log, &view).await;
        let mut draft = draft;
        for name in [one, other] {
            let examined = examine(&draft, &view, &bases, log.clock()).unwrap();
            let signed = examined.endorse(&key(name), &mut memory(desk.path(), name), None, log.clock()).unwrap();
            draft = draft.signed(signed).unwrap();
        }
        let examined = examine(&draft, &view, &bases, log.clock()).unwrap();
        let mut memory = memory(desk.path(), maintainer);
        let signed = examined.finish(&key(maintainer), &mut memory, log.clock()).unwrap();
        assert_eq!(examined.report(&signed).missing, None);
        for object in signed.body().objects() {
            log.write(&format!("object/{}", object.sha256), draft.object(&object.sha256).unwrap());
        }
        log.append(Statement::Release(signed));
    }

    #[tokio::test]
    async fn releases_are_composed_endorsed_and_signed_and_the_log_takes_them() {
        let (mut log, maintainer) = (TestLog::with_charter().await, Desk::new());
        let mut content = entries(1, 50);
        for version in 1..=6u64 {
            log.advance(100);
            if version > 1 {
                let gone = Entries::from_sorted(32, content.get(version as usize).unwrap().to_vec()).unwrap();
                content = change(&content, &entries(version, 5), &gone).unwrap().entries;
            }
            let draft = maintainer.compose(&log, &content).await;
            let body = draft.release().body();
            assert_eq!((body.version, body.root, body.entries), (version, content.root(), content.len() as u64));
            let counts = if version == 1 { (50, 0) } else { (5, 1) };
            assert_eq!((body.added, body.removed), counts);
            // A new desk has no cache, so the content of earlier releases comes from the log.
            publish(&mut log, &Desk::new(), draft).await;
        }
        let (_, history) = log.history().lists().next().unwrap();
        assert_eq!(history.releases().len(), 6);
        assert_eq!(history.version(4).unwrap().release.body().deltas.len(), 2);
        let view = log.view().await.unwrap();
        assert_eq!(view.next_version(), 7);
        assert_eq!(view.newest().unwrap().body().version, 6);
    }

    #[tokio::test]
    async fn the_maintainer_s_keys_and_a_curator_change_by_amendment() {
        use crate::charter;
        let (mut log, desk) = (TestLog::with_charter().await, Desk::new());
        let draft = desk.compose(&log, &entries(1, 20)).await;
        publish(&mut log, &desk, draft).await;

        // Edition 2: the key m3 comes in the place of m1, the curator c4 in that of c3.
        let editions = log.view().await.unwrap().editions().clone();
        let (first, first_id) = (editions.all()[0].charter(), editions.all()[0].id());
        let mut text = first.clone();
        (text.edition, text.previous) = (2, Some(first_id));
        text.maintainer.keys = vec![key("m2").verifier().clone(), key("m3").verifier().clone()];
        for curator in text.curation.curators.iter_mut().filter(|curator| curator.key == *key("c3").verifier()) {
            curator.key = key("c4").verifier().clone();
        }
        let mut edition = charter::parse(&charter::draft(&text).unwrap().to_bytes()).unwrap();
        let older = [first];
        for name in ["m1", "c1", "c3", "m2", "m3", "c4"] {
            assert!(name == "m1" || charter::missing(&edition, &older).is_some(), "complete before {name} has signed");
            let mut memory = memory(desk.path(), name);
            edition = charter::sign(&edition, &older, &key(name), &mut memory, None, log.clock()).unwrap();
        }
        assert_eq!(charter::missing(&edition, &older), None);
        assert!(charter::changes(first, &text).iter().any(|change| change.widens));
        log.append(Statement::Charter(edition.clone()));

        // While its notice runs, the old keys sign; afterwards the new ones alone.
        log.advance(100);
        let draft = desk.compose(&log, &entries(1, 21)).await;
        assert_eq!(draft.release().body().charter, first_id);
        publish(&mut log, &desk, draft).await;
        log.advance(3_700);
        let draft = desk.compose(&log, &entries(1, 22)).await;
        assert_eq!(draft.release().body().charter, edition.id());
        let view = log.view().await.unwrap();
        let bases = desk.bases(&log, &view).await;
        let examined = examine(&draft, &view, &bases, log.clock()).unwrap();
        let gone = examined.endorse(&key("c3"), &mut memory(desk.path(), "c3"), None, log.clock());
        assert!(matches!(gone, Err(EndorseError::Signing(SigningError::NotCounted { .. }))), "{gone:?}");
        let gone = examined.finish(&key("m1"), &mut memory(desk.path(), "m1"), log.clock());
        assert!(matches!(gone, Err(EndorseError::CuratorKey { .. })), "{gone:?}");
        publish_by(&mut log, &desk, draft, ["c4", "c1", "m3"]).await;
        assert_eq!(log.view().await.unwrap().newest().unwrap().body().version, 3);
    }

    #[tokio::test]
    async fn a_draft_survives_its_folder_and_its_text_is_not_replaced() {
        let (log, desk) = (TestLog::with_charter().await, Desk::new());
        let content = entries(1, 20);
        let draft = desk.compose(&log, &content).await;
        let folder = desk.path().join("draft");
        draft.write(&folder, &content).unwrap();
        let read = Draft::read(&folder).unwrap();
        assert_eq!((read.release(), read.report()), (draft.release(), draft.report()));
        assert!(matches!(draft.write(&folder, &content), Err(DraftError::File(_))));
        let other = desk.compose(&log, &entries(2, 20)).await;
        let replaced = draft::write_release(&folder, other.release());
        assert!(matches!(replaced, Err(DraftError::OtherText { .. })));
        let digest = draft.release().body().snapshot.sha256;
        let object = folder.join(draft::OBJECTS).join(digest.to_hex());
        let bytes = std::fs::read(&object).unwrap();
        std::fs::write(&object, &bytes[..bytes.len() - 1]).unwrap();
        assert!(matches!(Draft::read(&folder), Err(DraftError::Object(ContentError::OtherBytes { .. }))));
        std::fs::remove_file(&object).unwrap();
        assert!(matches!(Draft::read(&folder), Err(DraftError::ObjectMissing { .. })));
    }

    /// The draft with another text: what a careless or dishonest maintainer could send.
    fn forged(draft: &Draft, edit: impl Fn(&mut Release), replace: Option<Vec<u8>>) -> Draft {
        let mut body = draft.release().body().clone();
        let mut objects: BTreeMap<ObjectDigest, Vec<u8>> = BTreeMap::new();
        for object in body.objects() {
            objects.insert(object.sha256, draft.object(&object.sha256).unwrap().to_vec());
        }
        if let Some(bytes) = replace {
            body.snapshot = ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(&bytes) };
            objects.insert(body.snapshot.sha256, bytes);
        }
        edit(&mut body);
        let note = Note::new(body.to_text().unwrap(), Vec::new()).unwrap();
        Draft::new(Statement::from_note(note).unwrap().into_release().unwrap(), objects).unwrap()
    }

    #[tokio::test]
    async fn a_curator_signs_nothing_that_is_not_what_it_says() {
        let (mut log, desk) = (TestLog::with_charter().await, Desk::new());
        let first = entries(1, 20);
        let draft = desk.compose(&log, &first).await;
        publish(&mut log, &desk, draft).await;
        log.advance(100);
        let second = change(&first, &entries(2, 5), &entries(3, 0)).unwrap().entries;
        let draft = desk.compose(&log, &second).await;
        let view = log.view().await.unwrap();
        let bases = desk.bases(&log, &view).await;
        let examine = |draft: &Draft| examine(draft, &view, &bases, log.clock()).map(drop);
        examine(&draft).unwrap();

        let wrong_root = forged(&draft, |release| release.root = ListRoot([1; 32]), None);
        let refused = examine(&wrong_root);
        assert!(
            matches!(refused, Err(EndorseError::Content(ContentError::Rule(Violation::RootMismatch)))),
            "{refused:?}"
        );
        let fewer = forged(&draft, |release| release.added = 4, None);
        assert!(matches!(examine(&fewer), Err(EndorseError::Rule(Violation::CountMismatch { .. }))));
        let smuggled = change(&first, &entries(9, 5), &entries(3, 0)).unwrap().entries;
        let root = smuggled.root();
        let other_snapshot = forged(&draft, |release| release.root = root, Some(snapshot::encode(&smuggled)));
        assert!(
            matches!(examine(&other_snapshot), Err(EndorseError::Rule(Violation::RootMismatch))),
            "the delta differs"
        );
        let regular = forged(&draft, |release| release.irregular = 1, None);
        assert!(matches!(
            examine(&regular),
            Err(EndorseError::Content(ContentError::Rule(Violation::CountMismatch { .. })))
        ));
        let skipped = forged(&draft, |release| release.expires = release.created.plus(86_401), None);
        assert!(matches!(examine(&skipped), Err(EndorseError::Rule(Violation::OverLimit { .. }))));
        let no_bases = super::examine(&draft, &view, &[], log.clock()).map(drop);
        assert!(matches!(no_bases, Err(EndorseError::BaseMissing { version: 1 })));
        let late = super::examine(&draft, &view, &bases, log.clock().plus(86_401)).map(drop);
        assert!(matches!(late, Err(EndorseError::Rule(Violation::StaleDraft { .. }))));
    }

    #[tokio::test]
    async fn nobody_signs_out_of_turn_or_twice() {
        let (log, desk) = (TestLog::with_charter().await, Desk::new());
        let view = log.view().await.unwrap();
        let clock = log.clock();
        let draft = desk.compose(&log, &entries(1, 20)).await;
        let examined = examine(&draft, &view, &[], clock).unwrap();
        let as_curator = examined.endorse(&key("m1"), &mut memory(desk.path(), "m1"), None, clock);
        assert!(matches!(as_curator, Err(EndorseError::MaintainerKey { .. })));
        let as_maintainer = examined.finish(&key("c1"), &mut memory(desk.path(), "c1"), clock);
        assert!(matches!(as_maintainer, Err(EndorseError::CuratorKey { .. })));
        let stranger = examined.endorse(&key("x"), &mut memory(desk.path(), "x"), None, clock);
        assert!(matches!(stranger, Err(EndorseError::Signing(SigningError::NotCounted { .. }))));
        let too_early = examined.finish(&key("m1"), &mut memory(desk.path(), "m1"), clock);
        assert!(matches!(too_early, Err(EndorseError::Incomplete(Violation::TooFewCurators { have: 0, .. }))));
        assert!(memory(desk.path(), "m1").remembered().is_empty(), "what was refused was not signed");

        let sign = |name: &str| examined.endorse(&key(name), &mut memory(desk.path(), name), None, clock).unwrap();
        assert!(!desk.path().join("x.signed").exists(), "a key that is refused leaves no trace");
        let missing = examined.report(&sign("c3")).missing.unwrap();
        assert!(missing.contains("maintainer"), "{missing}");
        assert!(missing.ends_with("; 1 of 2 curators have signed, from 1 of 2 jurisdictions"), "{missing}");
        let merged = merge(&[sign("c3"), sign("c1")], &charter()).unwrap();
        let missing = examined.report(&merged).missing.unwrap();
        assert!(missing.contains("maintainer") && !missing.contains("curators have"), "{missing}");
        let draft = draft.signed(merged).unwrap();
        let examined = examine(&draft, &view, &[], clock).unwrap();
        let finished = examined.finish(&key("m2"), &mut memory(desk.path(), "m2"), clock).unwrap();
        assert_eq!(examined.report(&finished).signed, ["m2", "c1", "c3"]);
        let draft = draft.signed(finished).unwrap();
        let examined = examine(&draft, &view, &[], clock).unwrap();
        let after = examined.endorse(&key("c2"), &mut memory(desk.path(), "c2"), None, clock);
        assert!(matches!(after, Err(EndorseError::AlreadyFinished)));

        let other = desk.compose(&log, &entries(2, 20)).await;
        let second = examine(&other, &view, &[], clock).unwrap();
        let refused = second.endorse(&key("c1"), &mut memory(desk.path(), "c1"), None, clock);
        assert!(matches!(refused, Err(EndorseError::Memory(MemoryError::SecondText { .. }))));
        let first = draft.release().id();
        second.endorse(&key("c1"), &mut memory(desk.path(), "c1"), Some(first), clock).unwrap();
    }

    #[tokio::test]
    async fn what_is_in_the_log_already_is_not_signed_again() {
        let (mut log, desk) = (TestLog::with_charter().await, Desk::new());
        let draft = desk.compose(&log, &entries(1, 20)).await;
        publish(&mut log, &desk, draft.clone()).await;
        let view = log.view().await.unwrap();
        let refused = examine(&draft, &view, &[], log.clock()).map(drop).unwrap_err();
        assert!(refused.to_string().starts_with("it is already in the log as version 1"), "{refused}");
    }

    #[tokio::test]
    async fn a_release_that_expires_before_its_use_is_not_drafted() {
        let log = TestLog::with_charter().await;
        let view = log.view().await.unwrap();
        let compose = |validity| {
            compose(&view, &[], &entries(1, 20), Term { created: log.clock(), validity: Some(validity) }).map(drop)
        };
        let refused = compose(10).unwrap_err();
        assert!(refused.to_string().contains("can never be used"), "{refused}");
        compose(11).unwrap();
    }

    #[tokio::test]
    async fn a_second_text_is_signed_once_the_first_one_s_day_is_over() {
        let (mut log, desk) = (TestLog::with_charter().await, Desk::new());
        let draft = desk.compose(&log, &entries(1, 20)).await;
        let view = log.view().await.unwrap();
        let examined = examine(&draft, &view, &[], log.clock()).unwrap();
        examined.endorse(&key("c1"), &mut memory(desk.path(), "c1"), None, log.clock()).unwrap();
        log.advance(86_401);
        let other = desk.compose(&log, &entries(2, 20)).await;
        let view = log.view().await.unwrap();
        let examined = examine(&other, &view, &[], log.clock()).unwrap();
        examined.endorse(&key("c1"), &mut memory(desk.path(), "c1"), None, log.clock()).unwrap();
    }

    #[tokio::test]
    async fn a_curator_sees_which_additions_it_knows() {
        let (log, desk) = (TestLog::with_charter().await, Desk::new());
        let content = entries(1, 30);
        let draft = desk.compose(&log, &content).await;
        let view = log.view().await.unwrap();
        let examined = examine(&draft, &view, &[], log.clock()).unwrap();
        let mut near = content.as_bytes()[..10 * 32].to_vec();
        near.chunks_exact_mut(32).for_each(|entry| entry[3] ^= 0b101);
        let report = examined.compare(&Entries::from_unsorted(32, near).unwrap().0).unwrap();
        assert_eq!((report.known, report.unknown, report.examples.len()), (10, 20, SHOWN));
        assert_eq!(examined.added(), &content);
        assert!(examined.removed().is_empty());
    }

    #[tokio::test]
    async fn what_the_log_would_refuse_is_not_even_drafted() {
        let (mut log, desk) = (TestLog::with_charter().await, Desk::new());
        let draft = desk.compose(&log, &entries(1, 20)).await;
        publish(&mut log, &desk, draft).await;
        let view = log.view().await.unwrap();
        let bases = desk.bases(&log, &view).await;
        let rule = |content: &Entries, after: u64, validity| {
            let term = Term { created: log.clock().plus(after), validity };
            match compose(&view, &bases, content, term) {
                Err(crate::compose::ComposeError::Rule(violation)) => Some(violation.code()),
                Ok(_) => None,
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!(rule(&entries(1, 21), 59, None), Some("too-soon"));
        assert_eq!(rule(&entries(1, 19), 59, None), None, "removing needs no interval");
        assert_eq!(rule(&entries(1, 121), 60, None), Some("over-limit"));
        assert_eq!(rule(&entries(1, 21), 60, Some(86_401)), Some("over-limit"));
        assert_eq!(rule(&entries(1, 21), 60, Some(3600)), None);
    }

    #[tokio::test]
    async fn a_damaged_cache_is_fetched_anew() {
        let (mut log, desk) = (TestLog::with_charter().await, Desk::new());
        let content = entries(1, 20);
        let draft = desk.compose(&log, &content).await;
        publish(&mut log, &desk, draft).await;
        let view = log.view().await.unwrap();
        let kept = desk.path().join("work/1.entries");
        for damage in [&b""[..], &[0; 32], &[1; 20 * 32], &[1; 21 * 32]] {
            std::fs::write(&kept, damage).unwrap();
            assert_eq!(desk.bases(&log, &view).await[0].entries, content);
            assert_eq!(std::fs::read(&kept).unwrap(), content.as_bytes());
        }
    }
}
