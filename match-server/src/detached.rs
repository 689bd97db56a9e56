//! Work on a thread that nobody waits for at the end. What takes long and can't be interrupted, such as decoding a picture, must not
//! keep the process from ending: the runtime waits for its own threads, and not for these.

use std::thread;
use tokio::sync::oneshot;

/// Why a piece of work is not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Undone {
    /// There is no thread for it now: it was not begun, and there may be one later.
    NoThread,
    /// It has panicked.
    Panicked,
}

/// The thread on which work is done.
pub(crate) fn thread() -> thread::Builder {
    thread::Builder::new().name("detached".to_owned())
}

/// Does `work` on this thread of its own.
pub(crate) async fn detached<T: Send + 'static>(
    thread: thread::Builder,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Undone> {
    let (sender, done) = oneshot::channel();
    // Whoever asked may have gone away before.
    let started = thread.spawn(move || drop(sender.send(work())));
    if let Err(error) = started {
        tracing::error!("there is no thread for a piece of work: {error}");
        return Err(Undone::NoThread);
    }
    done.await.map_err(|_| Undone::Panicked)
}

/// A thread that can't be had: its stack is larger than all addresses.
#[cfg(test)]
pub(crate) fn no_thread() -> thread::Builder {
    thread().stack_size(usize::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn what_does_not_end_keeps_no_runtime_from_ending() {
        let (release, held) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                assert!(Box::pin(detached(thread(), move || held.recv())).now_or_never().is_none())
            });
            drop(runtime);
            ended.send(())
        });
        assert!(has_ended.recv_timeout(Duration::from_secs(60)).is_ok());
        drop(release);
    }

    #[tokio::test]
    async fn what_it_gives_is_given_and_a_panic_is_told_from_no_thread() {
        assert_eq!(detached(thread(), || 7).await, Ok(7));
        assert_eq!(detached(thread(), || -> u8 { panic!("on purpose") }).await, Err(Undone::Panicked));
        assert_eq!(detached(no_thread(), || 7).await, Err(Undone::NoThread));
    }
}
