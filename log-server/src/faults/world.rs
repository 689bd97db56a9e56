//! Keys, time and folders.

use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::policy::Policy;
use isonomy_core::time::Timestamp;
use std::path::Path;

pub(super) const ORIGIN: &str = crate::log::testing::ORIGIN;

pub(super) fn key(name: &str, key_type: KeyType) -> SigningKey {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_seed(name, key_type, &seed).unwrap()
}

pub(crate) fn log_key() -> SigningKey {
    crate::log::testing::key()
}

pub(super) fn now() -> Timestamp {
    crate::state::now()
}

fn witnesses() -> [SigningKey; 2] {
    ["witness.example/a", "witness.example/b"].map(|name| key(name, KeyType::Cosignature))
}

/// This log and two witnesses, both of which are needed.
pub(crate) fn policy() -> Policy {
    let [a, b] = witnesses().map(|key| key.verifier().to_string());
    let log = log_key().verifier().to_string();
    let text = format!("log {log}\nwitness a {a}\nwitness b {b}\ngroup both all a b\nquorum both\n");
    Policy::parse(text.as_bytes()).unwrap()
}

/// The checkpoint with both cosignatures.
pub(crate) fn cosigned(head: &CheckpointNote) -> CheckpointNote {
    cosigned_at(head, now())
}

/// The same by witnesses whose clocks show this.
pub(crate) fn cosigned_at(head: &CheckpointNote, time: Timestamp) -> CheckpointNote {
    let lines = witnesses().map(|key| cosignature::cosign(&key, head.note().text(), time));
    head.with_cosignatures(&lines)
}

pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
