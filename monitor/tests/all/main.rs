//! The monitor against small logs that are built in folders, honest ones and others.

mod auditing;
mod browser;
mod following;
mod serving;
mod world;
