//! Keys, charters and hashes, the same in every run.

use isonomy_core::charter::*;
use isonomy_core::hash::sha256;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::note::{KeyType, Note, SigningKey};
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;

/// The origin of the log.
pub const LOG: &str = "log.example/isonomy";
/// The list.
pub const LIST: &str = "hotline.example/images";
/// Who signs a release unless a test says otherwise.
pub const SIGNERS: [&str; 3] = ["m1", "c1", "c3"];
/// The time from which all others are counted: 2027-01-15T08:00:00Z.
pub const START: Timestamp = Timestamp(1_800_000_000);

/// The time so many seconds after [`START`].
pub fn at(seconds: u64) -> Timestamp {
    START.plus(seconds)
}

/// The list's name.
pub fn list() -> ListName {
    ListName::new(LIST).unwrap()
}

/// The key of the person with this name.
pub fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(name, KeyType::Ed25519, &sha256(&[name.as_bytes()])).unwrap()
}

/// The key of witness 1, 2, 3 and so on.
pub fn witness(number: u8) -> SigningKey {
    let name = format!("witness.example/{number}");
    SigningKey::from_seed(&name, KeyType::Cosignature, &sha256(&[name.as_bytes()])).unwrap()
}

fn jurisdiction(code: &str) -> Jurisdiction {
    Jurisdiction::new(code).unwrap()
}

/// The curator with this name and the key of that name.
pub fn curator(name: &str, code: &str) -> Curator {
    Curator { name: name.into(), jurisdiction: jurisdiction(code), key: key(name).verifier().clone() }
}

/// Edition 1: maintainer keys m1 and m2; two of the curators c1 and c2 (DE) and c3 (FR), from two jurisdictions. Distance
/// 24; visible after 5 s, notice an hour, valid for a day.
pub fn charter() -> Charter {
    Charter {
        statement: Charter::KIND.into(),
        list: list(),
        log: LOG.into(),
        edition: 1,
        previous: None,
        maintainer: Maintainer {
            name: "Hotline".into(),
            jurisdiction: jurisdiction("DE"),
            contact: "desk@hotline.example".into(),
            keys: vec![key("m1").verifier().clone(), key("m2").verifier().clone()],
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
        reach: Reach {
            jurisdictions: vec![jurisdiction("DE"), jurisdiction("FR")],
            surfaces: vec![Surface::Private, Surface::Public],
        },
        matching: Matching { algorithm: Algorithm::PdqFull, max_distance: 24, min_quality: 50 },
        action: ActionClause { most: Action::Block, recipients: Vec::new() },
        curation: Curation {
            threshold: 2,
            min_jurisdictions: 2,
            curators: vec![curator("c1", "DE"), curator("c2", "DE"), curator("c3", "FR")],
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

/// A list of the PDQ hashes with these numbers. Each is as far from the others as chance makes it.
pub fn hashes(numbers: impl IntoIterator<Item = u64>) -> Entries {
    let bytes = numbers.into_iter().flat_map(hash).collect();
    Entries::from_unsorted(32, bytes).unwrap().0
}

/// The PDQ hash with this number: 16 bytes and their complement, so that half of the bits are set.
pub fn hash(number: u64) -> [u8; 32] {
    let mut hash = sha256(&[&number.to_be_bytes()]);
    let (first, second) = hash.split_at_mut(16);
    second.iter_mut().zip(first).for_each(|(byte, other)| *byte = !*other);
    hash
}

/// `text`, signed by the people with these names in this order.
pub fn sign(text: &str, names: &[&str]) -> Note {
    Note::new(text.into(), names.iter().map(|name| key(name).sign(text)).collect()).unwrap()
}

/// `charter`, signed by all that it names.
pub fn sign_charter(charter: &Charter) -> Statement {
    let names: Vec<&str> = charter.keys().map(|key| key.name()).collect();
    Statement::from_note(sign(&charter.to_text().unwrap(), &names)).unwrap()
}
