//! How often one client may ask.
//!
//! The generic cell rate algorithm (ITU-T I.371, annex A): of each client one number is kept, the time at which it would
//! have used up all that it is owed. No client costs more than one entry of a table, and the table has an end: a stranger
//! with many addresses must not fill the memory. Our own, because the libraries that do this keep a table without one.

use crate::client::Client;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many clients are told apart at a time; all beyond share what one of them may do.
const MAX_CLIENTS: usize = 1 << 16;

/// A number of requests over time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// On average, in a second.
    pub per_second: u32,
    /// At once, after a pause.
    pub burst: u32,
}

/// Keeps one rate for each client.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: Rate,
    started: Instant,
    table: Mutex<Table>,
}

/// What is known of clients.
#[derive(Debug, Default)]
struct Table {
    /// When each would have used up all that it is owed. `None` stands for all who find no room.
    due: HashMap<Option<Client>, Duration>,
    /// When it was last looked for clients who can be forgotten: a full table is not to be searched at every request.
    swept: Duration,
}

impl Limiter {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, started: Instant::now(), table: Mutex::default() }
    }

    /// Counts a request; `Err` says after how long the next will be taken.
    pub(crate) fn take(&self, client: Client) -> Result<(), Duration> {
        self.take_at(client, self.started.elapsed())
    }

    fn take_at(&self, client: Client, now: Duration) -> Result<(), Duration> {
        let interval = Duration::from_secs(1) / self.rate.per_second.max(1);
        let tolerance = interval.saturating_mul(self.rate.burst.saturating_sub(1));
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let key = table.key(client, now);
        let due = table.due.entry(key).or_insert(now);
        *due = (*due).max(now);
        match (*due - now).checked_sub(tolerance).filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                *due += interval;
                Ok(())
            }
        }
    }
}

/// How often a full table is searched at most.
const SWEEP: Duration = Duration::from_secs(1);

impl Table {
    /// The client's own entry, or the shared one if there is no room for another.
    fn key(&mut self, client: Client, now: Duration) -> Option<Client> {
        if self.due.contains_key(&Some(client)) {
            return Some(client);
        }
        if self.due.len() >= MAX_CLIENTS && now >= self.swept + SWEEP {
            self.due.retain(|_, due| *due > now);
            self.swept = now;
        }
        (self.due.len() < MAX_CLIENTS).then_some(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn client(number: u32) -> Client {
        Client::from(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_at_once_and_then_the_rate() {
        let limiter = Limiter::new(Rate { per_second: 10, burst: 3 });
        for _ in 0..3 {
            assert_eq!(limiter.take_at(client(1), at(0)), Ok(()));
        }
        assert_eq!(limiter.take_at(client(1), at(0)), Err(at(100)));
        assert_eq!(limiter.take_at(client(1), at(99)), Err(at(1)), "what is refused costs nothing");
        assert_eq!(limiter.take_at(client(2), at(0)), Ok(()), "another client has its own");
        assert_eq!(limiter.take_at(client(1), at(100)), Ok(()));
        assert_eq!(limiter.take_at(client(1), at(150)), Err(at(50)));
        for _ in 0..3 {
            assert_eq!(limiter.take_at(client(1), at(10_000)), Ok(()), "after a pause");
        }
        assert!(limiter.take_at(client(1), at(10_000)).is_err(), "but no more than a burst");
    }

    #[test]
    fn the_table_has_an_end_and_empties_itself() {
        let limiter = Limiter::new(Rate { per_second: 1, burst: 1 });
        let clients = MAX_CLIENTS as u32;
        for number in 0..clients {
            assert_eq!(limiter.take_at(client(number), at(0)), Ok(()));
        }
        assert_eq!(limiter.take_at(client(clients), at(0)), Ok(()), "the first beyond");
        assert!(limiter.take_at(client(clients + 1), at(0)).is_err(), "all beyond are one");
        assert!(limiter.table.lock().unwrap().due.len() <= MAX_CLIENTS + 1);
        assert_eq!(limiter.take_at(client(clients + 1), at(1001)), Ok(()));
        assert_eq!(limiter.table.lock().unwrap().due.len(), 1);
    }

    proptest! {
        #[test]
        fn no_client_gets_more_than_burst_and_rate(
            per_second in 1u32..2000,
            burst in 0u32..100,
            pauses in proptest::collection::vec(0u64..500, 1..200),
        ) {
            let limiter = Limiter::new(Rate { per_second, burst });
            let (mut now, mut taken) = (0, 0u64);
            for pause in pauses {
                now += pause;
                taken += u64::from(limiter.take_at(client(1), at(now)).is_ok());
            }
            prop_assert!(taken <= u64::from(burst.max(1)) + now * u64::from(per_second) / 1000 + 1);
            prop_assert!(taken >= 1);
        }
    }
}
