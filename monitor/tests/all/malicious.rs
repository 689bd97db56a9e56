//! Everything that a log and those around it can do wrong, staged over HTTP: an honest look first, then the misbehaviour,
//! then the next look, at which it must be found, with evidence of the right kind where a breach can be proven.

use crate::world::*;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{ListRoot, sha256};
use isonomy_core::note::Note;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::time::Timestamp;
use isonomy_fetch::Source;
use isonomy_monitor::report::{ComplaintState, Report};
use isonomy_monitor::trace::Standing;
use isonomy_monitor::{Config, Finding, Monitor, Severity};
use isonomy_verifier::Evidence;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower_http::services::ServeDir;

/// When the first look is.
const FIRST: u64 = 2 * HOUR + 60;
/// When the next one is, unless a case says otherwise.
const NEXT: u64 = FIRST + 60;

/// What a finding must rest on.
#[derive(Clone, Copy)]
enum Ground {
    /// A file of this kind, which verifies.
    Evidence(&'static str),
    /// The entry in the log itself.
    Entry,
    /// A dated observation that accuses nobody.
    Observation,
}

/// A log over HTTP with a mirror and three witnesses.
struct Stage {
    world: World,
    mirror: Log,
    /// What each witness shows.
    shown: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let mirror = world.log.split(world.path("mirror"));
        let stage = Self { world, mirror, shown: Arc::default() };
        stage.witnesses_see(START.plus(2 * HOUR));
        stage
    }

    /// Every witness shows the log as it is now, cosigned then.
    fn witnesses_see(&self, time: isonomy_core::time::Timestamp) {
        let show = |number: usize| self.world.log.checkpoint(&[number], time).to_string();
        *self.shown.lock().unwrap() = (0..3).map(show).collect();
    }

    /// An honest next release, seen by all.
    fn goes_on(&mut self, time: u64) {
        self.world.log.release(entries(2..20), START.plus(time), |_| ());
        self.world.log.publish(START.plus(time));
        self.witnesses_see(START.plus(time));
    }

    /// Publishes what was logged, seen by all.
    fn publishes(&mut self) {
        self.world.log.publish(START.plus(FIRST));
        self.witnesses_see(START.plus(FIRST));
    }

    async fn open(&self, canaries: Option<PathBuf>) -> Monitor {
        let sources = [serve(&self.world.log.path).await, serve(&self.mirror.path).await];
        let sources = sources.iter().map(|url| Source::parse(url).unwrap()).collect();
        let urls = witnesses(&self.shown).await;
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        Monitor::open(Config { canaries, ..self.world.config(sources, &urls) }).unwrap()
    }
}

/// What the tests of this file look for, and on what it must rest: each call that judges a finding, by its arguments.
fn staged() -> BTreeSet<(String, String)> {
    let source: String = include_str!("malicious.rs").split_whitespace().collect();
    // In parts, so that this is no such call itself.
    let calls = [("found_at_next_look", "("), ("check(&stage,find(&report", ","), ("observed", "(")];
    let mut staged = BTreeSet::new();
    for (call, open) in calls {
        for rest in source.split(&[call, open, "\""].concat()).skip(1) {
            let (code, rest) = rest.split_once('"').unwrap();
            let ground = rest.trim_start_matches(')').trim_start_matches(',');
            let ground = match ground.strip_prefix("Ground::Evidence(\"") {
                Some(kind) => kind.split('"').next().unwrap(),
                None if ground.starts_with("Ground::Entry") => "the entry",
                None if ground.starts_with("Ground::Observation") || call == "observed" => "observation",
                None => panic!("{code} rests on {}", &ground[..30.min(ground.len())]),
            };
            staged.insert((code.to_owned(), ground.to_owned()));
        }
    }
    staged
}

/// The table of docs/monitoring.md and these tests say the same: each finding that it lists is staged and judged as resting on
/// what it says, and each that is staged is listed.
#[test]
fn what_the_documentation_lists_is_what_is_staged() {
    let documented = include_str!("../../../docs/monitoring.md");
    let (_, table) = documented.split_once("| staged by a malicious log |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let in_quotes = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let (mut left, mut rows) = (staged(), 0);
    for row in table.lines().skip(2) {
        let cells: Vec<&str> = row.split('|').collect();
        let (codes, mut grounds) = (in_quotes(cells[2]), in_quotes(cells[3]));
        grounds
            .extend(["the entry", "observation"].into_iter().filter(|word| cells[3].contains(word)).map(str::to_owned));
        let judged: BTreeSet<_> = left.iter().filter(|(code, _)| codes.contains(code)).cloned().collect();
        left = &left - &judged;
        let (judged_codes, judged_grounds): (BTreeSet<_>, BTreeSet<_>) = judged.into_iter().unzip();
        assert_eq!((judged_codes, judged_grounds), (codes, grounds), "{row}");
        rows += 1;
    }
    assert!(rows > 20 && left.is_empty(), "staged and not documented: {left:?}");
}

/// Serves a folder, and gives its URL.
async fn serve(folder: &Path) -> String {
    start(Router::new().fallback_service(ServeDir::new(folder))).await
}

async fn start(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Serves what the witnesses show, and gives their URLs.
async fn witnesses(shown: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    let mut urls = Vec::new();
    for number in 0..3 {
        let path = format!("/{}/checkpoint", to_hex(&sha256(&[ORIGIN.as_bytes()])));
        let show =
            move |State(shown): State<Arc<Mutex<Vec<String>>>>| async move { shown.lock().unwrap()[number].clone() };
        urls.push(start(Router::new().route(&path, get(show)).with_state(Arc::clone(shown))).await);
    }
    urls
}

/// An observation among these findings.
fn observed(code: &str, findings: &[Finding]) {
    let found = findings.iter().find(|found| found.standing && found.code == code);
    is_an_observation(found.unwrap_or_else(|| panic!("no {code}")));
}

/// Dated, and worded so that it accuses nobody.
fn is_an_observation(found: &Finding) {
    assert_ne!(found.severity, Severity::Breach, "{}", found.words);
    assert!(found.answerable.is_empty() && found.evidence.is_none(), "{}", found.words);
    let words = format!("{} {}", found.words, found.code).to_lowercase();
    for word in ["guilty", "lied", "lies", "cheat", "attack", "the log withholds", "hides", "deceiv"] {
        assert!(!words.contains(word), "{}", found.words);
    }
}

/// Stages a misbehaviour after an honest look, looks again after the interval, and checks what was found.
async fn found_at_next_look(code: &str, ground: Ground, after: u64, stage: impl FnOnce(&mut Stage)) -> Report {
    let mut world = Stage::new();
    let mut monitor = world.open(None).await;
    let honest = monitor.poll_at(START.plus(FIRST)).await.unwrap();
    assert_eq!(codes(&honest), [""; 0], "before {code}");
    stage(&mut world);
    let report = monitor.poll_at(START.plus(after)).await.unwrap();
    let found = report.findings.iter().find(|found| found.standing && found.code == code);
    let found = found.unwrap_or_else(|| panic!("no {code} among {:?}", codes(&report)));
    assert_eq!(found.first_seen, START.plus(after));
    check(&world, found, ground);
    report
}

fn check(stage: &Stage, found: &Finding, ground: Ground) {
    match ground {
        Ground::Evidence(kind) => {
            assert_eq!(found.severity, Severity::Breach, "{}", found.words);
            let file = stage.world.evidence(found);
            assert!(file.starts_with(format!("{{\n  \"evidence\": \"{kind}\"").as_bytes()), "{kind}");
            let breach = Evidence::parse(&file).unwrap().verify(&policy(&[])).unwrap();
            assert!(!found.answerable.is_empty() && !breach.names().is_empty());
            // It rests on the log's signature: with one character of that changed, it proves nothing.
            let line = "\u{2014} log.example/isonomy ".as_bytes();
            let place = file.windows(line.len()).position(|part| part == line).unwrap() + line.len() + 20;
            let mut changed = file.clone();
            changed[place] = if file[place] == b'A' { b'B' } else { b'A' };
            assert!(Evidence::parse(&changed).and_then(|evidence| evidence.verify(&policy(&[]))).is_err());
        }
        Ground::Entry => {
            assert_eq!((found.severity, &found.evidence), (Severity::Breach, &None), "{}", found.words);
            assert!(found.index.is_some() && found.rule.is_some() && !found.answerable.is_empty(), "{}", found.words);
        }
        Ground::Observation => is_an_observation(found),
    }
}

#[tokio::test]
async fn a_fork_is_proven_whoever_shows_it() {
    found_at_next_look("fork", Ground::Evidence("isonomy/fork/v1"), NEXT, |stage| {
        stage.mirror.append("another history\n");
        stage.mirror.publish(START.plus(FIRST));
        stage.goes_on(FIRST);
    })
    .await;
    found_at_next_look("fork", Ground::Evidence("isonomy/fork/v1"), NEXT, |stage| {
        let mut other = stage.world.log.split(stage.world.path("other"));
        other.append("another history\n");
        stage.goes_on(FIRST);
        stage.shown.lock().unwrap()[1] = other.checkpoint(&[1], START.plus(FIRST)).to_string();
    })
    .await;
}

#[tokio::test]
async fn two_texts_for_one_version_are_proven() {
    found_at_next_look("equivocation", Ground::Evidence("isonomy/equivocation/v1"), NEXT, |stage| {
        let log = &mut stage.world.log;
        let third = log.draft(&entries(0..20), START.plus(FIRST));
        let mut other = third.clone();
        other.expires = other.expires.plus(1);
        for release in [&third, &other] {
            log.append(signed(&release.to_text().unwrap(), &SIGNERS).to_bytes());
        }
        log.publish(START.plus(FIRST));
        stage.witnesses_see(START.plus(FIRST));
    })
    .await;
}

#[tokio::test]
async fn two_texts_for_one_version_under_two_editions_are_proven() {
    found_at_next_look("equivocation", Ground::Evidence("isonomy/equivocation/v2"), NEXT, |stage| {
        let log = &mut stage.world.log;
        let third = log.draft(&entries(0..20), START.plus(FIRST));
        log.append(signed(&third.to_text().unwrap(), &SIGNERS).to_bytes());
        log.charter(|charter| charter.limits.max_added = 400);
        let other = log.draft(&entries(0..20), START.plus(FIRST));
        assert_ne!(third.charter, other.charter);
        log.append(signed(&other.to_text().unwrap(), &SIGNERS).to_bytes());
        log.publish(START.plus(FIRST));
        stage.witnesses_see(START.plus(FIRST));
    })
    .await;
}

/// Some client may use a first text that others refuse, since the log chooses which proofs it shows to whom; so beside any
/// signed text, whatever else it breaks, a second one is found.
#[tokio::test]
async fn a_second_text_is_proven_beside_a_first_that_was_refused() {
    type Refused = (&'static str, &'static str, fn(&mut Stage));
    let refused: [Refused; 3] = [
        // Composed after it was public, by the clocks.
        ("created-late", "isonomy/equivocation/v1", |stage| {
            stage.world.log.append(third(stage, FIRST + 60, |_| ()));
        }),
        ("over-limit", "isonomy/equivocation/v1", |stage| {
            stage.world.log.append(third(stage, FIRST, |release| release.expires = release.created.plus(31 * DAY)));
        }),
        // Before the notice of its edition is over.
        ("notice-not-over", "isonomy/equivocation/v2", |stage| {
            stage.world.log.charter(|charter| charter.limits.max_added = 600);
            stage.world.log.append(third(stage, FIRST, |_| ()));
        }),
    ];
    for (code, kind, first) in refused {
        let mut stage = Stage::new();
        let mut monitor = stage.open(None).await;
        monitor.poll_at(START.plus(FIRST)).await.unwrap();
        let second = third(&stage, FIRST, |_| ());
        first(&mut stage);
        stage.world.log.append(second);
        stage.publishes();
        let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
        let found = find(&report, "equivocation");
        check(&stage, found, Ground::Evidence(kind));
        assert_eq!(found.index.map(|index| index.0 + 1), Some(report.log.size.0), "{code}");
        assert!(find(&report, code).standing);
        assert_eq!(report.lists[0].releases[0].version, 3, "the second keeps the rules by itself");
    }
}

/// A log can put anything in front of two texts by itself, and a planted one is not what either is compared with.
#[tokio::test]
async fn a_planted_text_hides_no_second_one() {
    type Planted = (&'static str, &'static str, fn(&mut Stage, Vec<u8>));
    let planted: [Planted; 4] = [
        ("the second text with a wrong signature", "isonomy/equivocation/v1", |stage, one| {
            let other = third(stage, FIRST, |_| ());
            [one, spoilt(&other), other.clone(), other].into_iter().for_each(|text| stage.world.log.append(text));
        }),
        ("the first text with a wrong signature", "isonomy/equivocation/v1", |stage, one| {
            let other = third(stage, FIRST, |_| ());
            [spoilt(&one), one.clone(), one, other].into_iter().for_each(|text| stage.world.log.append(text));
        }),
        ("one under a charter of its own", "isonomy/equivocation/v1", |stage, one| {
            under_own_charter(stage);
            let other = third(stage, FIRST, |_| ());
            [one, other].into_iter().for_each(|text| stage.world.log.append(text));
        }),
        ("the same in front of texts under two editions", "isonomy/equivocation/v2", |stage, one| {
            under_own_charter(stage);
            stage.world.log.append(one);
            stage.world.log.charter(|charter| charter.limits.max_added = 400);
            let other = third(stage, FIRST, |_| ());
            stage.world.log.append(other);
        }),
    ];
    for (what, kind, plant) in planted {
        let mut stage = Stage::new();
        let mut monitor = stage.open(None).await;
        monitor.poll_at(START.plus(FIRST)).await.unwrap();
        // Some client may use it: that it was composed later than it was public rests on clocks.
        let one = third(&stage, FIRST + 60, |_| ());
        plant(&mut stage, one);
        stage.publishes();
        let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
        let second = report.findings.iter().filter(|found| found.code == "equivocation");
        // The log, too, which had to refuse the second.
        let by_signers =
            |found: &&Finding| found.answerable.iter().map(|who| who.key.as_str()).eq([ORIGIN, "m1", "c1", "c2"]);
        let found: Vec<&Finding> = second.filter(by_signers).collect();
        assert_eq!(found.len(), 1, "{what}: {:?}", codes(&report));
        check(&stage, found[0], Ground::Evidence(kind));
    }
}

/// A text whose second signature does not hold.
fn spoilt(text: &[u8]) -> Vec<u8> {
    let statement = Statement::parse(text).unwrap();
    let mut lines = statement.note().signatures().to_vec();
    lines[1].bytes[5] ^= 1;
    Note::new(statement.note().text().into(), lines).unwrap().to_bytes()
}

/// Logs a third release under an edition that the log has made up, with keys of its own.
fn under_own_charter(stage: &mut Stage) {
    let (log, own) = (&mut stage.world.log, ["x1", "x2", "x3"]);
    let mut body = charter();
    (body.edition, body.previous) = (2, Some(log.first_charter()));
    body.maintainer.keys = vec![key("x1").verifier().clone()];
    body.curation.curators = vec![curator("x2", "DE"), curator("x3", "FR")];
    let edition = signed(&body.to_text().unwrap(), &own);
    let release = Release { charter: edition.id(), ..log.draft(&entries(0..20), START.plus(FIRST)) };
    log.append(edition.to_bytes());
    log.append(signed(&release.to_text().unwrap(), &own).to_bytes());
}

/// The third release, signed.
fn third(stage: &Stage, created: u64, edit: impl Fn(&mut Release)) -> Vec<u8> {
    let mut release = stage.world.log.draft(&entries(0..20), START.plus(created));
    edit(&mut release);
    signed(&release.to_text().unwrap(), &SIGNERS).to_bytes()
}

/// Clients who are shown another seen proof may use the first of two texts that a bundle names.
#[tokio::test]
async fn a_bundle_with_the_refused_one_of_two_texts_is_observed() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    for created in [FIRST + 60, FIRST] {
        let text = third(&stage, created, |_| ());
        stage.world.log.append(text);
    }
    stage.publishes();
    let path = stage.world.log.path.join("list").join(LIST).join("bundle");
    let mut bundle = isonomy_core::bundle::Bundle::parse(&fs::read(&path).unwrap()).unwrap();
    bundle.releases = vec![stage.world.log.included(3, &bundle.checkpoint)];
    fs::write(path, bundle.to_bytes()).unwrap();
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    assert!(find(&report, "equivocation").evidence.is_some());
    check(&stage, find(&report, "bundle-unusable"), Ground::Observation);
}

#[tokio::test]
async fn two_texts_for_one_edition_are_proven_and_the_log_answers_for_them() {
    let report = found_at_next_look("equivocation", Ground::Evidence("isonomy/two-editions/v1"), NEXT, |stage| {
        let log = &mut stage.world.log;
        let mut other = charter();
        (other.edition, other.previous, other.limits.max_added) = (2, Some(log.first_charter()), 300);
        log.charter(|charter| charter.limits.max_added = 400);
        log.append(signed(&other.to_text().unwrap(), &SIGNERS).to_bytes());
        log.publish(START.plus(FIRST));
        stage.witnesses_see(START.plus(FIRST));
    })
    .await;
    let named: Vec<&str> = find(&report, "equivocation").answerable.iter().map(|who| who.key.as_str()).collect();
    assert_eq!(named, [ORIGIN]);
    let words = &find(&report, "equivocation").words;
    assert!(words.contains("whatever the time") && !words.contains("no file proves"), "{words}");
}

/// After the day of the first text its signers may sign another; a log that then logs both answers for it alone.
#[tokio::test]
async fn who_signed_a_second_text_after_its_day_is_not_named() {
    let report = found_at_next_look("equivocation", Ground::Evidence("isonomy/equivocation/v1"), 3 * DAY, |stage| {
        let log = &mut stage.world.log;
        let third = log.draft(&entries(0..20), START.plus(FIRST));
        let other = log.draft(&entries(0..20), START.plus(FIRST + 2 * DAY));
        for release in [&third, &other] {
            log.append(signed(&release.to_text().unwrap(), &SIGNERS).to_bytes());
        }
        log.publish(START.plus(3 * DAY));
        stage.witnesses_see(START.plus(3 * DAY));
    })
    .await;
    let named: Vec<&str> = find(&report, "equivocation").answerable.iter().map(|who| who.key.as_str()).collect();
    assert_eq!(named, [ORIGIN]);
}

#[tokio::test]
async fn a_view_that_can_not_be_compared_is_observed() {
    found_at_next_look("unclear-view", Ground::Observation, NEXT, |stage| {
        stage.mirror.release(entries(2..20), START.plus(FIRST), |_| ());
        stage.mirror.publish(START.plus(FIRST));
        fs::remove_dir_all(stage.mirror.path.join("tile")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_release_before_its_notice_is_over_is_proven() {
    found_at_next_look("notice-not-over", Ground::Evidence("isonomy/early-admission/v1"), NEXT, |stage| {
        stage.world.log.charter(|charter| charter.limits.max_added = 600);
        stage.world.log.publish(START.plus(FIRST));
        stage.goes_on(FIRST + 30);
    })
    .await;
}

/// Thirty seconds too early by one witness's clock, after another's: honest clocks may differ by more.
#[tokio::test]
async fn a_release_too_early_by_less_than_clocks_may_differ_is_observed() {
    let soon = FIRST + 7 * DAY - 90;
    found_at_next_look("notice-not-over", Ground::Observation, soon + 30, |stage| {
        stage.world.log.charter(|charter| charter.limits.max_added = 600);
        stage.world.log.publish(START.plus(FIRST));
        stage.goes_on(soon);
    })
    .await;
}

/// What stands before what, and what is left out, the log decides: whoever signed is not named for it.
#[tokio::test]
async fn nobody_but_the_log_answers_for_the_order_of_entries() {
    let report = found_at_next_look("unknown-charter", Ground::Entry, NEXT, |stage| {
        let other = stage.world.log.last_release();
        stage.world.log.release(entries(0..20), START.plus(FIRST), |release| release.charter = other);
        stage.publishes();
    })
    .await;
    assert_eq!(named(&report, "unknown-charter"), [ORIGIN]);
    let report = found_at_next_look("superseded-edition", Ground::Entry, NEXT, |stage| {
        let first = stage.world.log.first_charter();
        stage.world.log.charter(|charter| charter.limits.max_added = 400);
        stage.world.log.release(entries(0..20), START.plus(FIRST), |release| release.charter = first);
        stage.publishes();
    })
    .await;
    assert_eq!(named(&report, "superseded-edition"), [ORIGIN]);
}

/// By another clock the release was composed before it was public.
#[tokio::test]
async fn a_release_composed_after_it_was_public_is_observed() {
    found_at_next_look("created-late", Ground::Observation, NEXT, |stage| {
        stage.world.log.release(entries(0..20), START.plus(FIRST + 1), |_| ());
        stage.publishes();
    })
    .await;
}

/// Edition 3 has the consent of edition 2, and not of edition 1: which one was in force, clocks tell.
#[tokio::test]
async fn an_edition_that_lacks_the_consent_of_the_one_in_force_is_observed() {
    found_at_next_look("too-few-curators", Ground::Observation, NEXT, |stage| {
        let log = &mut stage.world.log;
        let mut second = charter();
        (second.edition, second.previous) = (2, Some(log.first_charter()));
        second.curation.curators.push(curator("c3", "NL"));
        let second_text = signed(&second.to_text().unwrap(), &["m1", "c1", "c2", "c3"]);
        let mut third = second.clone();
        (third.edition, third.previous, third.limits.max_added) = (3, Some(second_text.id()), 400);
        log.append(second_text.to_bytes());
        log.append(signed(&third.to_text().unwrap(), &["m1", "c1", "c3"]).to_bytes());
        stage.publishes();
    })
    .await;
}

#[tokio::test]
async fn what_the_log_admits_against_the_rules_is_proven() {
    let report = found_at_next_look("too-few-curators", Ground::Evidence("isonomy/inadmissible/v1"), NEXT, |stage| {
        let weak = stage.world.log.draft(&entries(0..20), START.plus(FIRST));
        stage.world.log.append(signed(&weak.to_text().unwrap(), &["m1", "c1"]).to_bytes());
        stage.publishes();
    })
    .await;
    assert_eq!(named(&report, "too-few-curators"), [ORIGIN], "nobody answers for what others did not sign");
    let report = found_at_next_look("over-limit", Ground::Evidence("isonomy/inadmissible/v1"), NEXT, |stage| {
        stage.world.log.release(entries(0..600), START.plus(FIRST), |_| ());
        stage.publishes();
    })
    .await;
    assert_eq!(named(&report, "over-limit"), [ORIGIN, "m1", "c1", "c2"]);
    found_at_next_look("created-early", Ground::Evidence("isonomy/inadmissible/v1"), NEXT, |stage| {
        stage.world.log.release(entries(0..20), START.plus(HOUR), |_| ());
        stage.publishes();
    })
    .await;
    found_at_next_look("unknown-release", Ground::Evidence("isonomy/inadmissible/v1"), NEXT, |stage| {
        let other = stage.world.log.first_charter();
        stage.world.log.release(entries(0..20), START.plus(FIRST), |release| {
            (release.previous, release.deltas[0].release) = (Some(other), other);
        });
        stage.publishes();
    })
    .await;
    found_at_next_look("not-a-statement", Ground::Evidence("isonomy/not-a-statement/v1"), NEXT, |stage| {
        stage.world.log.append([0xff, 0, b'\n']);
        stage.publishes();
    })
    .await;
    found_at_next_look("unreadable-statement", Ground::Observation, NEXT, |stage| {
        let text = "{\n  \"statement\": \"isonomy/release/v2\",\n  \"list\": \"hotline.example/images\"\n}\n";
        let line = key("m1").sign(text);
        stage.world.log.append(isonomy_core::note::Note::new(text.into(), vec![line]).unwrap().to_bytes());
        stage.publishes();
    })
    .await;
    // What only the whole log shows has no file: that a number is left out.
    found_at_next_look("not-contiguous", Ground::Entry, NEXT, |stage| {
        stage.world.log.release(entries(0..20), START.plus(FIRST), |release| {
            (release.version, release.deltas[0].from) = (5, 4);
        });
        stage.publishes();
    })
    .await;
}

#[tokio::test]
async fn content_that_is_not_what_was_signed_is_proven_by_the_objects_also_when_they_are_gone() {
    let wrong_root = |release: &mut Release| release.root = ListRoot([7; 32]);
    let report = found_at_next_look("content-broken", Ground::Evidence("isonomy/wrong-content/v1"), NEXT, |stage| {
        stage.world.log.release(entries(0..20), START.plus(FIRST), wrong_root);
        stage.publishes();
    })
    .await;
    assert_eq!(named(&report, "content-broken"), [ORIGIN, "m1", "c1", "c2"]);
    found_at_next_look("content-broken", Ground::Evidence("isonomy/wrong-content/v1"), NEXT, |stage| {
        stage.world.log.release(entries(0..20), START.plus(FIRST), |release| release.added += 1);
        stage.publishes();
    })
    .await;
    found_at_next_look("content-broken", Ground::Evidence("isonomy/inadmissible/v1"), NEXT, |stage| {
        stage.world.log.release(entries(0..20), START.plus(FIRST), |release| release.entries += 1);
        stage.publishes();
    })
    .await;
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    stage.world.log.release(entries(0..20), START.plus(FIRST), wrong_root);
    stage.publishes();
    monitor.poll_at(START.plus(NEXT)).await.unwrap();
    drop(monitor);
    fs::remove_dir_all(stage.world.log.path.join("object")).unwrap();
    let mut monitor = stage.open(None).await;
    for after in [NEXT + 60, NEXT + 120] {
        let report = monitor.poll_at(START.plus(after)).await.unwrap();
        let found = find(&report, "content-broken");
        assert!(found.standing && found.evidence.is_some(), "what was proven stays proven");
        assert_eq!(find(&report, "content-missing").severity, Severity::Warning);
    }
}

/// A large content's objects are not kept; what is said of it says so.
#[tokio::test]
async fn content_too_large_for_a_file_is_found_and_its_objects_are_named() {
    let mut stage = Stage::new();
    stage.world = World::empty();
    stage.world.log.charter(|charter| (charter.limits.max_entries, charter.limits.max_added) = (1 << 20, 1 << 20));
    stage.world.log.release(entries(0..100_000), START.plus(HOUR), |release| release.root = ListRoot([7; 32]));
    stage.publishes();
    stage.mirror = stage.world.log.split(stage.world.path("mirror"));
    let report = stage.open(None).await.poll_at(START.plus(NEXT)).await.unwrap();
    check(&stage, find(&report, "content-broken"), Ground::Entry);
    assert!(find(&report, "content-broken").words.contains("too large for a file of evidence"));
}

/// A log that admits any number of wrong entries fills no disk, and leaves room for the proof that it forked.
#[tokio::test]
async fn a_flood_of_wrong_entries_leaves_room_for_the_proof_of_a_fork() {
    let report = found_at_next_look("fork", Ground::Evidence("isonomy/fork/v1"), NEXT, |stage| {
        (0..700).for_each(|number| stage.world.log.append(format!("number {number}\n")));
        stage.mirror.append("another history\n");
        stage.mirror.publish(START.plus(FIRST));
        stage.publishes();
    })
    .await;
    let proven = report.findings.iter().filter(|found| found.code == "not-a-statement" && found.evidence.is_some());
    assert_eq!(proven.count(), 100, "what is about no list shares room like a list");
}

/// Nor does a log that has signed texts made by a list of its own.
#[tokio::test]
async fn a_flood_of_second_texts_leaves_room_for_the_proof_of_a_fork() {
    let report = found_at_next_look("fork", Ground::Evidence("isonomy/fork/v1"), NEXT, |stage| {
        for number in 0..520 {
            let text = third(stage, FIRST, |release| release.expires = START.plus(20 * DAY + number));
            stage.world.log.append(text);
        }
        stage.mirror.append("another history\n");
        stage.mirror.publish(START.plus(FIRST));
        stage.publishes();
    })
    .await;
    let second: Vec<&Finding> = report.findings.iter().filter(|found| found.code == "equivocation").collect();
    assert_eq!((second.len(), second.iter().filter(|found| found.evidence.is_some()).count()), (519, 100));
    assert_eq!(report.findings[0].code, "fork", "it comes first");
}

/// One list about which a log makes any number of proofs keeps out none about another.
#[tokio::test]
async fn a_noisy_list_leaves_room_for_the_proof_about_another() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    let draft = stage.world.log.draft(&entries(0..5), START.plus(FIRST));
    for number in 0..520 {
        let weak = Release { expires: Timestamp(draft.expires.0 - number), ..draft.clone() };
        stage.world.log.append(signed(&weak.to_text().unwrap(), &["m1", "c1"]).to_bytes());
    }
    let list = isonomy_core::statement::ListName::new("other.example/images").unwrap();
    let founding = signed(&Charter { list: list.clone(), ..charter() }.to_text().unwrap(), &SIGNERS);
    stage.world.log.append(founding.to_bytes());
    let (version, previous, deltas) = (1, None, Vec::new());
    let (added, removed, expires) = (5, 0, draft.created.plus(31 * DAY));
    let first = Release {
        list: list.clone(),
        charter: founding.id(),
        version,
        previous,
        deltas,
        added,
        removed,
        expires,
        ..draft
    };
    stage.world.log.append(signed(&first.to_text().unwrap(), &SIGNERS).to_bytes());
    stage.publishes();
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    let proven = |code: &str| report.findings.iter().filter(|one| one.code == code && one.evidence.is_some()).count();
    assert_eq!(proven("too-few-curators"), 100);
    check(&stage, find(&report, "over-limit"), Ground::Evidence("isonomy/inadmissible/v1"));
    assert_eq!(find(&report, "over-limit").list, Some(list));
}

/// The keys of those whom a finding names.
fn named<'r>(report: &'r Report, code: &str) -> Vec<&'r str> {
    find(report, code).answerable.iter().map(|who| who.key.as_str()).collect()
}

#[tokio::test]
async fn a_rollback_is_observed() {
    found_at_next_look("rolled-back", Ground::Observation, NEXT, |stage| {
        let old = fs::read(stage.world.log.path.join("checkpoint")).unwrap();
        stage.goes_on(FIRST);
        // The mirror is up to date; the log shows what it showed before.
        copy(&stage.world.log.path, &stage.mirror.path);
        stage.world.log.put(&Resource::Checkpoint, &old);
    })
    .await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[tokio::test]
async fn a_freeze_is_observed_before_clients_lose_patience() {
    let report = found_at_next_look("frozen", Ground::Observation, 3 * HOUR + 1, |_| ()).await;
    // Half of the visibility of two hours.
    assert_eq!(report.log.too_old_after, HOUR);
}

#[tokio::test]
async fn too_few_fresh_witnesses_are_observed() {
    let report = found_at_next_look("slow-down", Ground::Observation, 4 * HOUR, |stage| {
        // One witness goes on cosigning; two of three, which are a quorum, are not heard of any more.
        stage.world.log.publish_with(&[0], START.plus(4 * HOUR));
        stage.shown.lock().unwrap()[0] = stage.world.log.checkpoint(&[0], START.plus(4 * HOUR)).to_string();
    })
    .await;
    assert!(find(&report, "slow-down").words.contains("1 of 3"), "{}", find(&report, "slow-down").words);
}

#[tokio::test]
async fn clocks_that_run_ahead_are_observed_and_hide_no_slow_down() {
    let ahead = START.plus(NEXT + 7 * DAY);
    let report = found_at_next_look("witness-clock-ahead", Ground::Observation, NEXT, |stage| {
        stage.shown.lock().unwrap()[1] = stage.world.log.checkpoint(&[1], ahead).to_string();
    })
    .await;
    let found = find(&report, "witness-clock-ahead");
    assert!(found.words.contains("w1") && found.words.contains("7 days ahead"), "{}", found.words);
    assert!(report.findings.iter().all(|found| found.code != "time-ahead"), "one of three is no quorum");
    // A quorum moves the time itself, for whoever sees its checkpoint.
    let report = found_at_next_look("time-ahead", Ground::Observation, NEXT, |stage| {
        stage.world.log.publish_with(&[0, 1], ahead);
    })
    .await;
    let words = &find(&report, "witness-clock-ahead").words;
    assert!(words.contains("clients go by that") && !words.contains("no client"), "{words}");
    // Two that have not looked for hours, one of which pretends by its clock.
    found_at_next_look("slow-down", Ground::Observation, 4 * HOUR, |stage| {
        stage.world.log.publish_with(&[0], START.plus(4 * HOUR));
        let mut shown = stage.shown.lock().unwrap();
        shown[0] = stage.world.log.checkpoint(&[0], START.plus(4 * HOUR)).to_string();
        shown[1] = stage.world.log.checkpoint(&[1], ahead).to_string();
    })
    .await;
}

#[tokio::test]
async fn a_release_of_which_nothing_proves_since_when_it_is_public_is_observed() {
    found_at_next_look("seen-proof-missing", Ground::Observation, NEXT, |stage| {
        stage.goes_on(FIRST);
        stage.world.log.remove(&Resource::SeenProof(stage.world.log.last_release()));
    })
    .await;
    // One that is of another statement, which is public for longer, proves nothing for this one.
    let report = found_at_next_look("seen-proof-missing", Ground::Observation, NEXT, |stage| {
        let older = Resource::SeenProof(stage.world.log.last_release());
        let older = fs::read(stage.world.log.path.join(older.to_string())).unwrap();
        stage.goes_on(FIRST);
        stage.world.log.put(&Resource::SeenProof(stage.world.log.last_release()), &older);
    })
    .await;
    let newest = &report.lists[0].releases[0];
    assert_eq!((newest.version, newest.public_since), (3, START.plus(FIRST)), "what this monitor can prove itself");
}

/// Clients who are shown another seen proof than others judge by another time.
#[tokio::test]
async fn a_seen_proof_of_a_later_date_is_observed_wherever_it_is_shown() {
    found_at_next_look("proof-later", Ground::Observation, NEXT, |stage| {
        stage.world.log.prove_again(2, START.plus(FIRST));
        stage.publishes();
    })
    .await;
    // To whoever asks the log first; elsewhere the earlier one is there, and is taken.
    let mut stage = Stage::new();
    stage.world.log.publish(START.plus(2 * HOUR + 50));
    stage.world.log.prove_again(2, START.plus(2 * HOUR + 40));
    let mut monitor = stage.open(None).await;
    let since = |report: &Report| report.lists[0].releases[0].public_since;
    let report = monitor.poll_at(START.plus(FIRST)).await.unwrap();
    assert_eq!(since(&report), START.plus(2 * HOUR + 40), "what the log shows, and the checkpoint does not prove");
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    let found = find(&report, "proof-later");
    assert!(found.standing && found.subject.starts_with("entry 2 at http://"), "{}", found.words);
    assert_eq!(since(&report), START.plus(2 * HOUR));
}

/// A log may show a later proof than the first, as valid: by that alone nobody is late.
#[tokio::test]
async fn a_late_but_valid_proof_accuses_nobody() {
    let mut stage = Stage::new();
    stage.world = World::empty();
    let five = sha256(&[&5u64.to_be_bytes()]);
    let log = &mut stage.world.log;
    log.charter(|_| ());
    log.publish(START);
    log.release(entries(0..10), START.plus(HOUR), |release| release.expires = START.plus(10 * HOUR));
    log.publish(START.plus(HOUR));
    crate::complaints::complain(&mut stage.world, &five, b"salt", START.plus(HOUR));
    stage.world.log.publish(START.plus(2 * HOUR));
    stage.world.log.release(entries(6..10), START.plus(9 * HOUR), |_| ());
    stage.world.log.publish(START.plus(9 * HOUR));
    let first = fs::read(stage.world.log.path.join(Resource::SeenProof(stage.world.log.last_release()).to_string()));
    stage.world.log.prove_again(3, START.plus(4 * DAY));
    stage.world.log.publish(START.plus(5 * DAY));
    stage.witnesses_see(START.plus(5 * DAY));
    stage.mirror = stage.world.log.split(stage.world.path("mirror"));
    let mut monitor = stage.open(None).await;
    let state = |report: &Report| report.lists[0].attestations[0].complaint.as_ref().unwrap().state;
    let report = monitor.poll_at(START.plus(5 * DAY + 60)).await.unwrap();
    check(&stage, find(&report, "release-missed"), Ground::Observation);
    check(&stage, find(&report, "stale-draft"), Ground::Observation);
    for code in ["release-missed", "stale-draft"] {
        let words = &find(&report, code).words;
        assert!(
            words.contains("y the proofs that are shown") && words.contains("later proof than the first"),
            "{words}"
        );
    }
    assert!(report.findings.iter().all(|found| found.code != "removal-overdue"));
    assert_eq!((state(&report), report.summary.breaches), (ComplaintState::InDoubt, 0));
    // As soon as anybody shows the first one, nothing of it is left.
    stage.mirror.put(&Resource::SeenProof(stage.mirror.last_release()), &first.unwrap());
    for after in [120, 180] {
        monitor.poll_at(START.plus(5 * DAY + after)).await.unwrap();
    }
    let report = monitor.poll_at(START.plus(5 * DAY + 240)).await.unwrap();
    assert_eq!(state(&report), ComplaintState::InTime);
    check(&stage, find(&report, "proof-later"), Ground::Observation);
    assert!(!find(&report, "release-missed").standing && !find(&report, "stale-draft").standing);
}

/// Whoever has seen a commitment, as the log has, can have it logged again by another date: dated back it makes nobody late, and dated
/// ahead it hides nothing.
#[tokio::test]
async fn a_copied_commitment_hides_no_complaint_and_makes_nobody_late() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    let five = sha256(&[&5u64.to_be_bytes()]);
    let true_one = START.plus(FIRST);
    for (auditor, received) in
        [("copier", START.plus(FIRST + 50)), ("auditor", true_one), ("another", Timestamp(true_one.0 - 30))]
    {
        let dates = (received, received.max(true_one));
        crate::complaints::complain_by(auditor, &mut stage.world, (&five, b"salt"), dates);
    }
    stage.publishes();
    let after = START.plus(3 * DAY + FIRST - 10);
    stage.world.log.publish(after);
    stage.witnesses_see(after);
    let report = monitor.poll_at(after).await.unwrap();
    let states = report.lists[0].attestations.iter().map(|one| one.complaint.as_ref().unwrap().state);
    // The newest first: the one that was dated back is over by the word of its auditor alone.
    assert_eq!(states.collect::<Vec<_>>(), [ComplaintState::InDoubt, ComplaintState::Running, ComplaintState::Running]);
    assert!(report.findings.iter().all(|found| found.code != "removal-overdue"));
    let source = Source::parse(&serve(&stage.world.log.path).await).unwrap();
    let config = Config { data: stage.world.path("trace"), ..stage.world.config(vec![source], &[]) };
    let list = isonomy_core::statement::ListName::new(LIST).unwrap();
    let traced = isonomy_monitor::trace(config, &list, &five, &[b"salt".to_vec()], after).await.unwrap().trace;
    let shown = traced.complaints.iter().map(|one| (one.course.auditor.as_str(), traced.standing(one)));
    let expected = [("another", Standing::LateByWord), ("auditor", Standing::Running), ("copier", Standing::Running)];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

/// What does not come before the end of a look is put off, and nobody's fault.
#[tokio::test]
async fn what_does_not_come_before_the_end_of_a_look_is_put_off() {
    let mut stage = Stage::new();
    drop(stage.open(None).await.poll_at(START.plus(FIRST)).await.unwrap());
    let source = Source::parse(&serve(&stage.world.log.path).await).unwrap();
    let mut monitor = brief(&stage, source.clone(), None);
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    for code in ["bundle-awaited", "parts-awaited"] {
        let found = find(&report, code);
        is_an_observation(found);
        assert!(found.words.contains("did not come before the end of this look"), "{}", found.words);
        assert_eq!(found.severity, Severity::Notice);
    }
    drop(monitor);
    stage.world.log.publish(START.plus(FIRST + 2 * HOUR));
    let mut monitor = brief(&stage, source.clone(), None);
    let report = monitor.poll_at(START.plus(NEXT + 2 * HOUR)).await.unwrap();
    assert_eq!(find(&report, "bundle-awaited").severity, Severity::Warning, "once that has lasted");
    drop(monitor);
    let mut monitor = stage.open(None).await;
    let report = monitor.poll_at(START.plus(NEXT + 2 * HOUR + 60)).await.unwrap();
    assert!(!find(&report, "bundle-awaited").standing && !find(&report, "parts-awaited").standing);
}

#[tokio::test]
async fn a_missing_seen_proof_is_missing_until_it_is_there() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    stage.goes_on(FIRST);
    let path = stage.world.log.path.join(Resource::SeenProof(stage.world.log.last_release()).to_string());
    let proof = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    // What this monitor can prove itself is only that it was there half a minute later.
    stage.world.log.publish(START.plus(FIRST + 30));
    for after in [NEXT, NEXT + 60] {
        let report = monitor.poll_at(START.plus(after)).await.unwrap();
        let found = find(&report, "seen-proof-missing");
        assert_eq!((found.standing, found.first_seen, report.summary.warnings), (true, START.plus(NEXT), 1));
    }
    drop(monitor);
    let mut monitor = stage.open(None).await;
    let report = monitor.poll_at(START.plus(NEXT + 120)).await.unwrap();
    assert!(find(&report, "seen-proof-missing").standing, "also after a restart");
    fs::write(&path, proof).unwrap();
    assert_eq!(report.lists[0].releases[0].public_since, START.plus(FIRST + 30));
    let report = monitor.poll_at(START.plus(NEXT + 180)).await.unwrap();
    assert!(!find(&report, "seen-proof-missing").standing);
    assert_eq!(report.lists[0].releases[0].public_since, START.plus(FIRST), "what it proves counts");
}

/// Whoever withheld it is not believed to withhold it still: what it proves is said at the look that has found it.
#[tokio::test]
async fn a_seen_proof_that_was_found_is_judged_by_at_once() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    stage.world.log.release(entries(2..20), START.plus(FIRST + 60), |_| ());
    stage.publishes();
    let (proofs, away) = (stage.world.log.path.join("proof"), stage.world.path("away"));
    fs::rename(&proofs, &away).unwrap();
    stage.world.log.publish(START.plus(FIRST + 120));
    let report = monitor.poll_at(START.plus(FIRST + 120)).await.unwrap();
    assert!(codes(&report).contains(&"seen-proof-missing") && !codes(&report).contains(&"created-late"));
    fs::rename(&away, &proofs).unwrap();
    for look in 1..=2 {
        let report = monitor.poll_at(START.plus(FIRST + 120 + 60 * look)).await.unwrap();
        check(&stage, find(&report, "created-late"), Ground::Observation);
        assert!(find(&report, "created-late").standing && !codes(&report).contains(&"not-judged"), "look {look}");
        assert!(!find(&report, "seen-proof-missing").standing);
    }
}

#[tokio::test]
async fn an_amendment_without_consent_is_proven() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    let mut amended = charter();
    (amended.edition, amended.previous) = (2, Some(stage.world.log.first_charter()));
    amended.limits.max_added = 600;
    let statement: Statement = signed(&amended.to_text().unwrap(), &["m1"]);
    stage.world.log.append(statement.to_bytes());
    stage.world.log.publish(START.plus(FIRST));
    stage.witnesses_see(START.plus(FIRST));
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    let breaches: Vec<_> = report.findings.iter().filter(|found| found.severity == Severity::Breach).collect();
    assert_eq!(breaches.len(), 1, "{breaches:?}");
    check(&stage, breaches[0], Ground::Evidence("isonomy/inadmissible/v1"));
    assert_eq!(report.lists[0].editions.len(), 1, "it does not count");
}

#[tokio::test]
async fn a_witness_that_lags_is_observed() {
    found_at_next_look("witness-behind", Ground::Observation, 4 * HOUR, |stage| {
        let old = stage.shown.lock().unwrap()[2].clone();
        stage.goes_on(4 * HOUR);
        stage.shown.lock().unwrap()[2] = old;
    })
    .await;
}

#[tokio::test]
async fn a_log_that_withholds_what_witnesses_saw_is_observed() {
    found_at_next_look("witness-ahead", Ground::Observation, NEXT, |stage| {
        let mut other = stage.world.log.split(stage.world.path("other"));
        other.release(entries(2..20), START.plus(FIRST), |_| ());
        other.write_tiles();
        copy(&stage.world.path("other").join("tile"), &stage.world.log.path.join("tile"));
        stage.shown.lock().unwrap()[2] = other.checkpoint(&[2], START.plus(FIRST)).to_string();
    })
    .await;
}

#[tokio::test]
async fn a_split_view_that_lasts_is_observed() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    stage.goes_on(FIRST);
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    assert_eq!(find(&report, "behind").severity, Severity::Notice, "for a while that is normal");
    stage.world.log.publish(START.plus(4 * HOUR));
    stage.witnesses_see(START.plus(4 * HOUR));
    let report = monitor.poll_at(START.plus(4 * HOUR)).await.unwrap();
    check(&stage, find(&report, "split-view"), Ground::Observation);
    check(&stage, find(&report, "behind"), Ground::Observation);
    assert_eq!(find(&report, "split-view").severity, Severity::Warning);
}

#[tokio::test]
async fn withheld_and_swapped_content_is_observed() {
    let objects = |stage: &Stage| stage.world.log.path.join("object");
    let report = found_at_next_look("content-withheld", Ground::Observation, NEXT, |stage| {
        fs::remove_dir_all(objects(stage)).unwrap();
    })
    .await;
    let words = &find(&report, "content-withheld").words;
    assert!(words.contains("version 2 of hotline.example/images"), "{words}");
    let lacking: Vec<bool> = report.lists[0].objects.iter().map(|probe| probe.lacking.is_some()).collect();
    assert_eq!(lacking, [true, false], "the mirror has it");
    found_at_next_look("object-swapped", Ground::Observation, NEXT, |stage| {
        stage.goes_on(FIRST);
        for entry in fs::read_dir(objects(stage)).unwrap().map(Result::unwrap) {
            let mut bytes = fs::read(entry.path()).unwrap();
            bytes[10] ^= 1;
            fs::write(entry.path(), bytes).unwrap();
        }
    })
    .await;
}

/// Nothing is kept from whoever reads entries: only clients, which update by bundles, don't learn of what is newest.
#[tokio::test]
async fn what_is_kept_from_clients_alone_is_observed() {
    let bundle = || Resource::Bundle(isonomy_core::statement::ListName::new(LIST).unwrap());
    let report = found_at_next_look("bundle-withheld", Ground::Observation, NEXT, |stage| {
        stage.world.log.remove(&bundle());
    })
    .await;
    assert_eq!(find(&report, "bundle-withheld").severity, Severity::Warning);
    let report = found_at_next_look("bundle-withheld", Ground::Observation, NEXT, |stage| {
        stage.mirror.remove(&bundle());
    })
    .await;
    assert_eq!(find(&report, "bundle-withheld").severity, Severity::Notice, "a mirror need not have it");
    found_at_next_look("bundle-unusable", Ground::Observation, NEXT, |stage| {
        stage.world.log.put(&bundle(), b"isonomy-bundle/v1\nlist x\n");
    })
    .await;
    // A true bundle that leaves out the newest release, or an edition, or that proves no place.
    type Edit = fn(&mut isonomy_core::bundle::Bundle);
    let edits: [(Edit, &str); 4] = [
        (|bundle| drop(bundle.releases.pop()), "version 3, entry 3, is not in it"),
        (|bundle| drop(bundle.releases.remove(1)), "version 2, entry 2, is not in it"),
        (|bundle| drop(bundle.charters.pop()), "edition 1 of the charter, entry 0, is not in it"),
        (|bundle| bundle.releases[2].path.truncate(1), "it does not prove the place of entry 3"),
    ];
    for (edit, words) in edits {
        let report = found_at_next_look("bundle-unusable", Ground::Observation, NEXT, |stage| {
            stage.goes_on(FIRST);
            let mut made =
                stage.world.log.bundles(&stage.world.log.checkpoint(&[0, 1, 2], START.plus(FIRST))).remove(0);
            edit(&mut made);
            stage.world.log.put(&bundle(), &made.to_bytes());
        })
        .await;
        assert!(find(&report, "bundle-unusable").words.contains(words), "{}", find(&report, "bundle-unusable").words);
    }
    // One of the day before.
    let report = found_at_next_look("bundle-stale", Ground::Observation, NEXT, |stage| {
        let path = stage.world.log.path.join(bundle().to_string());
        let before = fs::read(&path).unwrap();
        stage.goes_on(FIRST);
        fs::write(path, before).unwrap();
    })
    .await;
    assert_eq!(find(&report, "bundle-stale").severity, Severity::Notice, "for a moment that is normal");
    let report = found_at_next_look("bundle-stale", Ground::Observation, 4 * HOUR, |stage| {
        let path = stage.world.log.path.join(bundle().to_string());
        let before = fs::read(&path).unwrap();
        stage.goes_on(4 * HOUR);
        fs::write(path, before).unwrap();
    })
    .await;
    assert_eq!(find(&report, "bundle-stale").severity, Severity::Warning);
}

/// A bundle under a checkpoint of another history proves the fork, like any other view.
#[tokio::test]
async fn a_bundle_of_another_history_is_a_fork() {
    found_at_next_look("fork", Ground::Evidence("isonomy/fork/v1"), NEXT, |stage| {
        let mut other = stage.world.log.split(stage.world.path("other"));
        other.release(entries(5..9), START.plus(FIRST), |_| ());
        other.publish(START.plus(FIRST));
        stage.goes_on(FIRST);
        let bundle = other.bundles(&other.checkpoint(&[0, 1, 2], START.plus(FIRST))).remove(0);
        stage.world.log.put(&Resource::Bundle(bundle.list.clone()), &bundle.to_bytes());
    })
    .await;
}

#[tokio::test]
async fn statements_proofs_and_tiles_that_clients_need_are_observed() {
    fn folder(name: &'static str) -> impl FnOnce(&mut Stage) {
        move |stage| fs::remove_dir_all(stage.world.log.path.join(name)).unwrap()
    }
    fn change(folder: &'static str) -> impl FnOnce(&mut Stage) {
        move |stage| {
            for entry in fs::read_dir(stage.world.log.path.join(folder)).unwrap().map(Result::unwrap) {
                let mut bytes = fs::read(entry.path()).unwrap();
                let place = bytes.len() - 20;
                bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
                fs::write(entry.path(), bytes).unwrap();
            }
        }
    }
    found_at_next_look("statement-withheld", Ground::Observation, NEXT, folder("statement")).await;
    found_at_next_look("proof-withheld", Ground::Observation, NEXT, folder("proof")).await;
    found_at_next_look("tile-withheld", Ground::Observation, NEXT, folder("tile")).await;
    found_at_next_look("statement-withheld", Ground::Observation, NEXT, change("statement")).await;
    found_at_next_look("proof-withheld", Ground::Observation, NEXT, change("proof")).await;
}

/// An entry that is no statement has no identity by which anybody could ask for it.
#[tokio::test]
async fn what_is_no_statement_is_not_missed() {
    let mut stage = Stage::new();
    (0..30).for_each(|number| stage.world.log.append(format!("number {number}\n")));
    stage.publishes();
    let mut monitor = stage.world.monitor_of(vec![stage.world.log.source()]);
    for look in 0..10 {
        let report = monitor.poll_at(START.plus(FIRST + 60 * look)).await.unwrap();
        assert!(codes(&report).iter().all(|code| *code == "not-a-statement"), "{:?}", codes(&report));
    }
}

/// What was found stands until the same is served again, whatever else has its turn, and also over a restart.
#[tokio::test]
async fn what_was_withheld_is_asked_for_until_it_is_there() {
    let stage = Stage::new();
    let source = Source::parse(&serve(&stage.world.log.path).await).unwrap();
    let mut monitor = stage.world.monitor_of(vec![source.clone()]);
    assert_eq!(codes(&monitor.poll_at(START.plus(FIRST)).await.unwrap()), [""; 0]);
    let kept = stage.world.path("kept");
    fs::rename(stage.world.log.path.join("statement"), &kept).unwrap();
    let many = |report: &Report| codes(report).iter().filter(|code| **code == "statement-withheld").count();
    let mut before = 0;
    for look in 1..=6 {
        let report = monitor.poll_at(START.plus(FIRST + look * 60)).await.unwrap();
        assert!(many(&report) >= before.max(1), "look {look}: {:?}", codes(&report));
        before = many(&report);
        if look == 3 {
            drop(monitor);
            monitor = stage.world.monitor_of(vec![source.clone()]);
        }
    }
    assert_eq!(before, 3, "every entry had its turn");
    fs::rename(&kept, stage.world.log.path.join("statement")).unwrap();
    assert_eq!(codes(&monitor.poll_at(START.plus(FIRST + 420)).await.unwrap()), [""; 0]);
}

/// Whoever says to come again later has not withheld anything.
#[tokio::test]
async fn being_put_off_is_nobody_s_fault() {
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn};
    use axum::response::IntoResponse;
    let (mut stage, busy) = (Stage::new(), Arc::new(AtomicBool::new(true)));
    let is_busy = Arc::clone(&busy);
    let put_off = move |request: Request, next: Next| {
        let is_first = is_busy.load(Ordering::SeqCst)
            && request.uri().path() != "/checkpoint"
            && !request.uri().path().starts_with("/tile");
        async move {
            match is_first {
                true => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(),
                false => next.run(request).await,
            }
        }
    };
    let router = Router::new().fallback_service(ServeDir::new(&stage.world.log.path)).layer(from_fn(put_off));
    let source = Source::parse(&start(router).await).unwrap();
    let config = stage.world.config(vec![source], &[]);
    let limits = isonomy_fetch::HttpLimits { put_off: std::time::Duration::ZERO, ..config.limits };
    let mut monitor = Monitor::open(Config { limits, ..config }).unwrap();
    let report = monitor.poll_at(START.plus(FIRST)).await.unwrap();
    let found: BTreeSet<&str> = codes(&report).into_iter().collect();
    assert_eq!(found, BTreeSet::from(["bundle-awaited", "content-awaited", "parts-awaited", "seen-proof-awaited"]));
    assert!(standing(&report).iter().all(|found| found.severity == Severity::Notice));
    check(&stage, find(&report, "bundle-awaited"), Ground::Observation);
    check(&stage, find(&report, "content-awaited"), Ground::Observation);
    check(&stage, find(&report, "parts-awaited"), Ground::Observation);
    check(&stage, find(&report, "seen-proof-awaited"), Ground::Observation);
    let later = monitor.poll_at(START.plus(FIRST + 2 * HOUR)).await.unwrap();
    for code in ["bundle-awaited", "content-awaited", "parts-awaited", "seen-proof-awaited"] {
        assert_eq!(find(&later, code).severity, Severity::Warning, "nobody can put everybody off for ever: {code}");
    }
    busy.store(false, Ordering::SeqCst);
    stage.world.log.publish(START.plus(4 * HOUR));
    assert_eq!(codes(&monitor.poll_at(START.plus(4 * HOUR)).await.unwrap()), [""; 0]);
    // Content that was verified before, too.
    busy.store(true, Ordering::SeqCst);
    monitor.poll_at(START.plus(4 * HOUR + 60)).await.unwrap();
    stage.world.log.publish(START.plus(7 * HOUR));
    let report = monitor.poll_at(START.plus(7 * HOUR)).await.unwrap();
    assert_eq!(codes(&report), ["bundle-awaited", "content-awaited", "parts-awaited"]);
    assert!(standing(&report).iter().all(|found| found.severity == Severity::Warning));
}

/// A second list in the same log, with one release.
fn second_list(stage: &mut Stage, time: u64) {
    let name = || isonomy_core::statement::ListName::new("agency.example/images").unwrap();
    let mut other = Log::new(stage.world.log.path.clone());
    other.charter(|charter| charter.list = name());
    other.release(entries(30..40), START.plus(time), |release| release.list = name());
    stage.world.log.take_in(other);
    stage.world.log.publish(START.plus(time));
}

/// A look ends, however many lists there are: those that were not reached are the first at the next one, and what was found
/// before stands until then.
#[tokio::test]
async fn objects_are_asked_for_within_the_time_of_a_look() {
    let mut stage = Stage::new();
    second_list(&mut stage, FIRST);
    drop(stage.world.monitor().poll_at(START.plus(FIRST)).await.unwrap());
    fs::remove_dir_all(stage.world.log.path.join("object")).unwrap();
    let config = stage.world.config(vec![stage.world.log.source()], &[]);
    let mut monitor = Monitor::open(Config { look_for: Some(std::time::Duration::ZERO), ..config }).unwrap();
    for (look, lists) in [(1, 1), (2, 2), (3, 2)] {
        let report = monitor.poll_at(START.plus(FIRST + 60 * look)).await.unwrap();
        let found = standing(&report).into_iter().filter(|found| found.code == "content-withheld");
        let found: BTreeSet<String> = found.filter_map(|found| Some(found.list.as_ref()?.to_string())).collect();
        assert_eq!(found.len(), lists, "look {look}: {found:?}");
    }
}

/// Serves a folder, but says to come again later to whoever asks for one of these objects, while `is_busy`; counts how many
/// objects were asked for.
async fn busy(folder: &Path, objects: &'static str, is_busy: &Arc<AtomicBool>, asked: &Arc<AtomicUsize>) -> Source {
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn};
    use axum::response::IntoResponse;
    let (is_busy, asked) = (Arc::clone(is_busy), Arc::clone(asked));
    let put_off = move |request: Request, next: Next| {
        let path = request.uri().path().to_owned();
        asked.fetch_add(usize::from(path.starts_with("/object")), Ordering::SeqCst);
        let is_put_off = path.starts_with(objects) && is_busy.load(Ordering::SeqCst);
        async move {
            match is_put_off {
                true => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(),
                false => next.run(request).await,
            }
        }
    };
    let router = Router::new().fallback_service(ServeDir::new(folder)).layer(from_fn(put_off));
    Source::parse(&start(router).await).unwrap()
}

/// A monitor whose looks are over as soon as they begin.
fn brief(stage: &Stage, source: Source, canaries: Option<PathBuf>) -> Monitor {
    let config = stage.world.config(vec![source], &[]);
    let limits = isonomy_fetch::HttpLimits { put_off: Duration::ZERO, ..config.limits };
    Monitor::open(Config { look_for: Some(Duration::ZERO), limits, canaries, ..config }).unwrap()
}

/// Who is put off by one list's objects at every look finds what is wrong with another's all the same.
#[tokio::test]
async fn a_list_that_is_always_put_off_hides_no_other_s_content() {
    let mut stage = Stage::new();
    second_list(&mut stage, FIRST);
    stage.world.log.release(entries(0..20), START.plus(FIRST), |release| release.root = ListRoot([7; 32]));
    stage.publishes();
    // What is in the log is read first, and no object is there.
    let (objects, away) = (stage.world.log.path.join("object"), stage.world.path("away"));
    fs::rename(&objects, &away).unwrap();
    drop(stage.world.monitor().poll_at(START.plus(FIRST)).await.unwrap());
    fs::rename(&away, &objects).unwrap();
    let snapshot = isonomy_core::list::snapshot::encode(&entries(30..40));
    let snapshot = format!("/{}", Resource::Object(isonomy_core::hash::ObjectDigest::of(&snapshot)));
    let (is_busy, asked) = (Arc::new(AtomicBool::new(true)), Arc::default());
    let source = busy(&stage.world.log.path, snapshot.leak(), &is_busy, &asked).await;
    let mut monitor = brief(&stage, source, None);
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    check(&stage, find(&report, "content-unchecked"), Ground::Observation);
    assert_eq!(find(&report, "content-unchecked").severity, Severity::Notice);
    for look in 1..=2 {
        monitor.poll_at(START.plus(NEXT + 60 * look)).await.unwrap();
    }
    let found = find(monitor.report(), "content-broken");
    assert!(found.standing && found.evidence.is_some(), "{}", found.words);
    assert!(find(monitor.report(), "content-awaited").standing);
    // That it lasts is told, also at looks that did not reach it.
    stage.world.log.publish(START.plus(FIRST + 2 * HOUR));
    let report = monitor.poll_at(START.plus(NEXT + 2 * HOUR)).await.unwrap();
    assert_eq!(find(&report, "content-awaited").severity, Severity::Warning);
}

/// Also with canaries a look has an end; they are looked up when there is time.
#[tokio::test]
async fn canaries_are_looked_up_within_the_time_of_a_look() {
    let mut stage = Stage::new();
    second_list(&mut stage, FIRST);
    stage.publishes();
    drop(stage.world.monitor().poll_at(START.plus(FIRST)).await.unwrap());
    let corpus = stage.world.path("canaries");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("one"), 8u64.to_be_bytes()).unwrap();
    fs::write(corpus.join("other"), 35u64.to_be_bytes()).unwrap();
    let (is_busy, asked) = (Arc::new(AtomicBool::new(true)), Arc::default());
    let source = busy(&stage.world.log.path, "/object", &is_busy, &asked).await;
    let mut monitor = brief(&stage, source, Some(corpus));
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    check(&stage, find(&report, "canaries-awaited"), Ground::Observation);
    assert_eq!(find(&report, "canaries-awaited").severity, Severity::Notice);
    // One object to see whether it is served, and one list for the canaries.
    assert!(asked.load(Ordering::SeqCst) <= 2, "{asked:?}");
    stage.world.log.publish(START.plus(FIRST + 2 * HOUR));
    let report = monitor.poll_at(START.plus(NEXT + 2 * HOUR)).await.unwrap();
    assert_eq!(find(&report, "canaries-awaited").severity, Severity::Warning);
    is_busy.store(false, Ordering::SeqCst);
    for look in 1..=2 {
        monitor.poll_at(START.plus(NEXT + 2 * HOUR + 60 * look)).await.unwrap();
    }
    let report = monitor.report();
    let matched = standing(report).into_iter().filter(|found| found.code == "canary-matched").count();
    assert_eq!((matched, find(report, "canaries-awaited").standing), (2, false));
}

/// What has no bundles or objects by its nature, like the copy of another monitor, and a static folder, whose bundles are made
/// anew when something happens in their lists, lack nothing.
#[tokio::test]
async fn mirrors_of_other_kinds_are_not_suspected() {
    let mut stage = Stage::new();
    for folder in ["object", "list", "statement"] {
        fs::remove_dir_all(stage.mirror.path.join(folder)).unwrap();
    }
    let mut monitor = stage.open(None).await;
    for look in 0..3 {
        let report = monitor.poll_at(START.plus(FIRST + 60 * look)).await.unwrap();
        assert_eq!(codes(&report), [""; 0]);
        assert_eq!(report.lists[0].objects.len(), 1, "the log alone is said to have it");
    }
    let bundle = Resource::Bundle(isonomy_core::statement::ListName::new(LIST).unwrap());
    let path = stage.world.log.path.join(bundle.to_string());
    let before = fs::read(&path).unwrap();
    second_list(&mut stage, FIRST + 300);
    fs::write(path, before).unwrap();
    drop(monitor);
    let mut monitor = stage.world.monitor();
    assert_eq!(codes(&monitor.poll_at(START.plus(FIRST + 360)).await.unwrap()), [""; 0]);
}

/// More than is followed at once is not fetched: nobody could tell before the end whether it is what was signed.
#[tokio::test]
async fn a_log_that_signs_more_than_is_followed_at_once_is_observed() {
    let mut stage = Stage::new();
    let config = || Config { max_new_entries: 3, ..stage.world.config(vec![stage.world.log.source()], &[]) };
    let mut monitor = Monitor::open(config()).unwrap();
    assert_eq!(monitor.poll_at(START.plus(FIRST)).await.unwrap().log.read, 3);
    let config = config();
    (0..4).for_each(|number| stage.world.log.append(format!("number {number}\n")));
    stage.publishes();
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    check(&stage, find(&report, "too-large"), Ground::Observation);
    assert!(find(&report, "too-large").words.contains("`max_new_entries`"), "{}", find(&report, "too-large").words);
    assert_eq!(report.log.read, 3);
    drop(monitor);
    let mut monitor = Monitor::open(Config { max_new_entries: 4, ..config }).unwrap();
    assert_eq!(monitor.poll_at(START.plus(NEXT)).await.unwrap().log.read, 7);
}

/// What a look has no time for is said, and had at the next.
#[tokio::test]
async fn a_log_that_is_slower_than_a_look_waits_is_observed() {
    let mut stage = Stage::new();
    (0..600).for_each(|number| stage.world.log.append(format!("number {number}\n")));
    stage.publishes();
    let config = stage.world.config(vec![stage.world.log.source()], &[]);
    let look_for = Some(std::time::Duration::ZERO);
    let mut monitor = Monitor::open(Config { look_for, ..config }).unwrap();
    let report = monitor.poll_at(START.plus(FIRST)).await.unwrap();
    check(&stage, find(&report, "catching-up"), Ground::Observation);
    assert!(report.log.read < 603);
}

#[tokio::test]
async fn entries_that_are_signed_and_not_shown_are_observed() {
    found_at_next_look("entries-missing", Ground::Observation, NEXT, |stage| {
        stage.goes_on(FIRST);
        fs::remove_dir_all(stage.world.log.path.join("tile/entries")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn entries_that_are_others_than_were_signed_are_observed() {
    found_at_next_look("entries-wrong", Ground::Observation, NEXT, |stage| {
        stage.goes_on(FIRST);
        let path = Resource::Tile(stage.world.log.last_tile());
        let mut bytes = fs::read(stage.world.log.path.join(path.to_string())).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        stage.world.log.put(&path, &bytes);
    })
    .await;
}

#[tokio::test]
async fn content_that_was_never_to_be_had_is_observed() {
    let report = found_at_next_look("content-missing", Ground::Observation, NEXT, |stage| {
        let kept = fs::read_dir(stage.world.log.path.join("object")).unwrap().count();
        stage.goes_on(FIRST);
        let folder = stage.world.log.path.join("object");
        let mut objects: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        objects.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        assert!(objects.len() > kept);
        for newest in &objects[kept..] {
            fs::remove_file(newest).unwrap();
        }
    })
    .await;
    assert_eq!(find(&report, "content-missing").severity, Severity::Warning, "of the newest release");
}

#[tokio::test]
async fn a_mirror_that_is_gone_and_a_log_that_is_gone_are_observed() {
    let report = found_at_next_look("unreachable", Ground::Observation, NEXT, |stage| {
        fs::remove_dir_all(&stage.mirror.path).unwrap();
    })
    .await;
    assert_eq!(find(&report, "unreachable").severity, Severity::Notice, "a mirror need not be there");
    let report = found_at_next_look("unreachable", Ground::Observation, NEXT, |stage| {
        fs::remove_dir_all(&stage.world.log.path).unwrap();
    })
    .await;
    assert_eq!(find(&report, "unreachable").severity, Severity::Warning);
    assert_eq!(report.log.size.0, 3, "what was seen is not forgotten");
}

#[tokio::test]
async fn views_that_leave_room_for_another_history_are_observed() {
    let report = found_at_next_look("views-incomplete", Ground::Observation, NEXT, |stage| {
        let mut shown = stage.shown.lock().unwrap();
        shown[1] = "nonsense".into();
        shown[2] = "nonsense".into();
    })
    .await;
    assert!(find(&report, "views-incomplete").words.starts_with("The views of 1 of 3"));
    assert_eq!(find(&report, "unusable-view").severity, Severity::Warning);
}

#[tokio::test]
async fn what_is_due_soon_is_observed() {
    found_at_next_look("expires-soon", Ground::Observation, 25 * DAY, |_| ()).await;
    found_at_next_look("widening-announced", Ground::Observation, NEXT, |stage| {
        stage.world.log.charter(|charter| charter.limits.max_added = 600);
        stage.world.log.publish(START.plus(FIRST));
        stage.witnesses_see(START.plus(FIRST));
    })
    .await;
    found_at_next_look("stale-draft", Ground::Observation, 3 * DAY, |stage| {
        stage.world.log.release(entries(2..20), START.plus(FIRST), |_| ());
        stage.world.log.publish(START.plus(3 * DAY));
        stage.witnesses_see(START.plus(3 * DAY));
    })
    .await;
}

#[tokio::test]
async fn a_deadline_that_passes_while_the_list_is_silent_is_observed() {
    let report = found_at_next_look("removal-overdue", Ground::Observation, 4 * DAY, |stage| {
        let entry = sha256(&[&5u64.to_be_bytes()]);
        crate::complaints::complain(&mut stage.world, &entry, b"salt", START.plus(FIRST));
        for time in [FIRST, 4 * DAY] {
            stage.world.log.publish(START.plus(time));
            stage.witnesses_see(START.plus(time));
        }
    })
    .await;
    let words = &find(&report, "removal-overdue").words;
    assert!(words.contains("by the word of the auditor auditor"), "{words}");
    let complaint = report.lists[0].attestations[0].complaint.as_ref().unwrap();
    assert_eq!((complaint.logged_since, complaint.state), (START.plus(FIRST), ComplaintState::Overdue));
}

#[tokio::test]
async fn a_text_that_is_logged_again_is_proven_and_moves_no_time() {
    let report = found_at_next_look("already-logged", Ground::Evidence("isonomy/logged-twice/v1"), NEXT, |stage| {
        stage.world.log.again(1);
        stage.world.log.publish(START.plus(FIRST));
        stage.witnesses_see(START.plus(FIRST));
    })
    .await;
    let first = report.lists[0].releases.last().unwrap();
    assert_eq!((first.version, first.public_since), (1, START.plus(HOUR)));
}

#[tokio::test]
async fn a_log_that_leaves_out_every_seen_proof_fills_no_memory_with_words() {
    let mut stage = Stage::new();
    let mut monitor = stage.open(None).await;
    monitor.poll_at(START.plus(FIRST)).await.unwrap();
    stage.goes_on(FIRST);
    fs::remove_dir_all(stage.world.log.path.join("proof")).unwrap();
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    check(&stage, find(&report, "seen-proof-missing"), Ground::Observation);
    assert_eq!(report.log.read, 4);
}

#[tokio::test]
async fn what_is_no_checkpoint_or_lacks_a_quorum_is_observed() {
    found_at_next_look("unusable-view", Ground::Observation, NEXT, |stage| {
        stage.world.log.put(&Resource::Checkpoint, b"nonsense");
    })
    .await;
    found_at_next_look("no-quorum", Ground::Observation, NEXT, |stage| {
        stage.world.log.release(entries(2..20), START.plus(FIRST), |_| ());
        stage.world.log.publish_with(&[1], START.plus(FIRST));
    })
    .await;
}

#[tokio::test]
async fn an_expired_list_and_a_missed_release_are_observed() {
    let report = found_at_next_look("expired", Ground::Observation, 33 * DAY, |_| ()).await;
    for code in ["expired", "frozen"] {
        assert!(find(&report, code).words.contains("clock may be ahead"), "nobody but this monitor says so");
    }
    let report = found_at_next_look("expired", Ground::Observation, 33 * DAY, |stage| {
        stage.world.log.publish(START.plus(33 * DAY));
    })
    .await;
    assert!(find(&report, "expired").words.contains("witnesses vouch"), "{}", find(&report, "expired").words);
    found_at_next_look("release-missed", Ground::Observation, 33 * DAY, |stage| stage.goes_on(33 * DAY)).await;
}

#[tokio::test]
async fn a_harmless_picture_on_the_list_is_observed() {
    let mut stage = Stage::new();
    let corpus = stage.world.path("canaries");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("harmless"), 17u64.to_be_bytes()).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let mut monitor = stage.open(Some(corpus.clone())).await;
    assert_eq!(codes(&monitor.poll_at(START.plus(FIRST)).await.unwrap()), [""; 0]);
    stage.goes_on(FIRST);
    let report = monitor.poll_at(START.plus(NEXT)).await.unwrap();
    check(&stage, find(&report, "canary-matched"), Ground::Observation);
    let found = find(&report, "canary-matched");
    assert!(found.words.contains("1 of 2") && found.words.contains("harmless"), "{}", found.words);
    // What was found is kept.
    drop(monitor);
    let report = stage.open(Some(corpus)).await.poll_at(START.plus(NEXT + 60)).await.unwrap();
    assert_eq!(find(&report, "canary-matched").first_seen, START.plus(NEXT));
}

#[tokio::test]
async fn entries_by_exception_are_observed() {
    let mut stage = Stage::new();
    stage.world = World::empty();
    stage.world.log.charter(|charter| {
        charter.matching.algorithm = isonomy_core::list::Algorithm::PdqFull;
        charter.matching.max_distance = 24;
    });
    stage.world.log.publish(START);
    let crafted = isonomy_core::list::Entries::from_unsorted(32, [[0xff; 16], [1; 16]].concat()).unwrap().0;
    stage.world.log.release(crafted, START.plus(HOUR), |release| release.irregular = 1);
    stage.world.log.publish(START.plus(2 * HOUR));
    stage.mirror = stage.world.log.split(stage.world.path("mirror"));
    stage.witnesses_see(START.plus(2 * HOUR));
    let report = stage.open(None).await.poll_at(START.plus(FIRST)).await.unwrap();
    check(&stage, find(&report, "content-crafted"), Ground::Observation);
}

#[tokio::test]
async fn two_views_ahead_of_everything_convict_the_log_by_themselves() {
    use crate::serving::{Running, ago, fresh};
    let mut world = fresh();
    world.log.append("no statement\n");
    world.log.publish(ago(60));
    let running = Running::start(&world, vec![Source::parse(&serve(&world.log.path).await).unwrap()]).await;
    running.page().await;
    // One that is ahead of everything that can be read is nobody's fault yet.
    let mut ahead = world.log.split(world.path("ahead"));
    ahead.release(entries(2..30), ago(40), |_| ());
    assert_eq!(running.post("/view", &ahead.checkpoint(&[0, 1, 2], ago(40)).to_bytes()).await.status, 202);
    let waiting: serde_json::Value =
        serde_json::from_str(&running.report_with("\"code\": \"posted-ahead\"").await).unwrap();
    let found: Vec<Finding> = serde_json::from_value(waiting["findings"].clone()).unwrap();
    observed("posted-ahead", &found);
    // Another of the same size contradicts it, whatever this monitor can read itself.
    let mut contrary = world.log.split(world.path("contrary"));
    contrary.append("a third history\n");
    assert_eq!(running.post("/view", &contrary.checkpoint(&[], ago(40)).to_bytes()).await.status, 202);
    let report: serde_json::Value = serde_json::from_str(&running.report_with("\"code\": \"fork\"").await).unwrap();
    let fork = report["findings"].as_array().unwrap().iter().find(|found| found["code"] == "fork").unwrap();
    let file = running.get(&format!("/evidence/{}.json", fork["evidence"].as_str().unwrap())).await.body;
    Evidence::parse(file.as_bytes()).unwrap().verify(&policy(&[])).unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_view_that_a_client_brings_convicts_a_log_that_shows_this_monitor_another() {
    use crate::serving::{Running, ago, fresh};
    let mut world = fresh();
    let mut other = world.log.split(world.path("other"));
    other.append("another history\n");
    let shown = other.checkpoint(&[0, 1, 2], ago(50));
    world.log.append("no statement\n");
    world.log.publish(ago(60));
    let running = Running::start(&world, vec![Source::parse(&serve(&world.log.path).await).unwrap()]).await;
    running.page().await;
    assert_eq!(running.post("/view", b"nonsense").await.status, 400);
    let forged = shown.to_string().replace("\n5\n", "\n6\n");
    assert_eq!(running.post("/view", forged.as_bytes()).await.status, 400, "the log did not sign that");
    assert_eq!(running.post("/view", &[b'x'; 1 << 20]).await.status, 413);
    assert_eq!(running.post("/view", &shown.to_bytes()).await.status, 202);
    let report = running.report_with("\"code\": \"fork\"").await;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let fork = findings.iter().find(|found| found["code"] == "fork").unwrap();
    let file = running.get(&format!("/evidence/{}.json", fork["evidence"].as_str().unwrap())).await.body;
    Evidence::parse(file.as_bytes()).unwrap().verify(&policy(&[])).unwrap();
    running.stop().await;
}
