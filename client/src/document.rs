//! What came of an update or a comparison, as data for programs.

use crate::evidence::Shown;
use crate::peer::Compared;
use crate::update::UpdateReport;
use isonomy_core::encoding::to_hex;
use isonomy_core::note::VerifierKey;
use isonomy_core::time::Timestamp;
use isonomy_verifier::Pending;
use isonomy_verifier::evidence::Breach;
use serde_json::{Value, json};

impl UpdateReport {
    /// The report as it is written in JSON. How old the knowledge is depends on when one asks: `clock` is this machine's clock.
    pub fn document(&self, clock: Timestamp) -> Value {
        json!({
            "list": self.updated.list.name(),
            "version": self.updated.list.version(),
            "kind": self.kind,
            "freshness": self.updated.list.freshness(clock),
            "source": self.source,
            "requests": self.requests,
            "bytes": self.bytes,
            "objects": self.objects,
            "pending": self.updated.pending.iter().map(pending).collect::<Vec<_>>(),
            "refusals": self.refusals,
            "next_update_after": self.next_update_after.as_secs(),
        })
    }
}

fn pending(waiting: &Pending) -> Value {
    json!({
        "version": waiting.version,
        "release": waiting.release.to_hex(),
        "rule": waiting.waits_for.rule().number(),
        "code": waiting.waits_for.code(),
        "message": waiting.waits_for.to_string(),
    })
}

/// Who answers for a breach, as it is written in JSON: each key by its name and short id.
pub fn keys_document(by: &[VerifierKey]) -> Value {
    by.iter().map(|key| json!({ "name": key.name(), "id": to_hex(&key.id().0) })).collect()
}

impl Shown {
    /// What came of the evidence, as it is written in JSON.
    pub fn document(&self) -> Value {
        let Breach { by, what, .. } = &self.breach;
        json!({ "by": keys_document(by), "what": what, "evidence": self.digest.to_string(), "halted": self.halts })
    }
}

impl Compared {
    /// What the comparison brought, as it is written in JSON.
    pub fn document(&self) -> Value {
        let evidence = self.evidence.as_ref().map(ToString::to_string);
        json!({ "outcome": self.outcome.code(), "evidence": evidence, "halted": self.halts })
    }
}
