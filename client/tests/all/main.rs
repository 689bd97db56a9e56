//! A client against a small real log, in folders.

mod folder;
mod refusals;
mod updates;
mod world;
