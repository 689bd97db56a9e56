//! `isonomy match`.

use super::serving::Scheme;
use super::subjects::Asked;
use super::{client, files, serving, subjects};
use crate::args::{ClientFolder, ListFolders, MatchArgs, MatchCommand, OrientationsArg};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::{Output, in_line};
use anyhow::Result;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::Algorithm;
use isonomy_match_server::{Config, Limits as ServiceLimits, ListFolder};
use isonomy_matcher::document::MAX_MATCHES;
use isonomy_matcher::image::Limits;
use isonomy_matcher::lookup::Arrangement;
use isonomy_matcher::video::VideoMatch;
use isonomy_matcher::{Answer, AnswerDocument, Match, Matcher, Orientations, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) async fn run(args: MatchArgs, output: &Output) -> Result<Exit> {
    match args.command {
        Some(MatchCommand::Serve { lists, listen, every, max_upload, max_pixels, connections, per_client }) => {
            let folders = pairs(&lists)?.iter().map(served).collect::<Result<_>>()?;
            let mut config = Config { look_every: Duration::from_secs(every), ..Config::new(folders) };
            config.limits = limits(usize::try_from(max_upload).unwrap_or(usize::MAX), max_pixels);
            config.limits.connections = usize::from(connections);
            config.limits.connections_per_client = per_client.map(usize::from);
            let listener = serving::listen(listen).await?;
            let address = listener.local_addr()?;
            let server = isonomy_match_server::run(listener, config, serving::shutdown());
            serving::run(address, Scheme::Http, "match service", output, server).await?;
            Ok(Exit::Done)
        }
        None => match_subjects(&args, output),
    }
}

fn pairs(lists: &ListFolders) -> Result<Vec<ClientFolder>> {
    let unpaired = || Malformed("every --policy needs its --state, in the same order".to_owned());
    Ok(lists.pairs().ok_or_else(unpaired)?)
}

fn served(folder: &ClientFolder) -> Result<ListFolder> {
    Ok(ListFolder { policy: files::client_policy(&folder.policy)?, state: folder.state.clone() })
}

fn limits(file_bytes: usize, pixels: u64) -> ServiceLimits {
    let usual = ServiceLimits::default();
    let memory = usual.image.memory.max(pixels.saturating_mul(10));
    let bodies = usual.bodies.max(file_bytes.saturating_mul(4));
    ServiceLimits { image: Limits { file_bytes, pixels, memory }, bodies, ..usual }
}

/// From so many subjects on, an index is made first: that takes as long as comparing so many hashes with the whole list.
const INDEXED_FROM: usize = 500;

fn match_subjects(args: &MatchArgs, output: &Output) -> Result<Exit> {
    let arrangement = if args.subjects.len() < INDEXED_FROM { Arrangement::Scan } else { Arrangement::Buckets };
    let matchers = pairs(&args.lists)?.iter().map(|folder| matcher(folder, arrangement)).collect::<Result<Vec<_>>>()?;
    let (mut exits, mut documents) = (Vec::new(), Vec::new());
    let algorithms = asked_algorithms(&matchers, args)?;
    for subject in &args.subjects {
        let (exit, document) = check(&matchers, &algorithms, subject, args, output).unwrap_or_else(|error| {
            let subject = subject.to_string_lossy();
            output.say(format!("{}: not checked: {error:#}", in_line(&subject)));
            (Exit::NotChecked, json!({ "subject": subject, "error": format!("{error:#}"), "answers": [] }))
        });
        exits.push(exit);
        documents.push(document);
    }
    if output.is_json() {
        output.report("", &documents)?;
    }
    Ok(worst(exits))
}

/// A match counts for more than what could not be checked, and that for more than no match.
fn worst(exits: impl IntoIterator<Item = Exit>) -> Exit {
    exits.into_iter().fold(Exit::Done, |worst, exit| match (worst, exit) {
        (Exit::Matched, _) | (_, Exit::Matched) => Exit::Matched,
        (Exit::NotChecked, _) | (_, Exit::NotChecked) => Exit::NotChecked,
        _ => Exit::Done,
    })
}

fn matcher(folder: &ClientFolder, arrangement: Arrangement) -> Result<Matcher> {
    let list = client::look(folder)?.list().cloned();
    let nothing = || {
        let state = folder.state.display();
        Refused(format!("no verified list is at hand in {state}: run `isonomy client update` first"))
    };
    Ok(Matcher::arranged(list.ok_or_else(nothing)?, arrangement)?)
}

/// The algorithms of the lists that are asked, each once.
fn asked_algorithms(matchers: &[Matcher], args: &MatchArgs) -> Result<Vec<Algorithm>> {
    let chosen = args.algorithm.map(Algorithm::from);
    let lists = matchers.iter().map(Matcher::algorithm);
    let mut algorithms: Vec<Algorithm> = lists.filter(|list| chosen.is_none_or(|chosen| chosen == *list)).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    match (chosen, algorithms.is_empty()) {
        (Some(chosen), true) => Err(Malformed(format!("none of these lists holds {chosen} hashes")).into()),
        _ => Ok(algorithms),
    }
}

/// Asks all lists for one picture or hash, and says what came of it. Lists that are not asked say so, and count for nothing.
fn check(
    matchers: &[Matcher],
    algorithms: &[Algorithm],
    subject: &OsStr,
    args: &MatchArgs,
    output: &Output,
) -> Result<(Exit, Value)> {
    let Asked { subject: asked, taken_as } = subjects::asked(algorithms, subject, args.orientations.into())?;
    let subject = subject.to_string_lossy();
    let told = if taken_as == "hash" { format!("the hash {subject}") } else { in_line(&subject) };
    let clock = isonomy_client::system_clock();
    let (mut exits, mut documents, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for matcher in matchers {
        let answer = matcher.answer(&asked, clock);
        let receipts = write_receipts(&answer, args.receipts.as_deref());
        let receipt = |found: &Match| receipts.written.get(&found.entry).map(|path| path.display().to_string());
        let document = answer.document(receipt);
        output.say(words(&told, &document));
        if let Some(failure) = receipts.failure {
            output.say(format!("  no receipt: {failure}"));
            failures.push(failure);
        }
        exits.push(match answer.verdict {
            _ if !algorithms.contains(&matcher.algorithm()) => Exit::Done,
            Verdict::Matched(_) => Exit::Matched,
            Verdict::NotMatched => Exit::Done,
            Verdict::NotCovered(_) => Exit::NotChecked,
        });
        documents.push(document);
    }
    let mut document = json!({ "subject": subject, "taken_as": taken_as, "answers": documents });
    if !failures.is_empty() {
        document["receipts_not_written"] = json!(failures);
    }
    Ok((worst(exits), document))
}

impl From<OrientationsArg> for Orientations {
    fn from(argument: OrientationsArg) -> Self {
        match argument {
            OrientationsArg::Stored => Self::Stored,
            OrientationsArg::Shown => Self::Shown,
            OrientationsArg::All => Self::All,
        }
    }
}

/// The receipts of the nearest matches, by entry, and why there are no more of them.
#[derive(Default)]
struct Receipts {
    written: BTreeMap<Vec<u8>, PathBuf>,
    failure: Option<String>,
}

/// Writes them. A match is told whether or not its receipt could be written.
fn write_receipts(answer: &Answer, folder: Option<&Path>) -> Receipts {
    let mut receipts = Receipts::default();
    let (Verdict::Matched(matches), Some(folder)) = (&answer.verdict, folder) else {
        return receipts;
    };
    for found in matches.iter().take(MAX_MATCHES) {
        match write_receipt(answer, found, folder) {
            Ok(path) => drop(receipts.written.insert(found.entry.clone(), path)),
            Err(error) => {
                receipts.failure = Some(format!("{error:#}"));
                break;
            }
        }
    }
    receipts
}

/// The file's name says which entry of which release, and nothing of the picture: an entry that is matched twice has one
/// receipt.
fn write_receipt(answer: &Answer, found: &Match, folder: &Path) -> Result<PathBuf> {
    isonomy_store::files::create_dir_all_durable(folder)?;
    let list = answer.list.to_string().replace('/', "_");
    let path = folder.join(format!("{list}-{}-{}.receipt.json.gz", answer.version, to_hex(&found.entry)));
    files::write(&path, &found.receipt.to_file()?)?;
    Ok(path)
}

/// A line, and under it each match with its receipt, and what the person is told.
fn words(subject: &str, answer: &AnswerDocument) -> String {
    let list = format!("{} version {}, {}", answer.list, answer.version, answer.freshness);
    let Some(notice) = &answer.notice else {
        return match &answer.why {
            Some(why) => format!("{subject}: not covered: {why} ({list})"),
            None => format!("{subject}: no match ({list})"),
        };
    };
    let mut lines = vec![format!("{subject}: match ({list})")];
    for found in &answer.matches {
        let of_what = match (found.video, found.frame) {
            (Some(VideoMatch { looked_up: own, listed }), _) => {
                format!(" ({} of {} frames, {} of {} of the listed video)", own.alike, own.of, listed.alike, listed.of)
            }
            (None, Some(later @ 1..)) => format!(", in its picture number {}", later + 1),
            (None, _) => String::new(),
        };
        lines.push(format!("  entry {} at distance {}{of_what}: {}", found.entry, found.distance, found.action));
        lines.extend(found.receipt.iter().map(|path| format!("    receipt {path}")));
    }
    if answer.found > answer.matches.len() {
        lines.push(format!("  and {} entries more", answer.found - answer.matches.len()));
    }
    lines.extend(notice.words.lines().map(|line| format!("  {line}")));
    if answer.matches.iter().any(|found| found.receipt.is_some()) {
        let how = "`isonomy receipt verify RECEIPT --policy FILE`";
        lines.push(format!(
            "  A receipt proves to anybody, offline, which published entry it was: {how}. The file has the"
        ));
        lines.push("  public keys of the log and its witnesses; the log's operator publishes it.".to_owned());
    }
    lines.join("\n")
}
