//! The report as JSON, for programs.

use serde_json::{Value, json};

use super::super::diff::words::short;
use super::super::diff::{Change, Effect};
use super::Report;

/// How long a text from outside may be.
const LONGEST: usize = 1000;

impl Report {
    /// For programs. Keys are added, and never renamed or taken away:
    ///
    /// - `format`: 1
    /// - `source`, `sha256`, `mode` (`reconstruction`, `replaced`, `private`), `outcome`
    /// - `refused`: texts; empty when the document is taken
    /// - `breaking`: how many changes concern whom: `facade`, `caller`, `raw`, `none`
    /// - `operations`: `document`, `mapped`, `missing`, `further`: numbers
    /// - `mapped`: `{id, method, path, operationId, decided}`
    /// - `missing`: `{id, contract, accepted}`
    /// - `changes`: `{what, effect, operation, also, place, text}`; `what` as in openapi/CHANGES.md, `operation` may be `null`
    /// - `notes`: texts
    /// - `generated`: `{lines, bytes, seconds}` or `null`; `buildSeconds`: a number or `null`
    ///
    /// Characters that a terminal would obey are written as `\u{…}` in all texts, as in the other forms.
    pub(crate) fn json(&self) -> Value {
        let count = |effect: Effect| self.of(effect).count();
        let texts = |texts: &[String]| texts.iter().map(|text| plain(text)).collect::<Vec<String>>();
        json!({
            "format": 1,
            "source": plain(&self.source),
            "sha256": plain(&self.sha256),
            "mode": self.mode.word(),
            "outcome": plain(&self.outcome),
            "refused": texts(&self.refused),
            "breaking": {
                "facade": count(Effect::Facade),
                "caller": count(Effect::Caller),
                "raw": count(Effect::Raw),
                "none": count(Effect::None),
            },
            "operations": {
                "document": self.operations,
                "mapped": self.mapped.len(),
                "missing": self.missing.len(),
                "further": self.further(),
            },
            "mapped": self.mapped.iter().map(|row| json!({
                "id": plain(&row.id),
                "method": plain(&row.method),
                "path": plain(&row.path),
                "operationId": row.there.as_deref().map(plain),
                "decided": row.decided,
            })).collect::<Vec<Value>>(),
            "missing": self.missing.iter().map(|missing| json!({
                "id": plain(&missing.id),
                "contract": plain(&missing.line),
                "accepted": missing.accepted,
            })).collect::<Vec<Value>>(),
            "changes": self.changes.iter().map(change).collect::<Vec<Value>>(),
            "notes": texts(&self.notes),
            "generated": self.generated.map(|made| json!({
                "lines": made.lines,
                "bytes": made.bytes,
                "seconds": made.seconds,
            })),
            "buildSeconds": self.build_seconds,
        })
    }
}

fn change(change: &Change) -> Value {
    json!({
        "what": change.what.key(),
        "effect": change.effect.word(),
        "operation": change.operation.as_deref().map(plain),
        "also": change.also.iter().map(|operation| plain(operation)).collect::<Vec<String>>(),
        "place": plain(&change.place),
        "text": plain(&change.text),
    })
}

fn plain(text: &str) -> String {
    short(text, LONGEST)
}
