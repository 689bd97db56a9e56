//! Fuzzes the property `decoder_output`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| isonomy_fuzz::check("decoder_output", bytes));
