//! `isonomy key`.

use crate::args::{KeyCommand, KeyKind};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::note::{KeyType, VerifierKey};
use isonomy_publisher::keys;

pub(crate) fn run(command: KeyCommand, output: &Output) -> Result<Exit> {
    let report = match command {
        KeyCommand::New { name, out, kind } => {
            let key_type = match kind {
                KeyKind::Ed25519 => KeyType::Ed25519,
                KeyKind::Witness => KeyType::Cosignature,
            };
            keys::create(&out, &name, key_type)?
        }
        KeyCommand::Show { file } => keys::show(&file)?,
    };
    output.report(&report.vkey, &report)?;
    Ok(Exit::Done)
}

/// The public keys that a person typed.
pub(crate) fn parse_all(vkeys: &[String]) -> Result<Vec<VerifierKey>> {
    let parse = |text: &String| VerifierKey::parse(text).map_err(|error| Malformed(format!("{text}: {error}")).into());
    vkeys.iter().map(parse).collect()
}
