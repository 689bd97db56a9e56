//! The log of statements again, while its clock is wrong: slow at first, then fast, then right. So its witnesses' dates are ahead of it,
//! then from before a release was composed, which is waited out, then right; and whatever fails meanwhile, nothing is left out for
//! ever because of a date.

use super::statements::{Statements, open, publish_at, submit};
use super::world::{cosigned_at, now, policy};
use super::{Story, Told};
use crate::clock::Moment;
use crate::publication::Publication;
use crate::state::State;
use isonomy_core::time::Timestamp;
use std::error::Error;
use std::path::Path;

/// By how many seconds it is wrong: honest clocks may differ by as much.
const OFF: u64 = 30;

pub(super) struct WrongClock(Statements);

/// A round of witnesses whose dates are from before the newest release was composed, as the publisher takes it: what they would leave out
/// is not published.
fn publish_too_early(state: &State, created: Timestamp, told: &mut Told) -> Result<(), Box<dyn Error>> {
    let head = state.log.integrate()?;
    told.shown.push(head.clone());
    let early = Timestamp(created.0 - OFF);
    let cosigned = cosigned_at(&head, early);
    let times = policy().checkpoint_times(cosigned.note())?.ok_or("no quorum")?;
    state.clock.note(times, OFF, Moment::now());
    let is_waiting = !state.unseen().is_empty();
    let publication = Publication::prepare(state, cosigned, times)?;
    assert_eq!(publication.is_premature(), is_waiting, "what was composed later is waited for, and nothing else");
    if !is_waiting {
        publication.publish()?;
    }
    Ok(())
}

impl Story for WrongClock {
    const NAME: &'static str = "a log whose clock is wrong";

    fn prepare(folder: &Path) -> Self {
        Self(Statements::prepare(folder))
    }

    fn go_on(&self, folder: &Path, told: &mut Told) -> Result<(), Box<dyn Error>> {
        let state = open(folder)?;
        submit(&state, &self.0.charter, told)?;
        publish_at(&state, now().plus(OFF), told)?;
        self.0.submit_release(&state, told)?;
        publish_too_early(&state, self.0.created(), told)?;
        publish_at(&state, now(), told)?;
        state.tidy()?;
        publish_at(&state, now(), told)?;
        Ok(())
    }

    fn audit(&self, folder: &Path, told: &mut Told) -> Vec<Vec<u8>> {
        self.go_on(folder, told).unwrap_or_else(|error| panic!("it does not start again: {error}"));
        let entries = self.0.judge(folder, told);
        let state = open(folder).unwrap();
        assert!(state.histories().endings.messages().is_empty(), "something is left out for a date");
        entries
    }
}
