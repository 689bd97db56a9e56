//! What a dishonest log, or a dishonest mirror of an honest one, does.

use super::World;
use crate::people;
use isonomy_core::bundle::Bundle;
use isonomy_core::hash::StatementId;
use isonomy_core::resource::Resource;
use isonomy_core::tile::{TILE_WIDTH, TileKind, TilePath};

impl World {
    /// Serves these bytes for `resource`.
    pub fn serve(&mut self, resource: Resource, bytes: Vec<u8>) {
        self.lies.insert(resource, Some(bytes));
    }

    /// Serves this bundle.
    pub fn serve_bundle(&mut self, bundle: &Bundle) {
        self.serve(Self::bundle_resource(), bundle.to_bytes());
    }

    /// Serves the bundle that it would, changed by `edit`.
    pub fn edit_bundle(&mut self, edit: impl FnOnce(&mut Bundle)) {
        let mut bundle = self.bundle();
        edit(&mut bundle);
        self.serve_bundle(&bundle);
    }

    /// Shows only these releases.
    pub fn offer_only(&mut self, releases: &[StatementId]) {
        self.serve_bundle(&self.bundle_of(releases));
    }

    /// Does not have `resource`.
    pub fn withhold(&mut self, resource: Resource) {
        self.lies.insert(resource, None);
    }

    /// Serves `other` in the place of `resource`.
    pub fn swap(&mut self, resource: Resource, other: Resource) {
        let bytes = self.get(&other).unwrap();
        self.serve(resource, bytes);
    }

    /// Serves `resource` changed by `edit`.
    pub fn tamper(&mut self, resource: Resource, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.get(&resource).unwrap();
        edit(&mut bytes);
        self.serve(resource, bytes);
    }

    /// Serves the tiles of `other`, as far as that log goes, in the place of its own. Both have fewer than 256 entries.
    pub fn serve_tiles_of(&mut self, other: &Self) {
        for width in 1..=other.size() as u16 {
            let tile = Resource::Tile(TilePath::new(TileKind::Hashes { level: 0 }, 0, width).unwrap());
            let bytes = other.get(&tile).unwrap();
            self.serve(tile, bytes);
        }
    }

    /// Has no tile of a tree of more than `size` entries, as a mirror that lags. The log has fewer than 256 entries.
    pub fn withhold_tiles_beyond(&mut self, size: u64) {
        for width in size as u16 + 1..TILE_WIDTH {
            self.withhold(Resource::Tile(TilePath::new(TileKind::Hashes { level: 0 }, 0, width).unwrap()));
        }
    }

    /// Has none of the statements.
    pub fn withhold_statements(&mut self) {
        let ids: Vec<StatementId> = self.statements().iter().map(isonomy_core::statement::Statement::id).collect();
        ids.into_iter().for_each(|id| self.withhold(Resource::Statement(id)));
    }

    /// Another history with the same keys, which has the first `size` entries in common with this one.
    pub fn fork(&self, size: u64) -> Self {
        let mut fork = self.clone();
        let forgotten: Vec<StatementId> = fork.entries.drain(size as usize..).map(|entry| entry.id()).collect();
        fork.seen.retain(|id, _| !forgotten.contains(id));
        fork.published = None;
        fork.lies.clear();
        fork
    }

    /// The resource that a client asks for first.
    pub fn bundle_resource() -> Resource {
        Resource::Bundle(people::list())
    }
}
