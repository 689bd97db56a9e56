//! `isonomy bundle`.

use super::{client, files};
use crate::args::BundleCommand;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use isonomy_client::{Client, Source, system_clock};
use serde_json::json;

/// Verifies a folder exactly as a client does that knows nothing yet, in a state folder that is thrown away.
pub(crate) async fn run(command: BundleCommand, output: &Output) -> Result<Exit> {
    let BundleCommand::Verify { folder, policy } = command;
    let scratch = tempfile::tempdir()?;
    let mut checker = Client::open(scratch.path().join("client"), files::client_policy(&policy)?)?;
    let report = checker.update(&[Source::folder(&folder)], system_clock()).await?;
    let status = checker.status(system_clock());
    output.report(
        client::update_words(&report, &status),
        &json!({ "verified": true, "version": report.updated.list.version(), "status": status }),
    )?;
    Ok(Exit::Done)
}
