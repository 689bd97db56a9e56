//! A log in a process of its own, which can be killed at any moment or run out of file descriptors.
//!
//! The tests start this very program again as a child that runs [`a_log_process`].

use crate::lists::{LIST, Publisher, by_all, charter};
use crate::publish;
use crate::world::{World, config, listen};
use isonomy_core::policy::Policy;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

const DATA: &str = "LOG_TEST_DATA";
const ADDRESS: &str = "LOG_TEST_ADDRESS";
const POLICY: &str = "LOG_TEST_POLICY";
const REPUBLISH: &str = "LOG_TEST_REPUBLISH";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a role that other tests start"]
async fn a_log_process() {
    let given = |name| std::env::var(name).unwrap();
    let listener = TcpListener::bind(given(ADDRESS)).await.unwrap();
    let policy = Policy::parse(given(POLICY).as_bytes()).unwrap();
    let republish = Duration::from_millis(given(REPUBLISH).parse().unwrap());
    isonomy_log_server::run(listener, config(given(DATA).into(), policy, republish), std::future::pending())
        .await
        .unwrap();
}

/// The process; killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(world: &World, mut command: Command) -> Self {
        command.args(["--exact", "kills::a_log_process", "--ignored", "--nocapture"]);
        command.env(DATA, world.data()).env(ADDRESS, world.address.to_string()).env(POLICY, world.policy_text());
        command.env(REPUBLISH, world.republish_every.as_millis().to_string());
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    /// Waits until it answers. That it ends instead is what must never happen.
    pub(crate) async fn answering(&mut self, world: &World) {
        let until = Instant::now() + Duration::from_secs(300);
        while TcpStream::connect(world.address).await.is_err()
            || !world.raw("GET /healthz", b"").await.ends_with("ok\n")
        {
            assert!(self.is_running() && Instant::now() < until, "the log does not start again");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

/// `SIGKILL`.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn this_program() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_the_process_may_open_files_don_t_stop_the_log() {
    let mut world = World::new().await;
    (world.address, world.republish_every) = (listen().await.local_addr().unwrap(), Duration::from_millis(200));
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 440; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let mut process = Process::start(&world, command);
    process.answering(&world).await;
    let mut crowd = Vec::new();
    for _ in 0..450 {
        crowd.push(TcpStream::connect(world.address).await.unwrap());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(process.is_running(), "it could not write its own files any more");
    drop(crowd);
    let charter = charter(LIST);
    publish(&world, &by_all(charter.to_text().unwrap()), &Publisher::new(&charter)).await;
}
