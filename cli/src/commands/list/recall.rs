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
        format!("{entries} entries were on the list between versions {known_since} and {to}, and are not any more");
    if *was_damaged {
        words += "\n  ! What this folder remembered was damaged, and is replaced by that";
    }
    if *known_since > 1 {
        words += &format!("\n  ! The content of the versions before {known_since} can't be had from the log any more");
    }
    if !unread.is_empty() {
        let unread: Vec<String> = unread.iter().map(u64::to_string).collect();
        words += &format!("\n  ! Nor that of {}: what came and went with these alone is not known", unread.join(", "));
    }
    words
}
