//! The form of a draft's file: a tar archive (POSIX ustar) with these members, in this order, and nothing else.
//!
//! | member | what |
//! |---|---|
//! | `delta-from-<version>` | the delta from that version; ascending |
//! | `snapshot` | the snapshot |
//! | `charter.note` | the charter that the release cites |
//! | `reason.txt` | for a removal: why, in the maintainer's words |
//! | `release.note` | the release, without a signature |
//!
//! Any tar shows it and takes it apart. Read here is only what is written here: the header of a member follows from its name and
//! size alone (mode 0644, no owner, no time), what fills a member up to 512 bytes is zero, and two empty blocks end the file. So
//! there is no room for links, folders, other paths, members that come twice or extensions of the format, and a draft has one
//! form. Nothing is ever unpacked to a path.

use isonomy_store::files::{FileError, Incoming};
use std::io::{self, Read, Seek, SeekFrom};

/// The unit of an archive.
const BLOCK: usize = 512;
/// The most members: deltas from fewer versions than a number has bits, and the others.
const MAX_MEMBERS: usize = 72;

/// What a member is; in the order in which they stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// The delta from a version.
    DeltaFrom(u64),
    Snapshot,
    Charter,
    Reason,
    Release,
}

impl Kind {
    fn name(self) -> String {
        match self {
            Self::DeltaFrom(version) => format!("delta-from-{version}"),
            Self::Snapshot => "snapshot".to_owned(),
            Self::Charter => "charter.note".to_owned(),
            Self::Reason => "reason.txt".to_owned(),
            Self::Release => "release.note".to_owned(),
        }
    }

    fn parse(name: &[u8]) -> Option<Self> {
        let named = [Self::Snapshot, Self::Charter, Self::Reason, Self::Release];
        let version = name.strip_prefix(b"delta-from-").and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        let kinds = version.map(Self::DeltaFrom).into_iter().chain(named);
        kinds.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    /// The header of such a member.
    fn header(self, size: u64) -> io::Result<tar::Header> {
        let mut header = tar::Header::new_ustar();
        header.set_path(self.name())?;
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        Ok(header)
    }
}

/// A member of an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Member {
    pub(super) kind: Kind,
    /// Where its bytes begin in the file.
    pub(super) start: u64,
    pub(super) size: u64,
}

/// Why a file is no draft.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("{0}")]
    Form(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The members of an archive. Of their content nothing is read.
pub(super) fn members(file: &mut (impl Read + Seek)) -> Result<Vec<Member>, ArchiveError> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut members: Vec<Member> = Vec::new();
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let block = block(file)?;
        if block == [0; BLOCK] {
            let is_end = self::block(file)? == [0; BLOCK] && length == at + 2 * BLOCK as u64;
            return if is_end { Ok(members) } else { Err(ArchiveError::Form("something follows its end")) };
        }
        let member = member(&block, at)?;
        if members.last().is_some_and(|last| last.kind >= member.kind) || members.len() == MAX_MEMBERS {
            return Err(ArchiveError::Form("its members are not in their order, or one comes twice"));
        }
        let end = member.start.checked_add(member.size).filter(|&end| end < length);
        let end = end.ok_or(ArchiveError::Form("it ends too early"))?;
        at = end.next_multiple_of(BLOCK as u64);
        check_filling(file, end, at)?;
        members.push(member);
    }
}

/// Whether a file begins with a member of a draft.
pub(super) fn begins(file: &mut impl Read) -> bool {
    block(file).is_ok_and(|block| member(&block, 0).is_ok())
}

/// The member whose header is this block, at this place.
fn member(block: &[u8; BLOCK], at: u64) -> Result<Member, ArchiveError> {
    const STRANGE: ArchiveError = ArchiveError::Form("it has a member that no draft has");
    let found = tar::Header::from_byte_slice(block);
    let kind = Kind::parse(&found.path_bytes()).ok_or(STRANGE)?;
    let size = found.size().map_err(|_| STRANGE)?;
    if kind.header(size)?.as_bytes() != block {
        return Err(STRANGE);
    }
    Ok(Member { kind, start: at + BLOCK as u64, size })
}

fn check_filling(file: &mut (impl Read + Seek), from: u64, to: u64) -> Result<(), ArchiveError> {
    file.seek(SeekFrom::Start(from))?;
    let mut filling = Vec::new();
    file.take(to - from).read_to_end(&mut filling)?;
    let is_whole = filling.len() as u64 == to - from && filling.iter().all(|&byte| byte == 0);
    if is_whole { Ok(()) } else { Err(ArchiveError::Form("what fills it up is not empty")) }
}

fn block(file: &mut impl Read) -> Result<[u8; BLOCK], ArchiveError> {
    let mut block = [0; BLOCK];
    match file.read_exact(&mut block) {
        Ok(()) => Ok(block),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ArchiveError::Form("it ends too early")),
        Err(error) => Err(error.into()),
    }
}

/// Writes an archive.
pub(super) struct Writer {
    file: Incoming,
    last: Option<Kind>,
}

impl Writer {
    pub(super) fn new(file: Incoming) -> Self {
        Self { file, last: None }
    }

    /// Writes a member as a whole.
    pub(super) fn member(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), FileError> {
        self.member_with(kind, bytes.len() as u64, |file| file.write(bytes))
    }

    /// Writes a member of `size` bytes, which `write` has to write. Members come in their order.
    pub(super) fn member_with(
        &mut self,
        kind: Kind,
        size: u64,
        write: impl FnOnce(&mut Incoming) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        debug_assert!(self.last < Some(kind), "{kind:?} after {:?}", self.last);
        self.last = Some(kind);
        let header = kind.header(size);
        let header = header.map_err(|source| FileError::Io {
            action: "put into an archive",
            path: kind.name().into(),
            source,
        })?;
        self.file.write(header.as_bytes())?;
        write(&mut self.file)?;
        let filling = size.next_multiple_of(BLOCK as u64) - size;
        self.file.write(&[0; BLOCK][..filling as usize])
    }

    /// The whole file.
    pub(super) fn finish(mut self) -> Result<Incoming, FileError> {
        self.file.write(&[0; 2 * BLOCK])?;
        Ok(self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    const ALL: [(Kind, &[u8]); 6] = [
        (Kind::DeltaFrom(6), &[1; 10]),
        (Kind::DeltaFrom(7), &[2; 512]),
        (Kind::Snapshot, &[3; 1300]),
        (Kind::Charter, b"charter"),
        (Kind::Reason, b"reason"),
        (Kind::Release, b"release"),
    ];

    fn archive(of: &[(Kind, &[u8])]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(Incoming::begin(folder.path()).unwrap());
        of.iter().for_each(|(kind, bytes)| writer.member(*kind, bytes).unwrap());
        let path = folder.path().join("archive");
        writer.finish().unwrap().finish_as(&path).unwrap();
        std::fs::read(path).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Member>, String> {
        members(&mut Cursor::new(bytes)).map_err(|error| error.to_string())
    }

    /// An archive of one member by somebody else's tool, changed in one way.
    fn foreign(edit: impl Fn(&mut tar::Header)) -> Vec<u8> {
        let mut header = Kind::Snapshot.header(3).unwrap();
        edit(&mut header);
        header.set_cksum();
        let size = header.size().unwrap_or(0).min(512) as usize;
        let mut bytes = [&header.as_bytes()[..], &vec![7; size]].concat();
        bytes.resize(bytes.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
        bytes
    }

    #[test]
    fn members_are_found_where_they_are_and_any_tar_reads_them() {
        let bytes = archive(&ALL);
        let found = read(&bytes).unwrap();
        for (member, (kind, content)) in found.iter().zip(ALL) {
            assert_eq!((member.kind, &bytes[member.start as usize..][..member.size as usize]), (kind, content));
        }
        assert_eq!(found.len(), ALL.len());
        let mut others = tar::Archive::new(&bytes[..]);
        let names = others.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
        let expected = ["delta-from-6", "delta-from-7", "snapshot", "charter.note", "reason.txt", "release.note"];
        assert!(names.eq(expected));
        assert_eq!(archive(&ALL), bytes, "the same each time");
    }

    #[test]
    fn what_no_draft_has_is_refused() {
        read(&foreign(|_| ())).unwrap();
        let strange = "it has a member that no draft has";
        type Edit = fn(&mut tar::Header);
        let edits: [(&str, Edit); 12] = [
            ("a path upwards", |header| header.as_mut_bytes()[..12].copy_from_slice(b"../snapshot\0")),
            ("an absolute path", |header| header.as_mut_bytes()[..10].copy_from_slice(b"/snapshot\0")),
            ("a name in a folder", |header| header.set_path("x/snapshot").unwrap()),
            ("a prefix", |header| header.as_mut_bytes()[345] = b'x'),
            ("a link", |header| header.set_entry_type(tar::EntryType::Symlink)),
            ("a hard link", |header| header.set_entry_type(tar::EntryType::Link)),
            ("a folder", |header| header.set_entry_type(tar::EntryType::Directory)),
            ("a device", |header| header.set_entry_type(tar::EntryType::Block)),
            ("a sparse file", |header| header.set_entry_type(tar::EntryType::GNUSparse)),
            ("extensions", |header| header.set_entry_type(tar::EntryType::XHeader)),
            ("another mode", |header| header.set_mode(0o4755)),
            ("a time", |header| header.set_mtime(1)),
        ];
        for (what, edit) in edits {
            assert_eq!(read(&foreign(edit)), Err(strange.to_owned()), "{what}");
        }
        for size in [1 << 10, 1 << 32, 1 << 40, u64::MAX] {
            assert_eq!(read(&foreign(|header| header.set_size(size))), Err("it ends too early".to_owned()), "{size}");
        }
        let number = |text: &str| {
            let mut header = Kind::DeltaFrom(7).header(3).unwrap();
            header.set_path(text).unwrap();
            let bytes = *header.as_bytes();
            foreign(move |header| *header.as_mut_bytes() = bytes)
        };
        for name in ["delta-from-07", "delta-from-+7", "delta-from-", "delta-from-99999999999999999999", "Snapshot"] {
            assert_eq!(read(&number(name)), Err(strange.to_owned()), "{name}");
        }
    }

    #[test]
    fn order_repetitions_and_what_follows_are_refused() {
        let blocks = |kind| archive(&[(kind, b"abc")])[..2 * BLOCK].to_vec();
        let end = vec![0; 2 * BLOCK];
        let whole = |kinds: &[Kind]| [kinds.iter().flat_map(|kind| blocks(*kind)).collect(), end.clone()].concat();
        read(&whole(&[Kind::Snapshot, Kind::Release])).unwrap();
        let wrong = "its members are not in their order, or one comes twice";
        for kinds in [[Kind::Release, Kind::Snapshot], [Kind::Snapshot; 2], [Kind::DeltaFrom(7), Kind::DeltaFrom(6)]] {
            assert_eq!(read(&whole(&kinds)), Err(wrong.to_owned()));
        }
        let many: Vec<Kind> = (1..=80).map(Kind::DeltaFrom).collect();
        assert_eq!(read(&whole(&many)), Err(wrong.to_owned()), "more than there can be");
        let mut filled = whole(&[Kind::Snapshot]);
        filled[BLOCK + 3] = 1;
        assert_eq!(read(&filled), Err("what fills it up is not empty".to_owned()));
        let longer = [whole(&[Kind::Snapshot]), vec![0; BLOCK]].concat();
        assert_eq!(read(&longer), Err("something follows its end".to_owned()));
        let bytes = archive(&ALL);
        for end in (0..bytes.len()).step_by(100).chain([bytes.len() - 1]) {
            assert!(read(&bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_in_the_same_way(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut bytes = archive(&ALL);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(found) = read(&bytes) {
                let content = |member: &Member| &bytes[member.start as usize..][..member.size as usize];
                let again: Vec<(Kind, &[u8])> = found.iter().map(|member| (member.kind, content(member))).collect();
                prop_assert_eq!(archive(&again), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = read(&bytes);
        }
    }
}
