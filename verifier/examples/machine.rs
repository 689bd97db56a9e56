//! Drives an update by hand: the machine says what it needs, and a folder gives it.
//!
//! ```text
//! cargo run -p isonomy-verifier --example machine
//! ```
//!
//! `examples/mirror` is what a log with one list serves, as a folder, with the policy of an app. Its witnesses looked at it last on
//! 15 January 2027, so the clock of this client stands there. What fetches from servers, keeps the state and the content is
//! `isonomy-client`; an app that has its own means does as here.

use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_verifier::rejection::Lack;
use isonomy_verifier::{Input, Policy, State, Step, Update, VerifiedList};
use std::error::Error;
use std::fs;
use std::path::Path;

const MIRROR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/mirror");
/// 2027-01-15T08:01:46Z.
const CLOCK: Timestamp = Timestamp(1_800_000_106);

fn main() -> Result<(), Box<dyn Error>> {
    let (list, state) = update(Path::new(MIRROR), CLOCK)?;
    println!(
        "version {} of {}: {} entries; {}",
        list.version(),
        list.name(),
        list.entries().len(),
        list.freshness(CLOCK)
    );
    println!("to be remembered: {} bytes", state.to_bytes()?.len());
    Ok(())
}

/// The first update of a client. Later ones begin with the state, and the list, of the one before.
pub(crate) fn update(mirror: &Path, clock: Timestamp) -> Result<(VerifiedList, State), Box<dyn Error>> {
    let policy = Policy::parse(&fs::read(mirror.join("policy.toml"))?)?;
    let mut state = State::new(policy.list());
    let mut update = Update::new(policy, state.clone(), None, clock);
    let mut input = Input::Start;
    loop {
        input = match update.step(input) {
            Step::Need { resource, max_bytes } => read(mirror, resource, max_bytes),
            // An app makes evidence and content durable here, and the state after them.
            Step::Save(save) => {
                state = save.state;
                Input::Saved
            }
            Step::Done(updated) => return Ok((updated.list, state)),
            // The last good list, if there is one, stays in force.
            Step::Reject(rejection) => return Err((*rejection).into()),
        };
    }
}

/// Whatever comes is judged by the machine, but its size is for whoever reads it.
fn read(mirror: &Path, resource: Resource, max_bytes: u64) -> Input {
    println!("it asks for {resource}, of at most {max_bytes} bytes");
    match fs::read(mirror.join(resource.to_string())) {
        Ok(bytes) if bytes.len() as u64 <= max_bytes => Input::Received { resource, pieces: vec![bytes] },
        Ok(_) => Input::Unavailable { resource, lack: Lack::TooLarge, reason: "it is too large".to_owned() },
        Err(error) => Input::Unavailable { resource, lack: Lack::Absent, reason: error.to_string() },
    }
}
