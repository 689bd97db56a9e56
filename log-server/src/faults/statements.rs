//! A log of statements: charters, objects that are received in pieces, a release, publication with statements, seen proofs
//! and bundles.

use super::lists::{LIST, Publisher, by_all, charter, maintainer};
use super::world::{cosigned_at, log_key, now, policy};
use super::{Story, Told, audit};
use crate::admission::Admission;
use crate::clock::Moment;
use crate::keeper::{Copies, Left};
use crate::publication;
use crate::recovery::SeenProofs;
use crate::sequencer::{Submission, append};
use crate::server::{open_state, remove_leftovers};
use crate::state::State;
use isonomy_core::bundle::Bundle;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;

/// Two charters before and one more; one release before and one more.
pub(super) struct Statements {
    before: [Statement; 2],
    pub(super) charter: Statement,
    release: Statement,
    objects: BTreeMap<ObjectDigest, Vec<u8>>,
}

pub(super) fn open(data: &Path) -> Result<State, Box<dyn Error>> {
    remove_leftovers(data)?;
    let admission = Admission::new(vec![maintainer().verifier().clone()], Vec::new());
    let state = open_state(data, log_key(), policy(), SeenProofs::Keep, admission, Default::default())?;
    state.tidy()?;
    Ok(state)
}

pub(super) fn submit(state: &State, statement: &Statement, told: &mut Told) -> Result<(), Box<dyn Error>> {
    let (answer, mut answered) = oneshot::channel();
    append(state, vec![Submission { statement: statement.clone(), answer }])?;
    told.acknowledged.push((answered.try_recv()??, statement.to_bytes()));
    Ok(())
}

fn publish(state: &State, told: &mut Told) -> Result<(), Box<dyn Error>> {
    publish_at(state, now(), told)
}

/// The same by witnesses whose clocks show this.
pub(super) fn publish_at(state: &State, time: Timestamp, told: &mut Told) -> Result<(), Box<dyn Error>> {
    let head = state.log.integrate()?;
    told.shown.push(head.clone());
    let cosigned = cosigned_at(&head, time);
    let times = policy().checkpoint_times(cosigned.note())?.ok_or("no quorum")?;
    state.clock.note(times, 0, Moment::now());
    publication::publish(state, cosigned, times)?;
    let published = state.published.borrow().clone().ok_or("not published")?;
    let mut copies = Copies::new(Duration::ZERO);
    while copies.write(state, &published)? != Left::Nothing {}
    Ok(())
}

impl Statements {
    /// When the last release was composed.
    pub(super) fn created(&self) -> Timestamp {
        self.release.clone().into_release().unwrap().body().created
    }

    /// What `POST /submit` and `PUT /object` do with the last release.
    pub(super) fn submit_release(&self, state: &State, told: &mut Told) -> Result<(), Box<dyn Error>> {
        self.submit_one(state, &self.release, told)
    }

    fn submit_one(&self, state: &State, statement: &Statement, told: &mut Told) -> Result<(), Box<dyn Error>> {
        let release = statement.clone().into_release().unwrap();
        if state.index_of(&release.id()).is_none() {
            state.pending.insert(&release)??;
            for object in release.body().objects().filter(|object| !state.objects.has(object)) {
                let bytes = &self.objects[&object.sha256];
                let mut upload = state.objects.receive(object)?;
                let (one, two) = bytes.split_at(bytes.len() / 3);
                upload.write(one)?;
                upload.write(two)?;
                upload.finish()?;
            }
            state.judge_content(release.body())?;
        }
        submit(state, statement, told)
    }

    fn audit_statement(&self, public: &Path, entry: &[u8]) {
        let statement = Statement::parse(entry).unwrap();
        let read = |resource: Resource| {
            std::fs::read(public.join(resource.to_string())).unwrap_or_else(|error| panic!("{resource}: {error}"))
        };
        assert!(read(Resource::Statement(statement.id())) == entry);
        let proof = TlogProof::parse(&read(Resource::SeenProof(statement.id()))).unwrap();
        proof.verify(entry, log_key().verifier(), &policy()).unwrap();
        if let Some(release) = statement.into_release() {
            for object in release.body().objects() {
                assert!(read(Resource::Object(object.sha256)) == self.objects[&object.sha256]);
            }
        }
    }
}

impl Story for Statements {
    const NAME: &'static str = "a log of statements";

    fn prepare(folder: &Path) -> Self {
        let own = charter(LIST);
        let mut publisher = Publisher::new(&own);
        let first = by_all(own.to_text().unwrap());
        let (one, two) = (publisher.release(0..60), publisher.release(5..90));
        let charter = by_all(charter("hotline.example/another").to_text().unwrap());
        let story = Self { before: [first, one], charter, release: two, objects: publisher.objects };
        std::fs::create_dir_all(folder).unwrap();
        let (state, mut told) = (open(folder).unwrap(), Told::default());
        submit(&state, &story.before[0], &mut told).unwrap();
        publish(&state, &mut told).unwrap();
        story.submit_one(&state, &story.before[1], &mut told).unwrap();
        publish(&state, &mut told).unwrap();
        story
    }

    fn go_on(&self, folder: &Path, told: &mut Told) -> Result<(), Box<dyn Error>> {
        let state = open(folder)?;
        submit(&state, &self.charter, told)?;
        publish(&state, told)?;
        self.submit_release(&state, told)?;
        publish(&state, told)?;
        state.tidy()?;
        publish(&state, told)?;
        Ok(())
    }

    fn audit(&self, folder: &Path, told: &mut Told) -> Vec<Vec<u8>> {
        self.go_on(folder, told).unwrap_or_else(|error| panic!("it does not start again: {error}"));
        self.judge(folder, told)
    }
}

impl Statements {
    /// Starts the log once more and judges everything; all entries.
    pub(super) fn judge(&self, folder: &Path, told: &mut Told) -> Vec<Vec<u8>> {
        publish(&open(folder).unwrap(), told).unwrap();
        audit::assert_tidy(folder);
        let public = folder.join("public");
        let entries = audit::audit_tree(&public);
        let expected = self.before.iter().chain([&self.charter, &self.release]).map(Statement::to_bytes);
        assert_eq!(entries, expected.collect::<Vec<_>>());
        entries.iter().for_each(|entry| self.audit_statement(&public, entry));
        for folder in ["private/staged", "private/incoming"].map(|name| folder.join(name)) {
            assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "objects that nobody waits for");
        }
        audit_bundle(&public, LIST, &entries);
        audit_bundle(&public, "hotline.example/another", &entries);
        entries
    }
}

fn audit_bundle(public: &Path, list: &str, entries: &[Vec<u8>]) {
    let path = Resource::Bundle(ListName::new(list).unwrap()).to_string();
    let bundle = Bundle::parse(&std::fs::read(public.join(path)).unwrap()).unwrap();
    let checkpoint = CheckpointNote::parse(&std::fs::read(public.join("checkpoint")).unwrap()).unwrap();
    assert_eq!(bundle.checkpoint, checkpoint);
    for included in bundle.charters.iter().chain(&bundle.releases) {
        included.verify(&entries[included.index.0 as usize], &checkpoint).unwrap();
    }
}

#[test]
fn what_an_abandoned_submission_left_is_collected() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path()).unwrap();
    let mut publisher = Publisher::new(&charter(LIST));
    let waiting = publisher.release(0..9);
    let (old, _) = publisher.compose(0..12, |release| release.created.0 -= 90_000);
    let abandoned = by_all(old.to_text().unwrap());
    for statement in [&waiting, &abandoned] {
        let release = statement.clone().into_release().unwrap();
        state.pending.insert(&release).unwrap().unwrap();
        for object in release.body().objects() {
            let mut upload = state.objects.receive(object).unwrap();
            upload.write(&publisher.objects[&object.sha256]).unwrap();
            upload.finish().unwrap();
        }
    }
    assert_eq!(std::fs::read_dir(folder.path().join("private/staged")).unwrap().count(), 3);
    state.tidy().unwrap();
    assert!(state.pending.find(&abandoned.id()).is_none() && state.pending.find(&waiting.id()).is_some());
    assert_eq!(std::fs::read_dir(folder.path().join("private/staged")).unwrap().count(), 1);
}
