//! The monitor against small logs that are built in folders, honest ones and others.

mod alerting;
mod assessing;
mod attesting;
mod auditing;
mod browser;
mod complaints;
mod following;
mod malicious;
mod openapi;
mod serving;
mod several;
mod smtp;
mod world;
