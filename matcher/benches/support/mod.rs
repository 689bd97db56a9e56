//! What both benchmarks need.

#![allow(dead_code, reason = "each benchmark is compiled with these modules and needs its own part of them")]

pub(crate) mod timing;
pub(crate) mod workload;
