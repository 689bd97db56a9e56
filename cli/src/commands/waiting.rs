//! What a person sees while a command waits for somebody else.

use crate::output::{Output, complain};
use indicatif::ProgressBar;
use std::time::Duration;
use tokio::task::AbortHandle;

/// After so long it is said, also where no terminal shows what is waited for, that waiting is usual.
const LONG: Duration = Duration::from_secs(10);
const PATIENCE: &str = "still waiting: the log answers once its witnesses have cosigned, which takes minutes if some of them are slow. \
    Ending this command is harmless, and it may be repeated: nothing is logged twice";

/// Says what is waited for, until it is dropped.
pub(super) struct Waiting {
    bar: ProgressBar,
    patience: AbortHandle,
}

impl Waiting {
    /// Begins to wait.
    pub(super) fn begin(words: &'static str, output: &Output) -> Self {
        let bar = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_message(words);
        bar.enable_steady_tick(Duration::from_millis(200));
        let shown = bar.clone();
        let patience = tokio::spawn(async move {
            tokio::time::sleep(LONG).await;
            shown.suspend(|| complain(&PATIENCE));
        });
        Self { bar, patience: patience.abort_handle() }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.patience.abort();
        self.bar.finish_and_clear();
    }
}
