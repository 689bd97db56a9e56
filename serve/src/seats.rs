//! Who sits on a connection and says nothing. When there is no room for another one, the connection that has been idle for
//! longest makes place: a client that keeps many open and asks now and then can't keep everybody else out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// In the place of a time: a request is being answered.
const BUSY: u64 = u64::MAX;
/// In the place of a time: the connection was told to end.
const CLOSED: u64 = u64::MAX - 1;

/// All connections that are open.
#[derive(Clone, Debug)]
pub(crate) struct Seats(Arc<All>);

#[derive(Debug)]
struct All {
    /// What times are counted from.
    began: Instant,
    next: AtomicU64,
    taken: Mutex<HashMap<u64, Arc<State>>>,
}

/// A connection: since when it is idle, in microseconds.
#[derive(Debug)]
struct State {
    idle_since: AtomicU64,
    close: Notify,
}

/// The seat of one connection; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    all: Seats,
    number: u64,
    state: Arc<State>,
}

/// Made while a request is answered, until the last of its answer is taken.
pub(crate) struct Busy {
    all: Seats,
    state: Arc<State>,
}

impl Seats {
    pub(crate) fn new() -> Self {
        Self(Arc::new(All { began: Instant::now(), next: AtomicU64::new(0), taken: Mutex::default() }))
    }

    /// A seat for a new connection, idle until it asks for something.
    pub(crate) fn take(&self) -> Arc<Seat> {
        let state = Arc::new(State { idle_since: AtomicU64::new(self.now()), close: Notify::new() });
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, Arc::clone(&state));
        Arc::new(Seat { all: self.clone(), number, state })
    }

    /// Tells the connection to end that has been idle for longest; false if all are busy.
    pub(crate) fn close_idlest(&self) -> bool {
        let taken = self.lock();
        let idle_since = |state: &&Arc<State>| state.idle_since.load(Ordering::Relaxed);
        let Some(idlest) = taken.values().filter(|state| idle_since(state) < CLOSED).min_by_key(idle_since) else {
            return false;
        };
        // If a request has come in this moment, its answer may be lost; whoever asks on an old connection has to reckon with that.
        idlest.idle_since.store(CLOSED, Ordering::Relaxed);
        idlest.close.notify_one();
        true
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(CLOSED - 1)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<State>>> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Until the last of an answer is taken, the connection is not idle.
    pub(crate) fn busy(&self) -> Busy {
        self.state.idle_since.store(BUSY, Ordering::Relaxed);
        Busy { all: self.all.clone(), state: Arc::clone(&self.state) }
    }

    /// Done when this connection has to make place.
    pub(crate) async fn closed(&self) {
        self.state.close.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.all.lock().remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.state.idle_since.store(self.all.now(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_is_idle_for_longest_makes_place_and_no_busy_one_does() {
        let seats = Seats::new();
        let [first, second, third] = [(); 3].map(|()| seats.take());
        // Whatever the clock's grain.
        for (seat, since) in [(&first, 3), (&second, 1), (&third, 2)] {
            seat.state.idle_since.store(since, Ordering::Relaxed);
        }
        let busy = second.busy();
        assert!(seats.close_idlest());
        third.closed().await;
        assert!(seats.close_idlest(), "each is told once");
        first.closed().await;
        assert!(!seats.close_idlest(), "who is being answered stays");
        drop(busy);
        assert!(seats.close_idlest());
        second.closed().await;
        drop((first, second, third));
        assert!(seats.lock().is_empty());
    }
}
