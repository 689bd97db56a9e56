//! The worked examples of evidence.

use super::{AUDITOR, LOG, SIGNERS};
use super::{Blocks, Page, Tree, add, charter, entries, from_hex_lines, release_1, signed, vkey};
use isonomy_core::charter::Charter;
use isonomy_core::hash::sha256;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, PrefixPlan, TreeSize};
use isonomy_verifier::evidence::InLog;
use isonomy_verifier::{Evidence, Policy};
use std::collections::BTreeMap;

/// Evidence, and the statements in it under the names by which the page shows them.
struct Shown {
    evidence: Evidence,
    statements: Vec<(&'static str, Statement)>,
}

pub(super) fn examples(blocks: &mut Blocks) {
    let history = |names: [&str; 3]| Tree(names.map(|name| blocks[name].clone().into_bytes()).to_vec());
    let shown = history(["charter", "release-1", "attestation"]);
    let hidden = history(["charter", "attestation", "release-1"]);
    let plan = PrefixPlan::new(TreeSize(2), TreeSize(3)).unwrap();
    let proof = plan.combine(&hidden.nodes(plan.nodes())).unwrap();
    let evidence = Evidence::fork(&shown.cosigned(2), &hidden.checkpoint(3), proof);
    add(blocks, "evidence-digest", evidence.digest());
    add(blocks, "evidence", evidence.to_text());
    for (name, shown) in [("two-editions", two_editions()), ("equivocation-v2", two_releases())] {
        add(blocks, &format!("evidence-{name}"), shown.abridged());
        add(blocks, &format!("evidence-{name}-digest"), shown.evidence.digest());
    }
}

/// Edition 2, by which another person answers for the list.
fn edition_2(contact: &str) -> Statement {
    let mut edition = charter();
    edition.previous = Some(signed(edition.to_text().unwrap(), &SIGNERS).id());
    (edition.edition, edition.maintainer.contact) = (2, contact.into());
    signed(edition.to_text().unwrap(), &SIGNERS)
}

fn two_editions() -> Shown {
    let edition_1 = signed(charter().to_text().unwrap(), &SIGNERS);
    let (one, other) = (edition_2("one@hotline.example"), edition_2("other@hotline.example"));
    let release = signed(release_1(&charter(), &entries(&[1, 2, 3, 4])).to_text().unwrap(), &SIGNERS);
    let log = Tree([&edition_1, &release, &one, &other].map(Statement::to_bytes).to_vec());
    let [(first, first_proof), (second, second_proof), (third, third_proof)] =
        [(&edition_1, 0), (&one, 2), (&other, 3)].map(|(statement, index)| (charter_of(statement), place(&log, index)));
    let evidence = Evidence::two_editions(
        Some(InLog { statement: &first, proof: &first_proof }),
        InLog { statement: &second, proof: &second_proof },
        InLog { statement: &third, proof: &third_proof },
    );
    let names = ["the charter", "edition 2, contact one@hotline.example", "edition 2, contact other@hotline.example"];
    Shown { evidence, statements: names.into_iter().zip([edition_1, one, other]).collect() }
}

/// Release 1 under edition 1, and another text for it under edition 2.
fn two_releases() -> Shown {
    let edition_1 = signed(charter().to_text().unwrap(), &SIGNERS);
    let edition_2 = edition_2("one@hotline.example");
    let body = release_1(&charter(), &entries(&[1, 2, 3, 4]));
    let other = Release { charter: edition_2.id(), ..body.clone() };
    let [one, other] = [body, other].map(|release| signed(release.to_text().unwrap(), &SIGNERS));
    let log = Tree([&edition_1, &one, &edition_2, &other].map(Statement::to_bytes).to_vec());
    let proofs = [0, 1, 2, 3].map(|index| place(&log, index));
    let (first, second) = (charter_of(&edition_1), charter_of(&edition_2));
    let (a, b) = (one.clone().into_release().unwrap(), other.clone().into_release().unwrap());
    let evidence = Evidence::equivocation_across(
        (InLog { statement: &first, proof: &proofs[0] }, InLog { statement: &a, proof: &proofs[1] }),
        (InLog { statement: &second, proof: &proofs[2] }, InLog { statement: &b, proof: &proofs[3] }),
    );
    let names = ["the charter", "release 1", "edition 2, contact one@hotline.example", "release 1, citing edition 2"];
    Shown { evidence, statements: names.into_iter().zip([edition_1, one, edition_2, other]).collect() }
}

fn charter_of(statement: &Statement) -> Signed<Charter> {
    statement.clone().into_charter().unwrap()
}

/// The proof of an entry under the tree of all four.
fn place(log: &Tree, index: usize) -> TlogProof {
    let checkpoint = log.cosigned(4);
    TlogProof { extra: None, index: LeafIndex(index as u64), path: log.path(index, 4), checkpoint }
}

impl Shown {
    /// The file with one line in the place of each statement.
    fn abridged(&self) -> String {
        self.statements.iter().fold(self.evidence.to_text(), |text, (name, statement)| {
            let (whole, short) = (lines(&statement.note().to_string()), lines(&format!("… {name} …")));
            assert!(text.contains(&whole), "{name}");
            text.replacen(&whole, &short, 1)
        })
    }
}

/// The lines of a text as an array in a file.
fn lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
    let object = serde_json::to_string_pretty(&BTreeMap::from([("", lines)])).unwrap();
    object[object.find('[').unwrap()..=object.rfind(']').unwrap()].to_owned()
}

#[test]
fn the_evidence_holds_against_the_log() {
    let blocks = Page::read().blocks();
    let policy = Policy::parse(blocks["policy"].as_bytes()).unwrap();
    let evidence = Evidence::parse(blocks["evidence"].as_bytes()).unwrap();
    assert_eq!(evidence.verify(policy.trust()).unwrap().names(), [LOG]);
    assert_eq!(from_hex_lines(&blocks["evidence-digest"]), sha256(&[blocks["evidence"].as_bytes()]));
    let other = TlogPolicy::parse(format!("log {}\nquorum none\n", vkey(AUDITOR)).as_bytes()).unwrap();
    assert!(evidence.verify(&other).is_err());
}

/// With the statements put back in their places, the page's files are whole.
#[test]
fn abridged_evidence_holds_too() {
    let blocks = Page::read().blocks();
    let policy = Policy::parse(blocks["policy"].as_bytes()).unwrap();
    for (name, shown, said) in [
        ("two-editions", two_editions(), "admitted two texts for edition 2"),
        ("equivocation-v2", two_releases(), "logged two texts for version 1"),
    ] {
        let whole =
            shown.statements.iter().fold(blocks[&format!("evidence-{name}")].clone(), |text, (name, statement)| {
                text.replacen(&lines(&format!("… {name} …")), &lines(&statement.note().to_string()), 1)
            });
        assert_eq!(from_hex_lines(&blocks[&format!("evidence-{name}-digest")]), sha256(&[whole.as_bytes()]));
        let breach = Evidence::parse(whole.as_bytes()).unwrap().verify(policy.trust()).unwrap();
        assert_eq!(breach.names(), [LOG]);
        assert!(breach.what.starts_with(said), "{}", breach.what);
    }
}
