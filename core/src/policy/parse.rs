//! Reading and writing a policy.

use super::{
    Former, MAX_FORMER, MAX_GROUPS, MAX_LOGS, MAX_POLICY_SIZE, MAX_WITNESSES, Name, Policy, PolicyError, PolicyLog,
    PolicyProblem, PolicyWitness, Quorum, WitnessSet, write_octets,
};
use crate::encoding::from_decimal;
use crate::note::{KeyError, KeyType, VerifierKey, holds_private_key};
use crate::tree::TreeSize;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Policy {
    /// Parses a policy of at most [`MAX_POLICY_SIZE`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let within = bytes.get(..MAX_POLICY_SIZE).unwrap_or(bytes);
        let line_count = within.iter().filter(|&&byte| byte == b'\n').count();
        let at_end = |problem| PolicyError { line: line_count + 1, problem };
        if within.len() < bytes.len() {
            return Err(at_end(PolicyProblem::TooLarge));
        }
        let mut reader = Reader::default();
        for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            reader.line(line).map_err(|problem| PolicyError { line: index + 1, problem: unquoting(problem, line) })?;
        }
        reader.finish().map_err(at_end)
    }

    /// The policy as a file: without comments, and without groups that are no part of the quorum.
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for log in &self.logs {
            write_line(&mut text, &[b"log", log.key.to_string().as_bytes()], log.url.as_deref());
        }
        self.set.write(&mut text);
        for Former { origin, until, set } in &self.former {
            write_line(&mut text, &[b"former", origin.as_bytes(), until.to_string().as_bytes()], None);
            set.write(&mut text);
        }
        text
    }
}

impl WitnessSet {
    fn write(&self, text: &mut Vec<u8>) {
        for PolicyWitness { name, key, url } in &self.witnesses {
            write_line(text, &[b"witness", name.as_bytes(), key.to_string().as_bytes()], url.as_deref());
        }
        self.write_groups(&self.quorum, text);
        write_line(text, &[b"quorum", self.name_of(&self.quorum)], None);
    }

    /// Writes the groups of `node`, each after its members.
    fn write_groups(&self, node: &Quorum, text: &mut Vec<u8>) {
        let Quorum::Group { name, threshold, members } = node else {
            return;
        };
        members.iter().for_each(|member| self.write_groups(member, text));
        let threshold = if *threshold == members.len() { "all".to_string() } else { threshold.to_string() };
        let mut items: Vec<&[u8]> = alloc::vec![b"group", name.as_bytes(), threshold.as_bytes()];
        items.extend(members.iter().map(|member| self.name_of(member)));
        write_line(text, &items, None);
    }

    fn name_of<'a>(&'a self, node: &'a Quorum) -> &'a [u8] {
        match node {
            Quorum::None => b"none",
            Quorum::Witness(index) => self.witnesses.get(*index).map_or(b"none", |witness| witness.name.as_bytes()),
            Quorum::Group { name, .. } => name.as_bytes(),
        }
    }
}

fn write_line(text: &mut Vec<u8>, items: &[&[u8]], url: Option<&str>) {
    text.extend_from_slice(&items.join(&b' '));
    if let Some(url) = url {
        text.extend_from_slice(format!(" {url}").as_bytes());
    }
    text.push(b'\n');
}

/// The problem, in words that quote nothing of the line if there is a private key in it.
fn unquoting(problem: PolicyProblem, line: &[u8]) -> PolicyProblem {
    if holds_private_key(line) { PolicyProblem::PrivateKey } else { problem }
}

/// What the lines read so far define.
#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    /// The sets that are complete: the present witnesses, and former ones.
    complete: Vec<WitnessSet>,
    /// Whose the sets after the first are.
    former: Vec<(String, TreeSize)>,
    /// The set that is being read.
    set: SetReader,
}

/// What the lines of one set of witnesses define so far.
#[derive(Default)]
struct SetReader {
    witnesses: Vec<PolicyWitness>,
    group_count: usize,
    names: BTreeMap<Name, Definition>,
    quorum: Option<Quorum>,
}

struct Definition {
    node: Quorum,
    is_member: bool,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), PolicyProblem> {
        let line = line.strip_suffix(b"\n").ok_or(PolicyProblem::NoNewline)?;
        if let Some(&octet) = line.iter().find(|&&octet| (octet < 0x20 && octet != b'\t') || octet == 0x7f) {
            return Err(PolicyProblem::Octet(octet));
        }
        let is_gap = |octet: &u8| *octet == b' ' || *octet == b'\t';
        let items: Vec<&[u8]> = line.split(is_gap).filter(|item| !item.is_empty()).collect();
        match items.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", items @ ..] => self.log(items),
            [b"witness", items @ ..] => self.set.witness(items),
            [b"group", items @ ..] => self.set.group(items),
            [b"quorum", b"none"] if !self.former.is_empty() => Err(PolicyProblem::FormerQuorum),
            [b"quorum", items @ ..] => self.set.quorum(items),
            [b"former", items @ ..] => self.former(items),
            [keyword, ..] => Err(PolicyProblem::Keyword(String::from_utf8_lossy(keyword).into_owned())),
        }
    }

    fn log(&mut self, items: &[&[u8]]) -> Result<(), PolicyProblem> {
        if !self.former.is_empty() {
            return Err(PolicyProblem::FormerLog);
        }
        let (key, url) = match items {
            [key] => (key, None),
            [key, url] => (key, Some(url_text(url))),
            _ => return Err(PolicyProblem::Items("log <vkey> [<url>]")),
        };
        let known = self.logs.iter().map(|log| &log.key);
        let key = parse_key(key, KeyType::Ed25519, "log", known)?;
        check_count(self.logs.len(), MAX_LOGS, "logs")?;
        self.logs.push(PolicyLog { key, url });
        Ok(())
    }

    fn former(&mut self, items: &[&[u8]]) -> Result<(), PolicyProblem> {
        let expected = PolicyProblem::Items("former <origin> <entries>");
        let [origin, until] = items else { return Err(expected) };
        let until = core::str::from_utf8(until).ok().and_then(from_decimal).ok_or(expected)?;
        let known = self.logs.iter().map(|log| log.key.name()).find(|name| name.as_bytes() == *origin);
        let unknown = || PolicyProblem::UnknownLog(String::from_utf8_lossy(origin).into_owned());
        let origin = known.ok_or_else(unknown)?.to_string();
        check_count(self.former.len(), MAX_FORMER, "sets of former witnesses")?;
        self.complete.push(core::mem::take(&mut self.set).finish()?);
        self.former.push((origin, TreeSize(until)));
        Ok(())
    }

    fn finish(mut self) -> Result<Policy, PolicyProblem> {
        self.complete.push(self.set.finish()?);
        let mut sets = self.complete.into_iter();
        let set = sets.next().ok_or(PolicyProblem::NoQuorum)?;
        let former = self.former.into_iter().zip(sets).map(|((origin, until), set)| Former { origin, until, set });
        Ok(Policy { logs: self.logs, set, former: former.collect() })
    }
}

impl SetReader {
    fn witness(&mut self, items: &[&[u8]]) -> Result<(), PolicyProblem> {
        let (name, key, url) = match items {
            [name, key] => (name, key, None),
            [name, key, url] => (name, key, Some(url_text(url))),
            _ => return Err(PolicyProblem::Items("witness <name> <vkey> [<url>]")),
        };
        let known = self.witnesses.iter().map(|witness| &witness.key);
        let key = parse_key(key, KeyType::Cosignature, "witness", known)?;
        check_count(self.witnesses.len(), MAX_WITNESSES, "witnesses")?;
        let name = self.define(name, Quorum::Witness(self.witnesses.len()))?;
        self.witnesses.push(PolicyWitness { name, key, url });
        Ok(())
    }

    fn group(&mut self, items: &[&[u8]]) -> Result<(), PolicyProblem> {
        let [name, threshold, member_names @ ..] = items else {
            return Err(PolicyProblem::Items("group <name> all|any|<k> <name>..."));
        };
        if member_names.is_empty() {
            return Err(PolicyProblem::Items("group <name> all|any|<k> <name>..."));
        }
        let threshold = parse_threshold(threshold, member_names.len())?;
        check_count(self.group_count, MAX_GROUPS, "groups")?;
        self.group_count += 1;
        self.check_name_is_free(name)?;
        let members = member_names.iter().map(|member| self.take_member(member)).collect::<Result<_, _>>()?;
        self.define(name, Quorum::Group { name: Name(name.to_vec()), threshold, members })?;
        Ok(())
    }

    fn quorum(&mut self, items: &[&[u8]]) -> Result<(), PolicyProblem> {
        let [name] = items else {
            return Err(PolicyProblem::Items("quorum <name>"));
        };
        if self.quorum.is_some() {
            return Err(PolicyProblem::SecondQuorum);
        }
        let node = if *name == b"none" { Quorum::None } else { self.definition(name)?.node.clone() };
        self.quorum = Some(node);
        Ok(())
    }

    fn finish(self) -> Result<WitnessSet, PolicyProblem> {
        let quorum = self.quorum.ok_or(PolicyProblem::NoQuorum)?;
        Ok(WitnessSet { witnesses: self.witnesses, quorum })
    }

    fn check_name_is_free(&self, name: &[u8]) -> Result<Name, PolicyProblem> {
        let name = Name(name.to_vec());
        let is_taken = name.0 == b"none" || self.names.contains_key(&name);
        if is_taken { Err(PolicyProblem::NameTaken(name)) } else { Ok(name) }
    }

    fn define(&mut self, name: &[u8], node: Quorum) -> Result<Name, PolicyProblem> {
        let name = self.check_name_is_free(name)?;
        self.names.insert(name.clone(), Definition { node, is_member: false });
        Ok(name)
    }

    fn definition(&mut self, name: &[u8]) -> Result<&mut Definition, PolicyProblem> {
        let name = Name(name.to_vec());
        self.names.get_mut(&name).ok_or(PolicyProblem::UnknownName(name))
    }

    fn take_member(&mut self, name: &[u8]) -> Result<Quorum, PolicyProblem> {
        let definition = self.definition(name)?;
        if definition.is_member {
            return Err(PolicyProblem::MemberTwice(Name(name.to_vec())));
        }
        definition.is_member = true;
        Ok(definition.node.clone())
    }
}

fn parse_key<'k>(
    item: &[u8],
    key_type: KeyType,
    role: &'static str,
    mut known: impl Iterator<Item = &'k VerifierKey>,
) -> Result<VerifierKey, PolicyProblem> {
    let key = VerifierKey::parse(core::str::from_utf8(item).map_err(|_| KeyError::Malformed)?)?;
    if key.key_type() != key_type {
        return Err(PolicyProblem::KeyType(role));
    }
    if known.any(|other| other.public_bytes() == key.public_bytes()) {
        return Err(PolicyProblem::DuplicateKey(role));
    }
    Ok(key)
}

fn parse_threshold(item: &[u8], members: usize) -> Result<usize, PolicyProblem> {
    let number = || usize::try_from(from_decimal(core::str::from_utf8(item).ok()?)?).ok();
    match item {
        b"all" => Ok(members),
        b"any" => Ok(1),
        _ => number().filter(|k| (1..=members).contains(k)).ok_or(PolicyProblem::Threshold { members }),
    }
}

/// The URL as text. Octets that are not UTF-8 are percent-encoded, as whoever fetches it would have to.
fn url_text(octets: &[u8]) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write_octets(&mut text, octets, "%");
    text
}

fn check_count(count: usize, limit: usize, kind: &'static str) -> Result<(), PolicyProblem> {
    if count < limit { Ok(()) } else { Err(PolicyProblem::TooMany { kind, limit }) }
}

#[cfg(test)]
mod tests;
