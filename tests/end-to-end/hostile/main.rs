//! What the client withstands, in one table: a name, what is done, the exact verdict, and the rule or check that gives it.
//! Each case drives the command and nothing else, over HTTP against a server that really does it, or by hand in the
//! client's folder. What a device's clock and disk do to it is put around the command from outside ([`conditions`]), so that
//! the command that is attacked is the one that is shipped.
//!
//! After every refused update the version that was in force is still accepted, and verifies and matches as it did. The table is also in
//! `docs/attacks.md`; `ISONOMY_UPDATE_DOCS=1` writes it anew. `ISONOMY_CASE=NAME` runs the cases with that in their name.

mod cases;
mod conditions;
#[path = "../process.rs"]
#[allow(dead_code)] // The other end-to-end tests need more of it.
mod process;
mod scene;
mod server;

use cases::{Case, Verdict, What};
use scene::{Outcome, Scene, Start};
use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// The least number of cases.
const LEAST: usize = 160;
/// How many cases run at the same time: most of them wait for processes.
const WORKERS: usize = 6;

#[test]
fn the_client_withstands_what_the_table_says() {
    let wanted = std::env::var("ISONOMY_CASE").unwrap_or_default();
    let mut cases: Vec<Case> = cases::all().into_iter().filter(|case| case.name.contains(&wanted)).collect();
    // Those that wait for a clock run beside the others from the start.
    cases.sort_by_key(|case| !case.is_slow);
    let prepared = tempfile::tempdir().expect("a folder");
    for start in [Start::Behind, Start::Current, Start::Four] {
        Scene::prepare(start, prepared.path());
    }
    let (next, failures, started) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Instant::now());
    let slow = cases.iter().filter(|case| case.is_slow).count();
    thread::scope(|scope| {
        for _ in 0..WORKERS + slow {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(problem) = run(case, prepared.path()) {
                        failures.lock().expect("failures").push(format!("{}: {problem}", case.name));
                    }
                }
            });
        }
    });
    conditions::clean_up();
    let failures = failures.into_inner().expect("failures");
    println!("{} cases in {} s", cases.len(), started.elapsed().as_secs());
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn run(case: &Case, prepared: &Path) -> Result<(), String> {
    let mut scene = Scene::new(case.start, prepared);
    let (before, outcome) = match case.attack {
        cases::Attack::Served(attack) => {
            attack(&mut scene);
            // Some attacks begin with an honest update.
            (scene.standing(), scene.update())
        }
        cases::Attack::Done(attack) => (scene.standing(), attack(&mut scene)?),
    };
    check(case, &scene, &outcome).map_err(|problem| format!("{problem}: {outcome:?}"))?;
    if is_refused(case.verdict) && scene.standing() != before {
        return Err(format!("{before:?} was in force, and now {:?} is", scene.standing()));
    }
    // Of a case that is about a lost cache or a list that has expired, nothing can match; the version stands all the same.
    if is_refused(case.verdict) && before.version.is_none() && case.start != Start::New {
        return Err(format!("no version was in force before the attack: {outcome:?}"));
    }
    Ok(())
}

/// Whether what was in force must stand after it.
fn is_refused(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Refused(..) | Verdict::Lacks(..) | Verdict::Malformed(_) | Verdict::Proven(..) => true,
        Verdict::InForce(_) | Verdict::Waits(..) | Verdict::Says(..) => false,
    }
}

fn check(case: &Case, scene: &Scene, outcome: &Outcome) -> Result<(), String> {
    match case.verdict {
        Verdict::Refused(code, rule) => check_refused(outcome, code, rule),
        Verdict::Lacks(lack, what) => {
            check_source(outcome, "unavailable", what)?;
            expect("kind of failure", &outcome.refusal()["lack"].as_str(), &Some(lack))?;
            // That nothing was to be had is no verdict about anybody; what no honest source does is one.
            let is_misbehaviour = ["too-large", "elsewhere", "garbled"].contains(&lack);
            expect("exit code", &outcome.exit, &if is_misbehaviour { 3 } else { 1 })
        }
        Verdict::Malformed(what) => {
            check_source(outcome, "malformed", what)?;
            expect("exit code", &outcome.exit, &3)
        }
        Verdict::Proven(code, rule) => {
            check_refused(outcome, code, rule)?;
            let name = outcome.refusal()["evidence"].as_str().ok_or("no evidence")?;
            expect("evidence verify", &scene.verify_evidence(name).exit, &0)
        }
        Verdict::InForce(version) => {
            expect("exit code", &outcome.exit, &0)?;
            let found = scene.match_entry().map_err(|answer| format!("no match: {answer:?}"))?;
            expect("version in force", &found, &version)
        }
        Verdict::Waits(version, code, rule) => {
            expect("exit code", &outcome.exit, &0)?;
            let pending = &outcome.json["pending"][0];
            expect("version in force", &outcome.json["version"].as_u64(), &Some(version))?;
            expect(
                "what it waits for",
                &(pending["code"].as_str(), pending["rule"].as_u64()),
                &(Some(code), Some(rule)),
            )
        }
        Verdict::Says(exit, words) => {
            expect("exit code", &outcome.exit, &exit)?;
            let said = format!("{} {}", outcome.json, outcome.said);
            if said.contains(words) { Ok(()) } else { Err(format!("does not say {words:?}")) }
        }
    }
}

fn check_refused(outcome: &Outcome, code: &str, rule: Option<u64>) -> Result<(), String> {
    let refusal = outcome.refusal();
    expect("code", &refusal["code"].as_str(), &Some(code))?;
    expect("rule", &refusal["rule"]["number"].as_u64(), &rule)?;
    expect("exit code", &outcome.exit, &3)
}

fn check_source(outcome: &Outcome, code: &str, what: What) -> Result<(), String> {
    let refusal = outcome.refusal();
    expect("code", &refusal["code"].as_str(), &Some(code))?;
    expect("resource", &refusal["resource"].as_str().and_then(What::of), &Some(what))
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}

#[test]
fn the_table_is_in_the_documentation() {
    let cases = cases::all();
    assert!(cases.len() >= LEAST, "only {} cases", cases.len());
    let names: HashSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let path = process::repository().join("docs/attacks.md");
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let (intro, _) = page.split_once("<!-- table -->\n").expect("the place of the table");
    let expected = format!("{intro}<!-- table -->\n{}", table(&cases));
    if std::env::var_os("ISONOMY_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).expect("docs/attacks.md");
        return;
    }
    assert!(page == expected, "docs/attacks.md is not what the cases are; ISONOMY_UPDATE_DOCS=1 writes it anew");
}

fn table(cases: &[Case]) -> String {
    let mut text = String::new();
    let mut group = "";
    for case in cases {
        if case.group != group {
            group = case.group;
            let _ = write!(text, "\n## {group}\n\n| case | attack | verdict | answered by |\n|---|---|---|---|\n");
        }
        let (verdict, by) = (case.verdict.words(), case.verdict.rule().unwrap_or_else(|| case.by.to_owned()));
        let _ = writeln!(text, "| {} | {} | {verdict} | {by} |", case.name, case.what);
    }
    text
}
