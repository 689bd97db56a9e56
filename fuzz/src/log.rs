//! Formats of the log and its witnesses.

use isonomy_core::add_checkpoint::{AddCheckpoint, parse_conflict, parse_cosignatures};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::note::{KeyType, Note, Signature, VerifierKey};
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::statement::MAX_STATEMENT_SIZE;
use isonomy_core::tile::{self, TilePath};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_tests::people;
use isonomy_witness::decide::Request;
use std::str::from_utf8;

pub(crate) fn note(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes, MAX_STATEMENT_SIZE) {
        assert_eq!(note.to_bytes(), bytes);
        assert!(!note.signatures().is_empty() && note.text().ends_with('\n'));
        let known = [people::key("m1").verifier().clone(), people::key("c1").verifier().clone()];
        let signers = note.signers(&known).map_or(0, |signers| signers.len());
        assert!(signers <= known.len());
    }
    if let Ok(draft) = Note::parse_draft(bytes, MAX_STATEMENT_SIZE) {
        assert_eq!(draft.to_bytes(), bytes);
    }
}

pub(crate) fn verifier_key(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
        assert_eq!(VerifierKey::new(key.name(), key.key_type(), key.public_bytes()).as_ref(), Ok(&key));
    }
    if let Some(line) = Signature::parse(text) {
        assert_eq!(line.to_string(), format!("{text}\n"));
    }
}

pub(crate) fn checkpoint(bytes: &[u8]) {
    let Ok(note) = CheckpointNote::parse(bytes) else { return };
    assert_eq!(note.note().to_bytes(), bytes);
    let log = people::key(people::LOG);
    if note.verify_log(log.verifier()).is_ok() {
        assert!(note.without_cosignatures(log.verifier()).verify_log(log.verifier()).is_ok());
    }
}

pub(crate) fn cosignature(bytes: &[u8]) {
    let witnesses = [1, 2, 3].map(|number| people::witness(number).verifier().clone());
    let Ok(note) = Note::parse(bytes, MAX_STATEMENT_SIZE) else { return };
    let Ok(times) = cosignature::cosignatures(&note, &witnesses) else { return };
    for (witness, time) in times {
        assert_eq!(witnesses[witness].key_type(), KeyType::Cosignature);
        let lines = note.signatures().iter().filter(|line| witnesses[witness].matches(line));
        let verified = lines.filter_map(|line| cosignature::verify(&witnesses[witness], note.text(), line));
        assert!(verified.into_iter().any(|verified| verified == time));
    }
}

pub(crate) fn add_checkpoint(bytes: &[u8]) {
    if let Ok(request) = AddCheckpoint::parse(bytes, MAX_STATEMENT_SIZE) {
        assert_eq!(request.to_bytes(), bytes);
    }
    if let Ok(lines) = parse_cosignatures(bytes) {
        let text: String = lines.iter().map(ToString::to_string).collect();
        assert_eq!(text.as_bytes(), bytes);
    }
    if let Ok(size) = parse_conflict(bytes) {
        assert_eq!(format!("{size}\n").as_bytes(), bytes);
    }
}

pub(crate) fn witness_request(bytes: &[u8]) {
    match Request::parse(bytes) {
        Ok(request) => assert!(bytes.starts_with(format!("old {}\n", request.old()).as_bytes())),
        Err(refusal) => assert!((400..=499).contains(&refusal.status()), "{refusal}"),
    }
}

pub(crate) fn tile_path(bytes: &[u8]) {
    let Ok(path) = from_utf8(bytes).map_err(drop).and_then(|text| TilePath::parse(text).map_err(drop)) else { return };
    assert_eq!(path.to_string().as_bytes(), bytes);
    assert!((1..=256).contains(&path.width()));
    assert_eq!(TilePath::new(path.kind(), path.index(), path.width()), Some(path));
}

/// The first byte is the width less one, the rest is the tile.
pub(crate) fn entry_tile(bytes: &[u8]) {
    let Some((&width, bytes)) = bytes.split_first() else { return };
    let width = u16::from(width) + 1;
    if let Ok(entries) = tile::parse_entries(bytes, width) {
        assert_eq!(entries.len(), usize::from(width));
        assert_eq!(tile::encode_entries(&entries).as_deref(), Ok(bytes));
    }
    if let Ok(hashes) = tile::parse_hashes(bytes, width) {
        assert_eq!(tile::encode_hashes(&hashes), bytes);
    }
}

pub(crate) fn tlog_proof(bytes: &[u8]) {
    if let Ok(proof) = TlogProof::parse(bytes) {
        assert_eq!(proof.to_bytes(), bytes);
    }
}

pub(crate) fn tlog_policy(bytes: &[u8]) {
    let Ok(policy) = Policy::parse(bytes) else { return };
    let again = Policy::parse(&policy.to_text()).expect("what a policy writes of itself can be read");
    assert_eq!(again, policy);
    assert!(policy.weak_split() <= policy.witnesses().len() + 1);
}

pub(crate) fn resource(bytes: &[u8]) {
    let Ok(path) = from_utf8(bytes) else { return };
    if let Some(resource) = Resource::parse(path) {
        assert_eq!(resource.to_string(), path);
        // It is a file's path, too, and must not lead out of its folder.
        assert!(!path.contains('%') && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
    }
}
