//! `isonomy demo`: the whole story on this machine. Every line is printed after what it says has happened.
//!
//! All servers run in this process, on free ports, and everything between them and their clients goes over HTTP.

mod attacks;
mod cast;
mod desk;
mod ending;
mod folder_server;
mod matching;
mod narrator;
mod pictures;
mod rogue;
mod servers;
mod story;
mod synthetic;

use crate::args::DemoArgs;
use crate::commands::serving;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Context, Result, ensure};
use narrator::Narrator;
use std::path::{Path, PathBuf};

pub(crate) async fn run(args: DemoArgs, output: &Output) -> Result<Exit> {
    let data = data_folder(args.data.as_deref())?;
    let narrator = Narrator::new(output);
    output.say("Isonomy: one list, the same for everyone, provably. All roles on this machine, nothing leaves it.");
    let (servers, summary) = story::tell(&data, args.images.as_deref(), &narrator).await?;
    output.say(format!("\nDone in {} s. Everything is in {}", narrator.seconds(), data.display()));
    if args.keep_running {
        output.say(format!("The monitor's page stays up at {} until you press Ctrl-C.", servers.monitor.url));
        serving::shutdown().await;
    }
    servers.stop().await?;
    if output.is_json() {
        output.report("", &summary)?;
    }
    Ok(Exit::Done)
}

/// The folder that a person named, which must be new or empty; or a new one among the temporary files.
fn data_folder(named: Option<&Path>) -> Result<PathBuf> {
    let Some(named) = named else {
        return Ok(tempfile::Builder::new().prefix("isonomy-demo-").tempdir()?.keep());
    };
    std::fs::create_dir_all(named).with_context(|| format!("can't make {}", named.display()))?;
    let used = std::fs::read_dir(named)?.next().is_some();
    ensure!(!used, "{} is not empty; name a new folder, so that nothing of yours is mixed up", named.display());
    Ok(named.canonicalize()?)
}
