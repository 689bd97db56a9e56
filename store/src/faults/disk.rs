//! What a disk may hold when the power fails.
//!
//! The model knows, of each file and folder, what was synchronised, and each change since then. A cut keeps of every
//! change that was not synchronised as much as chance wants: of a write any of its blocks, of the names in a folder any
//! of the changes, in their order. A real file system keeps more order than that; nothing here relies on it. A rename
//! happens whole or not at all, as every file system with a journal has it.
//!
//! The files of the embedded database are written behind our back. Of them it is remembered what they held when they
//! were last synchronised; a cut mixes that, block by block, with what they hold now.

use super::files_below;
use crate::os::Call;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The unit in which a disk writes.
const BLOCK: usize = 4096;
/// The folder of the embedded database.
const DATABASE: &str = "sled";

type NodeId = usize;

#[derive(Default)]
struct Node {
    /// Of a file: its bytes; of a folder: its names.
    bytes: Vec<u8>,
    names: BTreeMap<OsString, NodeId>,
    is_folder: bool,
    /// What was written or named since, each change with a number of its own.
    writes: Vec<(u64, Write)>,
    changes: Vec<(u64, Change)>,
    /// The names as the running process has them.
    now: BTreeMap<OsString, NodeId>,
}

enum Write {
    Bytes { at: usize, bytes: Vec<u8> },
    Length(usize),
}

enum Change {
    Name(OsString, NodeId),
    Forget(OsString),
    Rename { from: OsString, to: OsString, node: NodeId },
}

pub(super) struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    next: u64,
    /// The files of databases, as they were last synchronised.
    database: BTreeMap<PathBuf, Vec<u8>>,
}

impl Disk {
    /// The folder as it is, all of it durable.
    pub(super) fn of(root: &Path) -> Self {
        let root_node = Node { is_folder: true, ..Node::default() };
        let mut disk = Self { root: root.to_owned(), nodes: vec![root_node], next: 0, database: BTreeMap::new() };
        disk.take_up(root, 0);
        disk
    }

    fn take_up(&mut self, folder: &Path, node: NodeId) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if is_database(&path) {
                let files = files_below(&path).unwrap_or_default();
                self.database.extend(files.into_iter().map(|(inside, bytes)| (path.join(inside), bytes)));
                continue;
            }
            let is_folder = path.is_dir();
            let bytes = if is_folder { Vec::new() } else { fs::read(&path).unwrap_or_default() };
            let child = self.add(Node { bytes, is_folder, ..Node::default() });
            self.nodes[node].names.insert(entry.file_name(), child);
            self.nodes[node].now.insert(entry.file_name(), child);
            if is_folder {
                self.take_up(&path, child);
            }
        }
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn find(&self, path: &Path) -> Option<NodeId> {
        let inside = path.strip_prefix(&self.root).ok()?;
        inside.iter().try_fold(0, |node, name| self.nodes[node].now.get(name).copied())
    }

    /// The folder that holds a path, and its name there.
    fn place(&self, path: &Path) -> Option<(NodeId, OsString)> {
        Some((self.find(path.parent()?)?, path.file_name()?.to_owned()))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Takes note of a call that was made.
    pub(super) fn made(&mut self, call: &Call<'_>) {
        match *call {
            Call::CreateFolder(path) => self.create(path, true),
            Call::Create(path) => self.create(path, false),
            Call::Sync(path) => self.sync(path),
            Call::SyncFolder(path) => self.sync_folder(path),
            Call::Link { from, to } => self.link(from, to),
            Call::Rename { from, to } => self.rename(from, to),
            Call::Remove(path) | Call::RemoveFolder(path) => self.remove(path),
            Call::SetLength { path, length } => self.push_write(path, Write::Length(length as usize)),
            _ => {}
        }
    }

    /// Takes note of what was written to a file.
    pub(super) fn written(&mut self, path: &Path, at: u64, bytes: &[u8]) {
        let mut at = at as usize;
        for piece in bytes.chunks(BLOCK) {
            self.push_write(path, Write::Bytes { at, bytes: piece.to_vec() });
            at += piece.len();
        }
    }

    fn push_write(&mut self, path: &Path, write: Write) {
        if let Some(node) = self.find(path) {
            let number = self.number();
            self.nodes[node].writes.push((number, write));
        }
    }

    fn create(&mut self, path: &Path, is_folder: bool) {
        if is_database(path) || self.find(path).is_some() {
            return;
        }
        let node = self.add(Node { is_folder, ..Node::default() });
        self.name(path, node);
    }

    fn name(&mut self, path: &Path, node: NodeId) {
        let Some((folder, name)) = self.place(path) else { return };
        let number = self.number();
        self.nodes[folder].now.insert(name.clone(), node);
        self.nodes[folder].changes.push((number, Change::Name(name, node)));
    }

    fn sync(&mut self, path: &Path) {
        if is_database(path) {
            if let Ok(bytes) = fs::read(path) {
                self.database.insert(path.to_owned(), bytes);
            }
        } else if let Some(node) = self.find(path) {
            let Node { bytes, writes, .. } = &mut self.nodes[node];
            writes.drain(..).for_each(|(_, write)| write.apply(bytes));
        }
    }

    fn sync_folder(&mut self, path: &Path) {
        if let Some(node) = self.find(path) {
            let Node { names, changes, .. } = &mut self.nodes[node];
            changes.drain(..).for_each(|(_, change)| change.apply(names));
        }
    }

    fn link(&mut self, from: &Path, to: &Path) {
        if let Some(node) = self.find(from) {
            self.name(to, node);
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        let (Some(node), Some((old, was)), Some((new, name))) = (self.find(from), self.place(from), self.place(to))
        else {
            return;
        };
        let number = self.number();
        self.nodes[old].now.remove(&was);
        self.nodes[new].now.insert(name.clone(), node);
        if old == new {
            self.nodes[old].changes.push((number, Change::Rename { from: was, to: name, node }));
        } else {
            // One number: both happen or neither does.
            self.nodes[old].changes.push((number, Change::Forget(was)));
            self.nodes[new].changes.push((number, Change::Name(name, node)));
        }
    }

    fn remove(&mut self, path: &Path) {
        let Some((folder, name)) = self.place(path) else { return };
        let number = self.number();
        self.nodes[folder].now.remove(&name);
        self.nodes[folder].changes.push((number, Change::Forget(name)));
    }

    /// Writes what may be left to a new folder.
    pub(super) fn cut(&self, seed: u64, to: &Path) -> io::Result<()> {
        fs::create_dir(to)?;
        self.cut_folder(0, seed, to)?;
        self.cut_database(seed, to)
    }

    fn cut_folder(&self, node: NodeId, seed: u64, to: &Path) -> io::Result<()> {
        let mut names = self.nodes[node].names.clone();
        for (number, change) in &self.nodes[node].changes {
            if is_kept(seed, *number) {
                change.apply(&mut names);
            }
        }
        for (name, child) in names {
            let path = to.join(name);
            if self.nodes[child].is_folder {
                fs::create_dir(&path)?;
                self.cut_folder(child, seed, &path)?;
            } else {
                fs::write(&path, self.cut_file(child, seed))?;
            }
        }
        Ok(())
    }

    fn cut_file(&self, node: NodeId, seed: u64) -> Vec<u8> {
        let mut bytes = self.nodes[node].bytes.clone();
        for (number, write) in &self.nodes[node].writes {
            if is_kept(seed, *number) {
                write.apply(&mut bytes);
            }
        }
        bytes
    }

    fn cut_database(&self, seed: u64, to: &Path) -> io::Result<()> {
        for (path, durable) in &self.database {
            let now = fs::read(path).unwrap_or_default();
            let inside = path.strip_prefix(&self.root).unwrap_or(path);
            let path = to.join(inside);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, mixed(durable, &now, seed))?;
        }
        Ok(())
    }
}

impl Write {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Length(length) => file.resize(*length, 0),
            Self::Bytes { at, bytes } => {
                let end = at + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[*at..end].copy_from_slice(bytes);
            }
        }
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<OsString, NodeId>) {
        match self {
            Self::Name(name, node) => drop(names.insert(name.clone(), *node)),
            Self::Forget(name) => drop(names.remove(name)),
            Self::Rename { from, to, node } => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

/// Blocks of what is durable and of what is there now.
fn mixed(durable: &[u8], now: &[u8], seed: u64) -> Vec<u8> {
    let mut bytes = durable.to_vec();
    for (number, at) in (0..now.len()).step_by(BLOCK).enumerate() {
        let block = &now[at..now.len().min(at + BLOCK)];
        if durable.get(at..at + block.len()) != Some(block) && is_kept(seed, 1 << 40 | number as u64) {
            Write::Bytes { at, bytes: block.to_vec() }.apply(&mut bytes);
        }
    }
    bytes
}

fn is_database(path: &Path) -> bool {
    path.iter().any(|name| name == DATABASE)
}

/// Whether a change survives. Seeds 0 and 1 lose and keep everything; the others are a different coin each.
fn is_kept(seed: u64, number: u64) -> bool {
    match seed {
        0 => false,
        1 => true,
        // The finaliser of SplitMix64.
        _ => {
            let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (mixed ^ (mixed >> 31)) & 1 == 1
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::Faults;
    use crate::files;
    use std::fs;

    /// What the file holds after a cut with each of many seeds.
    fn after_cuts(story: impl Fn(&std::path::Path)) -> Vec<Option<Vec<u8>>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), b"old").unwrap();
        let watched = Faults::watch(&path);
        story(&path);
        let cut = |seed: u64| {
            let to = folder.path().join(seed.to_string());
            watched.power_cut(seed, &to).unwrap();
            fs::read(to.join("file")).ok()
        };
        (0..40).map(cut).collect()
    }

    #[test]
    fn what_was_synchronised_is_there_whatever_the_seed() {
        let all = after_cuts(|folder| files::replace(&folder.join("file"), b"new").unwrap());
        assert!(all.iter().all(|file| file.as_deref() == Some(b"new")));
        let all = after_cuts(|folder| files::remove_durable(&folder.join("file")).unwrap());
        assert!(all.iter().all(Option::is_none));
    }

    #[test]
    fn what_was_not_synchronised_is_there_in_part() {
        let watched_write = |folder: &std::path::Path| {
            let mut options = fs::OpenOptions::new();
            let mut file = crate::os::Handle::open(&folder.join("file"), options.write(true)).unwrap();
            file.write_all(&[b'x'; 10_000]).unwrap();
        };
        let all = after_cuts(watched_write);
        assert_eq!(all[0].as_deref(), Some(&b"old"[..]));
        assert_eq!(all[1].as_deref(), Some(&[b'x'; 10_000][..]));
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 8, "three blocks, each there or not");
        let all = after_cuts(|folder| crate::os::rename(&folder.join("file"), &folder.join("other")).unwrap());
        assert!(all.contains(&None) && all.contains(&Some(b"old".to_vec())));
    }
}
