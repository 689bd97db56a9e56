//! The demo: two people, a relay between them, and a mirror of a log.

use crate::device::{Answer, Choice, Device, Event, Received, SameView, Sent};
use crate::relay::{Post, Relay};
use anyhow::{Context, Result};
use isonomy_client::Policy;
use isonomy_core::charter::Action;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::time::Timestamp;
use isonomy_matcher::Fingerprint;
use isonomy_matcher::image::Limits;
use isonomy_tests::people::{at, hashes};
use isonomy_tests::world::World;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A photograph that is on the demo's list.
pub const LISTED: &[u8] = include_bytes!("../../../photos/chelsea.png");
/// One that is not, of nearly the same size.
pub const UNLISTED: &[u8] = include_bytes!("../../../photos/grass.png");

/// A log with one list, of which a mirror is at hand.
pub struct Stage {
    /// The log.
    pub world: World,
    folder: TempDir,
}

impl Stage {
    /// A list of the listed photograph and a thousand other hashes, public since 105 s after the start.
    pub fn new() -> Result<Self> {
        let mut world = World::founded_with(|charter| {
            charter.action.most = Action::Warn;
            charter.limits.max_added = 1000;
        });
        world.release(content(0)?, 100);
        world.publish(100);
        world.publish(105);
        let stage = Self { world, folder: tempfile::tempdir()? };
        stage.mirror()?;
        Ok(stage)
    }

    /// Publishes another release, public since 1005 s after the start.
    pub fn grow(&mut self) -> Result<()> {
        self.world.release(content(10)?, 1000);
        self.world.publish(1000);
        self.world.publish(1005);
        self.mirror()
    }

    /// The mirror's folder.
    pub fn mirror_folder(&self) -> PathBuf {
        self.folder.path().join("mirror")
    }

    fn mirror(&self) -> Result<()> {
        self.world.mirror(&self.mirror_folder()).context("the mirror can't be written")
    }

    /// The app's policy.
    pub fn policy(&self) -> Result<Policy> {
        let text = self.world.policy_text().replace("action = \"block\"", "action = \"warn\"");
        Ok(Policy::parse(text.as_bytes())?)
    }

    /// A device with this name, which gets the list from this folder.
    pub fn device(&self, name: &str, mirror: &Path, relay: &Relay) -> Result<Device> {
        let post = Post::to(relay.address());
        Device::new(name, &self.folder.path().join(name), self.policy()?, mirror, post)
    }

    /// Two people who have met.
    pub fn pair(&self, relay: &Relay) -> Result<[Device; 2]> {
        let mirror = self.mirror_folder();
        let (mut alice, mut bob) = (self.device("alice", &mirror, relay)?, self.device("bob", &mirror, relay)?);
        let (of_alice, of_bob) = (alice.contact()?, bob.contact()?);
        alice.meet(of_bob);
        bob.meet(of_alice);
        Ok([alice, bob])
    }
}

fn content(from: u64) -> Result<Entries> {
    let listed = Fingerprint::of_file(Algorithm::PdqFull, LISTED, &Limits::default())?;
    let bytes = [listed.hash.as_slice(), hashes(from..from + 900).as_bytes()].concat();
    Ok(Entries::from_unsorted(32, bytes)?.0)
}

/// Plays it.
pub fn play() -> Result<()> {
    let (mut stage, relay) = (Stage::new()?, Relay::start()?);
    println!("A list of 901 hashes, one of them of chelsea.png, comes from the folder of a mirror.");
    let [mut alice, mut bob] = stage.pair(&relay)?;
    println!("✓ alice's device verified version {}, bob's version {}", alice.update(at(106))?, bob.update(at(106))?);

    println!("\nAlice writes, and sends a picture that is not listed.");
    alice.send_text("Hello Bob!")?;
    tell("bob", bob.receive()?);
    picture(&mut alice, UNLISTED, at(107), Choice::SendAnyway)?;
    tell("bob", bob.receive()?);

    println!("\nShe sends one that is.");
    picture(&mut alice, LISTED, at(108), Choice::SendAnyway)?;
    tell("bob", bob.receive()?);
    println!("  What the relay saw of the two pictures:");
    let seen = relay.seen();
    let puts = seen.iter().filter(|exchange| exchange.request.first() == Some(&b'P'));
    puts.skip(1).for_each(|exchange| println!("    {}", exchange.shape()));

    println!("\nA new release is public; Alice's device has it, Bob's not yet.");
    stage.grow()?;
    println!("✓ alice's device verified version {}", alice.update(at(1006))?);
    alice.send_text("Have you seen the news?")?;
    tell("bob", bob.receive()?);
    tell("alice", alice.receive()?);
    tell("bob", bob.receive()?);
    println!("✓ bob's device verified version {}", bob.update(at(1007))?);
    bob.send_text("Now I have.")?;
    tell("alice", alice.receive()?);
    println!("\nThe relay saw {} exchanges, none of which says what was found.", relay.seen().len());
    Ok(())
}

fn picture(device: &mut Device, file: &[u8], clock: Timestamp, choice: Choice) -> Result<()> {
    let sent = device.send_picture(file, clock, |notice| {
        println!("  The device shows:");
        notice.to_string().lines().for_each(|line| println!("    {line}"));
        choice
    })?;
    let words = match sent {
        Sent::Sent => "encrypted and sent; what was found stays on the device",
        Sent::Kept => "not sent, by the person's choice",
    };
    println!("✓ {words}");
    Ok(())
}

fn tell(name: &str, received: Option<Received>) {
    let Some(Received { event, same_view, answer }) = received else { return println!("  nothing for {name}") };
    let what = match event {
        Event::Text(text) => format!("reads: {text}"),
        Event::Picture(file) => format!("gets a picture of {} bytes", file.len()),
        Event::Compared(compared) => format!("compares what the other device holds: {}", compared.outcome.code()),
        Event::NotCompared(why) => format!("can't compare what the other device shows: {why}"),
    };
    let view = match same_view {
        SameView::Yes => "same list",
        SameView::No => "another list than here",
        SameView::Unknown => "no list yet on one side",
    };
    println!("✓ {name} {what} ({view})");
    match answer {
        Answer::None => {}
        Answer::Sent => println!("  and shows what its own device holds"),
        Answer::Failed(why) => println!("  and can't show what its own device holds: {why}"),
    }
}
