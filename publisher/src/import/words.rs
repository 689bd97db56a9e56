//! Which classes and tags there are: no list of words knows all that say that something is gone, so whoever imports sees them.

use super::unread::shown;
use serde::Serialize;

/// The most words that are counted.
const COUNTED: usize = 32;

/// The words that stand in records that were taken.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct WordCounts {
    /// The first of them, the long ones cut.
    pub words: Vec<WordCount>,
    /// How often a record has another one.
    pub others: u64,
}

/// A word, and how many records have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WordCount {
    /// The word.
    pub word: String,
    /// How many records.
    pub records: u64,
}

impl WordCounts {
    /// Takes up those of a record.
    pub(super) fn add(&mut self, words: &[String]) {
        for word in words {
            let word = shown(word);
            let has_room = self.words.len() < COUNTED;
            match self.words.iter_mut().find(|counted| counted.word == word) {
                Some(counted) => counted.records += 1,
                None if has_room => self.words.push(WordCount { word, records: 1 }),
                None => self.others += 1,
            }
        }
    }
}
