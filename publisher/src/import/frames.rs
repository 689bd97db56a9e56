//! Frames of a list of videos, whose entries begin with the number of their video.

use crate::stored::{StoredError, StoredList};
use isonomy_core::list::{Algorithm, Entries};
use std::collections::HashSet;

/// How many of these entries are new to the list as it was, while their hash is on it with another video's number: as after an import of the
/// same videos that left out other frames, since the number follows from those that are taken.
pub fn renumbered(old: &StoredList, entries: &Entries) -> Result<usize, StoredError> {
    let algorithm = Algorithm::VpdqV1;
    let listed = old.among(entries)?;
    let mut found: HashSet<&[u8]> = HashSet::new();
    let wanted: HashSet<&[u8]> = entries.iter().map(|entry| algorithm.hash_of(entry)).collect();
    old.pieces(|piece| {
        for entry in piece {
            found.extend(wanted.get(algorithm.hash_of(entry)));
        }
        Ok::<(), StoredError>(())
    })?;
    let is_renumbered = |entry: &&[u8]| found.contains(algorithm.hash_of(entry)) && !listed.contains(entry);
    Ok(entries.iter().filter(is_renumbered).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;
    use isonomy_matcher::pdq::PdqHash;
    use isonomy_matcher::video::Video;

    #[test]
    fn a_video_that_comes_under_another_number_is_seen() {
        let hashes = entries(1, 4);
        let video = |frames: &[usize]| {
            let frame = |at: &usize| PdqHash { hash: *hashes.get(*at).unwrap().as_array().unwrap(), quality: 90 };
            let bytes = Video::new(frames.iter().map(frame).collect()).entries(50).concat();
            Entries::from_unsorted(48, bytes).unwrap().0
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, video(&[0, 1]).as_bytes()).unwrap();
        let old = StoredList::new(&path, 48);
        for (coming, expected) in [(video(&[0, 1]), 0), (video(&[0, 1, 2]), 2), (video(&[2, 3]), 0)] {
            assert_eq!(renumbered(&old, &coming).unwrap(), expected);
        }
    }
}
