//! Configuration files of servers.

use super::files;
use crate::args::{Command, LogCommand, MonitorCommand, WitnessCommand};
use crate::exit::Malformed;
use anyhow::Result;
use isonomy_log_server::config as log_config;
use isonomy_monitor::config as monitor_config;
use isonomy_serve::Logging;
use isonomy_witness::config as witness_config;
use std::path::{Path, PathBuf};

/// A log's configuration, and the folder to which its paths are relative.
pub(crate) fn log(path: &Path) -> Result<(log_config::ConfigFile, PathBuf)> {
    parse(path, log_config::MAX_CONFIG_SIZE, log_config::ConfigFile::parse)
}

/// The same of a witness.
pub(crate) fn witness(path: &Path) -> Result<(witness_config::ConfigFile, PathBuf)> {
    parse(path, witness_config::MAX_CONFIG_SIZE, witness_config::ConfigFile::parse)
}

/// The same of a monitor.
pub(crate) fn monitor(path: &Path) -> Result<(monitor_config::ConfigFile, PathBuf)> {
    parse(path, monitor_config::MAX_CONFIG_SIZE, monitor_config::ConfigFile::parse)
}

fn parse<T, E: std::fmt::Display>(
    path: &Path,
    limit: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<(T, PathBuf)> {
    let malformed = |error: &dyn std::fmt::Display| Malformed(format!("{}: {error}", path.display()));
    let text = String::from_utf8(files::read(path, limit)?).map_err(|error| malformed(&error))?;
    let file = parse(&text).map_err(|error| malformed(&error))?;
    Ok((file, path.parent().unwrap_or(Path::new("")).to_owned()))
}

/// What a server's configuration says of how it speaks; `None` if there is none that can be read, which the command
/// itself will say.
pub(crate) fn logging(command: &Command) -> Option<Logging> {
    match command {
        Command::Log(LogCommand::Serve(args)) => Some(log(args.config.as_deref()?).ok()?.0.logging),
        Command::Witness(WitnessCommand::Serve(args)) => Some(witness(args.config.as_deref()?).ok()?.0.logging),
        Command::Monitor(MonitorCommand::Run { follow, .. } | MonitorCommand::Serve { follow, .. }) => {
            Some(monitor(follow.config.as_deref()?).ok()?.0.logging)
        }
        _ => None,
    }
}
