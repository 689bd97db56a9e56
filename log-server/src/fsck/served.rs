//! What clients and people ask a log for beside statements and objects: the bundle of each list, and the index of lists. A log keeps a
//! copy of each in its folder; a monitor's copy of a log has none. What is there must be of this log and say nothing that its
//! entries don't. That nothing is left out of it is for monitors: it takes the rules, and since when everything is public.

use super::finding::Finding;
use super::statements::Roots;
use super::{Kind, Work};
use crate::bundles::IndexedRelease;
use crate::files::LISTS;
use futures_util::{StreamExt, stream};
use isonomy_core::bundle::{Bundle, Included, MAX_BUNDLE_SIZE};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::StatementId;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, MAX_STATEMENT_SIZE, Statement};
use isonomy_fetch::FetchError;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The most bytes of an index of lists that are read for each list that the entries name, and beside that; where not all entries were
/// read, in all.
const MAX_INDEXED_SIZE: u64 = 2 << 10;
const MAX_INDEX_SLACK: u64 = 1 << 20;
const MAX_INDEX_SIZE: u64 = 256 << 20;

/// How many bundles there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Bundles {
    /// So many were checked.
    pub(super) checked: usize,
    /// So many lists have none here.
    pub(super) absent: usize,
}

/// Checks the bundle of each list that the entries name, and the index of lists.
pub(super) async fn check(work: &Work, checkpoint: &CheckpointNote) -> Bundles {
    if work.kind == Kind::Opaque {
        return Bundles::default();
    }
    let lists = work.findings.take_lists();
    check_index(work, &lists).await;
    let checking = lists.iter().map(|list| check_bundle(work, checkpoint, list));
    let mut checked = stream::iter(checking).buffer_unordered(work.options.jobs.max(1));
    let mut bundles = Bundles::default();
    while let Some(found) = checked.next().await {
        match found {
            Found::Absent => bundles.absent += 1,
            Found::Sound => bundles.checked += 1,
            Found::Wrong(finding) => {
                bundles.checked += 1;
                work.findings.extend([finding]);
            }
        }
    }
    bundles
}

enum Found {
    Absent,
    Sound,
    Wrong(Finding),
}

async fn check_bundle(work: &Work, checkpoint: &CheckpointNote, list: &ListName) -> Found {
    let resource = Resource::Bundle(list.clone());
    let judged = match work.source.get(&resource, MAX_BUNDLE_SIZE as u64).await {
        Err(FetchError::NotFound { .. }) => return Found::Absent,
        Err(error) => Err(error.to_string()),
        Ok(bytes) => judge_bundle(work, checkpoint, list, &bytes).await,
    };
    match judged {
        Ok(()) => Found::Sound,
        Err(reason) => Found::Wrong(Finding::Bundle { path: resource.to_string(), reason }),
    }
}

/// What is wrong with a bundle, in words.
async fn judge_bundle(work: &Work, checkpoint: &CheckpointNote, list: &ListName, bytes: &[u8]) -> Result<(), String> {
    let bundle = Bundle::parse(bytes).map_err(|error| error.to_string())?;
    if bundle.list != *list {
        return Err(format!("it is of the list {}", bundle.list));
    }
    if bundle.charters.is_empty() {
        return Err("it has no charter".to_owned());
    }
    bundle.checkpoint.verify_log(&work.options.log).map_err(|error| format!("its checkpoint: {error}"))?;
    work.quorum(&bundle.checkpoint).map_err(|reason| format!("its checkpoint: {reason}"))?;
    let shown = bundle.checkpoint.checkpoint();
    // A log that goes on may serve a bundle that is newer than the checkpoint with which this check began.
    let now = if shown.size > work.size { work.grown_to().await? } else { None };
    let now = now.as_ref().unwrap_or(checkpoint.checkpoint());
    if shown.size > now.size {
        return Err(format!(
            "it is of {} entries, and `checkpoint` here of {}: that is older; take a newer one, such as the bundle holds, and check again",
            shown.size, now.size
        ));
    }
    if shown != checkpoint.checkpoint() {
        let mut roots = Roots::new(&work.source, now.size);
        // The tree that the log has grown to is the same one.
        for known in [now, checkpoint.checkpoint()].into_iter().filter(|_| now.size > work.size) {
            roots.check(known).await.map_err(|reason| format!("the log's checkpoint by now: {reason}"))?;
        }
        roots.check(shown).await.map_err(|reason| format!("its checkpoint: {reason}"))?;
    }
    let parts = [("charter", &bundle.charters), ("release", &bundle.releases), ("attestation", &bundle.attestations)];
    for (kind, included) in parts.iter().flat_map(|(kind, all)| all.iter().map(move |one| (*kind, one))) {
        judge_included(work, &bundle, kind, included).await?;
    }
    Ok(())
}

/// What is wrong with a statement that a bundle names, in words.
async fn judge_included(work: &Work, bundle: &Bundle, kind: &str, included: &Included) -> Result<(), String> {
    let Some(statement) = statement(work, included.id).await? else { return Ok(()) };
    let problem = |words: &str| format!("entry {}, {}: {words}", included.index, included.id.to_hex());
    if kind_of(&statement) != kind {
        return Err(problem(&format!("it is named as {kind}, and is something else")));
    }
    if *statement.list() != bundle.list {
        return Err(problem("it is of another list"));
    }
    let proven = included.verify(&statement.to_bytes(), &bundle.checkpoint);
    proven.map_err(|error| problem(&format!("its place is not proven ({error})")))
}

fn kind_of(statement: &Statement) -> &'static str {
    match statement {
        Statement::Charter(_) => "charter",
        Statement::Release(_) => "release",
        Statement::Attestation(_) => "attestation",
    }
}

/// The statement of this identity, from its own file. `None` if that is damaged, which is said of the file itself. The error is words.
async fn statement(work: &Work, id: StatementId) -> Result<Option<Statement>, String> {
    let resource = Resource::Statement(id);
    let bytes = work.source.get(&resource, MAX_STATEMENT_SIZE as u64).await;
    let found = bytes.map_err(|error| error.to_string()).and_then(|bytes| {
        let statement = Statement::parse(&bytes).map_err(|error| error.to_string())?;
        if statement.id() == id { Ok(statement) } else { Err("that file has another statement".to_owned()) }
    });
    match found {
        Ok(statement) => Ok(Some(statement)),
        Err(_) if work.findings.has_path(&resource.to_string()) => Ok(None),
        Err(reason) => Err(format!("it names {resource}, which can't be read: {reason}")),
    }
}

#[derive(Deserialize)]
struct Index {
    log: String,
    lists: Vec<IndexedList>,
}

#[derive(Deserialize)]
struct IndexedList {
    list: ListName,
    bundle: String,
    edition: u64,
    charter: String,
    newest: Option<IndexedRelease>,
}

async fn check_index(work: &Work, lists: &BTreeSet<ListName>) {
    let most = match work.findings.is_whole() {
        true => MAX_INDEX_SLACK + MAX_INDEXED_SIZE * lists.len() as u64,
        false => MAX_INDEX_SIZE,
    };
    let index = match work.source.document(LISTS, most).await {
        Err(FetchError::NotFound { .. }) => return,
        Err(error) => Err(error.to_string()),
        Ok(bytes) => serde_json::from_slice::<Index>(&bytes).map_err(|error| format!("it can't be read: {error}")),
    };
    let wrong = |reason: String| Finding::Index { path: LISTS.to_owned(), reason };
    let index = match index {
        Ok(index) if index.log == work.options.log.name() => index,
        Ok(other) => return work.findings.extend([wrong(format!("it is of the log {}", other.log))]),
        Err(reason) => return work.findings.extend([wrong(reason)]),
    };
    let mut named = BTreeSet::new();
    if let Some(twice) = index.lists.iter().find(|indexed| !named.insert(&indexed.list)) {
        return work.findings.extend([wrong(format!("it names the list {} twice", twice.list))]);
    }
    let (known, unknown): (Vec<_>, Vec<_>) = index.lists.iter().partition(|indexed| lists.contains(&indexed.list));
    let judging = known.into_iter().map(async |indexed| (&indexed.list, judge_indexed(work, indexed).await));
    let mut judged = stream::iter(judging).buffer_unordered(work.options.jobs.max(1));
    while let Some((list, verdict)) = judged.next().await {
        work.findings.extend(verdict.err().map(|reason| wrong(format!("of the list {list}: {reason}"))));
    }
    // What could not be read may be about a list that the entries read do not name.
    if unknown.is_empty() || !work.findings.is_whole() {
        return;
    }
    // A log that goes on may have a list by now that it had not when this check began.
    let words =
        |indexed: &IndexedList| wrong(format!("of the list {}: the log has no statement about it", indexed.list));
    match work.grown_to().await {
        Ok(Some(_)) => {}
        Ok(None) => work.findings.extend(unknown.into_iter().map(words)),
        Err(reason) => work.findings.extend([wrong(format!("it names lists of which no entry is: {reason}"))]),
    }
}

/// What is wrong with what the index says of a list, in words.
async fn judge_indexed(work: &Work, indexed: &IndexedList) -> Result<(), String> {
    let IndexedList { list, bundle, edition, charter, newest } = indexed;
    if *bundle != Resource::Bundle(list.clone()).to_string() {
        return Err(format!("its bundle is not at {bundle}"));
    }
    let named = |hex: &str| StatementId::from_hex(hex).ok_or_else(|| format!("{hex} is no identity"));
    match statement(work, named(charter)?).await? {
        Some(Statement::Charter(found)) if found.body().list == *list && found.body().edition == *edition => {}
        None => {}
        Some(_) => return Err(format!("{charter} is not edition {edition} of its charter")),
    }
    let Some(IndexedRelease { version, release, entries, created, expires }) = newest else { return Ok(()) };
    match statement(work, named(release)?).await? {
        Some(Statement::Release(found)) => {
            let body = found.body();
            let says = (&body.list, body.version, body.entries, body.created, body.expires);
            let is_same = says == (list, *version, *entries, *created, *expires);
            if is_same {
                Ok(())
            } else {
                Err(format!("{release} says something else than stands here of version {version}"))
            }
        }
        None => Ok(()),
        Some(_) => Err(format!("{release} is no release")),
    }
}
