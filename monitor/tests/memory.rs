//! What a monitor of a log holds in memory, by the number of its statements.

#[allow(dead_code)]
#[path = "all/world.rs"]
mod world;

use isonomy_core::attestation::{Attestation, Method};
use isonomy_core::statement::ListName;
use isonomy_core::tree::TreeSize;
use peak_alloc::PeakAlloc;
use world::*;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Statements that are added to the log.
const STATEMENTS: u64 = 1000;
/// The most bytes that each may cost, while nothing happens and at the peak of a look.
const MOST: (u64, u64) = (4096, 8192);

fn attestation(world: &World, number: u64) -> Vec<u8> {
    let text = Attestation {
        statement: Attestation::KIND.into(),
        list: ListName::new(LIST).unwrap(),
        release: world.log.last_release(),
        auditor: key("auditor").verifier().clone(),
        method: Method::Followed,
        log_size: Some(TreeSize(3)),
        sample: None,
        errors: None,
        complaint: None,
        finding: format!("Every entry was read, and the rules are kept: look {number}."),
        report: None,
        created: START.plus(2 * HOUR + number),
    };
    signed(&text.to_text().unwrap(), &["auditor"]).to_bytes()
}

#[tokio::test]
async fn a_statement_costs_a_few_kilobytes() {
    let mut world = World::new();
    for number in 0..STATEMENTS {
        let statement = attestation(&world, number);
        world.log.append(statement);
    }
    world.log.publish(START.plus(3 * HOUR));
    let mut monitor = world.monitor();
    let before = MEMORY.current_usage() as u64;
    MEMORY.reset_peak_usage();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!((codes(&report), report.log.read), (vec![], STATEMENTS + 3));
    drop(report);
    let held = (MEMORY.current_usage() as u64).saturating_sub(before) / STATEMENTS;
    let peak = (MEMORY.peak_usage() as u64).saturating_sub(before) / STATEMENTS;
    let size = attestation(&world, 0).len();
    println!("held {held} bytes for a statement of {size}, at the peak {peak}");
    assert!(held <= MOST.0 && peak <= MOST.1, "held {held} bytes a statement, at the peak {peak}");
}
