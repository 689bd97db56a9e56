//! The story, part by part.

use super::attacks::{self, Repelled, Scene};
use super::cast::{Cast, WITNESSES};
use super::desk::{ALGORITHM, Desk};
use super::ending::show_monitor;
use super::matching::{self, Matching};
use super::narrator::Narrator;
use super::pictures::{self, Photos};
use super::servers::{Misbehaving, Servers};
use super::synthetic;
use anyhow::{Context, Result, bail, ensure};
use isonomy_client::{Change, Client, Source, UpdateError, UpdateReport, system_clock};
use isonomy_core::charter::Charter;
use isonomy_core::list::Entries;
use isonomy_core::release::Release;
use isonomy_core::statement::Signed;
use isonomy_publisher::compose::change;
use isonomy_publisher::import::{ImportOptions, import};
use serde::Serialize;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

/// How many synthetic hashes release 1 has beside the photographs.
const SYNTHETIC: u64 = 100_000;
/// How many of them release 2 adds and removes.
const ADDED: u64 = 500;
const REMOVED: u64 = 300;
/// How long the demo waits for what must come, in tries of half a second.
const PATIENCE: u32 = 80;

/// What happened, for programs.
#[derive(Serialize)]
pub(crate) struct Summary {
    monitor: String,
    versions: u64,
    first_refusal: String,
    delta_bytes: u64,
    snapshot_bytes: u64,
    matching: Matching,
    attacks: Vec<Attack>,
    findings: usize,
}

/// How an attack was refused.
#[derive(Serialize)]
struct Attack {
    name: &'static str,
    code: String,
    rule: Option<u8>,
    evidence: Option<String>,
}

/// Tells the story; the servers still run when it ends.
pub(crate) async fn tell(data: &Path, images: Option<&Path>, narrator: &Narrator<'_>) -> Result<(Servers, Summary)> {
    // Before anything starts, since a person may have named a folder without pictures.
    let photos = pictures::load(images, &data.join("pictures"))?;
    let (cast, mut servers) = start(data, narrator).await?;
    let trust = servers.trust.clone();
    let desk = Desk::new(&cast, &trust, data)?;

    let first_content = make_list(&photos, data, narrator)?;
    let charter = publish_charter(&desk, narrator).await?;
    let trust_text = std::fs::read_to_string(data.join("trust.policy"))?;
    let (policy_text, policy) = cast.app_policy(&trust_text, desk.list(), &charter.id())?;
    isonomy_store::files::replace(&data.join("app-policy.toml"), policy_text.as_bytes())?;

    narrator.part(4, "Two curators recompute release 1 from its content and endorse it; then release 2, by a delta");
    let mut client = Client::open(data.join("device"), policy.clone())?;
    let (first, first_refusal) = first_release(&desk, &charter, &first_content, &mut client, narrator).await?;
    let old = data.join("mirror-of-release-1");
    attacks::copy_folder(&data.join("log").join("public"), &old)?;
    let (second_content, targeted_content) = later_contents(&first_content)?;
    // Composed now, while it would still be release 2: a list with one more entry, meant for one person alone.
    let targeted = desk.compose(&targeted_content, "draft-2-targeted.tar").await?;
    let (second, report) = second_release(&desk, &charter, &second_content, &mut client, narrator).await?;
    let delta_bytes = report.objects.iter().map(|(_, bytes)| bytes).sum();

    show_client(&client, narrator)?;
    narrator
        .part(6, "The matcher, which takes nothing but a verified list, finds edited copies (distance of at most 24)");
    let list = client.list().cloned().context("no list is in force")?;
    let matching = matching::show(list, &photos, &trust, data, narrator)?;

    let scene = Scene {
        cast: &cast,
        desk: &desk,
        trust: &trust,
        policy: &policy,
        data,
        charter: &charter,
        first: &first,
        second: &second,
    };
    let attacks = attack(&scene, &mut servers, &mut client, &targeted, &old, narrator).await?;
    let findings = show_monitor(&servers, narrator).await?;
    let summary = Summary {
        monitor: servers.monitor.url.clone(),
        versions: second.body().version,
        first_refusal,
        delta_bytes,
        snapshot_bytes: second.body().snapshot.size,
        matching,
        attacks,
        findings,
    };
    Ok((servers, summary))
}

async fn start(data: &Path, narrator: &Narrator<'_>) -> Result<(Cast, Servers)> {
    narrator.part(1, "Servers start, each with its own key and data folder");
    let cast = Cast::new(&data.join("keys"))?;
    let servers = Servers::start(&cast, data).await?;
    if let Some(log) = &servers.log {
        narrator.done(format!("log at {}", log.url));
    }
    for witness in &servers.witnesses {
        narrator.done(format!("witness at {}", witness.url));
    }
    narrator.done(format!("monitor at {}", servers.monitor.url));
    Ok((cast, servers))
}

fn make_list(photos: &Photos, data: &Path, narrator: &Narrator<'_>) -> Result<Entries> {
    narrator.part(2, "The maintainer hashes photographs and imports further hashes");
    let listed: Vec<&str> = photos.listed.iter().map(|photo| photo.name.as_str()).collect();
    narrator.done(format!("{} photographs go on the list: {}", listed.len(), listed.join(", ")));
    narrator.done(format!("{} others don't", photos.others.len()));
    let file = data.join("synthetic.txt");
    isonomy_store::files::replace(&file, synthetic::lines(0, SYNTHETIC).as_bytes())?;
    let reader = BufReader::new(File::open(&file)?);
    let imported = import(reader, &ImportOptions::new(ALGORITHM))?.0.entries;
    narrator.done(format!(
        "{} synthetic hashes imported, each with 128 of 256 bits set, as real ones have",
        imported.len()
    ));
    let hashes = photos.listed.iter().flat_map(|photo| photo.fingerprint.hash.iter().copied());
    let bytes: Vec<u8> = imported.as_bytes().iter().copied().chain(hashes).collect();
    let (entries, _) = Entries::from_unsorted(ALGORITHM.entry_size(), bytes)?;
    narrator.done(format!("the list of release 1 has {} entries", entries.len()));
    Ok(entries)
}

async fn publish_charter(desk: &Desk<'_>, narrator: &Narrator<'_>) -> Result<Signed<Charter>> {
    narrator.part(3, "The charter says what the list may be used for; all whom it names sign it");
    let charter = desk.sign_charter(&desk.first_charter()?, &[])?;
    let body = charter.body();
    narrator.done(format!(
        "{}: a match within distance {} may lead to at most {}; {} of {} curators from {} jurisdictions must agree",
        body.list,
        body.matching.max_distance,
        body.action.most,
        body.curation.threshold,
        body.curation.curators.len(),
        body.curation.min_jurisdictions,
    ));
    let report = desk.publish_charter(&charter).await?;
    narrator.done(format!(
        "logged as entry {} and cosigned by the quorum: public since {}",
        report.index, report.public_since
    ));
    Ok(charter)
}

/// Publishes release 1; the client is refused at first, and accepts when it has been public for long enough.
async fn first_release(
    desk: &Desk<'_>,
    charter: &Signed<Charter>,
    content: &Entries,
    client: &mut Client,
    narrator: &Narrator<'_>,
) -> Result<(Signed<Release>, String)> {
    let release = publish(desk, charter, content, "draft-1.tar", narrator).await?;
    let source = [Source::parse(client.policy().log_url().context("the policy has no URL")?)?];
    let refusal = match client.update(&source, system_clock()).await {
        Err(UpdateError::Refused(refusals)) => refusals.into_iter().next().context("refused by nobody")?,
        Err(error) => return Err(error.into()),
        Ok(_) => bail!("release 1 was accepted before it was visible"),
    };
    ensure!(refusal.code == "not-visible", "refused for another reason: {}", refusal.message);
    narrator.refused(format!("the client refuses it for now: {}", refusal.message));
    let report = wait_for(client, &source, 1).await?;
    narrator.done(format!(
        "the client accepts release 1: {} entries, as a snapshot of {}",
        content.len(),
        sizes(&report)
    ));
    Ok((release, refusal.message))
}

/// Publishes release 2; the client keeps release 1 until release 2 may be used, and gets it as a delta.
async fn second_release(
    desk: &Desk<'_>,
    charter: &Signed<Charter>,
    content: &Entries,
    client: &mut Client,
    narrator: &Narrator<'_>,
) -> Result<(Signed<Release>, UpdateReport)> {
    let release = publish(desk, charter, content, "draft-2.tar", narrator).await?;
    let source = [Source::parse(client.policy().log_url().context("the policy has no URL")?)?];
    let waiting = client.update(&source, system_clock()).await?;
    ensure!(waiting.kind == Change::Same, "release 2 was accepted before it was visible");
    let pending = waiting.updated.pending.first().context("release 2 isn't shown as waiting")?;
    narrator.refused(format!("the client keeps release 1 for now, release 2 waits: {}", pending.waits_for));
    let report = wait_for(client, &source, 2).await?;
    narrator.done(format!(
        "the client accepts release 2 as a delta of {}; its snapshot has {} bytes",
        sizes(&report),
        release.body().snapshot.size
    ));
    Ok((release, report))
}

async fn publish(
    desk: &Desk<'_>,
    charter: &Signed<Charter>,
    content: &Entries,
    file: &str,
    narrator: &Narrator<'_>,
) -> Result<Signed<Release>> {
    let draft = desk.compose(content, file).await?;
    let mut endorsements = Vec::new();
    for curator in ["curator-one", "curator-two"] {
        endorsements.push(desk.endorse(&draft, curator).await?);
    }
    let (release, report) = desk.publish(&draft, &endorsements, charter.body()).await?;
    let body = release.body();
    narrator.done(format!(
        "release {}: +{} −{}, {} entries; recomputed and endorsed by two curators, logged as entry {}",
        body.version, body.added, body.removed, body.entries, report.index
    ));
    Ok(release)
}

fn sizes(report: &UpdateReport) -> String {
    let bytes: u64 = report.objects.iter().map(|(_, bytes)| bytes).sum();
    format!("{bytes} bytes")
}

/// Asks until `version` is in force.
async fn wait_for(client: &mut Client, source: &[Source], version: u64) -> Result<UpdateReport> {
    for _ in 0..PATIENCE {
        match client.update(source, system_clock()).await {
            Ok(report) if report.updated.list.version() == version => return Ok(report),
            Ok(_) => {}
            Err(UpdateError::Refused(refusals)) if refusals.iter().all(|refusal| refusal.code == "not-visible") => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    bail!("version {version} has not come into force in time")
}

/// The contents of release 2, and of the one that is meant for one person alone.
fn later_contents(first: &Entries) -> Result<(Entries, Entries)> {
    let entries = |from: u64, count: u64| {
        let bytes = (from..from + count).flat_map(synthetic::hash).collect();
        Entries::from_unsorted(ALGORITHM.entry_size(), bytes).map(|(entries, _)| entries)
    };
    let second = change(first, &entries(SYNTHETIC, ADDED)?, &entries(0, REMOVED)?)?.entries;
    let targeted = change(first, &entries(2 * SYNTHETIC, 1)?, &Entries::empty(ALGORITHM.entry_size())?)?.entries;
    Ok((second, targeted))
}

fn show_client(client: &Client, narrator: &Narrator<'_>) -> Result<()> {
    narrator.part(5, "What the client verified, from nothing but its policy file");
    let status = client.status(system_clock());
    let in_force = status.in_force.context("no list is in force")?;
    let checkpoint = status.checkpoint.context("no checkpoint was seen")?;
    let endorsed: Vec<String> =
        in_force.endorsed_by.iter().map(|curator| format!("{} ({})", curator.name, curator.jurisdiction)).collect();
    narrator.done(format!(
        "log of {} entries, cosigned by {} of {} witnesses",
        checkpoint.size,
        checkpoint.witnessed_by.len(),
        WITNESSES.len()
    ));
    narrator.done(format!(
        "release {} in it, under edition {} of the charter, endorsed by {}",
        in_force.version,
        in_force.edition,
        endorsed.join(", ")
    ));
    narrator.done(format!("{} entries have the root that was endorsed; {}", in_force.entries, in_force.freshness));
    Ok(())
}

async fn attack(
    scene: &Scene<'_>,
    servers: &mut Servers,
    client: &mut Client,
    targeted: &Path,
    old: &Path,
    narrator: &Narrator<'_>,
) -> Result<Vec<Attack>> {
    narrator.part(7, "Three attacks by whoever holds the log's key, over HTTP");
    let split = scene.split_view(targeted).await?;
    narrator.note("A second history with another release 2, for one person alone; maintainer and curators collude.");
    narrator.refused(format!(
        "{} of 3 witnesses cosigned it; a new device: {}",
        split.cosigned, split.fresh.refusal.message
    ));
    narrator.note("A device that has seen the real one:");
    tell_repelled(&split.known, narrator);

    narrator.note("Edition 2 raises the distance to 31, all have signed; the log admits a release under it at once.");
    let log = servers.log.take().context("the log isn't running")?;
    let address = log.address;
    log.stop().await?;
    // From now on the log's own address answers with what the misbehaving operator wants.
    let (rogue, server, early) = scene.early_admission(client, address).await?;
    tell_repelled(&early.repelled, narrator);

    narrator.note("Release 1 is served as the newest: an old answer replayed, then a new one made for it.");
    let [replayed, made] = scene.rollback(client, &rogue, old).await?;
    tell_repelled(&replayed, narrator);
    tell_repelled(&made, narrator);
    let status = client.status(system_clock());
    let version = status.in_force.context("the list was lost")?.version;
    ensure!(version == 2, "version {version} is in force after the attacks");
    narrator.done("after all this, release 2 is still in force, and still verifies");
    let (charters, releases) = (early.charters.clone(), early.releases.clone());
    servers.misbehaving =
        Some(Misbehaving { server, publishing: rogue.go_on(scene.desk.list().clone(), charters, releases) });
    let early = early.repelled;
    let named = [("split-view", split.known), ("early-admission", early), ("replay", replayed), ("rollback", made)];
    Ok(named.into_iter().map(|(name, repelled)| summary_of(name, &repelled)).collect())
}

fn tell_repelled(repelled: &Repelled, narrator: &Narrator<'_>) {
    narrator.refused(&repelled.refusal.message);
    match &repelled.evidence {
        Some((path, proven)) => {
            narrator.done(format!("evidence, verified: {proven}"));
            narrator.note(path.display());
        }
        None => narrator.done("a refusal record is kept; an old answer alone proves nobody's guilt"),
    }
}

fn summary_of(name: &'static str, repelled: &Repelled) -> Attack {
    Attack {
        name,
        code: repelled.refusal.code.clone(),
        rule: repelled.refusal.rule.as_ref().map(|rule| rule.number),
        evidence: repelled.evidence.as_ref().map(|(path, _)| path.display().to_string()),
    }
}
