//! The same walk over histories in which the charter is amended: what was written down by hand of each release, since when it may be
//! in force and under which proofs, is held against what the client does.

use super::{Outcome, walk};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::Checkpoint;
use isonomy_core::hash::{RootHash, StatementId};
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hashes};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::Policy;

/// While the notice of a widening edition 2 runs, which is public since 1000 and asks for an hour.
const DURING: u64 = 2500;
/// When a log can make seen proofs anew: the notice is over.
const RENEWED: u64 = 4680;
/// After the notice.
const AFTER: u64 = 4700;
/// How many views are shown, one after the other; with `ISONOMY_DEEP` set, any number.
const MOST: usize = 2;
/// What is public is visible so much later.
const VISIBLE: u64 = 5;

/// A release, and what is known of it by hand.
struct Known {
    id: StatementId,
    version: u64,
    /// Since when the quorum has seen it.
    public: u64,
    /// Since when the edition that it cites is in force.
    in_force: u64,
    /// The edition before the release, if there is one, that narrows the one which it cites.
    narrowed_by: Option<StatementId>,
}

/// A log's history: edition 1, version 1, and what follows.
struct History {
    name: &'static str,
    world: World,
    /// When each entry was public.
    times: Vec<u64>,
    releases: Vec<Known>,
}

impl History {
    fn begun(name: &'static str) -> Self {
        let mut world = World::founded();
        let id = world.release(hashes(0..10), 100);
        world.publish(100);
        let first = Known { id, version: 1, public: 100, in_force: 0, narrowed_by: None };
        Self { name, world, times: vec![0, 100], releases: vec![first] }
    }

    fn edition(mut self, time: u64, edit: impl FnOnce(&mut Charter)) -> Self {
        self.world.edition(edit);
        self.world.publish(time);
        self.times.push(time);
        self
    }

    /// A release under this edition, which is in force since then.
    fn release(mut self, time: u64, edition: usize, in_force: u64) -> Self {
        let charter = self.world.charters().nth(edition - 1).expect("that edition").id();
        let version = self.releases.len() as u64 + 1;
        let id = self.world.release_with(hashes(0..10 + version), time, |release| release.charter = charter);
        self.world.publish(time);
        self.times.push(time);
        self.releases.push(Known { id, version, public: time, in_force, narrowed_by: None });
        self
    }

    /// The last release cites an edition that the newest one narrows.
    fn though_narrowed(mut self) -> Self {
        let edition = self.world.charters().last().map(|charter| charter.id());
        self.releases.last_mut().expect("a release").narrowed_by = edition;
        self
    }

    fn root(&self, size: u64) -> Option<RootHash> {
        (size <= self.world.size()).then(|| self.world.checkpoint(size).checkpoint().root)
    }
}

/// What logs do: one that keeps the rules, and others that break one each.
fn histories() -> Vec<History> {
    let widen = |charter: &mut Charter| charter.matching.max_distance = 31;
    let narrow = |charter: &mut Charter| charter.matching.max_distance = 20;
    vec![
        History::begun("notice is given").edition(1000, widen).release(2000, 1, 0).release(4650, 2, 4600),
        History::begun("a release before the notice is over")
            .edition(1000, widen)
            .release(2000, 2, 4600)
            .release(4650, 2, 4600),
        History::begun("a release under an edition that was narrowed")
            .edition(1000, narrow)
            .release(2000, 1, 0)
            .though_narrowed()
            .release(2100, 2, 1000),
        History::begun("notice is laundered through a pending edition")
            .edition(1000, widen)
            .edition(1500, |charter| charter.matching.max_distance = 28)
            .release(2000, 3, 5100),
    ]
}

/// Which seen proofs are served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Proofs {
    /// The first.
    Own,
    /// Those of releases were made anew, at [`RENEWED`]: whoever knows nothing better takes them for as new as that.
    OfReleasesRenewed,
}

/// One thing that can be shown.
struct View {
    history: usize,
    size: u64,
    root: RootHash,
    time: u64,
    proofs: Proofs,
    has_quorum: bool,
    /// The versions that its bundle offers.
    offered: Vec<u64>,
    /// The editions that it has.
    editions: Vec<StatementId>,
    /// Whether that is every one in the tree.
    is_whole: bool,
    served: World,
}

/// Every tree of every history, at each time, with every subset of its releases in the bundle; with every subset of its editions and
/// each release alone; each release with a seen proof that was made anew; and by one witness alone.
fn views(histories: &[History]) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    for (at, history) in histories.iter().enumerate() {
        for size in 2..=history.world.size() {
            let root = history.root(size).expect("a tree of it");
            for time in [DURING, AFTER] {
                let is_known = views.iter().any(|view| view.root == root && view.time == time);
                if history.times[size as usize - 1] > time || is_known {
                    continue;
                }
                let tree = Tree { at, history, size, root, time };
                let whole = |view: &View| view.is_whole;
                let alone = |view: &View| view.offered.len() == 1;
                let own = tree.subsets(Proofs::Own, &[1, 2]);
                views.extend(own.into_iter().filter(|view| whole(view) || alone(view) && time == AFTER));
                if time == AFTER {
                    let renewed = tree.subsets(Proofs::OfReleasesRenewed, &[1, 2]);
                    views.extend(renewed.into_iter().filter(|view| whole(view) && alone(view)));
                    views.extend(tree.subsets(Proofs::Own, &[3]).pop());
                }
            }
        }
    }
    views
}

/// A tree that is to be shown.
#[derive(Clone, Copy)]
struct Tree<'h> {
    at: usize,
    history: &'h History,
    size: u64,
    root: RootHash,
    time: u64,
}

impl Tree<'_> {
    /// The tree with every subset of its editions and every one of its releases that is not empty; all of them last.
    fn subsets(self, proofs: Proofs, witnesses: &[u8]) -> Vec<View> {
        let world = &self.history.world;
        let in_tree = |id: &StatementId| world.index_of(id) < self.size;
        let editions: Vec<StatementId> = world.charters().map(|charter| charter.id()).filter(in_tree).collect();
        let releases: Vec<&Known> = self.history.releases.iter().filter(|known| in_tree(&known.id)).collect();
        let subsets =
            (0..1u32 << editions.len()).flat_map(|some| (1..1u32 << releases.len()).map(move |others| (some, others)));
        let view = |(some, others)| {
            let kept: Vec<StatementId> = chosen(&editions, some).copied().collect();
            let offered: Vec<&Known> = chosen(&releases, others).copied().collect();
            View {
                history: self.at,
                size: self.size,
                root: self.root,
                time: self.time,
                proofs,
                has_quorum: witnesses.len() >= 2,
                offered: offered.iter().map(|known| known.version).collect(),
                is_whole: kept.len() == editions.len(),
                served: self.serve(proofs, witnesses, &kept, &offered),
                editions: kept,
            }
        };
        subsets.map(view).collect()
    }

    fn serve(self, proofs: Proofs, witnesses: &[u8], editions: &[StatementId], offered: &[&Known]) -> World {
        let mut served = self.history.world.clone();
        let by = |time: u64| witnesses.iter().map(|witness| (*witness, time)).collect::<Vec<_>>();
        if proofs == Proofs::OfReleasesRenewed {
            let renewed = cosigned(&served.checkpoint(self.size), &by(RENEWED));
            served.publish_note(renewed);
            for known in offered {
                let proof = served.proof(&known.id);
                served.serve(Resource::SeenProof(known.id), proof.to_bytes());
            }
        }
        served.cosign(self.size, &by(self.time));
        served.offer_only(&offered.iter().map(|known| known.id).collect::<Vec<_>>());
        served.edit_bundle(|bundle| bundle.charters.retain(|charter| editions.contains(&charter.id)));
        served
    }
}

fn chosen<T>(all: &[T], which: u32) -> impl Iterator<Item = &T> {
    all.iter().enumerate().filter(move |(at, _)| which & 1 << at != 0).map(|(_, one)| one)
}

/// What tells one client from another; the times that it remembers decide, too.
type Key =
    (Vec<Option<Checkpoint>>, [Timestamp; 2], Option<(StatementId, Timestamp)>, [bool; 2], Vec<Option<Timestamp>>);

fn key(client: &Client, statements: &[StatementId]) -> Key {
    let state = &client.state;
    let trees = [state.checkpoint(), state.seen()].map(|note| note.map(|note| note.checkpoint().clone()));
    let accepted = state.accepted().map(|accepted| (accepted.release, accepted.public_since));
    let flags = [state.halted().is_some(), client.list.is_some()];
    let times = statements.iter().map(|id| state.public_since(id)).collect();
    (trees.to_vec(), [state.now(), state.confirmed()], accepted, flags, times)
}

/// What is in force, as (version, release).
fn in_force(client: &Client) -> Option<(u64, StatementId)> {
    client.state.accepted().map(|accepted| (accepted.version, accepted.release))
}

/// The histories that hold every one of these trees.
fn holding<'h>(histories: &'h [History], trees: &[Option<Checkpoint>]) -> Vec<&'h History> {
    let holds = |history: &&History| trees.iter().flatten().all(|tree| history.root(tree.size.0) == Some(tree.root));
    histories.iter().filter(holds).collect()
}

fn used(client: &Client) -> Option<Checkpoint> {
    client.state.checkpoint().map(|note| note.checkpoint().clone())
}

fn check(histories: &[History], before: &Client, view: &View, after: &Client, outcome: &Outcome) {
    let shown = format!(
        "{} {} at {} {:?} {:?}: {outcome:?}",
        histories[view.history].name, view.size, view.time, view.proofs, view.offered
    );
    match (in_force(before), in_force(after)) {
        (Some(before), Some(after)) => assert!(after.0 > before.0 || after == before, "given up: {shown}"),
        (Some(_), None) => panic!("forgotten: {shown}"),
        _ => {}
    }
    let size = |client: &Client| used(client).map_or(0, |tree| tree.size.0);
    assert!(size(after) >= size(before), "the tree that was used shrank: {shown}");
    let of = holding(histories, &[used(before), used(after)]);
    assert!(!of.is_empty(), "another history: {shown}");
    if let Some((_, release)) = in_force(after) {
        assert!(
            of.iter().any(|history| history.releases.iter().any(|known| known.id == release)),
            "another release: {shown}"
        );
    }
    if !view.has_quorum {
        assert_eq!((in_force(before), used(before)), (in_force(after), used(after)), "without a quorum: {shown}");
        assert!(outcome.is_err(), "without a quorum: {shown}");
    }
    if in_force(after) != in_force(before) {
        check_new(&histories[view.history], view, (before, after), &shown);
    }
}

/// Whatever was taken up now is under an edition that is in force, and visible.
fn check_new(history: &History, view: &View, (before, after): (&Client, &Client), shown: &str) {
    let (_, release) = in_force(after).expect("it was taken up");
    let known = history.releases.iter().find(|known| known.id == release).expect("a release of what was shown");
    assert!(at(known.in_force) <= after.state.now(), "under an edition that is not in force yet: {shown}");
    assert!(at(known.public + VISIBLE) <= after.state.now(), "before it was visible: {shown}");
    if view.proofs == Proofs::Own {
        assert!(known.in_force <= known.public, "it was logged before its edition was in force: {shown}");
    }
    if let Some(edition) = known.narrowed_by {
        // A light client can't know of what nobody has ever shown it; one that reads the whole log is never fooled.
        let was_hidden = !view.editions.contains(&edition) && !before.state.knows_edition(&edition);
        assert!(was_hidden && !after.policy.audit().complete, "under an edition that was narrowed: {shown}");
    }
}

/// The log that keeps the rules is always followed to its end, from wherever a client is that was shown no other; and so is a
/// log that has broken a rule and goes on as it should.
fn check_alive(histories: &[History], views: &[View], client: &Client) {
    let trees = [used(client), client.state.seen().map(|note| note.checkpoint().clone())];
    for history in holding(histories, &trees).into_iter().filter(|_| client.state.halted().is_none()) {
        let newest = history.releases.last().expect("a release");
        if newest.in_force > newest.public {
            continue;
        }
        let whole = |view: &&View| {
            let is_all = view.size == history.world.size() && view.is_whole && view.offered.len() == 1;
            is_all && histories[view.history].name == history.name && view.offered[0] == newest.version
        };
        let view =
            views.iter().filter(whole).find(|view| view.time == AFTER && view.proofs == Proofs::Own && view.has_quorum);
        let outcome = client.clone().version_from(&view.expect("it is shown").served, AFTER);
        assert_eq!(outcome, Ok(newest.version), "{}: stuck at {:?}", history.name, client.state);
    }
}

fn explore(name: &str, policy: Policy, histories: &[History], views: &[View], visit: impl Fn(&Client)) -> usize {
    let most = if std::env::var_os("ISONOMY_DEEP").is_some() { usize::MAX } else { MOST };
    let statements: Vec<StatementId> =
        histories.iter().flat_map(|history| history.world.statements().iter().map(|one| one.id())).collect();
    let (states, steps) = walk(
        Client::with(policy),
        (views, most),
        |client, view| client.version_from(&view.served, AFTER).map_err(|rejection| rejection.code()),
        |client| key(client, &statements),
        visit,
        |before, view, after, outcome| check(histories, before, view, after, outcome),
    );
    println!("amended charters, {name}: {states} states, {} views, {steps} steps", views.len());
    states
}

#[test]
fn no_sequence_of_views_makes_a_client_accept_a_release_under_an_edition_that_is_not_in_force() {
    let histories = histories();
    let views = views(&histories);
    let policy = histories[0].world.policy();
    let alive = |client: &Client| check_alive(&histories, &views, client);
    let states = explore("light", policy, &histories, &views, alive);
    assert!(states > 300, "the walk must reach more than {states} states");
}

/// Whoever reads the whole log takes nothing up under an edition that was narrowed, also where the narrowing one is hidden.
#[test]
fn no_edition_can_be_hidden_from_a_client_that_reads_the_whole_log() {
    let histories = histories();
    let narrowed =
        histories.iter().position(|history| history.releases.iter().any(|known| known.narrowed_by.is_some()));
    let views = views(&histories).into_iter().filter(|view| Some(view.history) == narrowed && view.time == AFTER);
    let views: Vec<View> = views.collect();
    let policy = [&histories[0].world.policy_text(), "\n[audit]\ncomplete = true\n"].concat();
    let states = explore("complete", Policy::parse(policy.as_bytes()).unwrap(), &histories, &views, |_| ());
    assert!(states > 3, "the walk must reach more than {states} states");
}
