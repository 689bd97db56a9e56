//! A charter, keys and releases for the tests of the rules.

use super::history::LoggedRelease;
use crate::charter::*;
use crate::hash::{ListRoot, ObjectDigest, StatementId};
use crate::list::Algorithm;
use crate::note::{KeyType, Note, SigningKey};
use crate::release::{DeltaRef, ObjectRef, Release, delta_bases};
use crate::statement::{ListName, Signed, Statement};
use crate::time::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) const LOG: &str = "log.example/isonomy";
/// Every key of [`charter`], in its order.
pub(crate) const ALL: [&str; 7] = ["m1", "m2", "c1", "c2", "c3", "c4", "c5"];

pub(crate) fn key(name: &str) -> SigningKey {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_seed(name, KeyType::Ed25519, &seed).unwrap()
}

fn curator(name: &str, jurisdiction: &str) -> Curator {
    Curator {
        name: name.into(),
        jurisdiction: Jurisdiction::new(jurisdiction).unwrap(),
        key: key(name).verifier().clone(),
    }
}

/// Two maintainer keys; 2 of the curators c1 and c2 (DE) and c3 (FR), from 2 jurisdictions; distance 24; notice an hour.
pub(crate) fn charter() -> Charter {
    Charter {
        statement: Charter::KIND.into(),
        list: ListName::new("hotline.example/images").unwrap(),
        log: LOG.into(),
        edition: 1,
        previous: None,
        maintainer: Maintainer {
            name: "Hotline".into(),
            jurisdiction: Jurisdiction::new("DE").unwrap(),
            contact: "desk@hotline.example".into(),
            keys: Vec::from([key("m1").verifier().clone(), key("m2").verifier().clone()]),
        },
        purpose: Purpose {
            code: PurposeCode::Other,
            aim: Aim::Suppress,
            definition: "Test pictures.".into(),
            victims: "Nobody.".into(),
            self_generated: "Not listed.".into(),
            statutes: Vec::from([Statute {
                jurisdiction: Jurisdiction::new("DE").unwrap(),
                instrument: "Act".into(),
                provision: "1".into(),
            }]),
            exclusions: Vec::from(["art".into()]),
        },
        reach: Reach {
            jurisdictions: Vec::from([Jurisdiction::new("DE").unwrap(), Jurisdiction::new("FR").unwrap()]),
            surfaces: Vec::from([Surface::Private, Surface::Public]),
        },
        matching: Matching { algorithm: Algorithm::PdqFull, max_distance: 24, min_quality: 50 },
        action: ActionClause { most: Action::Block, recipients: Vec::new() },
        curation: Curation {
            threshold: 2,
            min_jurisdictions: 1 + 1,
            curators: Vec::from([curator("c1", "DE"), curator("c2", "DE"), curator("c3", "FR")]),
        },
        limits: Limits {
            max_entries: 1000,
            max_added: 500,
            min_interval: 60,
            validity: 86_400,
            min_visibility: 5,
            notice: 3600,
        },
        redress: Redress { complaints: "complaints@hotline.example".into(), removal_deadline: 86_400 },
        record: Record { legality: Legality { basis: Some("Act".into()), ..Legality::default() }, ..Record::default() },
    }
}

pub(crate) fn release_of(charter: &Charter, version: u64) -> Release {
    assert_eq!(version, 1, "later versions follow by next_release");
    let id = StatementId::of(&charter.to_text().unwrap());
    Release {
        statement: Release::KIND.into(),
        list: charter.list.clone(),
        version,
        previous: None,
        charter: id,
        created: Timestamp(1_000_100),
        expires: Timestamp(1_010_000),
        entries: 10,
        irregular: 0,
        root: ListRoot([version as u8; 32]),
        added: 10,
        removed: 0,
        snapshot: ObjectRef { size: 100, sha256: ObjectDigest([version as u8; 32]) },
        deltas: Vec::new(),
    }
}

pub(crate) fn next_release(all: &[LoggedRelease], last: &LoggedRelease) -> Release {
    let version = last.release.body().version + 1;
    let deltas = delta_bases(version).into_iter().map(|from| DeltaRef {
        from,
        release: all[from as usize - 1].release.id(),
        size: 10,
        sha256: ObjectDigest([from as u8; 32]),
    });
    Release {
        version,
        previous: Some(last.release.id()),
        added: 1,
        removed: 1,
        deltas: deltas.collect(),
        ..last.release.body().clone()
    }
}

/// `text` signed by the keys with these names, in this order.
pub(crate) fn sign(text: &str, names: &[&str]) -> Note {
    Note::new(String::from(text), names.iter().map(|name| key(name).sign(text)).collect()).unwrap()
}

/// A charter signed by those of `names` that it, or an edition before it, may know: `ALL` keeps only its own keys.
pub(crate) fn sign_charter(charter: &Charter, names: &[&str]) -> Signed<Charter> {
    let own = |name: &&&str| charter.keys().any(|key| key.name() == **name);
    let names: Vec<&str> = if names == ALL { names.iter().filter(own).copied().collect() } else { Vec::from(names) };
    let note = sign(&charter.to_text().unwrap(), &names);
    Statement::from_note(note).unwrap().into_charter().unwrap()
}

pub(crate) fn sign_release(release: &Release, names: &[&str]) -> Signed<Release> {
    let note = sign(&release.to_text().unwrap(), names);
    Statement::from_note(note).unwrap().into_release().unwrap()
}
