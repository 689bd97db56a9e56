//! `isonomy key`, and the keys with which other commands sign.

use super::passphrase;
use crate::args::{KeyCommand, KeyKind};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::note::{KeyType, SigningKey, VerifierKey};
use isonomy_publisher::keys::sealed::SHORT_PASSPHRASE;
use isonomy_publisher::keys::{self, KeyFileError, KeyReport, Protection};
use isonomy_publisher::signer::Signer;
use isonomy_store::files::FileError;
use std::path::Path;

pub(crate) fn run(command: KeyCommand, output: &Output) -> Result<Exit> {
    let report = match command {
        KeyCommand::New { name, out, kind, passphrase } => {
            let key_type = match kind {
                KeyKind::Ed25519 => KeyType::Ed25519,
                KeyKind::Witness => KeyType::Cosignature,
            };
            create(&out, &name, key_type, passphrase)?
        }
        KeyCommand::Show { file } => keys::show(&file, &passphrase::ask)?,
    };
    output.report(&report.vkey, &report)?;
    Ok(Exit::Done)
}

fn create(out: &Path, name: &str, key_type: KeyType, is_protected: bool) -> Result<KeyReport> {
    if !is_protected {
        return Ok(keys::create(out, name, key_type, Protection::Permissions)?);
    }
    if out.symlink_metadata().is_ok() {
        // Before anybody thinks up a passphrase.
        return Err(KeyFileError::Write(FileError::Exists { path: out.to_owned() }).into());
    }
    let choose = || passphrase::choose(out);
    let passphrase = choose().map_err(|source| KeyFileError::NoPassphrase { path: out.to_owned(), source })?;
    if passphrase.is_short() {
        eprintln!(
            "warning: the passphrase has fewer than {SHORT_PASSPHRASE} characters. Whoever gets hold of {} can try passphrases as fast as \
             they have machines; some words that nobody would guess are safer. Delete the file to begin again",
            out.display()
        );
    }
    Ok(keys::create(out, name, key_type, Protection::Passphrase(&passphrase))?)
}

/// The key in a file, out of its passphrase if it is under one.
pub(crate) fn read(path: &Path) -> Result<SigningKey> {
    Ok(keys::read(path, &passphrase::ask)?)
}

/// What signs with the key in a file, or with the program that the file names.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Signer>> {
    Ok(keys::open(path, &passphrase::ask)?)
}

/// The public keys that a person typed.
pub(crate) fn parse_all(vkeys: &[String]) -> Result<Vec<VerifierKey>> {
    let parse = |text: &String| VerifierKey::parse(text).map_err(|error| Malformed(format!("{text}: {error}")).into());
    vkeys.iter().map(parse).collect()
}
