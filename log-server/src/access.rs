//! Who may read the objects of which list.
//!
//! Statements, proofs and the tree are public in any case; without them nobody could watch the log. What a list contains
//! can be for few: a real list may not be handed to everybody. A token restricts distribution, not knowledge.
//!
//! The list that named an object first in the log decides: if it is open, so is the object, and stays so; if it is restricted, the
//! object is for holders of a token of any restricted list that names it. So nobody changes what another list's objects are by
//! naming them: their digests, sizes and roots are in public statements. And a list that names an object of a restricted list
//! for the first time has to send it, though it is there: who does not have it gets nothing by naming it.
//!
//! An object that no logged release names is for nobody while there are restricted lists.

use crate::state::State;
use axum::http::{HeaderMap, header};
use isonomy_core::encoding::from_hex;
use isonomy_core::hash::{HASH_SIZE, ObjectDigest, sha256};
use isonomy_core::rules::history::{History, LoggedRelease};
use isonomy_core::statement::ListName;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use subtle::{Choice, ConstantTimeEq};

/// The SHA-256 of a bearer token. The token itself is not kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenDigest([u8; HASH_SIZE]);

impl TokenDigest {
    /// That of this token.
    pub fn of(token: &str) -> Self {
        Self(sha256(&[token.as_bytes()]))
    }
}

impl std::fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenDigest")
    }
}

impl<'de> Deserialize<'de> for TokenDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        let bytes = from_hex(&hex).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            serde::de::Error::custom("a token is given by its SHA-256, 64 digits of lower-case hexadecimal")
        })
    }
}

/// One restricted list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessEntry {
    /// The list.
    pub list: ListName,
    /// The tokens with any of which its objects can be read.
    pub tokens: Vec<TokenDigest>,
}

/// The restricted lists of a configuration: each once, since otherwise some tokens would not count, and with a token, since otherwise
/// nobody could read it.
pub(crate) fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AccessEntry>, D::Error> {
    let entries = Vec::<AccessEntry>::deserialize(deserializer)?;
    for (at, AccessEntry { list, tokens }) in entries.iter().enumerate() {
        if tokens.is_empty() {
            return Err(serde::de::Error::custom(format!("no token is given for {list}: nobody could read it")));
        }
        if entries[..at].iter().any(|before| before.list == *list) {
            return Err(serde::de::Error::custom(format!("{list} is there twice: give all its tokens in one place")));
        }
    }
    Ok(entries)
}

/// The answer to who asks for an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It is for everybody.
    Open,
    /// It is restricted, and the token fits.
    Granted,
    /// It is restricted, and no fitting token came.
    Denied,
    /// There is nothing to ask for.
    Unknown,
}

/// Which lists are restricted.
#[derive(Debug, Default)]
pub(crate) struct Access {
    entries: RwLock<Arc<[AccessEntry]>>,
    names: Mutex<Names>,
}

/// Which lists name which object, in the order in which they did first, as of so many releases.
#[derive(Debug, Default)]
struct Names {
    releases: usize,
    lists: BTreeMap<ObjectDigest, Vec<ListName>>,
}

impl Access {
    pub(crate) fn new(entries: Vec<AccessEntry>) -> Self {
        Self { entries: RwLock::new(entries.into()), names: Mutex::default() }
    }

    /// From now on these lists are restricted, by these tokens. Gives those that were restricted and are not any more.
    pub(crate) fn replace(&self, entries: Vec<AccessEntry>) -> Vec<ListName> {
        let now: Arc<[AccessEntry]> = entries.into();
        let mut place = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, Arc::clone(&now));
        before.iter().map(|entry| &entry.list).filter(|list| entry(&now, list).is_none()).cloned().collect()
    }

    /// The restricted lists that are not in this history: mistyped, or not founded yet.
    pub(crate) fn unknown(&self, history: &History) -> Vec<ListName> {
        let entries = self.entries();
        entries.iter().map(|entry| &entry.list).filter(|list| history.list(list).is_none()).cloned().collect()
    }

    fn entries(&self) -> Arc<[AccessEntry]> {
        Arc::clone(&self.entries.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether this request may read the object.
    pub(crate) fn judge(&self, state: &State, digest: &ObjectDigest, headers: &HeaderMap) -> Verdict {
        let restricted = self.entries();
        if restricted.is_empty() {
            return Verdict::Open;
        }
        let lists = self.lists_of(&state.histories().known, digest);
        let Some(first) = lists.first() else { return Verdict::Unknown };
        if entry(&restricted, first).is_none() {
            return Verdict::Open;
        }
        let entries: Vec<&AccessEntry> = lists.iter().filter_map(|list| entry(&restricted, list)).collect();
        let is_granted = bearer(headers).is_some_and(|token| fits(&entries, token));
        if is_granted { Verdict::Granted } else { Verdict::Denied }
    }

    /// Whether a list that names this object has to send it even if it is there: it is a restricted list's, and this one has
    /// not named it yet.
    pub(crate) fn must_be_shown(&self, history: &History, digest: &ObjectDigest, list: &ListName) -> bool {
        let restricted = self.entries();
        if restricted.is_empty() {
            return false;
        }
        let lists = self.lists_of(history, digest);
        lists.first().is_some_and(|first| entry(&restricted, first).is_some()) && !lists.contains(list)
    }

    /// The lists whose releases name this object. Collected anew when there are more releases than last time.
    fn lists_of(&self, history: &History, digest: &ObjectDigest) -> Vec<ListName> {
        let releases = history.lists().map(|(_, list)| list.releases().len()).sum();
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.releases != releases {
            *names = Names { releases, lists: collect(history) };
        }
        names.lists.get(digest).cloned().unwrap_or_default()
    }
}

/// The tokens of a list, if it is restricted.
fn entry<'a>(restricted: &'a [AccessEntry], list: &ListName) -> Option<&'a AccessEntry> {
    restricted.iter().find(|entry| entry.list == *list)
}

fn collect(history: &History) -> BTreeMap<ObjectDigest, Vec<ListName>> {
    let mut releases: Vec<&LoggedRelease> = history.lists().flat_map(|(_, list)| list.releases()).collect();
    releases.sort_unstable_by_key(|logged| logged.index);
    let mut lists: BTreeMap<ObjectDigest, Vec<ListName>> = BTreeMap::new();
    for release in releases.iter().map(|logged| logged.release.body()) {
        for object in release.objects() {
            let names = lists.entry(object.sha256).or_default();
            if !names.contains(&release.list) {
                names.push(release.list.clone());
            }
        }
    }
    lists
}

/// The token in `Authorization: Bearer …` (RFC 6750).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the token is one of these lists'. All of them are compared, in constant time.
fn fits(entries: &[&AccessEntry], token: &str) -> bool {
    let TokenDigest(asked) = TokenDigest::of(token);
    let known = entries.iter().flat_map(|entry| &entry.tokens);
    let fits = known.fold(Choice::from(0), |fits, TokenDigest(known)| fits | known.ct_eq(&asked));
    fits.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn a_token_fits_by_its_digest_alone_and_what_is_opened_is_named() {
        let entry = AccessEntry {
            list: ListName::new("hotline.example/images").unwrap(),
            tokens: vec![TokenDigest::of("first"), TokenDigest::of("second")],
        };
        for (value, expected) in [
            ("Bearer first", true),
            ("bearer  second", true),
            ("Bearer third", false),
            ("Bearer ", false),
            ("Basic first", false),
            ("first", false),
        ] {
            let fitted = bearer(&headers(value)).is_some_and(|token| fits(&[&entry], token));
            assert_eq!(fitted, expected, "{value}");
        }
        assert!(!fits(&[], "first"));
        assert_eq!(Access::new(vec![entry.clone()]).replace(vec![entry.clone()]), []);
        assert_eq!(Access::new(vec![entry.clone()]).replace(Vec::new()), vec![entry.list.clone()]);
        let digest = isonomy_core::encoding::to_hex(&TokenDigest::of("first").0);
        assert!(bearer(&headers(&format!("Bearer {digest}"))).is_some_and(|token| !fits(&[&entry], token)));
    }
}
