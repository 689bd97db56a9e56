//! `isonomy monitor trace`.

use super::{files, monitor};
use crate::args::TraceArgs;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_client::system_clock;
use isonomy_core::encoding::from_hex;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use isonomy_monitor::report::LeftOutRemovals;
use isonomy_monitor::trace::{Complained, InVersion, MAX_TRACE_SIZE, Standing};
use isonomy_monitor::{Config, Trace, Traced};

/// The fewest bytes of a salt: a shorter one could be guessed, and hides nothing.
pub(super) const MIN_SALT: usize = 16;

/// In a folder that is thrown away afterwards; or, of a file that somebody else made, offline.
pub(crate) async fn run(args: TraceArgs, output: &Output) -> Result<Exit> {
    let policy = files::tlog_policy(&args.log.policy)?;
    let traced = match (&args.verify, &args.entry, &args.list) {
        (Some(file), ..) => {
            let trace = Trace::verify(&files::read(file, MAX_TRACE_SIZE)?, &policy)?;
            Traced { trace, found: Vec::new(), left_out: LeftOutRemovals::default() }
        }
        (None, Some(entry), Some(list)) => made(&args, policy, entry, list).await?,
        (None, ..) => return Err(Malformed("neither an entry and its list nor a file is named".to_owned()).into()),
    };
    let (is_salted, is_verified) = (!args.salts.is_empty(), args.verify.is_some());
    let mut said = words(&traced, is_salted, is_verified);
    for found in &traced.found {
        let line = format!("not among the versions, or not judged: {found}");
        match output.is_json() {
            // The file holds what it proves, and nothing else.
            true => tracing::warn!("{line}"),
            false => said += &format!("\n  {line}"),
        }
    }
    output.report(said, &traced.trace)?;
    Ok(Exit::Done)
}

async fn made(args: &TraceArgs, policy: TlogPolicy, entry: &str, list: &ListName) -> Result<Traced> {
    let bytes = |what: &str, text: &str| {
        from_hex(text).ok_or_else(|| Malformed(format!("the {what} is not hexadecimal: give two digits for each byte")))
    };
    let entry = bytes("entry", entry)?;
    let salts = args.salts.iter().map(|salt| bytes("salt", salt)).collect::<Result<Vec<_>, _>>()?;
    if salts.iter().any(|salt| salt.len() < MIN_SALT) {
        let problem =
            format!("a salt has {MIN_SALT} bytes at least; `isonomy monitor attest` made one of 32 for each complaint");
        return Err(Malformed(problem).into());
    }
    let scratch = tempfile::Builder::new().prefix("isonomy-trace-").tempdir()?;
    let sources = monitor::sources_of(&args.log, &policy)?;
    let config = Config { sources, ..Config::new(scratch.path().to_owned(), policy) };
    Ok(isonomy_monitor::trace(config, list, &entry, &salts, system_clock()).await?)
}

fn words(traced: &Traced, is_salted: bool, is_verified: bool) -> String {
    let trace = &traced.trace;
    let line = |one: &InVersion| {
        let stands = if one.listed { "stands in" } else { "is not in" };
        let doubt = match (one.unproven, is_verified) {
            (true, _) => " or earlier: nobody shows its seen proof",
            (false, true) => " at the latest",
            (false, false) => "",
        };
        let open = if one.open { "; by the proofs here it can't be told whether it keeps the rules" } else { "" };
        format!("  it {stands} version {}, public since {}{doubt}{open}", one.version, one.public_since)
    };
    let proven = if is_verified { "✓ proven: " } else { "" };
    let mut lines = vec![format!("{proven}{} in {}, as of {}:", trace.entry, trace.list, trace.as_of)];
    lines.extend(trace.versions.iter().map(line));
    let first = trace.versions.iter().map(|one| one.public_since).min();
    for complaint in &trace.complaints {
        // Of a file that somebody else made, only what its maker can't have brought about by leaving something out.
        let standing = (!is_verified).then(|| traced.standing(complaint));
        lines.extend(complaint_words((complaint.attestation.index, &complaint.course), standing, first));
    }
    match trace.complaints.len() {
        0 if is_salted => lines.push("  no logged complaint is about this entry under these salts".to_owned()),
        0 | 1 => {}
        several => lines.push(format!(
            "  These are {several} complaints: whoever has seen one in the log can log its commitment again, by another date. Whoever made one knows which it is."
        )),
    }
    lines.push(
        match is_verified {
            true => {
                "A file holds some of the log. That something was late, or that the list has no later versions than these, it can't \
                 prove, since whoever made it may have left out later versions and earlier proofs. Nor that no other text for one \
                 of these versions was logged before, or that nothing else breaks a rule: then clients never used what is shown \
                 here. That is for whoever reads the log."
            }
            false => {
                "With --json this is a file with proofs, which `isonomy monitor trace --verify FILE` checks offline."
            }
        }
        .to_owned(),
    );
    lines.join("\n")
}

/// `standing`: how it stands for whoever has read the log itself; `None` of a file that somebody else made. `first`: since when
/// the first version is public.
fn complaint_words(
    (index, complaint): (LeafIndex, &Complained),
    standing: Option<Standing>,
    first: Option<Timestamp>,
) -> Vec<String> {
    let Complained { auditor, received, logged_since, edition, deadline, .. } = complaint;
    let mut lines = vec![
        format!(
            "  complaint at entry {index}, received {received} by the word of {auditor}, in the log since {logged_since}"
        ),
        format!("  if wrong, to be removed by {deadline}, by edition {edition} of the charter"),
    ];
    match complaint.listed {
        Some(true) => {}
        Some(false) if first.is_none_or(|first| first > *received) => {
            lines.push("  no version of the list that is shown here was public then".to_owned())
        }
        Some(false) => lines.push("  it did not stand in the newest version that was public then".to_owned()),
        None => lines.push(
            "  whether it stood in the list then is not known by the proofs that are shown; ask the log for earlier ones"
                .to_owned(),
        ),
    }
    let went = complaint.gone_since.map(|since| format!("it went at {since} or earlier"));
    lines.push(match (standing, complaint.gone_since) {
        (_, Some(since)) if complaint.removed_in_time == Some(true) => match (standing, &complaint.unless) {
            (None, Some(unless)) => format!("  removed in time, at {since}, unless {unless}"),
            _ => format!("  removed in time, at {since}"),
        },
        (None, _) => match went {
            Some(went) => format!("  {went}; that it was late, this file can't prove"),
            None => "  not removed in the versions that are shown here".to_owned(),
        },
        (Some(Standing::NotListed), _) => match went {
            Some(went) => format!("  {went}; nobody is called late for it"),
            None => "  nobody is called late for it".to_owned(),
        },
        (Some(Standing::InTime | Standing::Unproven), _) => match went {
            Some(went) => format!("  {went}; whether in time is not known"),
            None => "  it is still there; whether it is late is not known".to_owned(),
        },
        (Some(Standing::Running), _) => "  it is still there; the deadline runs".to_owned(),
        (Some(Standing::LateByWord), Some(since)) => {
            format!("  removed at {since}: late by the word of {auditor} alone, and in time from when the log shows the complaint")
        }
        (Some(Standing::LateByWord), None) => format!(
            "  it is still there; the deadline is over by the word of {auditor} alone, and runs until {} from when the log shows the complaint",
            complaint.deadline_by_log
        ),
        (Some(Standing::LateByProofs), _) => match went {
            Some(went) => format!(
                "  {went}: late by the proofs that are shown, by a version that was composed in time; a log can show a later proof than the first, so whether it was late is not known"
            ),
            None => "  it is still there; whether it is late is not known".to_owned(),
        },
        (Some(Standing::Late), Some(since)) => {
            format!("  removed late, at {since} by the proofs that are shown, even counted from when the log shows the complaint, and by a version that was composed too late")
        }
        (Some(Standing::Late), None) => {
            "  the deadline is over, even counted from when the log shows the complaint, and it is still there".to_owned()
        }
    });
    lines.extend(complaint.back_in.map(|version| format!("  it stands in the list again since version {version}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_monitor::trace::UNLESS;

    /// A complaint about an entry that stood there and still does.
    fn complained() -> Complained {
        Complained {
            auditor: "auditor".to_owned(),
            received: Timestamp(100),
            logged_since: Timestamp(110),
            edition: 3,
            deadline: Timestamp(200),
            deadline_by_log: Timestamp(210),
            listed: Some(true),
            gone_in: None,
            gone_since: None,
            back_in: None,
            removed_in_time: None,
            unless: None,
            not_known: None,
        }
    }

    fn said(gone_since: Option<u64>, removed_in_time: Option<bool>, standing: Option<Standing>) -> String {
        let (gone_in, gone_since) = (gone_since.map(|_| 2), gone_since.map(Timestamp));
        let unless = removed_in_time.map(|_| UNLESS.to_owned());
        let complaint = Complained { gone_in, gone_since, removed_in_time, unless, ..complained() };
        complaint_words((LeafIndex(7), &complaint), standing, Some(Timestamp(50))).join("\n")
    }

    /// Whoever made the file can leave out the removal, or prove it by a later checkpoint.
    #[test]
    fn of_a_file_that_somebody_else_made_nothing_is_called_late() {
        for gone_since in [None, Some(300)] {
            assert!(said(gone_since, None, Some(Standing::Late)).contains("even counted"));
            assert!(said(gone_since, None, Some(Standing::LateByWord)).contains("by the word of auditor alone"));
            let words = said(gone_since, None, None);
            assert!(
                !words.contains("removed late") && !words.contains("still there") && !words.contains("over"),
                "{words}"
            );
        }
        let words = said(Some(150), Some(true), None);
        assert!(words.contains("removed in time") && words.contains("by edition 3"), "that can only have been earlier");
        assert!(words.contains("unless the log has another text"), "which no file can exclude: {words}");
        assert!(!said(Some(150), Some(true), Some(Standing::InTime)).contains("unless"), "whoever read the log knows");
    }

    #[test]
    fn a_complaint_from_before_the_list_is_not_about_a_version_that_was_public_then() {
        let complaint = Complained { listed: Some(false), ..complained() };
        let said = |first| complaint_words((LeafIndex(7), &complaint), Some(Standing::NotListed), first).join("\n");
        for first in [None, Some(Timestamp(101))] {
            assert!(
                said(first).contains("no version of the list that is shown here was public then"),
                "{}",
                said(first)
            );
        }
        assert!(said(Some(Timestamp(100))).contains("in the newest version that was public then"));
    }

    #[test]
    fn that_an_entry_went_is_said_also_where_nobody_is_late() {
        assert!(said(Some(300), None, Some(Standing::NotListed)).contains("it went at"));
    }
}
