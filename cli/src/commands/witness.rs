//! `isonomy witness`.

use super::serving::{self, Scheme};
use super::{configuration, files, init, key};
use crate::args::{WitnessCommand, WitnessServeArgs};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_serve::Settings;
use isonomy_witness::record::MAX_RECORD_SIZE;
use isonomy_witness::{Config, RATES, Restored};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where a witness listens unless it is told.
const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 7320);

pub(crate) async fn run(command: WitnessCommand, output: &Output) -> Result<Exit> {
    match command {
        WitnessCommand::Init { folder, name, data } => init::witness(&folder, &name, data.as_deref(), output),
        WitnessCommand::Serve(args) => serve(args, output).await,
        WitnessCommand::Restore { config, checkpoint: Some(checkpoint), .. } => restore(&config, &checkpoint, output),
        WitnessCommand::Restore { config, checkpoint: None, never_cosigned } => {
            declare_new(&config, &never_cosigned.context("a checkpoint is missing")?, output)
        }
    }
}

async fn serve(args: WitnessServeArgs, output: &Output) -> Result<Exit> {
    let (config, listen) = match &args.config {
        Some(path) => from_file(path)?,
        None => from_args(&args)?,
    };
    let scheme = Scheme::of(&config.serving);
    let listener = serving::listen(listen).await?;
    let address = listener.local_addr()?;
    let server = isonomy_witness::run(listener, config, serving::shutdown());
    serving::run(address, scheme, "witness", output, server).await?;
    Ok(Exit::Done)
}

fn from_args(args: &WitnessServeArgs) -> Result<(Config, SocketAddr)> {
    let given = |path: &Option<PathBuf>| path.clone().context("an argument is missing");
    let (data, key) = (given(&args.data)?, key::read(&given(&args.key)?)?);
    if args.new {
        isonomy_witness::begin(&data, key.verifier())?;
    }
    let config = Config { data, key, logs: key::parse_all(&args.logs)?, serving: Settings::new(RATES) };
    Ok((config, args.listen.unwrap_or(LISTEN.into())))
}

fn from_file(path: &Path) -> Result<(Config, SocketAddr)> {
    let (file, folder) = configuration::witness(path)?;
    let config = Config {
        data: folder.join(file.data),
        key: key::read(&folder.join(file.key))?,
        logs: files::log_keys(&folder.join(file.logs))?,
        serving: file.http.settings(&folder, RATES)?,
    };
    Ok((config, file.http.listen.unwrap_or(LISTEN.into())))
}

fn restore(config: &Path, checkpoint: &Path, output: &Output) -> Result<Exit> {
    let (config, _) = from_file(config)?;
    let bytes = files::read(checkpoint, MAX_RECORD_SIZE)?;
    let note = isonomy_witness::checkpoint_in(&bytes)
        .map_err(|error| Malformed(format!("{}: {error}", checkpoint.display())))?;
    let (origin, size) = (note.checkpoint().origin.clone(), note.checkpoint().size);
    let (words, is_new) = match isonomy_witness::restore(config, note)? {
        Restored::Written => ("is now what the witness remembers", true),
        Restored::Unchanged => ("is what the witness remembers already", false),
    };
    let document = json!({ "origin": origin, "size": size, "written": is_new });
    output.report(format!("the checkpoint of {origin} with {size} entries {words}"), &document)?;
    Ok(Exit::Done)
}

fn declare_new(config: &Path, origin: &str, output: &Output) -> Result<Exit> {
    let (config, _) = from_file(config)?;
    isonomy_witness::declare_new(config, origin)?;
    let words = format!("the log {origin} is new to this witness: the first checkpoint that it shows will be cosigned");
    output.report(words, &json!({ "origin": origin, "never_cosigned": true }))?;
    Ok(Exit::Done)
}
