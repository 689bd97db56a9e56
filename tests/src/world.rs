//! A log in memory with its witnesses and everything that it serves. It judges nothing: whatever is appended is logged,
//! so it can break each rule. Beyond that it can lie about any resource, show only some releases, or fork.
//!
//! ```
//! use isonomy_tests::{client::Client, people::hashes, world::World};
//!
//! let mut world = World::founded(); // edition 1 of the charter, published at 0
//! world.release(hashes(0..10), 100);
//! world.publish(100); // cosigned by all witnesses
//! world.publish(105); // visible now
//! let updated = Client::of(&world).update(&world, 105).unwrap();
//! assert_eq!(updated.list.version(), 1);
//! ```

mod lies;
mod mirror;
mod publishing;

pub use publishing::Draft;

use crate::people::{self, LOG, at};
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::hash::{NodeHash, ObjectDigest, RootHash, StatementId};
use isonomy_core::list::Entries;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath, encode_entries, encode_hashes};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{Frontier, InclusionPlan, LeafIndex, NodeCoordinate, TreeSize, leaf_hash};
use isonomy_verifier::Policy;
use std::collections::{BTreeMap, HashMap};

/// The numbers of the witnesses; two of them are the quorum.
pub const WITNESSES: [u8; 3] = [1, 2, 3];

/// A log in memory.
#[derive(Clone, Default)]
pub struct World {
    entries: Vec<Statement>,
    published: Option<CheckpointNote>,
    seen: HashMap<StatementId, TlogProof>,
    objects: HashMap<ObjectDigest, Vec<u8>>,
    contents: HashMap<StatementId, Entries>,
    lies: HashMap<Resource, Option<Vec<u8>>>,
}

impl World {
    /// A log in which edition 1 of [`people::charter`] is published at 0.
    pub fn founded() -> Self {
        Self::founded_with(|_| ())
    }

    /// The same with another charter.
    pub fn founded_with(edit: impl FnOnce(&mut isonomy_core::charter::Charter)) -> Self {
        let mut world = Self::default();
        world.edition(edit);
        world.publish(0);
        world
    }

    /// One with version 1, which is public since 100 and visible at 105.
    pub fn with_release() -> Self {
        let mut world = Self::founded();
        world.release(people::hashes(0..10), 100);
        world.publish(100);
        world.publish(105);
        world
    }

    /// The list that the first charter is of.
    pub fn list(&self) -> ListName {
        self.entries.first().map_or_else(people::list, |founding| founding.list().clone())
    }

    /// Logs a statement. It is public once a checkpoint that covers it is cosigned.
    pub fn append(&mut self, statement: Statement) -> StatementId {
        self.entries.push(statement);
        self.entries[self.entries.len() - 1].id()
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The checkpoint of the first `size` entries, signed by the log alone.
    pub fn checkpoint(&self, size: u64) -> CheckpointNote {
        let root = RootHash(self.frontier(0..size).root().0);
        let checkpoint = Checkpoint { origin: LOG.into(), size: TreeSize(size), root, extensions: Vec::new() };
        CheckpointNote::sign(checkpoint, &people::key(LOG)).unwrap()
    }

    /// Publishes the checkpoint of all entries, cosigned by every witness at this time.
    pub fn publish(&mut self, time: u64) {
        self.cosign(self.size(), &WITNESSES.map(|witness| (witness, time)));
    }

    /// Publishes the checkpoint of the first `size` entries, cosigned by these witnesses at these times. It is the seen
    /// proof of every statement that has none yet.
    pub fn cosign(&mut self, size: u64, witnesses: &[(u8, u64)]) {
        let checkpoint = cosigned(&self.checkpoint(size), witnesses);
        self.published = Some(checkpoint);
        for index in 0..size {
            let id = self.entries[index as usize].id();
            if !self.seen.contains_key(&id) {
                self.seen.insert(id, self.proof_at(index));
            }
        }
    }

    /// The newest published checkpoint.
    pub fn published(&self) -> &CheckpointNote {
        self.published.as_ref().unwrap()
    }

    /// Publishes this checkpoint, whatever it says.
    pub fn publish_note(&mut self, checkpoint: CheckpointNote) {
        self.published = Some(checkpoint);
    }

    /// The proof that a statement is in the log, under the newest published checkpoint.
    pub fn proof(&self, id: &StatementId) -> TlogProof {
        self.proof_at(self.index_of(id))
    }

    /// The seen proof of a statement.
    pub fn seen_proof(&self, id: &StatementId) -> TlogProof {
        self.seen[id].clone()
    }

    /// All statements, in the order of the log.
    pub fn statements(&self) -> &[Statement] {
        &self.entries
    }

    /// The statement with this identity.
    pub fn statement(&self, id: &StatementId) -> &Statement {
        &self.entries[self.index_of(id) as usize]
    }

    /// Where a statement is in the log.
    pub fn index_of(&self, id: &StatementId) -> u64 {
        self.entries.iter().position(|entry| entry.id() == *id).unwrap() as u64
    }

    /// What a client polls: every edition, the newest release that may be used, every newer one, and what auditors name.
    pub fn bundle(&self) -> Bundle {
        let size = self.published().checkpoint().size.0;
        let mut offered: Vec<StatementId> = self.releases().map(|release| release.id()).collect();
        offered.retain(|id| self.index_of(id) < size);
        let newest_usable = offered.iter().rposition(|id| self.is_visible(id)).unwrap_or(0);
        let named: Vec<StatementId> = self.words(&offered).into_values().map(|(release, _)| offered[release]).collect();
        let mut at = 0;
        offered.retain(|id| {
            at += 1;
            at > newest_usable || named.contains(id) && self.is_visible(id)
        });
        self.bundle_of(&offered)
    }

    /// A bundle of every edition and these releases.
    pub fn bundle_of(&self, releases: &[StatementId]) -> Bundle {
        let size = self.published().checkpoint().size.0;
        let charters = self.charters().map(|charter| charter.id()).filter(|id| self.index_of(id) < size);
        Bundle {
            list: self.list(),
            charters: charters.map(|id| self.included(&id)).collect(),
            releases: releases.iter().map(|id| self.included(id)).collect(),
            attestations: self.attestations(releases).iter().map(|id| self.included(id)).collect(),
            checkpoint: self.published().clone(),
        }
    }

    /// What the log serves.
    pub fn get(&self, resource: &Resource) -> Option<Vec<u8>> {
        if let Some(lie) = self.lies.get(resource) {
            return lie.clone();
        }
        match resource {
            Resource::Checkpoint => Some(self.published.as_ref()?.to_bytes()),
            Resource::Tile(tile) => self.tile(tile),
            Resource::Object(digest) => self.objects.get(digest).cloned(),
            Resource::Statement(id) => Some(self.entries.iter().find(|entry| entry.id() == *id)?.to_bytes()),
            Resource::SeenProof(id) => Some(self.seen.get(id)?.to_bytes()),
            Resource::Bundle(list) if *list == self.list() => Some(self.bundle().to_bytes()),
            Resource::Bundle(_) => None,
        }
    }

    /// The log, its witnesses and their quorum, as C2SP tlog-policy.
    pub fn trust_text(&self) -> String {
        let mut text = format!("log {}\n", people::key(LOG).verifier());
        for number in WITNESSES {
            text += &format!("witness w{number} {}\n", people::witness(number).verifier());
        }
        text + "group two 2 w1 w2 w3\nquorum two\n"
    }

    /// The policy after these witnesses were replaced by another one, when the log had so many entries.
    pub fn later_trust_text(&self, entries: u64) -> String {
        let (text, new) = (self.trust_text(), people::witness(9));
        let (log, witnesses) = text.split_once('\n').unwrap();
        format!("{log}\nwitness new {}\nquorum new\nformer {LOG} {entries}\n{witnesses}", new.verifier())
    }

    /// [`World::trust_text`], parsed.
    pub fn trust(&self) -> TlogPolicy {
        TlogPolicy::parse(self.trust_text().as_bytes()).unwrap()
    }

    /// The policy of an app that accepts the list.
    pub fn policy_text(&self) -> String {
        let pinned = self.charters().next().unwrap().id().to_hex();
        format!(
            "trust = \"\"\"\n{}\"\"\"\n\n\
             [list]\nname = \"{}\"\ncharter = \"{pinned}\"\nmin_version = 1\n\n\
             [accept]\npurposes = [\"other\"]\naims = [\"suppress\"]\naction = \"block\"\nsurface = \"private\"\n\
             max_distance = 31\nmin_curators = 2\nmin_jurisdictions = 2\nmin_notice = 3600\nmin_visibility = 5\n\
             curators = []\n\n\
             [ages]\ncheckpoint = 4\nrelease = 43200\n",
            self.trust_text(),
            self.list()
        )
    }

    /// The same, parsed.
    pub fn policy(&self) -> Policy {
        Policy::parse(self.policy_text().as_bytes()).unwrap()
    }

    /// The same, with one line of it replaced.
    pub fn policy_with(&self, line: &str, by: &str) -> Policy {
        let text = self.policy_text();
        assert!(text.contains(&format!("\n{line}\n")), "{line}");
        Policy::parse(text.replacen(&format!("\n{line}\n"), &format!("\n{by}\n"), 1).as_bytes()).unwrap()
    }

    fn is_visible(&self, id: &StatementId) -> bool {
        let Statement::Release(release) = self.statement(id) else { return false };
        let charter = self.charters().find(|charter| charter.id() == release.body().charter);
        let Some(charter) = charter else { return false };
        let trust = self.trust();
        let times = |note: &CheckpointNote| trust.checkpoint_times(note.note()).ok().flatten();
        let Some((seen, now)) = times(&self.seen[id].checkpoint).zip(times(self.published())) else { return false };
        now.latest.since(seen.earliest) >= charter.body().limits.min_visibility
    }

    /// The published attestations that a bundle with these releases has.
    fn attestations(&self, releases: &[StatementId]) -> Vec<StatementId> {
        let mut words: Vec<StatementId> = self.words(releases).into_values().map(|(_, word)| word).collect();
        words.sort_by_key(|word| self.index_of(word));
        words
    }

    /// Of each auditor the newest of these releases that it attests, by its place, and the newest attestation of it. An
    /// honest log leaves out those that say nothing of the kind.
    fn words(&self, releases: &[StatementId]) -> BTreeMap<String, (usize, StatementId)> {
        let mut words = BTreeMap::new();
        let size = self.published().checkpoint().size.0 as usize;
        for entry in &self.entries[..size] {
            let Statement::Attestation(attestation) = entry else { continue };
            let body = attestation.body();
            let Some(release) = releases.iter().position(|id| *id == body.release) else { continue };
            let word = words.entry(body.auditor.to_string()).or_insert((release, entry.id()));
            if word.0 <= release {
                *word = (release, entry.id());
            }
        }
        words
    }

    fn included(&self, id: &StatementId) -> Included {
        let TlogProof { index, path, .. } = self.proof(id);
        Included { id: *id, index, path }
    }

    /// The proof that the entry at this place is in the log, under the newest published checkpoint.
    pub fn proof_at(&self, index: u64) -> TlogProof {
        let checkpoint = self.published().clone();
        let plan = InclusionPlan::new(LeafIndex(index), checkpoint.checkpoint().size).unwrap();
        let nodes: Vec<NodeHash> = plan.nodes().iter().map(|node| self.node(node)).collect();
        TlogProof { extra: None, index: LeafIndex(index), path: plan.combine(&nodes).unwrap(), checkpoint }
    }

    fn frontier(&self, leaves: std::ops::Range<u64>) -> Frontier {
        let leaves = &self.entries[leaves.start as usize..leaves.end as usize];
        leaves.iter().map(|entry| leaf_hash(&entry.to_bytes())).collect()
    }

    fn node(&self, node: &NodeCoordinate) -> NodeHash {
        let first = node.index << node.level;
        NodeHash(self.frontier(first..first + (1 << node.level)).root().0)
    }

    fn tile(&self, tile: &TilePath) -> Option<Vec<u8>> {
        let first = tile.index() * u64::from(TILE_WIDTH);
        let places = first..first + u64::from(tile.width());
        match tile.kind() {
            TileKind::Hashes { level } => {
                let nodes = places.map(|index| NodeCoordinate { level: level * TILE_HEIGHT, index });
                let hash = |node: NodeCoordinate| node.is_complete_in(TreeSize(self.size())).then(|| self.node(&node));
                Some(encode_hashes(&nodes.map(hash).collect::<Option<Vec<_>>>()?))
            }
            TileKind::Entries => {
                let entries = self.entries.get(places.start as usize..places.end as usize)?;
                encode_entries(&entries.iter().map(Statement::to_bytes).collect::<Vec<_>>()).ok()
            }
        }
    }
}

/// `checkpoint`, cosigned by these witnesses at these times.
pub fn cosigned(checkpoint: &CheckpointNote, witnesses: &[(u8, u64)]) -> CheckpointNote {
    let line = |(number, time): &(u8, u64)| cosign(&people::witness(*number), checkpoint.note().text(), at(*time));
    checkpoint.with_cosignatures(&witnesses.iter().map(line).collect::<Vec<_>>())
}
