//! `isonomy list prove` and `isonomy list check`: that a release's list holds a hash, or does not, for anybody, offline.

use super::files;
use crate::args::{CheckArgs, ProveArgs};
use crate::commands::client;
use crate::commands::release::read_release;
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::encoding::{from_base64, from_hex, to_hex};
use isonomy_core::list::proof::MAX_LIST_PROOF_SIZE;
use isonomy_core::list::{Entries, ListProof, ListTree};
use isonomy_core::policy::QuorumTimes;
use isonomy_core::release::Release;
use isonomy_core::statement::Signed;
use isonomy_core::tlog_proof::{MAX_TLOG_PROOF_SIZE, TlogProof};
use isonomy_publisher::draft::Draft;
use serde_json::json;
use std::path::Path;

pub(super) fn prove(args: &ProveArgs, output: &Output) -> Result<Exit> {
    files::check_free(&args.out, args.overwrite)?;
    let (release, entries) = listed(args)?;
    let size = entries.entry_size();
    let entry = hash(&args.hash, size)?;
    let tree = ListTree::new(&entries);
    if tree.root() != release.body().root || entries.len() as u64 != release.body().entries {
        let problem = "the content is not that of the release: it has another root, so nothing could be proven";
        return Err(Refused(problem.to_owned()).into());
    }
    let proof = ListProof::new(&tree, release.id(), &entry);
    let text = proof.to_text();
    files::save(&args.out, text.as_bytes(), args.overwrite)?;
    let words = format!(
        "✓ {}\n  {} bytes in {}; check it with: isonomy list check {} --release RELEASE",
        claim(&proof, release.body()),
        text.len(),
        args.out.display(),
        args.out.display()
    );
    output.report(words, &document(&proof, &release, None))?;
    Ok(Exit::Done)
}

/// The release and its content: a draft's, a client's, or a file each.
fn listed(args: &ProveArgs) -> Result<(Signed<Release>, Entries)> {
    if let Some(path) = &args.draft {
        let draft = Draft::open(path)?;
        let entries = draft.entries(draft.charter().body().matching.algorithm)?;
        return Ok((draft.release().clone(), entries));
    }
    if let (Some(release), Some(content)) = (&args.release, &args.content) {
        return with_content(read_release(release)?, content);
    }
    let folder = args.folder()?;
    let client = client::look(&folder)?;
    let list = client
        .list()
        .ok_or_else(|| Refused("no verified list is at hand: run `isonomy client update` first".to_owned()))?;
    Ok((list.signed_release().clone(), list.entries().clone()))
}

fn with_content(release: Signed<Release>, path: &Path) -> Result<(Signed<Release>, Entries)> {
    let bytes = files::read(path, super::MAX_LIST_FILE)?;
    let size = match usize::try_from(release.body().entries) {
        Ok(entries) if entries > 0 && bytes.len().is_multiple_of(entries) => bytes.len() / entries,
        Ok(0) if bytes.is_empty() => 32,
        _ => {
            let problem =
                format!("{} does not hold the {} entries of the release", path.display(), release.body().entries);
            return Err(Refused(problem).into());
        }
    };
    let entries = Entries::from_sorted(size, bytes);
    Ok((release, entries.map_err(|error| Malformed(format!("{}: {error}", path.display())))?))
}

/// A hash as a person gives it, in hexadecimal or base64.
pub(super) fn hash(text: &str, size: usize) -> Result<Vec<u8>> {
    let bytes = from_hex(&text.to_ascii_lowercase()).or_else(|| from_base64(text));
    let bytes = bytes.ok_or_else(|| Malformed(format!("{text} is not a hash in hexadecimal or base64")))?;
    if bytes.len() == size {
        return Ok(bytes);
    }
    Err(Malformed(format!("{text} has {} bytes, where the list's entries have {size}", bytes.len())).into())
}

pub(super) fn check(args: &CheckArgs, output: &Output) -> Result<Exit> {
    let bytes = files::read(&args.file, MAX_LIST_PROOF_SIZE)?;
    let proof = ListProof::parse(&bytes).map_err(|error| Malformed(format!("{}: {error}", args.file.display())))?;
    let release = read_release(&args.release)?;
    proof.verify(&release).map_err(|error| Refused(error.to_string()))?;
    let copy = copy_words(&args.release, &release);
    let near = "\n· that is said of this very hash: in a list of pictures, one also matches by an entry that is near to its hash";
    let near = if proof.is_listed() { "" } else { near };
    let public = match (&args.tlog_proof, &args.policy) {
        (Some(file), Some(policy)) => {
            let proven = published(&release, file, policy);
            Some(proven.with_context(|| format!("the release is not proven to be public. {copy}"))?)
        }
        _ => None,
    };
    let claim = claim(&proof, release.body());
    let words = match &public {
        Some(times) => format!(
            "✓ {claim}{near}\n✓ that release is in the log, which the quorum of witnesses cosigned by {}\n· not checked: the signatures of \
             maintainer and curators, without which the log takes up no release. Clients and monitors check them",
            times.earliest
        ),
        None => format!(
            "· by the release in {}, {claim}{near}\n! not checked: whether that is a release of the list at all. Neither was any signature \
             verified, nor that it is public, so anybody can have written it: bring its proof (--tlog-proof) and whom you trust \
             (--policy). {copy}",
            args.release.display()
        ),
    };
    let mut document = document(&proof, &release, public);
    document["not_checked"] = if public.is_some() { json!(["signatures"]) } else { json!(["signatures", "public"]) };
    output.report(words, &document)?;
    Ok(Exit::Done)
}

/// Since when the release is public, by its proof.
fn published(release: &Signed<Release>, proof: &Path, policy: &Path) -> Result<QuorumTimes> {
    let trust = files::tlog_policy(policy)?;
    let bytes = files::read(proof, MAX_TLOG_PROOF_SIZE)?;
    let proof = TlogProof::parse(&bytes).map_err(|error| Malformed(error.to_string()))?;
    let [log] = trust.logs() else {
        return Err(Malformed("the policy must name exactly one log".to_owned()).into());
    };
    let times = proof.verify(&release.to_bytes(), &log.key, &trust);
    Ok(times.map_err(|error| Refused(error.to_string()))?)
}

/// Whose signatures are on a copy of a release, and where the one is that has them all.
fn copy_words(path: &Path, release: &Signed<Release>) -> String {
    let signers: Vec<&str> = release.note().signatures().iter().map(|line| line.name.as_str()).collect();
    let signed = if signers.is_empty() { "nobody".to_owned() } else { signers.join(", ") };
    let (path, id) = (path.display(), release.id());
    format!("{path} is signed by {signed}; the copy in the log, with all signatures, is at /statement/{id} of the log")
}

fn claim(proof: &ListProof, release: &Release) -> String {
    let verb = if proof.is_listed() { "is on" } else { "is not on" };
    format!("{} {verb} the list {}, version {}", to_hex(&proof.entry), release.list, release.version)
}

fn document(proof: &ListProof, release: &Signed<Release>, public: Option<QuorumTimes>) -> serde_json::Value {
    json!({
        "hash": to_hex(&proof.entry),
        "listed": proof.is_listed(),
        "list": release.body().list,
        "version": release.body().version,
        "release": release.id().to_hex(),
        "signed_by": release.note().signatures().iter().map(|line| line.name.as_str()).collect::<Vec<_>>(),
        "public_since": public.map(|times| times.earliest),
    })
}
