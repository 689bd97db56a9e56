//! The crate against servers that behave, servers that don't, and folders.

mod app;
mod folder;
mod log;
mod reading;
mod script;
mod witness;
