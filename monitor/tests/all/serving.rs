//! The page and what is beside it.

use crate::world::*;
use isonomy_core::encoding::{to_base64, to_hex};
use isonomy_core::hash::sha256;
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_monitor::{Followed, Watch};
use isonomy_verifier::Evidence;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running monitor.
pub(crate) struct Running {
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), isonomy_monitor::WatchError>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Running {
    /// Follows the log of this world alone.
    pub(crate) async fn start(world: &World, sources: Vec<isonomy_fetch::Source>) -> Self {
        let log = Followed { sources, ..Followed::new(policy(&[])) };
        Self::watching(Watch {
            logs: vec![log],
            poll_every: Duration::from_secs(1),
            ..Watch::new(world.path("data"), policy(&[]))
        })
        .await
    }

    pub(crate) async fn watching(watch: Watch) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(isonomy_monitor::run(listener, watch, async { drop(stopped.await) }));
        Self { address, stop, server }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: monitor.example\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) async fn post(&self, path: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: monitor.example\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that wants no more than it has read may close its end.
        let _ = stream.write_all(body).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The report, once it holds these words.
    pub(crate) async fn report_with(&self, words: &str) -> String {
        self.until("/report.json", words).await
    }

    /// What is at this path, once it holds these words.
    pub(crate) async fn until(&self, path: &str, words: &str) -> String {
        for _ in 0..400 {
            let shown = self.get(path).await.body;
            if shown.contains(words) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} does not come to hold {words}: {}", self.get(path).await.body);
    }

    /// The page, once a look was complete.
    pub(crate) async fn page(&self) -> String {
        for _ in 0..200 {
            let report = self.get("/report.json").await.body;
            let checked = report.contains("\"state\": \"verified\"") && !report.contains("\"state\": \"unchecked\"");
            if checked {
                return self.get("/").await.body;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no look was complete in time: {}", self.get("/report.json").await.body);
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

/// So many seconds before now, by the system's clock: the server has no other.
pub(crate) fn ago(seconds: u64) -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(since.as_secs() - seconds)
}

/// A world whose last release is two minutes old.
pub(crate) fn fresh() -> World {
    let mut world = World::empty();
    world.log.charter(|_| ());
    world.log.publish(ago(3 * DAY));
    world.log.release(entries(0..10), ago(2 * DAY), |_| ());
    world.log.publish(ago(2 * DAY));
    world.log.charter(|charter| charter.limits.max_entries = 5000);
    world.log.publish(ago(DAY));
    let charter = world.log.first_charter();
    world.log.release(entries(2..400), ago(120), |release| release.charter = charter);
    world.log.publish(ago(100));
    world
}

/// What nobody can have done is shown as what it is.
#[tokio::test]
async fn an_attestation_that_says_what_can_not_be_counts_for_nothing() {
    use isonomy_core::attestation::{Attestation, Method};
    let mut world = World::new();
    for (log_size, created) in
        [(900, START.plus(2 * HOUR)), (3, START.plus(9 * DAY)), (3, START.plus(HOUR)), (4, START.plus(2 * HOUR))]
    {
        let attestation = Attestation {
            statement: Attestation::KIND.into(),
            list: isonomy_core::statement::ListName::new(LIST).unwrap(),
            release: world.log.last_release(),
            auditor: key("auditor").verifier().clone(),
            method: Method::Followed,
            log_size: Some(isonomy_core::tree::TreeSize(log_size)),
            sample: None,
            errors: None,
            complaint: None,
            finding: "Rules kept.".into(),
            report: None,
            created,
        };
        world.log.append(signed(&attestation.to_text().unwrap(), &["auditor"]).to_bytes());
    }
    world.log.publish(START.plus(2 * HOUR + 30));
    let report = world.monitor().poll_at(START.plus(2 * HOUR + 60)).await.unwrap();
    let said = report.lists[0].attestations.iter().rev().map(|one| one.impossible.as_deref().unwrap_or_default());
    let said: Vec<&str> = said.collect();
    assert!(said[0].contains("read up to 900 entries, of which there were 3 when"), "{said:?}");
    assert!(said[1].contains("is dated at") && said[1].contains("shows it since"), "{said:?}");
    assert!(said[2].contains("was composed at"), "{said:?}");
    assert_eq!(said[3], "", "it can be");
    let running = Running::start(&world, vec![world.log.source()]).await;
    running.page().await;
    let page = running.get(&format!("/list/{LIST}")).await.body;
    assert_eq!(page.matches("This counts for nothing").count(), 3);
    running.stop().await;
}

#[tokio::test]
async fn the_pages_say_what_the_list_is_and_what_was_found() {
    let world = World::new();
    let running = Running::start(&world, vec![world.log.source()]).await;
    let overview = running.page().await;
    let (list, log) = (running.get(&format!("/list/{LIST}")).await.body, running.get("/log").await.body);
    for (page, facts) in [
        (
            &overview,
            &[
                "<h1>log.example/isonomy</h1>",
                "<a href=\"/list/hotline.example/images\">hotline.example/images</a>",
                "No breach found",
                "at least 1 witness",
            ][..],
        ),
        (
            &list,
            &[
                "<h1>hotline.example/images</h1>",
                "<strong>Test pictures &lt;script&gt;alert(1)&lt;/script&gt; &amp; more</strong>",
                "<strong>the person is told, and the content is not sent or shown</strong>",
                "private content and public content in Germany (DE), France (FR)",
                "2 of 2 curators, from at least 2 jurisdictions",
                "Widening the charter takes 7 days of public notice",
                "must go within <strong>3 days</strong> of a complaint to complaints@hotline.example",
                "<strong>0 of 25</strong>",
                "from 10 in version 1 to 13 in version 2.",
                "5 added and 2 removed by version 2.",
                "href=\"/list/hotline.example/images.json\"",
            ],
        ),
        (
            &log,
            &[
                "Not seen",
                "<input id=\"index\" name=\"index\" type=\"number\"",
                "href=\"/entry/2\"",
                "href=\"/log.json\"",
            ],
        ),
    ] {
        for fact in facts {
            assert!(page.contains(fact), "{fact}\n{page}");
        }
        for absent in ["<script", "http://", "https://", "src=", "style=\"", "onclick"] {
            assert!(!page.contains(absent), "{absent}");
        }
    }
    assert_eq!(running.get("/list/hotline.example/none").await.status, 404);
    running.stop().await;
}

#[tokio::test]
async fn a_charter_s_history_marks_what_widens() {
    let mut world = World::new();
    world.log.charter(|charter| {
        charter.limits.max_added = 600;
        charter.limits.notice = 8 * DAY;
        charter.maintainer.name = "Hotline".repeat(200);
        charter.record.legality.basis = Some("Act 7".into());
    });
    world.log.publish(START.plus(3 * HOUR));
    let running = Running::start(&world, vec![world.log.source()]).await;
    let overview = running.page().await;
    assert!(
        overview.contains("by Hotline") && !overview.contains(&"Hotline".repeat(24)),
        "one name does not fill the table"
    );
    let list = running.get(&format!("/list/{LIST}")).await.body;
    let text = list
        .replace("</span>", "")
        .replace("<span class=\"mark warning\">", "*")
        .replace("<span class=\"mark good\">", "*")
        .replace("<span class=\"mark notice\">", "*");
    let answer =
        "<li class=\"changes\">*changes The answer to “What law is it based on?”: added: &quot;Act 7&quot;</li>";
    assert!(text.contains(answer), "{text}");
    assert!(
        text.contains("<li class=\"widens\">*widens The most entries added per release from 500 to 600</li>"),
        "{text}"
    );
    assert!(text.contains("<li class=\"narrows\">*narrows The time of notice from 7 days to 8 days</li>"), "{text}");
    running.stop().await;
}

#[tokio::test]
async fn an_entry_is_shown_with_a_proof_that_verifies() {
    let mut world = World::new();
    world.log.append("no <b>statement</b>\n");
    // A log can write any name under anything: this is in the curators' names, and by none of them.
    let forged = world.log.draft(&entries(0..30), START.plus(3 * HOUR)).to_text().unwrap();
    let lines =
        ["m1", "c1", "c2"].map(|name| isonomy_core::note::Signature { bytes: vec![7; 64], ..key(name).sign(&forged) });
    world.log.append(isonomy_core::note::Note::new(forged, lines.to_vec()).unwrap().to_bytes());
    let charter = world.log.entry(LeafIndex(0)).to_vec();
    for form in ["isonomy/charter/v2", "isonomy/charter/v1"] {
        let later = String::from_utf8(charter.clone()).unwrap().replacen("isonomy/charter/v1", form, 1);
        world.log.append(later.replacen("\"edition\"", "\"editions\"", 1).into_bytes());
    }
    world.log.publish(START.plus(3 * HOUR));
    let running = Running::start(&world, vec![world.log.source()]).await;
    running.page().await;
    let page = running.get("/entry/1").await.body;
    for (index, name, is_signed) in
        [(1, "m1", true), (1, "c2", true), (4, "m1", false), (4, "c1", false), (0, "c1", true)]
    {
        let named = format!("{name} ({})", to_hex(&key(name).verifier().id().0));
        let page = running.get(&format!("/entry/{index}")).await.body;
        let lead = page.split("class=\"lead\"").nth(1).unwrap().split("</p>").next().unwrap();
        assert!(lead.contains(&named) && lead.contains(" Signed by ") == is_signed, "{index}: {lead}");
        assert_eq!(lead.contains("Not signed, as far as this monitor can tell, by "), !is_signed, "{index}: {lead}");
        let data: serde_json::Value =
            serde_json::from_str(&running.get(&format!("/entry/{index}.json")).await.body).unwrap();
        let since = data["public_since"].as_str().map(|since| Timestamp::from_rfc3339(since).unwrap());
        assert_eq!(since, Some(START.plus([0, 1, 2, 3, 3][index] * HOUR)), "{index}");
        assert!(lead.contains("In the log since <time"), "{lead}");
        let lines = data["statement"]["lines"].as_array().unwrap();
        assert!(lines.iter().any(|line| line["key"]["name"] == name && line["holds"] == is_signed), "{lines:?}");
    }
    for (index, form, words) in [
        (5, "isonomy/charter/v2", "It may be of a later format"),
        (6, "isonomy/charter/v1", "and is not as that must be"),
    ] {
        let page = running.get(&format!("/entry/{index}")).await.body;
        assert!(page.contains(&format!("<code>{form}</code>")), "{page}");
        assert!(page.contains(words) && !page.contains("This is no statement"), "{page}");
    }
    assert!(
        page.contains("Version 1 of <a href=\"/list/hotline.example/images\">") && page.contains("href=\"/entry/2\"")
    );
    let (note, proof) = (running.get("/entry/1/note").await.body, running.get("/entry/1/proof").await.body);
    let proof = TlogProof::parse(proof.as_bytes()).unwrap();
    proof.verify(note.as_bytes(), log_key().verifier(), &policy(&[])).unwrap();
    let wrong = running.get("/entry/3").await.body;
    assert!(
        wrong.contains("This is no statement")
            && wrong.contains("no &lt;b&gt;statement&lt;/b&gt;")
            && wrong.contains("An entry that is no statement")
    );
    for missing in
        ["/entry/7", "/entry/01", "/entry/x", "/entry/7.json", "/entry/1/else", "/entry/99999999999999999999"]
    {
        assert_eq!(running.get(missing).await.status, 404, "{missing}");
    }
    let missing = running.get("/entry/99").await;
    assert!(missing.body.contains("name=\"viewport\"") && missing.body.contains("No such entry"), "{}", missing.body);
    let moved = running.get("/entry?index=2").await;
    assert!(moved.status == 303 && moved.head.contains("location: /entry/2"), "{}", moved.head);
    assert_eq!(running.get("/entry?index=-1").await.status, 400);
    running.stop().await;
}

#[tokio::test]
async fn the_copy_is_a_mirror_that_others_can_follow() {
    let world = World::new();
    let running = Running::start(&world, vec![world.log.source()]).await;
    running.page().await;
    let mirror = isonomy_fetch::Source::parse(&format!("http://{}/mirror", running.address)).unwrap();
    let config = isonomy_monitor::Config { data: world.path("second"), ..world.config(vec![mirror], &[]) };
    let report = isonomy_monitor::Monitor::open(config).unwrap().poll_once().await.unwrap();
    assert_eq!((report.log.size.0, report.log.read), (3, 3));
    // Statements by their names, too, so that a check of a whole log finds nothing missing.
    let release = world.log.last_release();
    let served = running.get(&format!("/mirror/statement/{release}")).await.body;
    assert_eq!(isonomy_core::statement::Statement::parse(served.as_bytes()).unwrap().id(), release);
    let nobody = "0".repeat(64);
    assert_eq!(running.get(&format!("/mirror/statement/{nobody}")).await.status, 404);
    for missing in ["/mirror/../log", "/mirror/content.journal", "/mirror/object/00", "/mirror/tile/0/001"] {
        assert_eq!(running.get(missing).await.status, 404, "{missing}");
    }
    running.stop().await;
}

#[tokio::test]
async fn findings_are_a_feed_and_figures() {
    let mut world = World::new();
    world.log.append("no statement\n");
    world.log.publish(START.plus(3 * HOUR));
    let running = Running::start(&world, vec![world.log.source()]).await;
    running.page().await;
    let feed = running.get("/findings.atom").await;
    assert!(feed.head.contains("content-type: application/atom+xml"), "{}", feed.head);
    assert!(
        feed.body.contains("<title>Breach: not a statement</title>") && feed.body.ends_with("</feed>\n"),
        "{}",
        feed.body
    );
    let metrics = running.get("/metrics").await.body;
    let log = format!("log=\"log.example/isonomy\",log_key=\"{}\"", to_hex(&log_key().verifier().id().0));
    for line in [
        format!("isonomy_monitor_findings{{{log},severity=\"breach\"}} 1"),
        format!("isonomy_monitor_log_entries{{{log}}} 4"),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_breach_is_on_the_page_with_its_evidence() {
    let mut world = World::new();
    let mut other = world.log.split(world.path("other"));
    other.append("another history\n");
    other.publish(START.plus(3 * HOUR));
    world.log.append("something\n");
    world.log.publish(START.plus(3 * HOUR));
    let running = Running::start(&world, vec![world.log.source(), other.source()]).await;
    let page = running.page().await;
    assert!(page.contains("2 breaches of the rules") && page.contains("<span class=\"mark breach\">Breach</span>"));
    let (_, after) = page.split_once("href=\"/evidence/").unwrap();
    let name = after.split('"').next().unwrap();
    let file = running.get(&format!("/evidence/{name}")).await;
    assert!(file.status == 200 && file.head.contains("immutable"));
    Evidence::parse(file.body.as_bytes()).unwrap().verify(&policy(&[])).unwrap();
    for missing in [format!("/evidence/{}.json", "0".repeat(64)), "/evidence/..%2Flog".into(), "/data".into()] {
        assert_eq!(running.get(&missing).await.status, 404, "{missing}");
    }
    running.stop().await;
}

#[tokio::test]
async fn nothing_but_the_page_s_own_style_is_allowed() {
    let world = World::new();
    let running = Running::start(&world, vec![world.log.source()]).await;
    for path in ["/", "/report.json", "/healthz", "/nowhere", "/log", "/verify.js", "/mirror/checkpoint"] {
        let answer = running.get(path).await;
        for header in [
            "content-security-policy: default-src 'none'; style-src 'sha256-",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(answer.head.contains(header), "{path}: {header}\n{}", answer.head);
        }
        assert!(!answer.head.contains("set-cookie") && !answer.head.contains("script-src"), "{path}");
    }
    // One page may run the one script that is served here, and send nothing.
    let verify = running.get("/verify").await;
    assert!(
        verify.head.contains("default-src 'none';") && verify.head.contains("script-src 'self';"),
        "{}",
        verify.head
    );
    assert!(!verify.head.contains("connect-src") && verify.body.matches("<script").count() == 1);
    let page = running.get("/").await;
    let (_, style) = page.body.split_once("<style>").unwrap();
    let digest = sha256(&[style.split("</style>").next().unwrap().as_bytes()]);
    assert!(page.head.contains(&format!("style-src 'sha256-{}';", to_base64(&digest))));
    assert_eq!(running.get("/healthz").await.body, "ok\n");
    running.stop().await;
}
