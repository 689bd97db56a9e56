//! What a log serves, as the folder of a mirror.

use super::World;
use isonomy_core::resource::Resource;
use isonomy_core::tile::{TileKind, TilePath};
use std::fs;
use std::io;
use std::path::Path;

impl World {
    /// Writes what this log serves into a folder, with its paths: all statements and objects, and the tiles of the newest
    /// published tree, which has fewer than 256 entries.
    pub fn mirror(&self, folder: &Path) -> io::Result<()> {
        let mut resources = vec![Self::bundle_resource(), Resource::Checkpoint];
        resources.extend(self.objects.keys().map(|digest| Resource::Object(*digest)));
        let statements = self.statements().iter().map(|statement| statement.id());
        resources.extend(statements.flat_map(|id| [Resource::Statement(id), Resource::SeenProof(id)]));
        let width = self.published().checkpoint().size.0 as u16;
        let kinds = [TileKind::Hashes { level: 0 }, TileKind::Entries];
        resources.extend(kinds.into_iter().filter_map(|kind| TilePath::new(kind, 0, width)).map(Resource::Tile));
        for resource in resources {
            let path = folder.join(resource.to_string());
            let Some(bytes) = self.get(&resource) else { continue };
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}
