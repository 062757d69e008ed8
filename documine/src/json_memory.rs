//! Estimates the memory of parsed JSON, which is many times the size of its text.

/// An object with its first member: the node of a map, or the struct of a model with spare capacity in a vector.
const OBJECT: usize = 768;
/// An array with capacity for four values.
const ARRAY: usize = 192;
/// A value: its slot in a growing vector, and another one while serde buffers it for `#[serde(flatten)]`.
const VALUE: usize = 96;
/// A member name, which has its own allocation.
const NAME: usize = 32;

/// Estimates the memory of the values parsed from a JSON text, in bytes. Models and [`serde_json::Value`] need less.
///
/// The text may be invalid, because the estimate precedes parsing.
pub(crate) fn estimate(json: &[u8]) -> usize {
    // Every value except the first follows a bracket or a comma.
    let mut built = VALUE;
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        if in_string {
            (in_string, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            continue;
        }
        built += match byte {
            b'"' => {
                in_string = true;
                0
            }
            b'{' => OBJECT,
            b'[' => ARRAY,
            b',' => VALUE,
            b':' => NAME,
            _ => 0,
        };
    }
    // The characters of strings are copied.
    built + json.len()
}

/// The limit on the estimate, as a multiple of the limit on the text.
const MAX_RATIO: usize = 8;
/// Estimates up to this size are always accepted.
const ALWAYS_ACCEPTED: usize = 512 * 1024;
/// The maximum ratio of estimate to text.
const WORST_RATIO: usize = OBJECT;

/// Returns the limit on the estimate for a text limit of `limit` bytes.
pub(crate) fn max_estimate(limit: usize) -> usize {
    limit.saturating_mul(MAX_RATIO).max(ALWAYS_ACCEPTED)
}

/// Checks the estimate of a JSON text against a text limit of `limit` bytes. The error is a clause without a subject.
pub(crate) fn check(json: &[u8], limit: usize) -> Result<(), String> {
    let max = max_estimate(limit);
    // Most responses are too small to exceed the limit, so the estimate is skipped.
    if json.len().saturating_mul(WORST_RATIO) <= max {
        return Ok(());
    }
    let built = estimate(json);
    if built > max { Err(format!("it would take about {built} bytes of memory, more than {max}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::properties::cases;

    /// Returns a lower bound of the allocations of a value: a B-tree node has room for eleven members.
    fn allocated(value: &Value) -> usize {
        const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>());
        match value {
            Value::String(text) => text.capacity(),
            Value::Array(values) => {
                values.capacity() * size_of::<Value>() + values.iter().map(allocated).sum::<usize>()
            }
            Value::Object(members) => {
                let own = members.len().div_ceil(6) * NODE;
                own + members.iter().map(|(name, value)| name.capacity() + allocated(value)).sum::<usize>()
            }
            _ => 0,
        }
    }

    fn densest() -> Vec<String> {
        let many = |one: &str| format!("[{}]", vec![one; 3000].join(","));
        let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100), close.repeat(100));
        let members = (0..3000).map(|name| format!("\"{name}\":0")).collect::<Vec<_>>().join(",");
        let mut all: Vec<String> =
            ["0", "[]", "{}", "\"\"", "null", "[0]", r#"{"":0}"#, r#"{"":{}}"#, r#"{"a":[],"b":1.5}"#].map(many).into();
        all.extend([format!("{{{members}}}"), deep("[", "]"), deep(r#"{"":"#, "}")]);
        all
    }

    #[test]
    fn estimate_bounds_densest_json() -> serde_json::Result<()> {
        for json in densest() {
            let value = serde_json::from_str(&json)?;
            let built = allocated(&value) + size_of::<Value>();
            let estimate = estimate(json.as_bytes());
            assert!(built <= estimate, "{built} of {estimate}: {}", &json[..json.len().min(40)]);
            assert!(estimate <= (json.len() + 1) * WORST_RATIO, "{estimate}: {}", &json[..json.len().min(40)]);
        }
        Ok(())
    }

    #[test]
    fn estimate_of_object_bounds_models() {
        use crate::models;
        // A growing vector has up to twice the capacity it needs.
        for size in
            [size_of::<models::FileStatus>(), size_of::<models::Dossier>(), size_of::<crate::models::FileComponents>()]
        {
            assert!(2 * size <= OBJECT + VALUE, "{size}");
        }
    }

    #[test]
    fn ignores_characters_in_strings() {
        for (json, built) in [
            (r#""{[,:{[""#, 0),
            (r#""a\"{{{\\""#, 0),
            (r#""\\\"{""#, 0),
            (r#"["a","b"]"#, ARRAY + VALUE),
            (r#"{"{":"}"}"#, OBJECT + NAME),
            ("[[],{}]", 2 * ARRAY + VALUE + OBJECT),
        ] {
            assert_eq!(estimate(json.as_bytes()), VALUE + built + json.len(), "{json}");
        }
    }

    #[test]
    fn rejects_estimates_above_eight_times_the_limit() {
        let numbers = format!("[{}0]", "0,".repeat(500_000));
        assert!(
            check(numbers.as_bytes(), numbers.len()).is_err_and(|why| why.contains("bytes of memory, more than 8"))
        );
        assert_eq!(check(numbers.as_bytes(), 16 * numbers.len()), Ok(()));
        let text = format!("[{:?}]", "{".repeat(1_000_000));
        assert_eq!(check(text.as_bytes(), text.len()), Ok(()));
        // Like models: a few members with short texts.
        let model = r#"{"id":"5f2b1c3a","name":"Study number","value":"SVL-2023-0117","pages":[1,2],"confidence":0.98,"confirmed":false}"#;
        let models = format!("[{}]", vec![model; 9000].join(","));
        assert_eq!(
            check(models.as_bytes(), models.len() * 5 / 2),
            Ok(()),
            "models are accepted up to two fifths of the limit"
        );
        assert_eq!(check(b"[{},{},{}]", 10), Ok(()), "small texts are always accepted");
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn estimate_bounds_any_parsed_value(json in r#"[\[\]{}:,"\\a0 ]{0,40}"#) {
            let estimate = estimate(json.as_bytes());
            if let Ok(value) = serde_json::from_str::<Value>(&json) {
                prop_assert!(allocated(&value) <= estimate, "{json}");
            }
        }
    }
}
