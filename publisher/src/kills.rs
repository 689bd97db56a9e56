//! Death at every step: maintainer and curators compose, endorse, sign and log a release, and each call into the file system
//! goes wrong once, in every way. Whoever then does the same again must come to the end; at no time is there half a draft, and
//! no key ever signs two texts.

use crate::compose::{Term, compose};
use crate::draft::{Attachments, Draft, DraftError};
use crate::endorse::examine;
use crate::memory::SigningMemory;
use crate::testing::{TestLog, entries, key};
use crate::workspace::{Base, Workspace};
use crate::{draft, endorse};
use isonomy_core::hash::StatementId;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::statement::Statement;
use isonomy_store::faults::{Fault, Faults};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

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
    let workspace = Workspace::open(&desk.join("work"))?;
    let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await?;
    let folder = desk.join("draft");
    if let Err(DraftError::Missing { .. }) = Draft::read(&folder) {
        let draft = compose(&view, &bases, content, Term { created: log.clock(), validity: None })?;
        let charter = view.editions().newest().ok_or("no charter")?.signed();
        draft.write(&folder, &Attachments { entries: content, charter, reason: Some("a reason") })?;
    }
    for name in ["c1", "c3", "m1"] {
        sign(log, desk, &bases, name, left).await?;
    }
    let draft = Draft::read(&folder)?;
    for object in draft.release().body().objects() {
        log.write(&format!("object/{}", object.sha256), draft.object(&object.sha256).ok_or("no object")?);
    }
    log.append(Statement::Release(draft.release().clone()));
    Ok(draft.release().id())
}

/// One person's signature, unless it is there already.
async fn sign(
    log: &TestLog,
    desk: &Path,
    bases: &[Base],
    name: &'static str,
    left: &mut Left,
) -> Result<(), Box<dyn Error>> {
    let (folder, signer) = (desk.join("draft"), key(name));
    let draft = Draft::read(&folder)?;
    if draft.release().note().signatures().iter().any(|line| signer.verifier().matches(line)) {
        return Ok(());
    }
    let view = log.view().await?;
    let examined = examine(&draft, &view, bases, log.clock())?;
    let mut memory = SigningMemory::of_key(&desk.join(name))?;
    let signed = match name {
        "m1" => examined.finish(&signer, &mut memory, log.clock())?,
        _ => examined.endorse(&signer, &mut memory, None, log.clock())?,
    };
    left.entry(name).or_default().insert(signed.id());
    Ok(draft::write_release(&folder, &signed)?)
}

/// Whether what lies in the folder is a whole draft, or none.
fn assert_whole(desk: &Path, when: &str) {
    match Draft::read(&desk.join("draft")) {
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
    let found = Draft::read(&desk.join("draft")).unwrap();
    assert_eq!(draft::read_reason(&desk.join("draft")).unwrap().as_deref(), Some("a reason"), "{when}");
    assert!(endorse::merge(&[found.release().clone()], &crate::testing::charter()).is_ok(), "{when}");
}

#[tokio::test]
async fn whatever_fails_a_repeat_finishes_and_nobody_signs_two_texts() {
    let content = entries(1, 25);
    let desk = tempfile::tempdir().unwrap();
    let watched = Faults::watch(desk.path());
    publish(&mut log_with_a_release().await, desk.path(), &content, &mut Left::new()).await.unwrap();
    let calls = watched.calls();
    drop(watched);
    assert!(calls.len() > 60, "{} calls", calls.len());
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
