//! The draft of release 2 as a file, made by hand: it is what the page says, and what a curator's command reads.

use super::{Blocks, Page, add, from_hex_lines, hex_lines};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_core::list::Algorithm;
use isonomy_publisher::draft::Draft;

const BLOCK: usize = 512;
const REASON: &str = "Picture 3 was listed by mistake.";

pub(super) fn examples(blocks: &mut Blocks) {
    let members = members(blocks);
    let (mut at, mut lines) = (0, String::new());
    for (name, bytes) in &members {
        let start = at + BLOCK;
        lines += &format!("{start:>5} {:>5} {} {name}\n", bytes.len(), to_hex(&sha256(&[bytes])));
        at = (start + bytes.len()).next_multiple_of(BLOCK);
    }
    let whole = archive(&members);
    lines += &format!("{:>5} {:>5} {} the file\n", 0, whole.len(), to_hex(&sha256(&[&whole])));
    add(blocks, "draft-members", lines);
    add(blocks, "draft-header", hex_lines(&header(members[0].0, members[0].1.len())));
}

/// The members of the file, from what the page has of them.
fn members(blocks: &Blocks) -> [(&'static str, Vec<u8>); 5] {
    let release = &blocks["release-2"];
    // The text and the empty line, without the signatures.
    let unsigned = &release[..release.rfind("\n\n").unwrap() + 2];
    [
        ("delta-from-1", from_hex_lines(&blocks["delta-2"])),
        ("snapshot", from_hex_lines(&blocks["snapshot-2"])),
        ("charter.note", blocks["charter"].clone().into_bytes()),
        ("reason.txt", REASON.into()),
        ("release.note", unsigned.into()),
    ]
}

fn header(name: &str, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\0");
    put(263, b"00");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    block
}

fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for (name, bytes) in members {
        file.extend_from_slice(&header(name, bytes.len()));
        file.extend_from_slice(bytes);
        file.resize(file.len().next_multiple_of(BLOCK), 0);
    }
    file.resize(file.len() + 2 * BLOCK, 0);
    file
}

#[test]
fn the_draft_that_is_described_is_the_one_that_curators_read() {
    let blocks = Page::read().blocks();
    let file = archive(&members(&blocks));
    for line in blocks["draft-members"].lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [start, size] = [fields[0], fields[1]].map(|number| number.parse::<usize>().unwrap());
        assert_eq!(to_hex(&sha256(&[&file[start..start + size]])), fields[2], "{line}");
    }
    assert!(file.starts_with(&from_hex_lines(&blocks["draft-header"])));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("draft.tar");
    std::fs::write(&path, &file).unwrap();
    let draft = Draft::open(&path).unwrap();
    assert_eq!((draft.release().body().version, draft.reason()), (2, Some(REASON)));
    assert!(blocks["release-2"].starts_with(&String::from_utf8(draft.release().to_bytes()).unwrap()));
    assert_eq!(draft.charter().to_bytes(), blocks["charter"].as_bytes());
    let entries = draft.entries(Algorithm::PdqFull).unwrap();
    assert_eq!(entries.root(), draft.release().body().root);
    let delta = draft.object(&draft.release().body().deltas[0].sha256).unwrap();
    assert_eq!(hex_lines(&delta), blocks["delta-2"]);
    // One byte of filling, and it is none.
    let last = file.len() - 1;
    for at in [BLOCK - 1, BLOCK + delta.len(), last] {
        let mut other = file.clone();
        other[at] ^= 1;
        std::fs::write(&path, other).unwrap();
        assert!(Draft::open(&path).is_err(), "byte {at}");
    }
}
