//! `isonomy log`.

use super::{files, fsck, key, serving};
use crate::args::LogCommand;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use isonomy_log_server::Config;
use isonomy_publisher::keys;
use std::time::Duration;

pub(crate) async fn run(command: LogCommand, output: &Output) -> Result<Exit> {
    let (data, key, policy, publishers, auditors, listen, republish) = match command {
        LogCommand::Serve { data, key, policy, publishers, auditors, listen, republish } => {
            (data, key, policy, publishers, auditors, listen, republish)
        }
        LogCommand::Fsck(args) => return fsck::run(&args, output).await,
    };
    let config = Config {
        data,
        key: keys::read(&key)?,
        policy: files::tlog_policy(&policy)?,
        publishers: key::parse_all(&publishers)?,
        auditors: key::parse_all(&auditors)?,
        republish_every: Duration::from_secs(republish),
    };
    let listener = serving::listen(listen).await?;
    let address = listener.local_addr()?;
    serving::run(address, "log", output, isonomy_log_server::run(listener, config, serving::shutdown())).await?;
    Ok(Exit::Done)
}
