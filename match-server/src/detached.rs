//! Work on a thread that nobody waits for at the end. What takes long and can't be interrupted, such as decoding a picture, must not
//! keep the process from ending: the runtime waits for its own threads, and not for these.

use std::thread;
use tokio::sync::oneshot;

/// Does `work` on a thread of its own. `None` if there is no thread for it, or it has panicked.
pub(crate) async fn detached<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, done) = oneshot::channel();
    let thread = thread::Builder::new().name("detached".to_owned());
    // Whoever asked may have gone away before.
    let started = thread.spawn(move || drop(sender.send(work())));
    if let Err(error) = started {
        tracing::error!("there is no thread for a piece of work: {error}");
        return None;
    }
    done.await.ok()
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
        thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async { assert!(Box::pin(detached(move || held.recv())).now_or_never().is_none()) });
            drop(runtime);
            ended.send(())
        });
        assert!(has_ended.recv_timeout(Duration::from_secs(60)).is_ok());
        drop(release);
    }

    #[tokio::test]
    async fn what_it_gives_is_given_and_a_panic_is_nothing() {
        assert_eq!(detached(|| 7).await, Some(7));
        assert_eq!(detached(|| panic!("on purpose")).await.map(|never: u8| never), None);
    }
}
