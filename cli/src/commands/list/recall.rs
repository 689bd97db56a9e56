//! `isonomy list recall`.

use crate::args::RecallArgs;
use crate::commands::release::{self, Desk};
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::Result;
use indicatif::ProgressBar;
use isonomy_publisher::workspace::Recalled;

/// Learns what the list once had, and says what of it could not be had.
pub(super) async fn run(args: &RecallArgs, output: &Output) -> Result<Exit> {
    let list = release::parse_list(&args.list)?;
    let bar = ProgressBar::new(0);
    let recalled = Desk::open(&args.desk)?
        .recall(&list, &mut |version, all| {
            bar.set_length(all);
            bar.set_position(version);
        })
        .await;
    bar.finish_and_clear();
    let recalled =
        recalled?.ok_or_else(|| Refused("the list has no release yet: it never lost anything".to_owned()))?;
    output.report(words(&recalled), &recalled)?;
    Ok(Exit::Done)
}

fn words(recalled: &Recalled) -> String {
    let Recalled { known_since, to, entries, unread, was_damaged } = recalled;
    let mut words =
        format!("{entries} entries were on the list before version {to}, as far as can be known, and are not any more");
    if *was_damaged {
        words += "\n  ! What this folder remembered was damaged, and is replaced by that";
    }
    if unread.is_empty() {
        return words + "\n✓ the list is known since its first version";
    }
    words
        + &format!(
            "\n  ! The content of {} can't be had from the log any more: what came and went with these alone is not known. Without a \
             gap the list is known since version {known_since}",
            ranges(unread)
        )
}

/// Ascending numbers, with a dash between the first and the last of those that follow each other.
fn ranges(numbers: &[u64]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let run = |run: &[u64]| match run {
        [first, .., last] => format!("{first} to {last}"),
        _ => run.iter().map(u64::to_string).collect(),
    };
    runs.map(run).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_each_other_is_one_range() {
        assert_eq!(ranges(&[1, 2, 3, 5, 8, 9]), "1 to 3, 5, 8 to 9");
    }
}
