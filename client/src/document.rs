//! What came of an update or a comparison, as data for programs.

use crate::peer::Compared;
use crate::update::UpdateReport;
use isonomy_verifier::Pending;
use serde_json::{Value, json};

impl UpdateReport {
    /// The report as it is written in JSON.
    pub fn document(&self) -> Value {
        json!({
            "list": self.updated.list.name(),
            "version": self.updated.list.version(),
            "kind": self.kind,
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

impl Compared {
    /// What the comparison brought, as it is written in JSON.
    pub fn document(&self) -> Value {
        let evidence = self.evidence.as_ref().map(ToString::to_string);
        json!({ "outcome": self.outcome.code(), "evidence": evidence, "halted": self.halts })
    }
}
