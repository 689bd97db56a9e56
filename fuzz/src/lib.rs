//! What every parser must keep, whatever bytes it is given: no panic, no more memory than the bytes justify, and one form:
//! what parses gives back the very bytes that it was parsed from, or, where several forms are lawful, a form that parses
//! to the same.
//!
//! Each property is a function from bytes, in [`PROPERTIES`]. They are run in two ways:
//!
//! - `cargo test -p isonomy-fuzz`: on well-formed [`seeds`], on thousands of damaged copies of them, the same in every run,
//!   and on each file in `regressions/`, which once broke something.
//! - `fuzz/run SECONDS [PROPERTY …]`: guided by coverage, for as long as wanted, with the programs in `targets/`, a package
//!   outside of the workspace, since its programs only link with a fuzzer's runtime. It starts from the same seeds.

#![forbid(unsafe_code)]

mod damage;
mod files;
mod lists;
mod log;
mod seeds;

pub use damage::Damage;
pub use seeds::seeds;

/// A property, as its name and the function that panics if bytes break it.
pub type Property = (&'static str, fn(&[u8]));

/// All properties. Each has a program of its name in `targets/`.
pub const PROPERTIES: [Property; 26] = [
    ("note", log::note),
    ("verifier_key", log::verifier_key),
    ("checkpoint", log::checkpoint),
    ("cosignature", log::cosignature),
    ("add_checkpoint", log::add_checkpoint),
    ("witness_request", log::witness_request),
    ("tile_path", log::tile_path),
    ("entry_tile", log::entry_tile),
    ("tlog_proof", log::tlog_proof),
    ("tlog_policy", log::tlog_policy),
    ("resource", log::resource),
    ("statement", files::statement),
    ("bundle", files::bundle),
    ("policy", files::policy),
    ("state", files::state),
    ("evidence", files::evidence),
    ("receipt", files::receipt),
    ("charter", files::charter),
    ("import", lists::import),
    ("kept_ids", lists::kept_ids),
    ("list_proof", lists::list_proof),
    ("snapshot", lists::snapshot),
    ("delta", lists::delta),
    ("draft", lists::draft),
    ("picture", lists::picture),
    ("decoder_output", lists::decoder_output),
];

/// Holds the bytes against the property of this name.
///
/// # Panics
/// If they break it, or if there is no such property.
pub fn check(property: &str, bytes: &[u8]) {
    let (_, check) = PROPERTIES.iter().find(|(name, _)| *name == property).expect("a property of this name");
    check(bytes);
}
