//! Clocks: witnesses that lie, devices that are wrong by years, and a log that stands still.

use super::Verdict::{InForce, Refused, Says, Waits};
use super::sources::newest;
use super::{Case, DoneRow, Row, done, served};
use crate::scene::Start;
use isonomy_core::time::Timestamp;
use isonomy_tests::people::{at, hashes};

const GROUP: &str = "Time";
const YEAR: u64 = 365 * 86_400;

#[rustfmt::skip]
const WITNESSES: &[Row] = &[
    ("witness-early", "one witness says that a release was public long ago", Waits(1, "not-visible", 5), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.cosign(3, &[(1, 0), (2, 1000), (3, 1000)]);
        s.world.publish(1004);
    }),
    ("witness-late", "one witness says that now is in a year", Waits(1, "not-visible", 5), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(1, YEAR), (2, 1004), (3, 1004)]);
    }),
    ("witness-late-does-not-expire", "one witness says that now is in a year: nothing expires", InForce(2), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(1, YEAR), (2, 1010), (3, 1010)]);
    }),
    ("witness-backward", "one witness goes back by an hour between two checkpoints", InForce(2), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(1, 0), (2, 1010), (3, 1010)]);
    }),
    ("witnesses-one-left", "two of three witnesses are silent", Refused("no-quorum", None), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(2, 1010)]);
    }),
    ("witnesses-quorum-lies-early", "as many witnesses as it takes say that it was public long ago: this remains", InForce(2), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.cosign(3, &[(1, 1000), (2, 1000)]);
        s.world.cosign(3, &[(1, 1005), (2, 1005)]);
    }),
];

#[rustfmt::skip]
const CLOCKS: &[DoneRow] = &[
    ("clock-behind-by-years", "the device's clock shows 1970: the witnesses' time counts, and status says so", Says(0, "\"clock_behind\":1800001010"), |s| {
        s.clock = Timestamp(0);
        let updated = s.update();
        if updated.exit != 0 || s.match_entry() .ok() != Some(2) {
            return Err(format!("{updated:?}"));
        }
        Ok(s.status())
    }),
    ("clock-ahead-by-years", "the device's clock is ahead by ten years: a good list expires, and nothing older is taken", Says(3, "\"expired\""), |s| {
        s.clock = at(10 * YEAR);
        Ok(s.update())
    }),
    ("clock-ahead-and-back", "and once the clock is right again, all is as before", InForce(2), |s| {
        s.clock = at(10 * YEAR);
        let ahead = s.update();
        if ahead.exit == 0 {
            return Err(format!("{ahead:?}"));
        }
        s.clock = at(1010);
        Ok(s.update())
    }),
    ("clock-back-after-witnesses", "the clock is set back after the release has expired by the witnesses' time", Says(7, "not-covered"), |s| {
        let updated = s.update();
        s.world.release(hashes(0..12), 100_000);
        s.world.publish(200_000);
        let newest = newest(&s.world);
        s.world.offer_only(&[newest]);
        let later = s.update();
        s.clock = at(0);
        if updated.exit != 0 || later.exit != 3 {
            return Err(format!("{updated:?} {later:?}"));
        }
        s.match_entry().map_err(Ok).err().ok_or_else(|| "it matches an expired list".to_owned())?
    }),
    ("freeze-stale", "the log stands still for longer than the policy's age", Says(5, "\"stale\""), |s| {
        let updated = s.update();
        s.clock = at(1010 + 5);
        let again = s.update();
        if updated.exit != 0 || again.exit != 0 {
            return Err(format!("{updated:?} {again:?}"));
        }
        Ok(matched(s))
    }),
    ("freeze-fresh", "within it the answer says fresh", Says(5, "\"fresh\""), |s| {
        let updated = s.update();
        s.clock = at(1010 + 4);
        if updated.exit == 0 { Ok(matched(s)) } else { Err(format!("{updated:?}")) }
    }),
    ("freeze-expired", "it stands still until the list expires: nothing is matched against it any more", Says(7, "not-covered"), |s| {
        let updated = s.update();
        s.clock = at(1000 + 86_400);
        if updated.exit == 0 { Ok(matched(s)) } else { Err(format!("{updated:?}")) }
    }),
    ("fast-forward-time", "a quorum says that now is in ten years; `client recover` makes the honest log good again", InForce(2), |s| {
        s.world.cosign(3, &[(1, 10 * YEAR), (2, 10 * YEAR)]);
        let lied = s.update();
        s.world.publish(1010);
        let stuck = s.update();
        let recovered = s.command(&["client", "recover", "--i-know-why"]).output().map_err(|error| error.to_string())?;
        if lied.exit == 0 || stuck.exit == 0 || !recovered.status.success() {
            return Err(format!("{lied:?} {stuck:?} {recovered:?}"));
        }
        Ok(s.update())
    }),
    ("fast-forward-size", "a quorum vouches for a tree of 2^62 entries; `client recover` makes the honest log good again", InForce(2), |s| {
        let huge = super::sources::signed_by(&s.world, &isonomy_tests::people::key(isonomy_tests::people::LOG), |c| {
            c.size = isonomy_core::tree::TreeSize(1 << 62);
        });
        let honest = s.world.clone();
        // A client that knows a smaller tree asks for tiles that nobody has; one that has recovered knows none.
        super::sources::with_checkpoint(s, huge);
        let lied = s.update();
        s.world = honest;
        let recovered = s.command(&["client", "recover", "--i-know-why"]).output().map_err(|error| error.to_string())?;
        if lied.exit == 0 || !recovered.status.success() {
            return Err(format!("{lied:?} {recovered:?}"));
        }
        Ok(s.update())
    }),
    ("recover-keeps-the-floor", "after `client recover` an older release is refused as before", Says(3, "\"rollback\""), |s| {
        let updated = s.update();
        let recovered = s.command(&["client", "recover", "--i-know-why"]).output().map_err(|error| error.to_string())?;
        if updated.exit != 0 || !recovered.status.success() {
            return Err(format!("{updated:?} {recovered:?}"));
        }
        let first = super::sources::first(&s.world);
        s.world.offer_only(&[first]);
        Ok(s.update())
    }),
];

fn matched(scene: &crate::scene::Scene) -> crate::scene::Outcome {
    let hash = isonomy_core::encoding::to_hex(&isonomy_tests::people::hash(3));
    crate::scene::Outcome::of(scene.command(&["match", &hash]).output().expect("the command runs"))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = served(GROUP, "time (rule 6)", Start::Current, WITNESSES);
    cases.extend(done(GROUP, "freshness, state", Start::Behind, CLOCKS));
    cases
}
