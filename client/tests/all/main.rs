//! A client against a small real log, in folders.

mod folder;
mod read_only;
mod refusals;
mod updates;
mod world;
