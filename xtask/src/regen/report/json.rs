//! The report as JSON, for programs.

use serde_json::{Value, json};

use super::super::diff::{Change, Effect};
use super::super::sanitize::truncated;
use super::Report;

/// Longest untrusted text, in characters.
const MAX_LENGTH: usize = 1000;

impl Report {
    /// Formats the report for programs. Keys may be added; existing keys keep their name and meaning:
    ///
    /// - `format`: 1
    /// - `source`, `sha256`, `mode` (`reconstruction`, `replaced`, `private`), `outcome`
    /// - `refused`: texts; empty when the document is accepted
    /// - `breaking`: number of changes by the code that they break: `caller`, `raw`, `none`; `facade`: number of reasons for a refusal
    /// - `operations`: `document`, `mapped`, `missing`, `further`: numbers
    /// - `mapped`: `{id, method, path, operationId, decided}`
    /// - `missing`: `{id, contract, accepted}`
    /// - `changes`: `{what, effect, operation, place, text}`; `what` as in openapi/CHANGES.md, `operation` may be `null`
    /// - `notes`: texts
    /// - `generated`: `{lines, bytes, seconds}` or `null`; `buildSeconds`: a number or `null`
    ///
    /// Control characters are written as `\u{…}` in all texts, as in the other formats.
    pub(crate) fn json(&self) -> Value {
        let count = |effect: Effect| self.with_effect(effect).count();
        let texts = |texts: &[String]| texts.iter().map(|text| plain(text)).collect::<Vec<String>>();
        json!({
            "format": 1,
            "source": plain(&self.source),
            "sha256": plain(&self.sha256),
            "mode": self.mode.name(),
            "outcome": plain(&self.outcome),
            "refused": texts(&self.refused),
            "breaking": {
                "facade": self.refused.len(),
                "caller": count(Effect::Caller),
                "raw": count(Effect::Raw),
                "none": count(Effect::None),
            },
            "operations": {
                "document": self.operations,
                "mapped": self.mapped.len(),
                "missing": self.missing.len(),
                "further": self.raw_only_count(),
            },
            "mapped": self.mapped.iter().map(|operation| json!({
                "id": plain(&operation.id),
                "method": plain(&operation.method),
                "path": plain(&operation.path),
                "operationId": operation.operation_id.as_deref().map(plain),
                "decided": operation.decided,
            })).collect::<Vec<Value>>(),
            "missing": self.missing.iter().map(|missing| json!({
                "id": plain(&missing.id),
                "contract": plain(&missing.line),
                "accepted": missing.accepted,
            })).collect::<Vec<Value>>(),
            "changes": self.changes.iter().map(change).collect::<Vec<Value>>(),
            "notes": texts(&self.notes),
            "generated": self.generated.map(|generated| json!({
                "lines": generated.lines,
                "bytes": generated.bytes,
                "seconds": generated.seconds,
            })),
            "buildSeconds": self.build_seconds,
        })
    }
}

fn change(change: &Change) -> Value {
    json!({
        "what": change.kind.key(),
        "effect": change.effect.name(),
        "operation": change.operation.as_deref().map(plain),
        "place": plain(&change.location),
        "text": plain(&change.text),
    })
}

fn plain(text: &str) -> String {
    truncated(text, MAX_LENGTH)
}
