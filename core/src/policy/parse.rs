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
mod tests {
    use super::*;
    use crate::note::SigningKey;
    use alloc::vec;
    use proptest::prelude::*;

    fn vkey(name: &str, key_type: KeyType, seed: u8) -> String {
        SigningKey::from_seed(name, key_type, &[seed; 32]).unwrap().verifier().to_string()
    }

    fn log_key(seed: u8) -> String {
        vkey("log.example/a", KeyType::Ed25519, seed)
    }

    fn witness_key(seed: u8) -> String {
        vkey("witness.example/w", KeyType::Cosignature, seed)
    }

    /// The example of the specification, with keys.
    fn example() -> String {
        let mut text = format!("log {}\n\n", log_key(1));
        for (seed, name) in (1..).zip(["X1", "X2", "X3", "Y1", "Y2", "Y3"]) {
            text += &format!("witness {name} {}\n", witness_key(seed));
        }
        text += "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n\n";
        text += "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
        text
    }

    fn parse(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text.as_bytes())
    }

    fn problem(text: &str) -> (usize, PolicyProblem) {
        let PolicyError { line, problem } = parse(text).unwrap_err();
        (line, problem)
    }

    fn name(text: &str) -> Name {
        Name(text.as_bytes().to_vec())
    }

    #[test]
    fn nothing_of_a_private_key_is_shown() {
        let private = SigningKey::from_seed("log.example/a", KeyType::Ed25519, &[1; 32]).unwrap().to_private_text();
        let private = &*private;
        for wrong in [private.clone(), format!("  {private}"), format!("log {private}"), format!("quorum {private}")] {
            let problem = parse(&format!("{wrong}\n")).unwrap_err().problem;
            assert_eq!(problem, PolicyProblem::PrivateKey);
        }
        assert_eq!(parse(private).unwrap_err().problem, PolicyProblem::PrivateKey);
        parse(&format!("# {private}\nquorum none\n")).unwrap();
    }

    #[test]
    fn the_specification_s_example_means_what_it_says() {
        let policy = parse(&example()).unwrap();
        assert_eq!(policy.logs().len(), 1);
        assert_eq!(policy.log_keys()[0].to_string(), log_key(1));
        assert_eq!(policy.witness_keys()[5].to_string(), witness_key(6));
        assert_eq!(policy.witnesses()[3].name, name("Y1"));
        assert_eq!(policy.weak_split(), 1);
        for set in 0..64_u32 {
            let satisfied = policy.quorum().satisfied_by(&|witness| set >> witness & 1 == 1);
            assert_eq!(satisfied, (set & 0b111).count_ones() >= 2 && set >> 3 != 0);
        }
    }

    #[test]
    fn white_space_comments_and_the_place_of_other_lines_mean_nothing() {
        let plain = parse(&example()).unwrap();
        let mut text = example().replace(' ', " \t ").replace('\n', " \t\n#\n \t# quorum none\n");
        text.insert_str(0, "\n \n\t\n");
        assert_eq!(parse(&text).unwrap(), plain);
        let (first, rest) = text.split_at(text.find("witness").unwrap());
        assert_eq!(parse(&format!("{rest}{first}")).unwrap(), plain);
    }

    #[test]
    fn urls_are_kept() {
        let (log, witness) = (log_key(1), witness_key(2));
        let text = format!("log {log} https://log.example/\nwitness w {witness} https://witness.example/é\nquorum w\n");
        let policy = parse(&text).unwrap();
        assert_eq!(policy.logs()[0].url.as_deref(), Some("https://log.example/"));
        assert_eq!(policy.witnesses()[0].url.as_deref(), Some("https://witness.example/é"));
        assert_eq!(policy.to_text(), text.as_bytes());
    }

    #[test]
    fn a_policy_may_have_no_log_and_no_witness() {
        let policy = parse("quorum none\n").unwrap();
        assert!(policy.logs().is_empty() && policy.witnesses().is_empty() && policy.quorum().is_none());
        assert_eq!(policy.to_text(), b"quorum none\n");
        assert_eq!(policy.weak_split(), 0);
    }

    #[test]
    fn octets_above_ascii_are_opaque() {
        let (first, second) = (witness_key(1), witness_key(2));
        let mut text = b"# \xff\nwitness K ".to_vec();
        text.extend_from_slice(format!("{first}\nwitness \u{212a} {second} https://w.example/").as_bytes());
        text.extend_from_slice(b"\xffx\nwitness \xfe\xff ");
        text.extend_from_slice(format!("{}\ngroup g 3 K \u{212a} ", witness_key(3)).as_bytes());
        text.extend_from_slice(b"\xfe\xff\nquorum g\n");
        let policy = Policy::parse(&text).unwrap();
        let names: Vec<String> = policy.witnesses().iter().map(|witness| witness.name.to_string()).collect();
        assert_eq!(names, ["K", "\u{212a}", "\\xFE\\xFF"]);
        assert_eq!(policy.witnesses()[2].name.as_bytes(), b"\xfe\xff");
        assert_eq!(policy.witnesses()[1].url.as_deref(), Some("https://w.example/%FFx"));
        assert_eq!(Policy::parse(&policy.to_text()).unwrap(), policy);
    }

    #[test]
    fn other_control_characters_are_refused_even_in_comments() {
        for octet in (0..0x20).chain([0x7f]).filter(|octet| *octet != b'\t' && *octet != b'\n') {
            let text = [b"# comment\n# " as &[u8], &[octet], b"\nquorum none\n"].concat();
            let error = PolicyError { line: 2, problem: PolicyProblem::Octet(octet) };
            assert_eq!(Policy::parse(&text), Err(error));
        }
    }

    #[test]
    fn each_mistake_is_named_with_its_line() {
        use PolicyProblem as P;
        let (log, witness) = (log_key(1), witness_key(1));
        let start = format!("log {log}\nwitness a {witness}\nwitness b {}\n", witness_key(2));
        let group = "group <name> all|any|<k> <name>...";
        for (line, expected) in [
            ("Quorum a".into(), P::Keyword("Quorum".into())),
            ("log".into(), P::Items("log <vkey> [<url>]")),
            (format!("log {} u x", log_key(2)), P::Items("log <vkey> [<url>]")),
            ("witness c".into(), P::Items("witness <name> <vkey> [<url>]")),
            (format!("witness c {} u #", witness_key(3)), P::Items("witness <name> <vkey> [<url>]")),
            ("group g".into(), P::Items(group)),
            ("group g all".into(), P::Items(group)),
            ("quorum".into(), P::Items("quorum <name>")),
            ("quorum a b".into(), P::Items("quorum <name>")),
            ("log nonsense".into(), P::Key(KeyError::Malformed)),
            (format!("log {}", log_key(2).replace('+', "0+")), P::Key(KeyError::Malformed)),
            (format!("log {}", log_key(2).replace("log.", "l0g.")), P::Key(KeyError::Id)),
            (format!("log {}", witness_key(3)), P::KeyType("log")),
            (format!("witness c {}", log_key(3)), P::KeyType("witness")),
            (format!("log {}", vkey("log.example/b", KeyType::Ed25519, 1)), P::DuplicateKey("log")),
            (format!("witness c {}", vkey("other", KeyType::Cosignature, 2)), P::DuplicateKey("witness")),
            (format!("witness a {}", witness_key(3)), P::NameTaken(name("a"))),
            (format!("witness none {}", witness_key(3)), P::NameTaken(name("none"))),
            ("group none any a".into(), P::NameTaken(name("none"))),
            ("group a any b".into(), P::NameTaken(name("a"))),
            ("quorum c".into(), P::UnknownName(name("c"))),
            ("quorum A".into(), P::UnknownName(name("A"))),
            ("group g any c".into(), P::UnknownName(name("c"))),
            ("group g any g".into(), P::UnknownName(name("g"))),
            ("group g any none".into(), P::UnknownName(name("none"))),
            ("group g any a a".into(), P::MemberTwice(name("a"))),
            ("group g 0 a b".into(), P::Threshold { members: 2 }),
            ("group g 3 a b".into(), P::Threshold { members: 2 }),
            ("group g 01 a b".into(), P::Threshold { members: 2 }),
            ("group g +1 a b".into(), P::Threshold { members: 2 }),
            ("group g most a b".into(), P::Threshold { members: 2 }),
            ("group g 18446744073709551617 a b".into(), P::Threshold { members: 2 }),
        ] {
            let text = format!("{start}{line}\nquorum a\n");
            assert_eq!(problem(&text), (4, expected), "{line}");
        }
        assert_eq!(problem(&format!("{start}quorum a\nquorum a\n")), (5, P::SecondQuorum));
        assert_eq!(problem(&format!("{start}quorum none\nquorum a\n")), (5, P::SecondQuorum));
        assert_eq!(problem(&start), (4, P::NoQuorum));
        assert_eq!(problem(""), (1, P::NoQuorum));
        assert_eq!(problem(&format!("{start}quorum a")), (4, P::NoNewline));
        assert_eq!(problem(&format!("quorum a\n{start}")), (1, P::UnknownName(name("a"))));
        let twice = "group g any a\ngroup h any a b\nquorum g\n";
        assert_eq!(problem(&format!("{start}{twice}")), (5, P::MemberTwice(name("a"))));
    }

    #[test]
    fn one_key_may_be_a_log_s_and_a_witness_s() {
        let text = format!("log {}\nwitness w {}\nquorum w\n", log_key(1), witness_key(1));
        assert!(parse(&text).is_ok());
    }

    #[test]
    fn the_quorum_may_be_a_member_and_groups_may_stay_unused() {
        let text = format!(
            "witness a {}\nwitness b {}\ngroup g any a\nquorum g\ngroup h all g b\n",
            witness_key(1),
            witness_key(2)
        );
        let policy = parse(&text).unwrap();
        assert!(policy.quorum().satisfied_by(&|witness| witness == 0));
        assert_eq!(parse(core::str::from_utf8(&policy.to_text()).unwrap()), Ok(policy));
    }

    #[test]
    fn limits_hold_to_the_line() {
        let too_many = |kind, limit| PolicyProblem::TooMany { kind, limit };
        let logs = |count: u8| (1..=count).map(|seed| format!("log {}\n", log_key(seed))).collect::<String>();
        assert!(parse(&(logs(32) + "quorum none\n")).is_ok());
        assert_eq!(problem(&(logs(33) + "quorum none\n")), (33, too_many("logs", 32)));

        let witness = |seed| format!("witness w{seed} {}\n", witness_key(seed));
        let witnesses = |count: u8| (1..=count).map(witness).collect::<String>();
        assert!(parse(&(witnesses(64) + "quorum w64\n")).is_ok());
        assert_eq!(problem(&(witnesses(65) + "quorum w1\n")), (65, too_many("witnesses", 64)));

        // Each group holds the one before, so this is also the deepest nesting.
        let groups = |count: u8| (2..=count).map(|at| format!("group g{at} all g{}\n", at - 1)).collect::<String>();
        let start = witness(1) + "group g1 any w1\n";
        let deep = parse(&format!("{start}{}quorum g64\n", groups(64))).unwrap();
        assert!(deep.quorum().satisfied_by(&|witness| witness == 0));
        assert_eq!(deep.weak_split(), 1);
        assert_eq!(Policy::parse(&deep.to_text()), Ok(deep));
        assert_eq!(problem(&format!("{start}{}quorum g1\n", groups(65))), (66, too_many("groups", 64)));
    }

    #[test]
    fn the_size_limit_names_the_line_that_reaches_over() {
        let line = "#".repeat(1023) + "\n";
        let full = "quorum none\n".to_string() + &"#".repeat(1011) + "\n" + &line.repeat(63);
        assert_eq!(full.len(), MAX_POLICY_SIZE);
        assert!(parse(&full).is_ok());
        assert_eq!(problem(&(full.clone() + "\n")), (66, PolicyProblem::TooLarge));
        assert_eq!(problem(&("#".to_string() + &full)), (65, PolicyProblem::TooLarge));
    }

    /// Lines of a policy: witnesses, then groups that each take some of the names that are still free.
    fn policies() -> impl Strategy<Value = String> {
        let group = (1usize..5, 0usize..5);
        (1u8..10, proptest::collection::vec(group, 0..8), any::<bool>()).prop_map(|(count, groups, is_none)| {
            let mut text = format!("log {} https://log.example/\n", log_key(1));
            let mut free: Vec<String> = (1..=count).map(|seed| format!("w{seed}")).collect();
            for (seed, name) in (1..).zip(&free) {
                text += &format!("witness {name} {}\n", witness_key(seed));
            }
            for (index, (size, threshold)) in groups.into_iter().enumerate() {
                let members: Vec<String> = free.drain(..size.min(free.len())).collect();
                let threshold = match threshold % (members.len() + 1) {
                    0 => "any".to_string(),
                    number => number.to_string(),
                };
                text += &format!("group g{index} {threshold} {}\n", members.join(" "));
                free.push(format!("g{index}"));
            }
            let quorum = free.pop().filter(|_| !is_none).unwrap_or("none".into());
            text + &format!("quorum {quorum}\n")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_written_policy_is_the_same_policy(text in policies()) {
            let policy = parse(&text).unwrap();
            let written = policy.to_text();
            let again = Policy::parse(&written);
            prop_assert_eq!(again.as_ref(), Ok(&policy));
            prop_assert_eq!(again.unwrap().to_text(), written);
        }

        #[test]
        fn a_mutated_policy_never_panics(at: prop::sample::Index, octet: u8) {
            let mut bytes = example().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = octet;
            if let Ok(policy) = Policy::parse(&bytes) {
                prop_assert_eq!(Policy::parse(&policy.to_text()), Ok(policy));
            }
        }

        #[test]
        fn arbitrary_words_never_panic(words in proptest::collection::vec("log|witness|group|quorum|none|any|2|a|b|\n|\n|[ -~]{0,4}", 0..40)) {
            let _ = parse(&(words.join(" ") + "\n"));
        }

        #[test]
        fn arbitrary_octets_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Policy::parse(&bytes);
        }
    }

    #[test]
    fn errors_speak_to_people() {
        let error = parse("quorum none\nwitness w\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the policy: expected `witness <name> <vkey> [<url>]`");
        let error = parse("quorum none\r\n").unwrap_err().to_string();
        assert!(error.starts_with("line 1 of the policy: the octet 0x0d is not allowed"));
        let names = vec![name("a b"), Name(b"\xff".to_vec())];
        assert_eq!(format!("{names:?}"), "[Name(a b), Name(\\xFF)]");
    }

    /// X1 and X2 were the log's witnesses until it had 40 entries, X2 and X3 until it had 70.
    fn with_former() -> String {
        let mut text = format!("log {}\nwitness w {}\nquorum w\n", log_key(1), witness_key(9));
        for (until, seeds) in [(40, [1, 2]), (70, [2, 3])] {
            text += &format!("former log.example/a {until}\n");
            let [one, other] = seeds.map(witness_key);
            text += &format!("witness w {one}\nwitness x {other}\ngroup both all w x\nquorum both\n");
        }
        text
    }

    #[test]
    fn former_witnesses_are_a_part_of_their_own() {
        let text = with_former();
        let policy = parse(&text).unwrap();
        assert_eq!(policy.to_text(), text.as_bytes());
        assert_eq!((policy.witnesses().len(), policy.all_witness_keys().len()), (1, 5));
        assert_eq!((policy.began_at("log.example/a").0, policy.began_at("log.example/b").0), (70, 0));
        let other = vkey("log.example/b", KeyType::Ed25519, 2);
        let both = parse(&format!("log {other}\n{text}")).unwrap();
        let each: Vec<Policy> = both.for_each_log().collect();
        assert_eq!(each[0].all_witness_keys().len(), 1, "they were not the other log's");
        assert_eq!(each[1], policy);
    }

    #[test]
    fn what_is_wrong_about_former_witnesses_is_named() {
        let former = "former log.example/a 40\n";
        let present = format!("log {}\nwitness w {}\nquorum w\n", log_key(1), witness_key(9));
        let items = PolicyProblem::Items("former <origin> <entries>");
        for (line, lines, expected) in [
            (4, "former log.example/a\n".to_string(), items.clone()),
            (4, "former log.example/a 040\n".to_string(), items.clone()),
            (4, "former log.example/a -1\n".to_string(), items),
            (4, "former log.example/b 40\n".to_string(), PolicyProblem::UnknownLog("log.example/b".to_string())),
            (5, former.to_string(), PolicyProblem::NoQuorum),
            (5, former.repeat(2), PolicyProblem::NoQuorum),
            (5, format!("{former}quorum none\n"), PolicyProblem::FormerQuorum),
            (5, format!("{former}quorum w\n"), PolicyProblem::UnknownName(name("w"))),
            (5, format!("{former}log {}\n", log_key(2)), PolicyProblem::FormerLog),
            (
                6,
                format!("{former}witness w {0}\nwitness x {0}\n", witness_key(1)),
                PolicyProblem::DuplicateKey("witness"),
            ),
        ] {
            assert_eq!(problem(&format!("{present}{lines}")), (line, expected), "{lines}");
        }
        assert_eq!(problem(&format!("log {}\n{former}", log_key(1))), (2, PolicyProblem::NoQuorum));
        let one = format!("{former}witness w {}\nquorum w\n", witness_key(1));
        assert!(parse(&format!("{present}{}", one.repeat(MAX_FORMER))).is_ok());
        let too_many = PolicyProblem::TooMany { kind: "sets of former witnesses", limit: MAX_FORMER };
        let (_, found) = problem(&format!("{present}{}", one.repeat(MAX_FORMER + 1)));
        assert_eq!(found, too_many);
    }
}
