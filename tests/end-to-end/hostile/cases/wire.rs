//! What a server does on the wire.

use super::Verdict::{InForce, Lacks, Refused, Says};
use super::sources::{bundle, delta, seen_proof, statement, tile};
use super::{Case, DoneRow, Row, What, done, served};
use crate::scene::{Scene, Start, copy, world};
use crate::server::{Fault, Server};
use isonomy_core::resource::Resource;
use isonomy_tests::people::{at, hashes};
use std::collections::HashMap;
use std::fs;

const GROUP: &str = "A server, on the wire";
const BY: &str = "limits of `fetch`";

fn fault(scene: &mut Scene, resource: fn(&Scene) -> Resource, fault: Fault) {
    let resource = resource(scene);
    scene.fault(&resource, fault);
}

#[rustfmt::skip]
const FAULTS: &[Row] = &[
    ("slow-drip-bundle", "the bundle, one byte a second", Lacks("slow", What::Bundle), |s| fault(s, bundle, Fault::Drip)),
    ("slow-drip-delta", "the delta, one byte a second", Lacks("slow", What::Object), |s| fault(s, delta, Fault::Drip)),
    ("slow-silence", "no answer, and the connection stays open", Lacks("slow", What::Bundle), |s| fault(s, bundle, Fault::Silence)),
    ("endless-bundle", "a bundle without end", Lacks("too-large", What::Bundle), |s| fault(s, bundle, Fault::Endless)),
    ("endless-statement", "a statement without end", Lacks("too-large", What::Statement), |s| fault(s, statement, Fault::Endless)),
    ("endless-seen-proof", "a seen proof without end", Lacks("too-large", What::SeenProof), |s| fault(s, seen_proof, Fault::Endless)),
    ("endless-tile", "a tile without end", Lacks("too-large", What::Tile), |s| fault(s, tile, Fault::Endless)),
    ("endless-delta", "a delta without end", Lacks("too-large", What::Object), |s| fault(s, delta, Fault::Endless)),
    ("endless-chunks", "chunks of one byte without end", Lacks("too-large", What::Bundle), |s| fault(s, bundle, Fault::EndlessChunks)),
    ("endless-headers", "headers without end", Lacks("unreachable", What::Bundle), |s| fault(s, bundle, Fault::EndlessHeaders)),
    ("gzip-bomb-bundle", "3 MB that gunzip to 516 MB", Lacks("too-large", What::Bundle), |s| fault(s, bundle, Fault::GzipBomb)),
    ("gzip-bomb-delta", "the same for the delta", Lacks("too-large", What::Object), |s| fault(s, delta, Fault::GzipBomb)),
    ("gzip-false", "it says that it is compressed, and isn't", Lacks("interrupted", What::Bundle), |s| fault(s, bundle, Fault::FalseGzip)),
    ("redirect-bundle", "a redirect, to where the same is served", Lacks("elsewhere", What::Bundle), |s| fault(s, bundle, Fault::Redirect)),
    ("redirect-delta", "the same for the delta", Lacks("elsewhere", What::Object), |s| fault(s, delta, Fault::Redirect)),
    ("length-too-long", "a content length that is a kilobyte too long", Lacks("interrupted", What::Bundle), |s| fault(s, bundle, Fault::LongLength(1024))),
    ("length-of-everything", "a content length of 4 GB", Lacks("too-large", What::Statement), |s| fault(s, statement, Fault::LongLength(1 << 32))),
    ("body-truncated", "the connection ends in the middle of the bundle", Lacks("interrupted", What::Bundle), |s| fault(s, bundle, Fault::Truncated)),
    ("body-truncated-delta", "the same for the delta", Lacks("interrupted", What::Object), |s| fault(s, delta, Fault::Truncated)),
    ("closed", "the connection is closed at once", Lacks("unreachable", What::Bundle), |s| s.everywhere = Some(Fault::Close)),
    ("garbage", "the answer is not HTTP", Lacks("unreachable", What::Bundle), |s| s.everywhere = Some(Fault::Garbage)),
    ("status-500", "the server fails", Lacks("failing", What::Bundle), |s| fault(s, bundle, Fault::Head("500 Internal Server Error", ""))),
    ("status-204", "no content, with content", Lacks("failing", What::Bundle), |s| fault(s, bundle, Fault::Head("204 No Content", ""))),
    ("status-206", "a part of the bundle that nobody asked for", Lacks("failing", What::Bundle), |s| fault(s, bundle, Fault::Head("206 Partial Content", "Content-Range: bytes 0-9/1000\r\n"))),
    ("status-304", "not modified, for a client that never asks so", Lacks("failing", What::Bundle), |s| fault(s, bundle, Fault::Head("304 Not Modified", ""))),
    ("status-401", "a password is asked for", Lacks("failing", What::Bundle), |s| fault(s, bundle, Fault::Head("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n"))),
    ("type-wrong", "the right bytes as text/html", InForce(2), |s| fault(s, bundle, Fault::Head("200 OK", "Content-Type: text/html\r\n"))),
];

/// The heads of the requests of an update.
fn requests(scene: &Scene) -> Vec<String> {
    let server = scene.serve();
    scene.update_from(&[&server.url()]);
    server.requests()
}

#[rustfmt::skip]
const SEVERAL: &[DoneRow] = &[
    ("mirror-bad-then-good", "the first source lies, the second one is honest", InForce(2), |s| {
        s.world.edit_bundle(|b| b.releases[0].path.clear());
        let (bad, good) = (s.serve(), Server::start(world(s.start), HashMap::new(), None));
        Ok(s.update_from(&[&bad.url(), &good.url()]))
    }),
    ("mirror-endless-then-good", "the first source never ends, the second one is honest", InForce(2), |s| {
        s.everywhere = Some(Fault::Endless);
        let (bad, good) = (s.serve(), Server::start(world(s.start), HashMap::new(), None));
        Ok(s.update_from(&[&bad.url(), &good.url()]))
    }),
    ("mirror-withholds-then-lags", "the first source relays the genuine newest checkpoint and withholds the rest, the second one is honest and an entry behind", InForce(2), |s| {
        let (bad, good) = withholds_then_lags(s, 1062);
        Ok(s.update_from(&[&bad.url(), &good.url()]))
    }),
    ("mirror-withholds-then-lags-far", "the same, but the second one is further behind than the policy calls fresh", Refused("behind", None), |s| {
        let (bad, good) = withholds_then_lags(s, 1065);
        Ok(s.update_from(&[&bad.url(), &good.url()]))
    }),
    ("mirror-stands-still-then-good", "the first source shows for ever what the device has, the second one is honest", InForce(2), |s| {
        let (still, good) = (Server::start(world(Start::Current), HashMap::new(), None), s.serve());
        Ok(s.update_from(&[&still.url(), &good.url()]))
    }),
    ("mirror-hides-the-newest", "the first source has the newest checkpoint, and does not mention the newest release: nothing that it shows is false", InForce(1), |s| {
        let (hiding, good) = hides_the_newest(s);
        Ok(s.update_from(&[&hiding.url(), &good.url()]))
    }),
    ("mirror-hides-the-newest-from-who-asks-all", "the same, but the device asks every source (`--ask-all`)", InForce(2), |s| {
        let (hiding, good) = hides_the_newest(s);
        Ok(s.update_from_all(&[&hiding.url(), &good.url()]))
    }),
    ("mirror-nobody-there", "nobody listens", Lacks("unreachable", What::Bundle), |s| Ok(s.update_from(&["http://127.0.0.1:9/"]))),
    ("mirror-folder", "the folder of a mirror on a stick", InForce(2), |s| {
        let folder = s.beside("stick");
        s.world.mirror(&folder).map_err(|error| error.to_string())?;
        Ok(s.update_from(&[folder.to_str().ok_or("a path")?]))
    }),
    ("mirror-folder-link", "in the folder a link to a file outside of it", Lacks("elsewhere", What::Bundle), |s| {
        let folder = s.beside("stick");
        s.world.mirror(&folder).map_err(|error| error.to_string())?;
        let path = folder.join(bundle(s).to_string());
        fs::rename(&path, s.beside("outside")).map_err(|error| error.to_string())?;
        std::os::unix::fs::symlink(s.beside("outside"), &path).map_err(|error| error.to_string())?;
        Ok(s.update_from(&[folder.to_str().ok_or("a path")?]))
    }),
    ("mirror-folder-device", "in the folder a device that never ends", Lacks("elsewhere", What::Bundle), |s| {
        let folder = s.beside("stick");
        s.world.mirror(&folder).map_err(|error| error.to_string())?;
        let path = folder.join(bundle(s).to_string());
        fs::remove_file(&path).map_err(|error| error.to_string())?;
        std::os::unix::fs::symlink("/dev/zero", &path).map_err(|error| error.to_string())?;
        Ok(s.update_from(&[folder.to_str().ok_or("a path")?]))
    }),
    ("password-in-url", "a source with a user's name and password", Says(1, "would tell its user apart"), |s| {
        Ok(s.update_from(&["http://user:secret@127.0.0.1:9/"]))
    }),
    ("marks-not-returned", "cookies, ETags and dates in every answer: the second update sends what the first one did", InForce(2), |s| {
        let other = s.beside("other");
        copy(&s.state(), &other);
        let once = requests(s);
        let twice = requests(s);
        fs::remove_dir_all(s.state()).map_err(|error| error.to_string())?;
        copy(&other, &s.state());
        let again = requests(s);
        if once != again {
            return Err(format!("two clients with the same list ask differently: {once:?} and {again:?}"));
        }
        let heads: Vec<&str> = once.iter().chain(&twice).map(String::as_str).collect();
        if let Some(head) = heads.iter().find(|head| ["cookie", "if-", "12345", "authorization"].iter().any(|mark| head.to_lowercase().contains(mark))) {
            return Err(format!("a mark comes back: {head}"));
        }
        Ok(s.update())
    }),
];

#[rustfmt::skip]
const NEW: &[DoneRow] = &[
    ("new-mirror-withholds-then-lags", "a new device, whose first source relays the genuine newest checkpoint and withholds the rest", InForce(2), |s| {
        let (bad, good) = withholds_then_lags(s, 1062);
        Ok(s.update_from(&[&bad.url(), &good.url()]))
    }),
];

/// The log goes on, as is witnessed at `time`, which one source tells and withholds the rest; the other one lags behind.
fn withholds_then_lags(scene: &mut Scene, time: u64) -> (Server, Server) {
    scene.world.publish(1060);
    let lagging = Server::start(scene.world.clone(), HashMap::new(), None);
    scene.world.release(hashes(0..14), 1060);
    scene.world.publish(time);
    scene.world.withhold_statements();
    scene.clock = at(time);
    (scene.serve(), lagging)
}

/// A source that offers the first release alone, and one that is honest.
fn hides_the_newest(scene: &mut Scene) -> (Server, Server) {
    let honest = Server::start(scene.world.clone(), HashMap::new(), None);
    let first = scene.world.releases().next().map(|release| release.id());
    scene.world.offer_only(first.as_slice());
    (scene.serve(), honest)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = served(GROUP, BY, Start::Behind, FAULTS);
    cases.extend(done(GROUP, "sources in turn", Start::Behind, SEVERAL));
    cases.extend(done(GROUP, "sources in turn", Start::New, NEW));
    cases
}
