//! Statements, and the files of clients, curators and courts.

use isonomy_core::bundle::Bundle;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Statement};
use isonomy_matcher::Receipt;
use isonomy_publisher::charter::{self, Edition};
use isonomy_tests::people::list;
use isonomy_verifier::{Evidence, Policy, State};

pub(crate) fn statement(bytes: &[u8]) {
    if let Ok(statement) = Statement::parse(bytes) {
        assert_eq!(statement.to_bytes(), bytes);
        assert!(bytes.len() <= MAX_STATEMENT_SIZE);
    }
    if let Ok(draft) = Statement::parse_draft(bytes) {
        assert_eq!(draft.to_bytes(), bytes);
    }
}

pub(crate) fn bundle(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::parse(bytes) {
        assert_eq!(bundle.to_bytes(), bytes);
    }
}

pub(crate) fn policy(bytes: &[u8]) {
    if let Ok(policy) = Policy::parse(bytes) {
        assert!(policy.ages().checkpoint < policy.accept().min_visibility, "a freeze would hide a release");
        assert!(!policy.trust().quorum().is_none());
        assert!(policy.trust().log_keys().contains(policy.log()));
    }
}

pub(crate) fn state(bytes: &[u8]) {
    if let Ok(state) = State::parse(bytes, &list()) {
        assert_eq!(state.to_bytes().as_deref(), Ok(bytes));
    }
}

pub(crate) fn evidence(bytes: &[u8]) {
    if let Ok(evidence) = Evidence::parse(bytes) {
        assert_eq!(evidence.to_text().as_bytes(), bytes);
    }
}

pub(crate) fn receipt(bytes: &[u8]) {
    if let Ok(receipt) = Receipt::parse(bytes) {
        // One receipt has many forms under gzip, and one as text.
        assert!(bytes.starts_with(&[0x1f, 0x8b]) || receipt.to_text().as_bytes() == bytes);
        assert_eq!(Receipt::parse(&receipt.to_file()), Ok(receipt));
    }
}

/// A charter as its author writes it: whatever becomes a charter must have a text that is a statement.
pub(crate) fn charter(bytes: &[u8]) {
    if let Ok(charter) = charter::from_toml(bytes, Edition::First) {
        let draft = charter::draft(&charter).expect("a text");
        let parsed = charter::parse(&draft.to_bytes()).expect("a statement");
        assert_eq!(*parsed.body(), charter);
    }
}
