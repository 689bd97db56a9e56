//! Rule 9: for which releases the word of an auditor counts that followed the log.

use crate::attestation::{Attestation, Method};
use crate::tree::LeafIndex;

/// Whether an attestation that stands at `place` says that its auditor followed the log beyond the release that it names,
/// which stands at `named`. Then it counts for that release, and for every older one of the list, since it says that every
/// entry up to there was read; not for a newer one, even if that was read too. What was not in the log yet when the
/// attestation was logged, nobody can have read.
pub fn followed(attestation: &Attestation, place: LeafIndex, named: LeafIndex) -> bool {
    let read = attestation.log_size.map_or(0, |size| size.0);
    attestation.method == Method::Followed && named.0 < read && read <= place.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::StatementId;
    use crate::rules::testing::{charter, key};
    use crate::time::Timestamp;
    use crate::tree::TreeSize;

    #[test]
    fn what_was_read_reaches_beyond_the_release_and_not_beyond_its_own_place() {
        let attestation = |method, log_size: Option<u64>| Attestation {
            statement: Attestation::KIND.into(),
            list: charter().list,
            release: StatementId([1; 32]),
            auditor: key("auditor").verifier().clone(),
            method,
            log_size: log_size.map(TreeSize),
            sample: None,
            errors: None,
            complaint: None,
            finding: "nothing to object to".into(),
            report: None,
            created: Timestamp(0),
        };
        let counts = |method, log_size| followed(&attestation(method, log_size), LeafIndex(9), LeafIndex(5));
        let found = [5, 6, 9, 10].map(|size| counts(Method::Followed, Some(size)));
        assert_eq!(found, [false, true, true, false]);
        assert!(!counts(Method::Followed, None) && !counts(Method::Recomputed, Some(6)));
    }
}
