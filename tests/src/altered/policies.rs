//! tlog-policies: such as are read, and such as are not.

use crate::people::{LOG, key, witness};
use isonomy_core::note::{KeyType, SigningKey};

/// Policies in many forms, for the log and the witnesses of the tests.
pub fn policies() -> Vec<(&'static str, String)> {
    let log = format!("log {}\n", key(LOG).verifier());
    let other = SigningKey::from_seed(LOG, KeyType::Ed25519, &[5; 32]).unwrap();
    let other = format!("log {}\n", other.verifier());
    let name = |number: u8| witness(number).verifier().to_string();
    let of = |number: u8| format!("witness w{number} {}\n", name(number));
    let three: String = [1, 2, 3].map(of).concat();
    let good = format!("{log}{three}group two 2 w1 w2 w3\nquorum two\n");
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let former = |rest: &str| format!("{log}{}quorum w1\nformer {LOG} 100\n{rest}", of(1));
    let many = |count: u8, line: &dyn Fn(u8) -> String| (0..count).map(line).collect::<String>();
    let single = |number: u8| format!("group g{number} 1 v{number}\n");
    let spare = |number: u8| {
        let key = SigningKey::from_seed("spare", KeyType::Cosignature, &[number + 100; 32]).unwrap();
        format!("witness v{number} {}\n", key.verifier())
    };
    let log_of = |number: u8| {
        let key = SigningKey::from_seed(LOG, KeyType::Ed25519, &[number + 100; 32]).unwrap();
        format!("log {}\n", key.verifier())
    };
    let set = format!("former {LOG} 9\n{}quorum w1\n", of(1));
    vec![
        ("as it should be", good.clone()),
        ("tabs, spaces and remarks", format!("\n# remark\n \t{}\t \n  #x\n", good.replace(' ', " \t "))),
        ("URLs", with("\nquorum", " \nquorum").replace(&log, &log.replace('\n', " https://log.example/\n"))),
        ("two URLs", good.replace(&log, &log.replace('\n', " https://a.example https://b.example\n"))),
        ("three words for a witness", with(&name(1), &format!("{} https://w.example more", name(1)))),
        ("no newline at the end", good.trim_end().to_owned()),
        ("lines that end otherwise", good.replace('\n', "\r\n")),
        ("a control character", with("group two", "# \u{1}\ngroup two")),
        ("a character that is deleted", with("group two", "# \u{7f}\ngroup two")),
        ("a character from above", with("group two", "# \u{85}\ngroup two")),
        ("a name with a line separator", good.replace("two", "t\u{2028}o")),
        ("a name with a hard space", good.replace("two", "t\u{a0}o")),
        ("a name that objects have", good.replace("two", "constructor")),
        ("a threshold that objects have", with("two 2", "two constructor")),
        ("any", with("two 2", "two any")),
        ("all", with("two 2", "two all")),
        ("a zero before", with("two 2", "two 02")),
        ("none needed", with("two 2", "two 0")),
        ("more needed than there are", with("two 2", "two 4")),
        ("no members", with(" w1 w2 w3", "")),
        ("a member that nobody is", with(" w1 w2 w3", " w1 w2 w4")),
        ("a member twice", with(" w1 w2 w3", " w1 w2 w2")),
        ("a member of two groups", with("quorum two", "group more 1 w1\nquorum two")),
        ("a group before its members", format!("{log}group two 2 w1 w2\n{three}quorum two\n")),
        (
            "a group of groups",
            with("two 2 w1 w2 w3\nquorum two", "one 1 w1\ngroup more 1 w2 w3\ngroup both all one more\nquorum both"),
        ),
        ("a name twice", with("group two", "group w1")),
        ("a name that is none", with("group two", "group none")),
        ("one witness", with("quorum two", "quorum w1")),
        ("one who did not cosign", with("quorum two", "quorum w3")),
        ("nobody", with("quorum two", "quorum none")),
        ("nobody now", format!("{log}quorum none\nformer {LOG} 100\n{}quorum w1\n", of(1))),
        ("a quorum that nobody is", with("quorum two", "quorum three")),
        ("two quorums", with("quorum two", "quorum two\nquorum w1")),
        ("no quorum", with("quorum two\n", "")),
        ("a line of another kind", with("quorum two", "quorums two")),
        ("no log", with(&log, "")),
        ("another log", with(&log, &other)),
        ("another key of the log first", with(&log, &[other.as_str(), &log].concat())),
        ("another key of the log last", with(&log, &[log.as_str(), &other].concat())),
        ("a log twice", with(&log, &log.repeat(2))),
        ("a witness as a log", with(&log, &format!("{log}log {}\n", name(1)))),
        ("a log as a witness", with("group two", &format!("witness x {}\ngroup two", key(LOG).verifier()))),
        ("a witness twice", with("group two", &format!("witness x {}\ngroup two", name(1)))),
        ("a witness under another id", with(&name(1), &name(1).replace("/1+", "/4+"))),
        ("too many logs", format!("{}{good}", many(32, &log_of))),
        ("as many logs as may be", format!("{}{good}", many(31, &log_of))),
        ("too many witnesses", format!("{}{good}", many(62, &spare))),
        ("as many witnesses as may be", format!("{}{good}", many(61, &spare))),
        (
            "too many groups",
            with("group two", &format!("{}{}{}group two", many(60, &spare), many(60, &single), of_groups(4))),
        ),
        (
            "as many groups as may be",
            with("group two", &format!("{}{}{}group two", many(60, &spare), many(60, &single), of_groups(3))),
        ),
        ("too large", format!("#{}\n{good}", "x".repeat(64 << 10))),
        ("former witnesses", former(&format!("{}{}group two all w1 w2\nquorum two\n", of(1), of(2)))),
        ("a former quorum that did not cosign", former(&format!("{}quorum w3\n", of(3)))),
        ("a former log", former(&format!("{log}{}quorum w1\n", of(1)))),
        ("former witnesses of another log", former(&set).replace(&format!("former {LOG} 9"), "former x 9")),
        ("no former quorum", former(&of(1))),
        ("a former quorum of nobody", former("quorum none\n")),
        ("former witnesses of so many entries and more", former(&set).replace(" 100\n", " 0100\n")),
        ("former witnesses who are not asked", former(&format!("{}{}quorum w1\n", of(1), of(3)))),
        ("too many former sets", format!("{good}{}", set.repeat(33))),
        ("as many former sets as may be", format!("{good}{}", set.repeat(32))),
        (
            "now others, then those",
            format!("{log}{}quorum w9\nformer {LOG} 2\n{three}group two 2 w1 w2 w3\nquorum two\n", of(9)),
        ),
        (
            "now others, then those, in a smaller tree",
            format!("{log}{}quorum w9\nformer {LOG} 1\n{three}group two 2 w1 w2 w3\nquorum two\n", of(9)),
        ),
        ("nothing", String::new()),
    ]
}

/// So many groups of groups.
fn of_groups(count: u8) -> String {
    (0..count).map(|number| format!("group h{number} 1 g{number}\n")).collect()
}
