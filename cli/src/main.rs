//! `isonomy`: audit-transparent hash lists, one command for every role.
//!
//! Thin: it turns arguments into calls of the libraries, and their reports and errors into words or JSON.

mod args;
mod commands;
mod demo;
mod exit;
mod output;

use args::{Args, Command};
use clap::Parser;
use exit::Exit;
use isonomy_serve::LogFormat;
use output::Output;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    start_tracing(&args.command);
    let output = Output::new(args.json);
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(args.command, &output)));
    let exit = result.unwrap_or_else(|error| {
        output.error(&error);
        Exit::of(&error)
    });
    if exit == Exit::Done && output::lost() {
        output::complain(&"error: not all of the report could be written to standard output");
        return Exit::Failed.into();
    }
    exit.into()
}

async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(args, output).await,
        Command::Key(command) => commands::key::run(command, output),
        Command::Log(command) => commands::log::run(command, output).await,
        Command::Witness(command) => commands::witness::run(command, output).await,
        Command::Charter(command) => commands::charter::run(command, output).await,
        Command::List(command) => commands::list::run(command, output).await,
        Command::Release(command) => commands::release::run(command, output).await,
        Command::Client(command) => commands::client::run(command, output).await,
        Command::Match(args) => commands::matching::run(args, output).await,
        Command::Monitor(command) => commands::monitor::run(command, output).await,
        Command::Assess(args) => commands::assess::run(args, output).await,
        Command::Receipt(command) => commands::receipt::run(command, output),
        Command::Evidence(command) => commands::evidence::run(command, output),
        Command::Bundle(command) => commands::bundle::run(command, output).await,
    }
}

/// Servers speak through `tracing`, on standard error, as much as `RUST_LOG` asks for, else as their configuration says;
/// without one warnings alone. The demo tells itself what its servers warn of.
fn start_tracing(command: &Command) {
    let configured = commands::configuration::logging(command);
    let format = configured.as_ref().map(|logging| logging.format).unwrap_or_default();
    let usual = match (command, configured) {
        (_, Some(logging)) => logging.level,
        (Command::Demo(_), None) => "error".to_owned(),
        (_, None) => "warn".to_owned(),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let colours = std::io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
}
