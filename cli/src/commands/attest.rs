//! `isonomy monitor attest`.

use super::trace::MIN_SALT;
use super::{files, key, monitor, release};
use crate::args::{AttestArgs, MethodArg};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result, bail};
use isonomy_client::system_clock;
use isonomy_core::attestation::{Attestation, Complaint, Method, Report};
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::hash::{Commitment, ObjectDigest, sha256};
use isonomy_core::note::{Note, SigningKey};
use isonomy_core::statement::Statement;
use isonomy_core::time::Timestamp;
use isonomy_fetch::Submitted;
use isonomy_monitor::Monitor;
use isonomy_monitor::attest::{AttestError, Claim, Said};
use serde_json::json;

/// The most bytes of a longer report.
const MAX_REPORT: usize = 256 << 20;

pub(crate) async fn run(args: AttestArgs, output: &Output) -> Result<Exit> {
    let key = key::read(&args.key)?;
    let policy = files::tlog_policy(&args.log.policy)?;
    let log = release::log_client(&policy)?;
    check_flags(&args)?;
    let Claimed { claim, complained } = claim(&args)?;
    let report = report(&args)?;
    let mut monitor = Monitor::open(monitor::one_log(&args.data, &args.log)?)?;
    monitor.poll_once().await?;
    let created = system_clock();
    let refused = |error: AttestError| Refused(format!("nothing was attested: {error}"));
    if let Some(complained) = &complained {
        monitor.can_hold(&args.list, &complained.entry).map_err(refused)?;
    }
    let said = Said { finding: &args.finding, report };
    let text = monitor.attestation(&args.list, &claim, key.verifier(), said, created).await;
    let text = text.map_err(refused)?;
    let statement = sign(&text, &key)?;
    let id = statement.id().to_hex();
    let salt = complained.map(|complained| complained.salt);
    if let Some(salt) = &salt {
        output.notice(format_args!(
            "salt {salt}: keep it; with the entry it shows what the complaint is about. If this ends without an answer of the log, it may be logged all the same: repeat it with --salt {salt}"
        ));
    }
    let proof = match log.submit(&statement.to_bytes()).await? {
        Submitted::Logged(proof) => proof,
        Submitted::Missing(_) => bail!("the log asks for objects, which an attestation does not have"),
    };
    let times =
        proof.verify(&statement.to_bytes(), policy.logs().first().map(|log| &log.key).context("no log")?, &policy);
    let times = times.context("the log's proof that it has logged the attestation does not hold")?;
    let doubt = monitor.doubt_about(&args.list, &claim);
    let mut words = format!("{id} is logged as entry {}, public since {}", proof.index, times.earliest);
    if let Some(salt) = &salt {
        words += &format!("\nsalt {salt}: keep it; with the entry it shows what the complaint is about");
    }
    if let Some(doubt) = &doubt {
        words += &format!("\n{doubt}");
    }
    output.report(
        words,
        &json!({ "statement": id, "index": proof.index, "public_since": times.earliest, "salt": salt, "doubt": doubt }),
    )?;
    Ok(Exit::Done)
}

fn sign(text: &Attestation, key: &SigningKey) -> Result<Statement> {
    let text = text.to_text()?;
    let line = key.sign(&text);
    Ok(Statement::from_note(Note::new(text, vec![line])?)?)
}

/// What is given and says nothing with this method would be taken for said.
fn check_flags(args: &AttestArgs) -> Result<(), Malformed> {
    let (counts, complaint) = match args.method {
        MethodArg::Followed | MethodArg::Recomputed => (false, false),
        MethodArg::Sampled | MethodArg::Canary => (true, false),
        MethodArg::Complaint => (false, true),
    };
    let given = [
        ("--sample", args.sample.is_some(), counts),
        ("--errors", args.errors.is_some(), counts),
        ("--entry", args.entry.is_some(), complaint),
        ("--received", args.received.is_some(), complaint),
        ("--salt", args.salt.is_some(), complaint),
    ];
    match given.iter().find(|(_, is_given, is_used)| *is_given && !is_used) {
        Some((flag, ..)) => Err(Malformed(format!("{flag} says nothing with this method; `--help` says with which"))),
        None => Ok(()),
    }
}

/// The longer report, by its digest.
fn report(args: &AttestArgs) -> Result<Option<Report>> {
    let Some((path, url)) = args.report.as_ref().zip(args.report_url.as_ref()) else { return Ok(None) };
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(Malformed("--report-url begins with https:// or http://".to_owned()).into());
    }
    let bytes = files::read(path, MAX_REPORT)?;
    Ok(Some(Report { url: url.clone(), sha256: ObjectDigest::of(&bytes) }))
}

/// What is to be attested.
struct Claimed {
    claim: Claim,
    /// For a complaint.
    complained: Option<Complained>,
}

/// What only those may know whom a complaint is about.
struct Complained {
    entry: Vec<u8>,
    /// In hexadecimal.
    salt: String,
}

fn claim(args: &AttestArgs) -> Result<Claimed> {
    let numbers = || match (args.sample, args.errors) {
        (Some(sample), Some(errors)) if errors <= sample => Ok((sample, errors)),
        _ => Err(Malformed("this method needs --sample and --errors, the latter no larger".to_owned())),
    };
    let looked_at = |method| numbers().map(|(sample, errors)| Claim::LookedAt { method, sample, errors });
    let claim = match args.method {
        MethodArg::Followed => Claim::Followed,
        MethodArg::Recomputed => Claim::Recomputed,
        MethodArg::Sampled => looked_at(Method::Sampled)?,
        MethodArg::Canary => looked_at(Method::Canary)?,
        MethodArg::Complaint => return complaint(args),
    };
    Ok(Claimed { claim, complained: None })
}

fn complaint(args: &AttestArgs) -> Result<Claimed> {
    let entry = args.entry.as_deref().and_then(from_hex);
    let entry = entry.ok_or_else(|| Malformed("a complaint needs --entry, in hexadecimal".to_owned()))?;
    let received = match &args.received {
        Some(text) => Timestamp::from_rfc3339(text),
        None => Some(system_clock()),
    };
    let received = received.ok_or_else(|| Malformed("--received is a time like 2026-11-22T02:07:32Z".to_owned()))?;
    let salt = salt(args)?;
    let claim = Claim::Complaint(Complaint { received, commitment: Commitment(sha256(&[&salt, &entry])) });
    Ok(Claimed { claim, complained: Some(Complained { entry, salt: to_hex(&salt) }) })
}

/// The one of an earlier attempt, or a new one.
fn salt(args: &AttestArgs) -> Result<Vec<u8>> {
    let Some(given) = &args.salt else {
        let mut salt = vec![0; 32];
        getrandom::fill(&mut salt).context("this machine gives no random numbers")?;
        return Ok(salt);
    };
    let salt = from_hex(given).filter(|salt| salt.len() >= MIN_SALT);
    let problem =
        || Malformed(format!("--salt is that of an earlier attempt: {MIN_SALT} bytes at least, in hexadecimal"));
    Ok(salt.ok_or_else(problem)?)
}
