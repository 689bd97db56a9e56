//! `isonomy log`.

use super::serving::{self, Scheme};
use super::{collect, configuration, files, fsck, init, key};
use crate::args::{LogCommand, LogServeArgs};
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_log_server::config::ConfigFile;
use isonomy_log_server::restore::{Absent, FirstTimesAre, Restored};
use isonomy_log_server::{Config, RATES, Rights};
use isonomy_serve::Settings;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;

/// Where a log listens unless it is told.
const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 7310);
/// After how many seconds an unchanged tree is published again, unless it is told.
const REPUBLISH: u64 = 300;

pub(crate) async fn run(command: LogCommand, output: &Output) -> Result<Exit> {
    match command {
        LogCommand::Init { folder, name } => init::log(&folder, &name, output),
        LogCommand::Serve(args) => serve(args, output).await,
        LogCommand::Collect(args) => collect::run(&args, output),
        LogCommand::Restore { config, witnesses_asked } => {
            let absent = if witnesses_asked { Absent::AskedByHand } else { Absent::Unknown };
            restore(&config, absent, output).await
        }
        LogCommand::Token => token(output),
        LogCommand::Fsck(args) => fsck::run(&args, output).await,
    }
}

async fn serve(args: LogServeArgs, output: &Output) -> Result<Exit> {
    let (config, listen) = match &args.config {
        Some(path) => from_file(path)?,
        None => from_args(&args)?,
    };
    let scheme = Scheme::of(&config.serving);
    let listener = serving::listen(listen).await?;
    let address = listener.local_addr()?;
    let (changes, rights) = watch::channel(config.rights());
    let reading = args.config.map(|path| tokio::spawn(read_rights_on_hangup(path, changes)));
    let server = isonomy_log_server::run_with(listener, config, rights, serving::shutdown());
    let served = serving::run(address, scheme, "log", output, server).await;
    if let Some(reading) = reading {
        reading.abort();
    }
    served?;
    Ok(Exit::Done)
}

/// Reads who may publish, attest and read from the configuration again whenever the process gets a SIGHUP; for ever.
async fn read_rights_on_hangup(path: PathBuf, changes: watch::Sender<Rights>) {
    let read = || match configuration::log(&path) {
        Ok((ConfigFile { publishers, auditors, access, .. }, _)) => {
            changes.send_replace(Rights { publishers, auditors, access });
            tracing::info!(
                "publishers, auditors and access were read again; all else in the configuration waits for a restart"
            );
        }
        Err(error) => tracing::error!("publishers, auditors and access stay as they were: {error:#}"),
    };
    serving::on_hangup(read).await;
}

fn from_args(args: &LogServeArgs) -> Result<(Config, SocketAddr)> {
    let given = |path: &Option<std::path::PathBuf>| path.clone().context("an argument is missing");
    let config = Config {
        data: given(&args.data)?,
        key: key::read(&given(&args.key)?)?,
        policy: files::tlog_policy(&given(&args.policy)?)?,
        publishers: key::parse_all(&args.publishers)?,
        auditors: key::parse_all(&args.auditors)?,
        republish_every: Duration::from_secs(args.republish.unwrap_or(REPUBLISH)),
        seen_proofs: Default::default(),
        access: Vec::new(),
        serving: Settings::new(RATES),
    };
    Ok((config, args.listen.unwrap_or(LISTEN.into())))
}

pub(super) fn from_file(path: &Path) -> Result<(Config, SocketAddr)> {
    let (file, folder) = configuration::log(path)?;
    let ConfigFile { key, policy, data, publishers, auditors, republish, seen_proofs, http, access, .. } = file;
    let config = Config {
        data: folder.join(data),
        key: key::read(&folder.join(key))?,
        policy: files::tlog_policy(&folder.join(policy))?,
        publishers,
        auditors,
        republish_every: Duration::from_secs(republish),
        seen_proofs,
        access,
        serving: http.settings(&folder, RATES)?,
    };
    Ok((config, http.listen.unwrap_or(LISTEN.into())))
}

async fn restore(config: &Path, absent: Absent, output: &Output) -> Result<Exit> {
    let (config, _) = from_file(config)?;
    let restored = isonomy_log_server::restore::restore(config, absent).await;
    let Restored { head, aside, first_times, absent } = restored.map_err(|error| match error.is_refusal() {
        true => Refused(error.to_string()).into(),
        false => anyhow::Error::from(error),
    })?;
    let tree = head.checkpoint();
    let former = aside.as_ref().map_or(String::new(), |aside| format!("\nthe former one is in {}", aside.display()));
    let silent: String = absent.iter().map(|(name, why)| format!("\nnot confirmed by {name}: {why}")).collect();
    let (times, are_lost) = match first_times {
        FirstTimesAre::TakenOver => ("since when each statement is public was taken over from it", false),
        FirstTimesAre::Lost => (
            "since when each statement is public, its seen proof says alone from now on: if one was lost before, a mirror may have the first",
            true,
        ),
    };
    let words = format!(
        "`private/` is made anew: {} goes on from size {}, root {}{former}\n{times}{silent}\nStart the log; it asks its witnesses \
         once more before it takes up anything.",
        tree.origin,
        tree.size,
        tree.root.to_base64()
    );
    let absent: Vec<_> = absent.iter().map(|(name, why)| json!({ "witness": name, "reason": why })).collect();
    let document = json!({ "origin": tree.origin, "size": tree.size, "root": tree.root, "former": aside, "first_times_lost": are_lost, "unconfirmed": absent });
    output.report(words, &document)?;
    Ok(Exit::Done)
}

fn token(output: &Output) -> Result<Exit> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).context("can't get randomness from the system")?;
    let token = to_hex(&secret);
    let digest = to_hex(&sha256(&[token.as_bytes()]));
    let words = format!(
        "token:  {token}\ndigest: {digest}\nThe digest goes into `tokens` of the log's configuration, the token to whoever may read \
         the list. It is not kept anywhere."
    );
    output.report(words, &json!({ "token": token, "digest": digest }))?;
    Ok(Exit::Done)
}
