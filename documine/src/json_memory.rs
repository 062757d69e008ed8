//! The memory that JSON takes once it is read: many times as much as its text.

/// A JSON object with its first member: the node of a map, or a model's struct with room for one more in a vector that grows.
const OBJECT: usize = 768;
/// An array with room for four values.
const ARRAY: usize = 192;
/// Any value: its place in a vector that grows, and once more while serde holds it back for `#[serde(flatten)]`.
const VALUE: usize = 96;
/// The name of a member, which has an allocation of its own.
const NAME: usize = 32;

/// Estimates the bytes that are built from a JSON text, beside the text itself. Real models and [`serde_json::Value`] stay below.
///
/// The text need not be sound: it is counted before anything is built from it.
pub(crate) fn estimate(json: &[u8]) -> usize {
    // Each value but the first stands behind a bracket or a comma.
    let mut built = VALUE;
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        if in_text {
            (in_text, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            continue;
        }
        built += match byte {
            b'"' => {
                in_text = true;
                0
            }
            b'{' => OBJECT,
            b'[' => ARRAY,
            b',' => VALUE,
            b':' => NAME,
            _ => 0,
        };
    }
    // The letters of texts are copied.
    built + json.len()
}

/// The most that an answer may be built to, in times of the largest text that is taken.
const TIMES: usize = 8;
/// Below this nothing is refused, however small the limit for the text is.
const ALWAYS: usize = 512 * 1024;
/// No JSON becomes more than this many times its text.
const WORST: usize = OBJECT;

/// Returns the most that may be built where `limit` bytes of text are taken.
pub(crate) fn most(limit: usize) -> usize {
    limit.saturating_mul(TIMES).max(ALWAYS)
}

/// Says by how much JSON exceeds what may be built where `limit` bytes of text are taken.
pub(crate) fn check(json: &[u8], limit: usize) -> Result<(), String> {
    let most = most(limit);
    // Most answers are so small that nobody has to count.
    if json.len().saturating_mul(WORST) <= most {
        return Ok(());
    }
    let built = estimate(json);
    if built > most { Err(format!("it would take about {built} bytes of memory, more than {most}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::properties::cases;

    /// At least what a value has allocated, however maps are made: a node of a B-tree has room for eleven members.
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
    fn what_is_built_of_the_densest_json_stays_below_the_estimate() -> serde_json::Result<()> {
        for json in densest() {
            let value = serde_json::from_str(&json)?;
            let built = allocated(&value) + size_of::<Value>();
            let estimate = estimate(json.as_bytes());
            assert!(built <= estimate, "{built} of {estimate}: {}", &json[..json.len().min(40)]);
            assert!(estimate <= (json.len() + 1) * WORST, "{estimate}: {}", &json[..json.len().min(40)]);
        }
        Ok(())
    }

    #[test]
    fn a_model_has_room_in_what_is_estimated_for_its_object() {
        use crate::models;
        // A vector that grows has room for twice as many as it holds.
        for size in
            [size_of::<models::FileStatus>(), size_of::<models::Dossier>(), size_of::<crate::models::FileComponents>()]
        {
            assert!(2 * size <= OBJECT + VALUE, "{size}");
        }
    }

    #[test]
    fn counts_no_letters_of_texts() {
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
    fn refuses_what_would_take_more_than_eight_times_the_limit() {
        let numbers = format!("[{}0]", "0,".repeat(500_000));
        assert!(
            check(numbers.as_bytes(), numbers.len()).is_err_and(|why| why.contains("bytes of memory, more than 8"))
        );
        assert_eq!(check(numbers.as_bytes(), 16 * numbers.len()), Ok(()));
        let text = format!("[{:?}]", "{".repeat(1_000_000));
        assert_eq!(check(text.as_bytes(), text.len()), Ok(()));
        // As models are: a few members of some letters each.
        let model = r#"{"id":"5f2b1c3a","name":"Study number","value":"SVL-2023-0117","pages":[1,2],"confidence":0.98,"confirmed":false}"#;
        let models = format!("[{}]", vec![model; 9000].join(","));
        assert_eq!(
            check(models.as_bytes(), models.len() * 5 / 2),
            Ok(()),
            "models are taken up to two fifths of the limit"
        );
        assert_eq!(check(b"[{},{},{}]", 10), Ok(()), "small answers are taken whatever the limit is");
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn whatever_is_read_is_counted(json in r#"[\[\]{}:,"\\a0 ]{0,40}"#) {
            let estimate = estimate(json.as_bytes());
            if let Ok(value) = serde_json::from_str::<Value>(&json) {
                prop_assert!(allocated(&value) <= estimate, "{json}");
            }
        }
    }
}
