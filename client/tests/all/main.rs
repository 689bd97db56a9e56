//! A client against a small real log, in folders.

mod driving;
mod faults;
mod folder;
mod read_only;
mod refusals;
mod updates;
mod videos;
mod world;
