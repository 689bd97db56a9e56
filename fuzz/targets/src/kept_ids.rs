//! Fuzzes the property `kept_ids`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| isonomy_fuzz::check("kept_ids", bytes));
