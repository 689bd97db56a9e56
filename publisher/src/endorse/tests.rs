//! A list in a log in a folder, composed, endorsed and signed by people who make mistakes or mean harm.

use super::report::SHOWN;
use super::*;
use crate::compose::{Proposal, Term, compose};
use crate::draft::{Draft, DraftWriter};
use crate::stored::StoredList;
use crate::testing::{Asked, TestLog, charter, compose_in, entries, key, memory};
use crate::view::ListView;
use crate::workspace::{Base, Workspace};
use isonomy_core::hash::ListRoot;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::note::Note;
use isonomy_core::release::Release;
use isonomy_core::statement::Statement;
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
        let workspace = Workspace::open(&self.path().join("work"), &crate::testing::list()).unwrap();
        workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap()
    }

    async fn compose(&self, log: &TestLog, content: &Entries) -> Draft {
        let view = log.view().await.unwrap();
        let bases = self.bases(log, &view).await;
        compose_in(&self.path().join("drafts"), &view, &bases, content, log.clock())
    }
}

/// What is in `list` and `more`, and not in `less`.
fn change(list: &Entries, more: &Entries, less: &Entries) -> Entries {
    crate::compose::change(list, more, less).unwrap().entries
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
        let signed = examined.endorse(&key(name), &mut memory(desk.path(), name), &[], log.clock()).unwrap();
        draft = draft.signed(signed).unwrap();
    }
    let examined = examine(&draft, &view, &bases, log.clock()).unwrap();
    let mut memory = memory(desk.path(), maintainer);
    let signed = examined.finish(&key(maintainer), &mut memory, log.clock()).unwrap();
    assert_eq!(examined.report(&signed).missing, None);
    for object in signed.body().objects() {
        log.write(&format!("object/{}", object.sha256), &draft.object(&object.sha256).unwrap());
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
            content = change(&content, &entries(version, 5), &gone);
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
        edition = charter::sign(&edition, &older, &key(name), &mut memory, &[], log.clock()).unwrap();
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
    let gone = examined.endorse(&key("c3"), &mut memory(desk.path(), "c3"), &[], log.clock());
    assert!(matches!(gone, Err(EndorseError::Signing(SigningError::NotCounted { .. }))), "{gone:?}");
    let gone = examined.finish(&key("m1"), &mut memory(desk.path(), "m1"), log.clock());
    assert!(matches!(gone, Err(EndorseError::CuratorKey { .. })), "{gone:?}");
    publish_by(&mut log, &desk, draft, ["c4", "c1", "m3"]).await;
    assert_eq!(log.view().await.unwrap().newest().unwrap().body().version, 3);
}

#[tokio::test]
async fn a_draft_is_one_file_that_never_changes() {
    let (log, desk) = (TestLog::with_charter().await, Desk::new());
    let content = entries(1, 20);
    let view = log.view().await.unwrap();
    let propose = |reason| Proposal { entries: &content, term: Term { created: log.clock(), validity: None }, reason };
    let composed = compose(&view, &[], propose(Some("a reason")), desk.path()).unwrap();
    let path = desk.path().join("draft.tar");
    let (release, report) = (composed.draft.release().clone(), composed.draft.report());
    composed.draft.save(&path).unwrap();
    let read = Draft::open(&path).unwrap();
    assert_eq!((read.release(), read.report()), (&release, report));
    assert_eq!((read.charter(), read.reason()), (view.editions().newest().unwrap().signed(), Some("a reason")));
    assert_eq!(read.entries(Algorithm::PdqFull).unwrap(), content);
    let bytes = std::fs::read(&path).unwrap();
    let again = compose(&view, &[], propose(None), desk.path()).unwrap();
    assert!(matches!(again.draft.save(&path), Err(DraftError::Occupied { version: 1, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    drop(compose(&view, &[], propose(None), desk.path()).unwrap());
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 1, "what is not saved leaves nothing");
    let other = desk.compose(&log, &entries(2, 20)).await;
    assert!(matches!(read.signed(other.release().clone()), Err(DraftError::OtherText { .. })));

    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Draft::open(&path).map(drop).unwrap_err().to_string()
    };
    assert!(refused(&bytes[..bytes.len() - 1]).contains("is no draft as `isonomy release new` writes it"));
    assert!(refused(b"").contains("it ends too early"));
    let mut damaged = bytes.clone();
    damaged[600] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    let draft = Draft::open(&path).unwrap();
    let found = examine(&draft, &view, &[], log.clock()).map(drop);
    assert!(matches!(found, Err(EndorseError::Content(ContentError::OtherBytes { .. }))), "{found:?}");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(Draft::open(&path), Err(DraftError::Missing { .. })));
}

#[tokio::test]
async fn a_draft_that_does_not_fit_together_is_refused() {
    let (log, desk) = (TestLog::with_charter().await, Desk::new());
    let content = entries(1, 20);
    let draft = desk.compose(&log, &content).await;
    let path = desk.path().join("made");
    type Make<'m> = &'m dyn Fn(DraftWriter) -> crate::draft::UnsavedDraft;
    let refused = |make: Make<'_>| {
        let _ = std::fs::remove_file(&path);
        make(DraftWriter::begin(desk.path()).unwrap()).save(&path).unwrap();
        Draft::open(&path).map(drop).map_err(|error| error.to_string())
    };
    let (charter, release) = (draft.charter(), draft.release());
    let whole = |mut writer: DraftWriter| {
        writer.snapshot(&content).unwrap();
        writer.finish(charter, Some("a reason"), release.clone()).unwrap()
    };
    refused(&whole).unwrap();
    let without = refused(&|writer| writer.finish(charter, None, release.clone()).unwrap());
    assert!(without.unwrap_err().contains("an object is missing"));
    let more = refused(&|mut writer| {
        writer.delta(7, b"a delta that nobody names").unwrap();
        whole(writer)
    });
    assert!(more.unwrap_err().contains("an object that its release does not name"));
    let shown = refused(&|mut writer| {
        writer.snapshot(&content).unwrap();
        writer.finish(charter, Some("one line\u{1b}[2Jand control"), release.clone()).unwrap()
    });
    assert!(shown.unwrap_err().contains("its reason is not one line of text"));
    let signed = crate::testing::sign_release(&draft);
    let signed = refused(&|mut writer| {
        writer.snapshot(&content).unwrap();
        writer.finish(charter, None, signed.release().clone()).unwrap()
    });
    assert!(signed.unwrap_err().contains("it is signed already"));
    let mut uncited = release.body().clone();
    uncited.charter = isonomy_core::hash::StatementId([7; 32]);
    let note = Note::new(uncited.to_text().unwrap(), Vec::new()).unwrap();
    let uncited = Statement::from_note(note).unwrap().into_release().unwrap();
    let other = refused(&|mut writer| {
        writer.snapshot(&content).unwrap();
        writer.finish(charter, None, uncited.clone()).unwrap()
    });
    assert!(other.unwrap_err().contains("it lacks the charter that its release cites"));
}

/// The draft with another text, and with other content: what a careless or dishonest maintainer could send.
fn forged(desk: &Desk, draft: &Draft, edit: impl Fn(&mut Release), content: &Entries) -> Draft {
    let mut body = draft.release().body().clone();
    let mut writer = DraftWriter::begin(desk.path()).unwrap();
    for delta in &body.deltas {
        writer.delta(delta.from, &draft.object(&delta.sha256).unwrap()).unwrap();
    }
    body.snapshot = writer.snapshot(content).unwrap();
    edit(&mut body);
    let note = Note::new(body.to_text().unwrap(), Vec::new()).unwrap();
    let release = Statement::from_note(note).unwrap().into_release().unwrap();
    let path = desk.path().join(release.id().to_hex());
    writer.finish(draft.charter(), None, release).unwrap().save(&path).unwrap();
    Draft::open(&path).unwrap()
}

#[tokio::test]
async fn a_curator_signs_nothing_that_is_not_what_it_says() {
    let (mut log, desk) = (TestLog::with_charter().await, Desk::new());
    let first = entries(1, 20);
    let draft = desk.compose(&log, &first).await;
    publish(&mut log, &desk, draft).await;
    log.advance(100);
    let second = change(&first, &entries(2, 5), &entries(3, 0));
    let draft = desk.compose(&log, &second).await;
    let view = log.view().await.unwrap();
    let bases = desk.bases(&log, &view).await;
    let examine = |draft: &Draft| examine(draft, &view, &bases, log.clock()).map(drop);
    examine(&draft).unwrap();

    let wrong_root = forged(&desk, &draft, |release| release.root = ListRoot([1; 32]), &second);
    let refused = examine(&wrong_root);
    assert!(matches!(refused, Err(EndorseError::Content(ContentError::Rule(Violation::RootMismatch)))), "{refused:?}");
    let fewer = forged(&desk, &draft, |release| release.added = 4, &second);
    assert!(matches!(examine(&fewer), Err(EndorseError::Rule(Violation::CountMismatch { .. }))));
    let smuggled = change(&first, &entries(9, 5), &entries(3, 0));
    let root = smuggled.root();
    let other_snapshot = forged(&desk, &draft, |release| release.root = root, &smuggled);
    assert!(matches!(examine(&other_snapshot), Err(EndorseError::Rule(Violation::RootMismatch))), "the delta differs");
    let regular = forged(&desk, &draft, |release| release.irregular = 1, &second);
    assert!(matches!(
        examine(&regular),
        Err(EndorseError::Content(ContentError::Rule(Violation::CountMismatch { .. })))
    ));
    let skipped = forged(&desk, &draft, |release| release.expires = release.created.plus(86_401), &second);
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
    let as_curator = examined.endorse(&key("m1"), &mut memory(desk.path(), "m1"), &[], clock);
    assert!(matches!(as_curator, Err(EndorseError::MaintainerKey { .. })));
    let as_maintainer = examined.finish(&key("c1"), &mut memory(desk.path(), "c1"), clock);
    assert!(matches!(as_maintainer, Err(EndorseError::CuratorKey { .. })));
    let stranger = examined.endorse(&key("x"), &mut memory(desk.path(), "x"), &[], clock);
    assert!(matches!(stranger, Err(EndorseError::Signing(SigningError::NotCounted { .. }))));
    let program = Asked::new("m1", || None);
    let too_early = examined.finish(&program, &mut memory(desk.path(), "m1"), clock);
    assert_eq!(program.times(), 0, "it may sign whatever it is asked");
    assert!(matches!(too_early, Err(EndorseError::Incomplete(Violation::TooFewCurators { have: 0, .. }))));
    assert!(memory(desk.path(), "m1").remembered().is_empty(), "what was refused was not signed");

    let sign = |name: &str| examined.endorse(&key(name), &mut memory(desk.path(), name), &[], clock).unwrap();
    assert!(!desk.path().join("x.signed").exists(), "a key that is refused leaves no trace");
    let missing = examined.report(&sign("c3")).missing.unwrap();
    assert!(missing.contains("maintainer"), "{missing}");
    assert!(missing.ends_with("; 1 of the 2 curators that edition 1 asks for signed it"), "{missing}");
    let merged = merge(&[sign("c3"), sign("c1")], &charter()).unwrap();
    let missing = examined.report(&merged).missing.unwrap();
    assert!(missing.contains("maintainer") && !missing.contains("curators"), "{missing}");
    let draft = draft.signed(merged).unwrap();
    let examined = examine(&draft, &view, &[], clock).unwrap();
    let finished = examined.finish(&key("m2"), &mut memory(desk.path(), "m2"), clock).unwrap();
    assert_eq!(examined.report(&finished).signed, ["m2", "c1", "c3"]);
    let draft = draft.signed(finished).unwrap();
    let examined = examine(&draft, &view, &[], clock).unwrap();
    let after = examined.endorse(&key("c2"), &mut memory(desk.path(), "c2"), &[], clock);
    assert!(matches!(after, Err(EndorseError::AlreadyFinished)));

    let other = desk.compose(&log, &entries(2, 20)).await;
    let second = examine(&other, &view, &[], clock).unwrap();
    let refused = second.endorse(&key("c1"), &mut memory(desk.path(), "c1"), &[], clock);
    assert!(matches!(refused, Err(EndorseError::Memory(MemoryError::SecondText { .. }))));
    let first = draft.release().id();
    second.endorse(&key("c1"), &mut memory(desk.path(), "c1"), &[first], clock).unwrap();
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
    let folder = tempfile::tempdir().unwrap();
    let compose = |validity| {
        let term = Term { created: log.clock(), validity: Some(validity) };
        let proposal = Proposal { entries: &entries(1, 20), term, reason: None };
        compose(&view, &[], proposal, folder.path()).map(drop)
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
    examined.endorse(&key("c1"), &mut memory(desk.path(), "c1"), &[], log.clock()).unwrap();
    log.advance(86_401);
    let other = desk.compose(&log, &entries(2, 20)).await;
    let view = log.view().await.unwrap();
    let examined = examine(&other, &view, &[], log.clock()).unwrap();
    examined.endorse(&key("c1"), &mut memory(desk.path(), "c1"), &[], log.clock()).unwrap();
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
    assert_eq!(examined.change().added(), &content);
    assert!(examined.change().removed().is_empty());
    let own = desk.path().join("own");
    std::fs::write(&own, &content.as_bytes()[..28 * 32]).unwrap();
    let (stored, read) = (StoredList::new(&own, 32), Entries::from_sorted(32, std::fs::read(&own).unwrap()).unwrap());
    for holdings in [Holdings::Stored(&stored), Holdings::Read(&read)] {
        let missing = examined.missing_from(holdings).unwrap();
        assert_eq!(missing.as_bytes(), &content.as_bytes()[28 * 32..], "{holdings:?}");
    }
    let other = Entries::from_sorted(16, vec![7; 16]).unwrap();
    assert!(matches!(examined.missing_from(Holdings::Read(&other)), Err(EndorseError::List(_))));
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
        match compose(&view, &bases, Proposal { entries: content, term, reason: None }, desk.path()) {
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
    let kept = desk.path().join(format!("work/hotline.example~images/1-{}.entries", content.root()));
    let damages = [&b""[..], &[0; 32], &[1; 20 * 32], &[1; 21 * 32], entries(2, 20).as_bytes()].map(<[u8]>::to_vec);
    for damage in &damages {
        std::fs::write(&kept, damage).unwrap();
        assert_eq!(desk.bases(&log, &view).await[0].read().unwrap(), content);
        assert_eq!(std::fs::read(&kept).unwrap(), content.as_bytes());
    }
}
