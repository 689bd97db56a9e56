//! A charter and releases, signed by keys for tests. The entries mean nothing.

use super::world::{ORIGIN, key, now};
use isonomy_core::attestation::{Attestation, Method};
use isonomy_core::charter::*;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::note::{KeyType, Note, SigningKey};
use isonomy_core::release::{DeltaRef, ObjectRef, Release, delta_bases};
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tree::TreeSize;
use std::collections::BTreeMap;

pub(crate) const LIST: &str = "hotline.example/images";

pub(crate) fn maintainer() -> SigningKey {
    key("hotline.example/maintainer", KeyType::Ed25519)
}

pub(crate) fn auditor() -> SigningKey {
    key("auditor.example/key", KeyType::Ed25519)
}

pub(crate) fn curator(number: u8) -> SigningKey {
    key(&format!("curator.example/{number}"), KeyType::Ed25519)
}

pub(crate) fn charter(list: &str) -> Charter {
    let jurisdiction = |code: &str| Jurisdiction::new(code).unwrap();
    let curators = ["DE", "FR"].iter().zip(0..).map(|(code, number)| Curator {
        name: format!("Curator {number}"),
        jurisdiction: jurisdiction(code),
        key: curator(number).verifier().clone(),
    });
    Charter {
        statement: Charter::KIND.into(),
        list: ListName::new(list).unwrap(),
        log: ORIGIN.into(),
        edition: 1,
        previous: None,
        maintainer: Maintainer {
            name: "Hotline".into(),
            jurisdiction: jurisdiction("DE"),
            contact: "desk@hotline.example".into(),
            keys: vec![maintainer().verifier().clone()],
        },
        purpose: Purpose {
            code: PurposeCode::Other,
            aim: Aim::Suppress,
            definition: "Test pictures.".into(),
            victims: "Nobody.".into(),
            self_generated: "Not listed.".into(),
            statutes: vec![Statute {
                jurisdiction: jurisdiction("DE"),
                instrument: "Act".into(),
                provision: "1".into(),
            }],
            exclusions: vec!["art".into()],
        },
        reach: Reach { jurisdictions: vec![jurisdiction("DE")], surfaces: vec![Surface::Public] },
        matching: Matching { algorithm: Algorithm::Sha256, max_distance: 0, min_quality: 0 },
        action: ActionClause { most: Action::Warn, recipients: Vec::new() },
        curation: Curation { threshold: 2, min_jurisdictions: 2, curators: curators.collect() },
        limits: Limits {
            max_entries: 10_000,
            max_added: 5_000,
            min_interval: 0,
            validity: 86_400,
            min_visibility: 1,
            notice: 3600,
        },
        redress: Redress { complaints: "complaints@hotline.example".into(), removal_deadline: 86_400 },
        record: Record::default(),
    }
}

pub(crate) fn sign(text: String, keys: &[&SigningKey]) -> Statement {
    let signatures = keys.iter().map(|key| key.sign(&text)).collect();
    Statement::from_note(Note::new(text, signatures).unwrap()).unwrap()
}

pub(crate) fn by_all(text: String) -> Statement {
    sign(text, &[&maintainer(), &curator(0), &curator(1)])
}

/// A list as its maintainer has it: all its releases so far, and their objects.
pub(crate) struct Publisher {
    charter: StatementId,
    list: ListName,
    releases: Vec<(Release, StatementId, Entries)>,
    pub(crate) objects: BTreeMap<ObjectDigest, Vec<u8>>,
}

impl Publisher {
    pub(crate) fn new(charter: &Charter) -> Self {
        let id = StatementId::of(&charter.to_text().unwrap());
        Self { charter: id, list: charter.list.clone(), releases: Vec::new(), objects: BTreeMap::new() }
    }

    /// From now on releases cite this edition.
    pub(crate) fn cite(&mut self, charter: &Charter) {
        self.charter = StatementId::of(&charter.to_text().unwrap());
    }

    fn object(&mut self, bytes: Vec<u8>) -> ObjectRef {
        let object = ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(&bytes) };
        self.objects.insert(object.sha256, bytes);
        object
    }

    /// The text of the next release, with entries made of these numbers, after `change` has been applied to it.
    pub(crate) fn compose(
        &mut self,
        numbers: std::ops::Range<u64>,
        change: impl FnOnce(&mut Release),
    ) -> (Release, Entries) {
        let bytes = numbers.flat_map(|number| isonomy_core::hash::sha256(&[&number.to_be_bytes()])).collect();
        let (entries, _) = Entries::from_unsorted(32, bytes).unwrap();
        let version = self.releases.len() as u64 + 1;
        let mut deltas = Vec::new();
        let (mut added, mut removed) = (entries.len() as u64, 0);
        for from in delta_bases(version) {
            let (_, release, base) = self.releases[from as usize - 1].clone();
            let change = delta::diff(&base, &entries).unwrap();
            (added, removed) = (change.added().len() as u64, change.removed().len() as u64);
            let ObjectRef { size, sha256 } = self.object(delta::encode(&change));
            deltas.push(DeltaRef { from, release, size, sha256 });
        }
        let snapshot = self.object(snapshot::encode(&entries));
        let mut release = Release {
            statement: Release::KIND.into(),
            list: self.list.clone(),
            version,
            previous: self.releases.last().map(|(_, id, _)| *id),
            charter: self.charter,
            created: now(),
            expires: now().plus(3600),
            entries: entries.len() as u64,
            irregular: 0,
            root: entries.root(),
            added,
            removed,
            snapshot,
            deltas,
        };
        change(&mut release);
        (release, entries)
    }

    /// The next release, signed by everybody, which is taken for published from now on.
    pub(crate) fn release(&mut self, numbers: std::ops::Range<u64>) -> Statement {
        let (release, entries) = self.compose(numbers, |_| ());
        let statement = by_all(release.to_text().unwrap());
        self.releases.push((release, statement.id(), entries));
        statement
    }
}

pub(crate) fn attestation(release: StatementId, by: &SigningKey) -> Statement {
    let attestation = Attestation {
        statement: Attestation::KIND.into(),
        list: ListName::new(LIST).unwrap(),
        release,
        auditor: by.verifier().clone(),
        method: Method::Recomputed,
        log_size: None,
        sample: Some(5),
        errors: Some(0),
        complaint: None,
        finding: "As stated.".into(),
        report: None,
        created: now(),
    };
    sign(attestation.to_text().unwrap(), &[by])
}

/// The auditor's word that it read the log up to this size.
pub(crate) fn followed(release: StatementId, log_size: u64) -> Statement {
    let Statement::Attestation(signed) = attestation(release, &auditor()) else { unreachable!() };
    let (method, log_size, sample, errors) = (Method::Followed, Some(TreeSize(log_size)), None, None);
    let followed = Attestation { method, log_size, sample, errors, ..signed.body().clone() };
    sign(followed.to_text().unwrap(), &[&auditor()])
}
