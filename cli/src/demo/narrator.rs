//! How the demo speaks: headings, and lines with check marks, each printed after the fact.

use crate::output::Output;
use std::fmt::Display;
use std::time::Instant;

/// Tells what happened.
pub(crate) struct Narrator<'o> {
    output: &'o Output,
    begun: Instant,
}

impl<'o> Narrator<'o> {
    pub(crate) fn new(output: &'o Output) -> Self {
        Self { output, begun: Instant::now() }
    }

    /// A new part of the story.
    pub(crate) fn part(&self, number: u8, title: impl Display) {
        self.output.say(format!("\n{number}. {title}"));
    }

    /// Something that was done, and checked.
    pub(crate) fn done(&self, words: impl Display) {
        self.output.say(format!("   ✓ {words}"));
    }

    /// Something that was refused, as it should be.
    pub(crate) fn refused(&self, words: impl Display) {
        self.output.say(format!("   ✗ {words}"));
    }

    /// Something to know.
    pub(crate) fn note(&self, words: impl Display) {
        self.output.say(format!("     {words}"));
    }

    /// Seconds since the beginning.
    pub(crate) fn seconds(&self) -> u64 {
        self.begun.elapsed().as_secs()
    }
}
