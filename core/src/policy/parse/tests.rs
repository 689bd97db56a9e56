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
        (6, format!("{former}witness w {0}\nwitness x {0}\n", witness_key(1)), PolicyProblem::DuplicateKey("witness")),
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
