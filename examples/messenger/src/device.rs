//! A device: its verified list, its keys, and its messages to one other device.

use crate::envelope::{Envelope, Kind};
use crate::relay::Post;
use anyhow::{Context, Result, ensure};
use isonomy_client::{Client, Compared, Policy, Source};
use isonomy_core::time::Timestamp;
use isonomy_matcher::image::Limits;
use isonomy_matcher::{Matcher, Notice, Orientations, Subject};
use std::collections::VecDeque;
use std::path::Path;
use vodozemac::Curve25519PublicKey;
use vodozemac::olm::{Account, OlmMessage, Session, SessionConfig};

/// What two people give each other when they meet: names, and keys for the first message.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The name, which is that of the mailbox too.
    pub name: String,
    identity: Curve25519PublicKey,
    one_time: Curve25519PublicKey,
}

/// What the person decides who was shown a notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// To send it all the same.
    SendAnyway,
    /// Not to.
    Keep,
}

/// What became of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// It went out; nobody but this device knows what was found.
    Sent,
    /// It did not, by the person's choice.
    Kept,
}

/// What came in.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// Words.
    Text(String),
    /// A picture's file.
    Picture(Vec<u8>),
    /// What the other device holds of the list, compared with what is held here.
    Compared(Box<Compared>),
    /// What the other device showed of the list could not be compared, and why.
    NotCompared(String),
}

/// How what the other device says of its list, with each message, relates to the one here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SameView {
    /// Both hold the very same release.
    Yes,
    /// They hold different ones.
    No,
    /// One of them holds no list yet.
    Unknown,
}

/// Whether a message was answered with what is held here of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// There is nothing to show, or it was shown before.
    None,
    /// It went out.
    Sent,
    /// It did not, and why: the next message that shows the same difference is answered instead.
    Failed(String),
}

/// A message that came in.
#[derive(Clone, PartialEq, Debug)]
pub struct Received {
    /// What it is.
    pub event: Event,
    /// Whether the other device holds the very same release of the list.
    pub same_view: SameView,
    /// Whether this device has shown its own view because of it.
    pub answer: Answer,
}

/// The last pairs of different views, the other device's and this one's, in which this device has shown its own: it does so once
/// for each, so that two devices do not talk for ever. An honest peer changes its view once for each release, so the oldest are
/// forgotten.
#[derive(Debug, Default)]
struct Answered(VecDeque<ViewPair>);

/// The other device's view, and this one's.
type ViewPair = ([u8; 32], [u8; 32]);

impl Answered {
    /// How many pairs are remembered.
    const MOST: usize = 64;

    fn contains(&self, pair: &ViewPair) -> bool {
        self.0.contains(pair)
    }

    fn add(&mut self, pair: ViewPair) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back(pair);
    }
}

/// A device.
pub struct Device {
    name: String,
    client: Client,
    matcher: Option<Matcher>,
    sources: Vec<Source>,
    post: Post,
    account: Account,
    peer: Option<Contact>,
    /// Usually one. If both wrote first, each has the one that it began and the one that the other began.
    sessions: Vec<Session>,
    answered: Answered,
}

impl Device {
    /// A device that keeps its list in `folder` and gets it from `mirror`.
    pub fn new(name: &str, folder: &Path, policy: Policy, mirror: &Path, post: Post) -> Result<Self> {
        let client = Client::open(folder, policy)?;
        let matcher = client.list().cloned().map(Matcher::new).transpose()?;
        let (sources, account) = (vec![Source::folder(mirror)], Account::new());
        let (name, peer, sessions, answered) = (name.to_owned(), None, Vec::new(), Answered::default());
        Ok(Self { name, client, matcher, sources, post, account, peer, sessions, answered })
    }

    /// What to give to the other person. Each call makes a key that is used once.
    pub fn contact(&mut self) -> Result<Contact> {
        let made = self.account.generate_one_time_keys(1).created;
        let one_time = *made.first().context("no key could be made")?;
        self.account.mark_keys_as_published();
        Ok(Contact { name: self.name.clone(), identity: self.account.curve25519_key(), one_time })
    }

    /// Takes what the other person gave.
    pub fn meet(&mut self, peer: Contact) {
        self.peer = Some(peer);
    }

    /// Brings the list up to date from the mirror; gives the version in force.
    pub fn update(&mut self, clock: Timestamp) -> Result<u64> {
        let outcome = self.client.update_blocking(&self.sources, clock);
        // Also where the update was refused: what was accepted or learned before that is in force.
        if let Some(list) = self.client.list() {
            self.matcher = Some(Matcher::new(list.clone())?);
        }
        Ok(outcome?.updated.list.version())
    }

    /// The digest of what is held of the list.
    pub fn view(&self) -> Option<[u8; 32]> {
        self.client.list().map(|list| list.view())
    }

    /// Whether updates have stopped because of a proof that the log showed two histories.
    pub fn is_halted(&self) -> bool {
        self.client.state().halted().is_some()
    }

    /// Sends words.
    pub fn send_text(&mut self, text: &str) -> Result<()> {
        self.send(Kind::Text, text.as_bytes().to_vec())
    }

    /// Checks a picture, shows the notice if it matches, and sends it unless the person decides otherwise. A picture that the
    /// list can't tell about, since it has expired for instance, is sent: nobody is kept from talking by a stale list.
    pub fn send_picture(
        &mut self,
        file: &[u8],
        clock: Timestamp,
        decide: impl FnOnce(&Notice) -> Choice,
    ) -> Result<Sent> {
        if let Some(notice) = self.check(file, clock)
            && decide(&notice) == Choice::Keep
        {
            return Ok(Sent::Kept);
        }
        self.send(Kind::Picture, file.to_vec())?;
        Ok(Sent::Sent)
    }

    fn check(&self, file: &[u8], clock: Timestamp) -> Option<Notice> {
        let matcher = self.matcher.as_ref()?;
        let subject = Subject::of_file(&[matcher.algorithm()], file, &Limits::default(), Orientations::Shown);
        matcher.answer(&subject, clock).notice()
    }

    /// Takes the oldest message out of the mailbox, if there is one. If the other device holds something else of the list,
    /// answers with its own view; if it shows its view, compares. A message that could be read is always given, whatever
    /// comes of that: it is in no mailbox any more, and nobody can decrypt it twice.
    pub fn receive(&mut self) -> Result<Option<Received>> {
        let Some(bytes) = self.post.take(&self.name)? else { return Ok(None) };
        let Envelope { view, kind, body } = Envelope::open(&self.decrypt(&bytes)?)?;
        let same_view = self.relate(view);
        let answer = self.answer(view);
        let event = match kind {
            Kind::Text => Event::Text(String::from_utf8(body).context("a text that is none")?),
            Kind::Picture => Event::Picture(body),
            Kind::View => match self.client.compare_blocking(&body, &self.sources) {
                Ok(compared) => Event::Compared(Box::new(compared)),
                Err(error) => Event::NotCompared(error.to_string()),
            },
        };
        Ok(Some(Received { event, same_view, answer }))
    }

    fn relate(&self, theirs: Option<[u8; 32]>) -> SameView {
        match theirs.zip(self.view()) {
            Some((theirs, mine)) if theirs == mine => SameView::Yes,
            Some(_) => SameView::No,
            None => SameView::Unknown,
        }
    }

    /// Shows what is held here to a device that holds something else, if it was not shown it yet.
    fn answer(&mut self, theirs: Option<[u8; 32]>) -> Answer {
        let Some(pair) = theirs.zip(self.view()).filter(|pair| pair.0 != pair.1) else { return Answer::None };
        let Some(view) = self.client.view().filter(|_| !self.answered.contains(&pair)) else { return Answer::None };
        match self.send(Kind::View, view.to_text().into_bytes()) {
            Ok(()) => {
                self.answered.add(pair);
                Answer::Sent
            }
            Err(error) => Answer::Failed(format!("{error:#}")),
        }
    }

    fn send(&mut self, kind: Kind, body: Vec<u8>) -> Result<()> {
        let sealed = Envelope { view: self.view(), kind, body }.seal()?;
        let peer = self.peer.as_ref().context("nobody to write to yet")?;
        if self.sessions.is_empty() {
            let config = SessionConfig::version_1();
            self.sessions.push(self.account.create_outbound_session(config, peer.identity, peer.one_time)?);
        }
        // Of two, both devices take the same, as soon as each knows of both.
        let session = self.sessions.iter_mut().min_by_key(|session| session.session_id()).context("no session")?;
        let (kind, ciphertext) = session.encrypt(sealed)?.to_parts();
        self.post.put(&peer.name, &[&[u8::try_from(kind)?], &ciphertext[..]].concat())
    }

    fn decrypt(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let (kind, ciphertext) = bytes.split_first().context("an empty message")?;
        let message = OlmMessage::from_parts((*kind).into(), ciphertext)?;
        let peer = self.peer.as_ref().context("a message by a stranger")?;
        if let OlmMessage::PreKey(first) = &message
            && !self.sessions.iter().any(|session| session.session_id() == first.session_id())
        {
            ensure!(first.identity_key() == peer.identity, "a message by a stranger");
            // It takes a key that was used once, so that nobody can begin more sessions than were given keys.
            let created = self.account.create_inbound_session(SessionConfig::version_1(), peer.identity, first)?;
            self.sessions.push(created.session);
            return Ok(created.plaintext);
        }
        // A session that can't read a message is as it was before.
        let read = self.sessions.iter_mut().find_map(|session| session.decrypt(&message).ok());
        read.context("a message of no conversation that is known here")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_pair_is_forgotten_for_a_new_one() {
        let pair = |number: u8| ([number; 32], [0; 32]);
        let mut answered = Answered::default();
        let count = Answered::MOST as u8;
        for number in 0..count {
            answered.add(pair(number));
        }
        assert!((0..count).all(|number| answered.contains(&pair(number))));
        answered.add(pair(count));
        assert!((1..=count).all(|number| answered.contains(&pair(number))) && !answered.contains(&pair(0)));
    }
}
