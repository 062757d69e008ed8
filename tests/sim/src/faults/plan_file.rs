//! Fault plans in TOML: `seed = N` and any number of `[[fault]]`. Errors name the file, the line, and the text to write instead.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::fault::Fault;
use super::plan::Faults;
use super::validate::closest;

/// A rejected fault plan. The message is one line with the place, the error, and the text to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(String);

impl FaultError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    seed: Option<u64>,
    #[serde(default)]
    fault: Vec<Spanned<Fault>>,
}

impl Faults {
    /// Reads a plan from a TOML file. Errors name the file, the line, and the text to write instead.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FaultError> {
        let path = path.as_ref();
        let failed = |error: &dyn fmt::Display| FaultError(format!("fault plan {}: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        Self::parse(&text).map_err(|error| failed(&error))
    }

    /// Reads a plan from TOML text.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let plan: PlanFile = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or_else(String::new, |span| line_number(text, &span));
            FaultError(format!("{line}{}", with_suggestion(error.message())))
        })?;
        if plan.fault.is_empty() {
            return Err(FaultError::new(
                "there is no [[fault]]; write one as: [[fault]] operation = \"getFiles\" status = 503",
            ));
        }
        let faults = Faults::default();
        if let Some(seed) = plan.seed {
            faults.seed(seed);
        }
        for fault in plan.fault {
            let line = line_number(text, &fault.span());
            let fault = fault.into_inner();
            fault.validate().map_err(|why| FaultError(format!("{line}{why}")))?;
            faults.add(fault);
        }
        Ok(faults)
    }
}

fn line_number(text: &str, span: &Range<usize>) -> String {
    let before = &text.as_bytes()[..span.start.min(text.len())];
    format!("line {}: ", before.split(|byte| *byte == b'\n').count())
}

/// Returns the message of a parser in one line. A list of all known names is shortened to the closest one.
pub(crate) fn with_suggestion(message: &str) -> String {
    let line = message.replace('\n', " ");
    let Some((what, others)) = line.split_once(", expected one of ") else { return line };
    let quoted = |text: &'_ str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let (word, known) = (quoted(what), quoted(others));
    match word.first().and_then(|word| closest(word, known.iter().map(String::as_str))) {
        Some(suggestion) => format!("{what}; write `{suggestion}`"),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Faults::parse(text).map(|_| ()).expect_err("refused").to_string()
    }

    #[test]
    fn parses_every_effect_from_toml() {
        let plan = Faults::parse(
            r#"
            seed = 3
            [[fault]]
            operation = "getFiles"
            method = "GET"
            nth = 2
            times = 3
            status = 418
            headers = { "X-A" = "b" }
            body = "tea"
            content_type = "text/plain"
            delay_ms = 1
            latency_ms = 2
            [[fault]]
            operation = "downloadPackage"
            probability = 0.5
            burst = 2
            drip = { bytes = 64, every_ms = 5 }
            [[fault]]
            operation = "*"
            patch = [{ op = "remove", path = "/files" }]
            unknown_enum = true
            extra_fields = true
            null_lists = true
            wrong_element = true
            huge_body = 1000
            content_length = -3
            "#,
        )
        .expect("a plan");
        let faults = plan.list();
        assert_eq!(faults.len(), 3);
        assert_eq!(plan.seed_in_use(), 3);
        assert_eq!(faults[1], Fault::on("downloadPackage").probability(0.5).burst(2).drip(64, 5));
        assert_eq!(faults[2].content_length, Some(-3));
        for kind in [
            "cut_after = 3",
            "stall_after = 3",
            "reset_before_headers = true",
            "reset_after_headers = true",
            "unseen = true",
            "refuse = 100",
            "ignore_range = true",
            "changed_etag = true",
            "lying_content_range = -7",
            "delivered_twice = true",
            "token_expired = true",
            "token_revoked = true",
            "rate_limited = 1",
            "rate_limited_until_date = 1",
            "unavailable = 1",
            "bad_gateway_page = true",
            "empty_error = true",
            "login_page = true",
            "truncated_json = true",
        ] {
            let plan = Faults::parse(&format!("[[fault]]\noperation = 'api/*'\n{kind}")).expect(kind);
            assert!(kind.starts_with(&plan.list()[0].kind()), "{kind}");
        }
    }

    #[test]
    fn errors_name_the_line_and_the_correction() {
        assert!(refused("").starts_with("there is no [[fault]]"));
        assert_eq!(refused("sed = 1\n[[fault]]"), "line 1: unknown field `sed`, expected `seed` or `fault`");
        assert_eq!(
            refused("# a\n[[fault]]\nopperation = '*'\nunseen = true"),
            "line 3: unknown field `opperation`; write `operation`"
        );
        assert_eq!(
            refused("[[fault]]\noperation = '*'\nreset-before-headers = true"),
            "line 3: unknown field `reset-before-headers`; write `reset_before_headers`"
        );
        assert!(refused("[[fault]]\noperation = '*'\nwobble = true").contains("expected one of `operation`"));
        let second =
            refused("[[fault]]\noperation = '*'\nunseen = true\n\n[[fault]]\noperation = 'getFils'\nunseen = true\n");
        assert_eq!(second, "line 5: there is no operation `getFils`; write `getFiles`");
        let kind = refused("[[fault]]\noperation = '*'\nunseen = 'yes'");
        assert!(kind.starts_with("line 3: invalid type: string \"yes\", expected a boolean"), "{kind}");
    }
}
