//! Death at every step: maintainer and curators compose, endorse, sign and log a release, and each call into the file system
//! goes wrong once, in every way. Whoever then does the same again must come to the end; at no time is there half a draft, and
//! no key ever signs two texts.

use crate::compose::{Proposal, Term, compose};
use crate::draft::{Draft, DraftError};
use crate::endorse::{self, examine};
use crate::memory::SigningMemory;
use crate::testing::{TestLog, charter, entries, key};
use crate::view::ListView;
use crate::workspace::{Base, Workspace};
use isonomy_core::hash::StatementId;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::release::Release;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Signed, Statement};
use isonomy_store::faults::{Fault, Faults};
use isonomy_store::files;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Every fault but a flipped bit, against which no program can remember anything.
const FAULTS: [Fault; 6] =
    [Fault::Error, Fault::ErrorAfter, Fault::NoSpace, Fault::Short, Fault::Kill, Fault::KillWithin];

/// The texts for version 2 of which a signature left a key, by key.
type Left = BTreeMap<&'static str, BTreeSet<StatementId>>;

/// A log with version 1, before version 2 is made.
async fn log_with_a_release() -> TestLog {
    let mut log = TestLog::with_charter().await;
    let folder = tempfile::tempdir().unwrap();
    publish(&mut log, folder.path(), &entries(1, 20), &mut Left::new()).await.unwrap();
    log.advance(100);
    log
}

/// Everything from the content to the log, by everybody; what was done before is gone on with.
async fn publish(
    log: &mut TestLog,
    desk: &Path,
    content: &Entries,
    left: &mut Left,
) -> Result<StatementId, Box<dyn Error>> {
    let view = log.view().await?;
    let workspace = Workspace::open(&desk.join("work"), &crate::testing::list())?;
    let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await?;
    let path = draft_of(desk);
    if let Err(DraftError::Missing { .. }) = Draft::open(&path) {
        let term = Term { created: log.clock(), validity: None };
        let proposal = Proposal { entries: content, term, reason: Some("a reason") };
        compose(&view, &bases, proposal, desk)?.draft.save(&path)?;
    }
    let draft = Draft::open(&path)?;
    let mut copies = Vec::new();
    for name in ["c1", "c3"] {
        copies.push(endorse(log, desk, &draft, (&view, &bases), name, left)?);
    }
    let draft = draft.signed(endorse::merge(&copies, &charter())?)?;
    let mut memory = SigningMemory::of_key(&desk.join("m1"))?;
    let signed = examine(&draft, &view, &bases, log.clock())?.finish(&key("m1"), &mut memory, log.clock())?;
    left.entry("m1").or_default().insert(signed.id());
    for object in signed.body().objects() {
        log.write(&format!("object/{}", object.sha256), &draft.object(&object.sha256)?);
    }
    log.append(Statement::Release(signed.clone()));
    Ok(signed.id())
}

fn draft_of(desk: &Path) -> PathBuf {
    desk.join("draft.tar")
}

/// What a curator sends back: what lies there already, or else a new signature.
fn endorse(
    log: &TestLog,
    desk: &Path,
    draft: &Draft,
    (view, bases): (&ListView, &[Base]),
    name: &'static str,
    left: &mut Left,
) -> Result<Signed<Release>, Box<dyn Error>> {
    let path = desk.join(format!("{name}.note"));
    if let Some(bytes) = files::read_limited(&path, MAX_STATEMENT_SIZE)? {
        return Ok(Statement::parse_draft(&bytes)?.into_release().ok_or("no release")?);
    }
    let mut memory = SigningMemory::of_key(&desk.join(name))?;
    let signed = examine(draft, view, bases, log.clock())?.endorse(&key(name), &mut memory, &[], log.clock())?;
    left.entry(name).or_default().insert(signed.id());
    files::write_once(&path, &signed.to_bytes())?;
    Ok(signed)
}

/// Whether what lies in the folder is a whole draft, or none.
fn assert_whole(desk: &Path, when: &str) {
    match Draft::open(&draft_of(desk)) {
        Ok(_) | Err(DraftError::Missing { .. }) => {}
        Err(error) => panic!("{when}: {error}"),
    }
}

/// Goes on in `desk`, a second later, and looks at what came of it.
async fn go_on(log: &mut TestLog, desk: &Path, content: &Entries, mut left: Left, when: &str) {
    assert_whole(desk, when);
    log.advance(1);
    let published = publish(log, desk, content, &mut left).await;
    let published = published.unwrap_or_else(|error| panic!("{when}: {error}"));
    for (name, texts) in &left {
        assert_eq!(
            *texts,
            BTreeSet::from([published]),
            "{when}: {name} signed another text than the one that is logged"
        );
    }
    let remembered = SigningMemory::of_key(&desk.join("m1")).unwrap();
    assert_eq!(remembered.remembered().len(), 1, "{when}");
    let (_, list) = log.history().lists().next().unwrap();
    assert_eq!((list.releases().len(), list.releases()[1].release.id()), (2, published), "{when}");
    let found = Draft::open(&draft_of(desk)).unwrap();
    assert_eq!(
        (found.reason(), found.entries(Algorithm::PdqFull).unwrap()),
        (Some("a reason"), content.clone()),
        "{when}"
    );
}

#[tokio::test]
async fn whatever_fails_a_repeat_finishes_and_nobody_signs_two_texts() {
    let content = entries(1, 25);
    let desk = tempfile::tempdir().unwrap();
    let watched = Faults::watch(desk.path());
    publish(&mut log_with_a_release().await, desk.path(), &content, &mut Left::new()).await.unwrap();
    let calls = watched.calls();
    drop(watched);
    assert!(calls.len() > 50, "{} calls", calls.len());
    let mut runs = 0;
    for (number, call) in calls.iter().enumerate() {
        for fault in FAULTS.into_iter().filter(|fault| fault.suits(call)) {
            let (mut log, desk) = (log_with_a_release().await, tempfile::tempdir().unwrap());
            let when = format!("{fault:?} at call {number}, {call}");
            let watched = Faults::watch(desk.path());
            watched.plan(number, fault);
            let mut left = Left::new();
            let told = publish(&mut log, desk.path(), &content, &mut left).await;
            assert_eq!(watched.happened(), 1, "{when}");
            drop(watched);
            runs += 1;
            if told.is_err() {
                go_on(&mut log, desk.path(), &content, left, &when).await;
            }
        }
    }
    println!("{runs} runs, {} calls", calls.len());
}

#[tokio::test]
async fn after_a_power_cut_a_repeat_finishes_and_nobody_signs_two_texts() {
    let content = entries(1, 25);
    let desk = tempfile::tempdir().unwrap();
    let watched = Faults::watch(desk.path());
    publish(&mut log_with_a_release().await, desk.path(), &content, &mut Left::new()).await.unwrap();
    let calls = watched.calls().len();
    drop(watched);
    for number in 0..calls {
        let (mut log, desk) = (log_with_a_release().await, tempfile::tempdir().unwrap());
        let when = format!("power cut at call {number}");
        let watched = Faults::watch(desk.path());
        watched.plan(number, Fault::Kill);
        let mut left = Left::new();
        let told = publish(&mut log, desk.path(), &content, &mut left).await;
        let disk = tempfile::tempdir().unwrap();
        let after = disk.path().join("after");
        watched.power_cut(number as u64, &after).unwrap();
        drop(watched);
        if told.is_err() {
            go_on(&mut log, &after, &content, left, &when).await;
        }
    }
}
