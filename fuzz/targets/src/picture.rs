//! Fuzzes the property `picture`. A panic inside of a decoder is caught and told as an error by the matcher, so only one that
//! gets out of it counts: the runtime's hook, which ends the process at any panic, is taken away.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::panic::catch_unwind;

fuzz_target!(init: std::panic::set_hook(Box::new(|_| ())), |bytes: &[u8]| {
    if catch_unwind(|| isonomy_fuzz::check("picture", bytes)).is_err() {
        std::process::abort();
    }
});
