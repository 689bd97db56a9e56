//! The arguments of the command.

mod assess;
mod charter;
mod client;
mod demo;
mod key;
mod list;
mod log;
mod matching;
mod monitor;
mod out;
mod release;
mod verify;
mod witness;

pub(crate) use assess::AssessArgs;
pub(crate) use charter::{CharterCommand, SeverityArg};
pub(crate) use client::{ClientCommand, ClientFolder, UpdateFrom};
pub(crate) use demo::DemoArgs;
pub(crate) use key::{KeyCommand, KeyKind};
pub(crate) use list::{
    AlgorithmArg, CheckArgs, DiffArgs, FormatArg, HashArgs, ImportArgs, InfoArgs, ListCommand, ProveArgs, RecallArgs,
    RemoveArgs, ShowArgs, UnselectedArg,
};
pub(crate) use log::{CollectArgs, FsckArgs, LogCommand, LogServeArgs};
pub(crate) use matching::{ListFolders, MatchArgs, MatchCommand, OrientationsArg};
pub(crate) use monitor::{AttestArgs, FindingSeverityArg, FollowArgs, LogArgs, MethodArg, MonitorCommand, TraceArgs};
pub(crate) use out::{DeskArgs, Overwrite, TokenArgs};
pub(crate) use release::{ComposeArgs, EndorseArgs, PublishArgs, RailArgs, ReleaseCommand};
pub(crate) use verify::{BundleCommand, EvidenceCommand, ReceiptCommand};
pub(crate) use witness::{WitnessCommand, WitnessServeArgs};

use crate::exit;
use clap::{Parser, Subcommand};

/// Audit-transparent hash lists: every release of a list, and the charter that says what it may be used for, is in a public
/// log that independent witnesses cosign. One command for every role.
#[derive(Parser)]
#[command(name = "isonomy", version, after_help = exit::HELP)]
pub(crate) struct Args {
    /// Print one JSON document instead of words.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The whole story on this machine, in under a minute.
    Demo(DemoArgs),
    /// Make and show keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Run a log, or check one.
    #[command(subcommand)]
    Log(LogCommand),
    /// Run a witness.
    #[command(subcommand)]
    Witness(WitnessCommand),
    /// Write, sign and publish the charter of a list.
    #[command(subcommand)]
    Charter(CharterCommand),
    /// Make lists of hashes.
    #[command(subcommand)]
    List(ListCommand),
    /// Compose, endorse and publish a release of a list.
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// Keep a verified list up to date.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Match pictures or hashes against verified lists, here or as a service.
    Match(MatchArgs),
    /// Follow logs, audit them, show them.
    #[command(subcommand)]
    Monitor(MonitorCommand),
    /// Measure a list against what its charter claims: a report that anyone can reproduce.
    Assess(AssessArgs),
    /// Check a receipt, offline.
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Check evidence of a breach, offline.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Check what a mirror or folder serves, offline.
    #[command(subcommand)]
    Bundle(BundleCommand),
}
