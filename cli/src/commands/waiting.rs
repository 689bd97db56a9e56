//! What a person at a terminal sees while a command waits for somebody else.

use crate::output::Output;
use indicatif::ProgressBar;
use std::time::Duration;

/// Says what is waited for, until it is dropped.
pub(super) struct Waiting(ProgressBar);

impl Waiting {
    /// Begins to wait.
    pub(super) fn begin(words: &'static str, output: &Output) -> Self {
        let bar = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_message(words);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
