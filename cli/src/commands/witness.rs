//! `isonomy witness`.

use super::{key, serving};
use crate::args::WitnessCommand;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use isonomy_publisher::keys;
use isonomy_witness::Config;

pub(crate) async fn run(command: WitnessCommand, output: &Output) -> Result<Exit> {
    let WitnessCommand::Serve { data, key, logs, listen } = command;
    let config = Config { data, key: keys::read(&key)?, logs: key::parse_all(&logs)? };
    let listener = serving::listen(listen).await?;
    let address = listener.local_addr()?;
    serving::run(address, "witness", output, isonomy_witness::run(listener, config, serving::shutdown())).await?;
    Ok(Exit::Done)
}
