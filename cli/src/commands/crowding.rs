//! Lists that are made of many variants of few pictures.

use isonomy_core::list::{Algorithm, Entries};
use isonomy_matcher::lookup::{CROWDED, crowding};

/// What is said of a crowded list; nothing of another.
pub(super) fn warning(algorithm: Algorithm, entries: &Entries) -> Option<String> {
    let share = crowding(algorithm, entries);
    (share >= CROWDED).then(|| {
        format!(
            "! {:.0} % of the entries are variants of few pictures, by chance or by craft: a lookup near them takes as long as comparing \
             the whole list, and finds thousands",
            share * 100.0
        )
    })
}
