//! `isonomy log init`, `isonomy witness init`, `isonomy monitor init`: folders with all that a server needs, to be looked through and filled in.

use crate::exit::Malformed;
use crate::output::Output;
use crate::{commands::files, exit::Exit};
use anyhow::{Context, Result};
use isonomy_core::note::{KeyType, VerifierKey};
use isonomy_publisher::keys::{self, Protection};
use serde_json::json;
use std::path::{Path, PathBuf};

const LOG_POLICY: &str = "\
# This log, its witnesses, and how many of them must have cosigned a checkpoint (C2SP tlog-policy). Who follows this log
# needs the same lines. Add the log's URL, and for each witness a line with its key and its URL:
#
#   witness NAME <vkey> <url>
#
# then a group of them with a number, and the quorum. With two of three, the log and one witness can show different people
# different histories; with three of four, it takes two witnesses.
#
#   group two-of-three 2 one two three
#   quorum two-of-three
#
# The log refuses to start until there is a quorum.
log {vkey}

quorum none
";

const WITNESS_LOGS: &str = "\
# The logs that this witness cosigns: for each a line with its key.
#
#   log <vkey>
#
# Other lines of the form (C2SP tlog-policy) don't matter here.
";

/// One kind of server.
struct Kind {
    /// What it is called, in names of files and commands.
    what: &'static str,
    key_type: KeyType,
    template: &'static str,
    policy: (&'static str, &'static str),
    next: &'static str,
}

const LOG: Kind = Kind {
    what: "log",
    key_type: KeyType::Ed25519,
    template: isonomy_log_server::config::TEMPLATE,
    policy: ("trust.policy", LOG_POLICY),
    next: "name the witnesses and the quorum in trust.policy, and the maintainers in log.toml",
};

const WITNESS: Kind = Kind {
    what: "witness",
    key_type: KeyType::Cosignature,
    template: isonomy_witness::config::TEMPLATE,
    policy: ("logs.policy", WITNESS_LOGS),
    next: "name the logs in logs.policy, and give each of them this witness's key",
};

pub(crate) fn log(folder: &Path, name: &str, output: &Output) -> Result<Exit> {
    make(&LOG, folder, name, |_| Ok(LOG.template.to_owned()), output)
}

/// With its data folder: no later start makes one, since a witness that has lost its memory must not take itself for new.
pub(crate) fn witness(folder: &Path, name: &str, data: Option<&Path>, output: &Output) -> Result<Exit> {
    let usual = folder.join("data");
    let place = data.unwrap_or(&usual);
    let is_free = match std::fs::read_dir(place) {
        Ok(mut found) => found.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(
            Malformed(format!("{} is not an empty folder; choose another for the data", place.display())).into()
        );
    }
    let begin = |key: &VerifierKey| {
        isonomy_witness::begin(place, key)?;
        let Some(data) = data else { return Ok(WITNESS.template.to_owned()) };
        // A string of TOML is written like one of JSON.
        let line = format!("\ndata = {}\n", json!(std::path::absolute(data)?.display().to_string()));
        Ok(WITNESS.template.replacen("\ndata = \"data\"\n", &line, 1))
    };
    make(&WITNESS, folder, name, begin, output)
}

const MONITOR_POLICY: &str = "\
# The log that is followed, its witnesses, and how many of them must have cosigned a checkpoint (C2SP tlog-policy). Get these
# lines from somebody whom you trust about them, better not from the log's operator alone:
#
#   log <vkey> <url>
#   witness NAME <vkey> <url>
#   group two-of-three 2 one two three
#   quorum two-of-three
#
# The monitor refuses to start until there are a log and a quorum.
quorum none
";

/// A monitor's folder; it has no key.
pub(crate) fn monitor(folder: &Path, output: &Output) -> Result<Exit> {
    let (config, policy) = (folder.join("monitor.toml"), folder.join("trust.policy"));
    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    refuse_existing(&[&config, &policy])?;
    files::write(&policy, MONITOR_POLICY.as_bytes())?;
    files::write(&config, isonomy_monitor::config::TEMPLATE.as_bytes())?;
    let words = format!(
        "{} is ready.\nNext: put the log, its witnesses and the quorum into {}; then\n  isonomy monitor serve --config {}",
        folder.display(),
        policy.display(),
        config.display()
    );
    output.report(words, &json!({ "config": config, "policy": policy }))?;
    Ok(Exit::Done)
}

/// `begin` gets the new key, does what else is to be done, and gives the configuration.
fn make(
    kind: &Kind,
    folder: &Path,
    name: &str,
    begin: impl FnOnce(&VerifierKey) -> Result<String>,
    output: &Output,
) -> Result<Exit> {
    let file = |ending: &str| folder.join(format!("{}.{ending}", kind.what));
    let (key, vkey, config, policy) = (file("key"), file("vkey"), file("toml"), folder.join(kind.policy.0));
    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    refuse_existing(&[&key, &vkey, &config, &policy])?;
    let made = keys::create(&key, name, kind.key_type, Protection::Permissions)?;
    files::write(&vkey, format!("{}\n", made.vkey).as_bytes())?;
    files::write(&policy, kind.policy.1.replace("{vkey}", &made.vkey.to_string()).as_bytes())?;
    files::write(&config, begin(&made.vkey)?.as_bytes())?;
    let words = format!(
        "{} is ready. Its key, for everybody:\n{}\nKeep {} to yourself, with a copy in another place.\nNext: {}; then\n  isonomy {} serve --config {}",
        folder.display(),
        made.vkey,
        key.display(),
        kind.next,
        kind.what,
        config.display()
    );
    output.report(words, &json!({ "vkey": made.vkey, "config": config, "policy": policy, "key": key }))?;
    Ok(Exit::Done)
}

/// Nothing is written over: least of all a key.
fn refuse_existing(files: &[&PathBuf]) -> Result<()> {
    match files.iter().find(|file| file.symlink_metadata().is_ok()) {
        Some(file) => Err(Malformed(format!("{} exists; choose another folder", file.display())).into()),
        None => Ok(()),
    }
}
