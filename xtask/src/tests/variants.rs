//! The build accepts a changed document or refuses it with a named cause: never a panic, never "the generator failed".
//!
//! Combines variants at random for `DOCUMINE_VARIANTS_SECONDS`. The seed is fixed, so that runs are reproducible; `DOCUMINE_VARIANTS_SEED` sets another. A
//! failure is reported with a minimal list of variants.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use documine_documents::variants::{HARMFUL, HARMLESS};
use documine_documents::{Variant, json_shuffled};
use serde_json::Value;

use super::vendored;
use crate::passes::contract::Contract;
use crate::passes::decisions::Decisions;
use crate::{code, passes};

/// Duration of the test in seconds, unless the environment sets another.
const DEFAULT_SECONDS: u64 = 20;
const SEED: u64 = 1;
/// Highest number of variants in a document.
const MAX_VARIANTS: usize = 7;
/// Number of different failures after which the test ends.
const MAX_FAILURES: usize = 5;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}: {text:?} is not a number")))
}

#[test]
fn build_refuses_documents_only_with_a_named_cause() {
    let seed = number("DOCUMINE_VARIANTS_SEED").unwrap_or(SEED);
    let limit = Duration::from_secs(number("DOCUMINE_VARIANTS_SECONDS").unwrap_or(DEFAULT_SECONDS));
    // Not by a macro, whose output the test harness captures: a stack overflow ends the process without output.
    let _ = writeln!(std::io::stderr(), "variants: DOCUMINE_VARIANTS_SEED={seed}");
    let property = Property::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut minimal_failures: Vec<Vec<&'static str>> = Vec::new();
    let mut reports: Vec<String> = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    let started = Instant::now();
    while started.elapsed() < limit && minimal_failures.len() < MAX_FAILURES {
        let variants = choose(&mut random);
        let known = |found: &Vec<&str>| found.iter().all(|name| variants.iter().any(|variant| variant.name == *name));
        if minimal_failures.iter().any(known) {
            continue;
        }
        match property.holds(&variants, &mut random) {
            Ok(true) => accepted += 1,
            Ok(false) => refused += 1,
            Err(reason) => {
                let (fewest, reason) = property.minimal(variants, reason, &mut random);
                reports.push(format!("{fewest:?}: {reason}"));
                minimal_failures.push(fewest.iter().map(|variant| variant.name).collect());
            }
        }
    }
    let _ = writeln!(std::io::stderr(), "variants: {accepted} documents accepted, {refused} refused");
    assert!(reports.is_empty(), "DOCUMINE_VARIANTS_SEED={seed}\n{}", reports.join("\n\n"));
    assert!(accepted > 0, "DOCUMINE_VARIANTS_SEED={seed}: no document was accepted");
}

/// Chooses variants in random order, sometimes with one that must be refused.
fn choose(random: &mut fastrand::Rng) -> Vec<Variant> {
    // Large documents are slow and have their own cases.
    let mut all: Vec<Variant> =
        HARMLESS.iter().filter(|variant| !["many_schemas", "long_texts"].contains(&variant.name)).copied().collect();
    random.shuffle(&mut all);
    all.truncate(1 + random.usize(..MAX_VARIANTS));
    if random.usize(..4) == 0 {
        let at = random.usize(..=all.len());
        all.insert(at, HARMFUL[random.usize(..HARMFUL.len())]);
    }
    all
}

struct Property {
    ours: Value,
    contract: Contract,
}

/// Result of a run that must not depend on the order of keys.
type VariantResult = Result<(Value, String), Vec<String>>;

impl Property {
    fn new() -> Self {
        let ours = serde_json::from_str(&vendored()).expect("JSON");
        Self { ours, contract: super::contract() }
    }

    /// Returns whether the build accepts the document; `Err`: the property does not hold.
    fn holds(&self, variants: &[Variant], random: &mut fastrand::Rng) -> Result<bool, String> {
        let mut document = self.ours.clone();
        for variant in variants {
            (variant.apply)(&mut document);
        }
        let text = document.to_string();
        if passes::read::json(&text, "document").is_err() {
            // Documents that are nested too deeply have their own test.
            return Ok(false);
        }
        let outcome = self.passed(&text)?;
        let shuffled = self.passed(&json_shuffled(&document, random))?;
        if outcome != shuffled {
            return Err(String::from("the result depends on the order of the keys"));
        }
        match outcome {
            Err(findings) if findings.is_empty() => Err(String::from("refused without a reason")),
            Err(findings) => match findings.iter().find(|finding| !is_named(finding)) {
                Some(finding) => Err(format!("a finding without a pointer, or of several lines: {finding:?}")),
                None => Ok(false),
            },
            Ok((document, _)) => generates(&document).map(|()| true),
        }
    }

    fn passed(&self, text: &str) -> Result<VariantResult, String> {
        let decisions = Decisions::default();
        let run = || passes::prepare(text, Some((&self.contract, &decisions)));
        let passed =
            catch_unwind(AssertUnwindSafe(run)).map_err(|payload| panic_message("a pass", payload.as_ref()))?;
        Ok(passed.map(|passed| (passed.document, passes::canonical::text(&passed.data))))
    }

    /// Removes variants as long as the property still does not hold.
    fn minimal(
        &self,
        mut variants: Vec<Variant>,
        mut reason: String,
        random: &mut fastrand::Rng,
    ) -> (Vec<Variant>, String) {
        let mut at = 0;
        while at < variants.len() && variants.len() > 1 {
            let mut fewer = variants.clone();
            fewer.remove(at);
            match self.holds(&fewer, random) {
                Ok(_) => at += 1,
                Err(other) => (variants, reason) = (fewer, other),
            }
        }
        (variants, reason)
    }
}

/// Checks that generated source can be parsed.
fn generates(document: &Value) -> Result<(), String> {
    let run = || code::generate(document);
    let generated =
        catch_unwind(AssertUnwindSafe(run)).map_err(|payload| panic_message("generation", payload.as_ref()))?;
    let generated = generated.map_err(|reasons| format!("accepted, and then: {}", reasons.join("; ")))?;
    for source in [&generated.client, &generated.enums, &generated.operations] {
        syn::parse_file(source).map_err(|error| format!("the generated source is invalid: {error}"))?;
    }
    Ok(())
}

/// Returns whether a finding is one line with a JSON pointer, which is empty for the whole document.
fn is_named(finding: &str) -> bool {
    let has_place = finding.contains(" (/") || finding.ends_with(" ()");
    has_place && finding.ends_with(')') && !finding.chars().any(char::is_control)
}

fn panic_message(step: &str, payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("{step} panicked: {}", text.unwrap_or_default())
}

#[test]
fn finding_is_one_line_with_a_pointer() {
    assert!(is_named("getX: is odd (/paths/~1x/get)"));
    assert!(is_named("no member `openapi`: not an OpenAPI document ()"));
    assert!(!is_named("the generator failed: assertion failed"));
    assert!(!is_named("getX: is\nodd (/paths)"));
}
