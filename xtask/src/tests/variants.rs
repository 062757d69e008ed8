//! Whatever is done to our document: the build goes through, or ends with a named cause. Never a panic, never "the generator stopped".
//!
//! Variants are put together at random, for as long as `DOCUMINE_TWIST_SECONDS` says. The seed is always the same, so that a run that
//! passed once passes again; `DOCUMINE_TWIST_SEED` tries another. What fails is reported with as few variants as still fail.

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

/// How long the test looks for trouble, unless told otherwise.
const SECONDS: u64 = 20;
const SEED: u64 = 1;
/// How many variants are put together at most.
const MOST: usize = 7;
/// After so many different findings it is enough.
const ENOUGH: usize = 5;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, which is no number")))
}

#[test]
fn no_document_ends_the_build_without_a_named_cause() {
    let seed = number("DOCUMINE_TWIST_SEED").unwrap_or(SEED);
    let limit = Duration::from_secs(number("DOCUMINE_TWIST_SECONDS").unwrap_or(SECONDS));
    // Not by a macro, which the test harness would keep to itself: a stack that overflows ends the process without a word.
    let _ = writeln!(std::io::stderr(), "variants: DOCUMINE_TWIST_SEED={seed}");
    let property = Property::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut culprits: Vec<Vec<&'static str>> = Vec::new();
    let mut reports: Vec<String> = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    let started = Instant::now();
    while started.elapsed() < limit && culprits.len() < ENOUGH {
        let variants = choose(&mut random);
        let known = |found: &Vec<&str>| found.iter().all(|name| variants.iter().any(|variant| variant.name == *name));
        if culprits.iter().any(known) {
            continue;
        }
        match property.holds(&variants, &mut random) {
            Ok(true) => accepted += 1,
            Ok(false) => refused += 1,
            Err(reason) => {
                let (fewest, reason) = property.fewest(variants, reason, &mut random);
                reports.push(format!("{fewest:?}: {reason}"));
                culprits.push(fewest.iter().map(|variant| variant.name).collect());
            }
        }
    }
    let _ = writeln!(std::io::stderr(), "variants: {accepted} documents accepted, {refused} refused");
    assert!(reports.is_empty(), "DOCUMINE_TWIST_SEED={seed}\n{}", reports.join("\n\n"));
}

/// Different variants in some order; now and then one that has to be refused.
fn choose(random: &mut fastrand::Rng) -> Vec<Variant> {
    // Large documents take the time of ten others, and have cases of their own.
    let mut all: Vec<Variant> =
        HARMLESS.iter().filter(|variant| !["many_schemas", "long_texts"].contains(&variant.name)).copied().collect();
    random.shuffle(&mut all);
    all.truncate(1 + random.usize(..MOST));
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

/// What is compared of two runs.
type Outcome = Result<(Value, String), Vec<String>>;

impl Property {
    fn new() -> Self {
        let ours = serde_json::from_str(&vendored()).expect("JSON");
        Self { ours, contract: super::contract() }
    }

    /// Whether the document with these variants is accepted; the reason when the property does not hold.
    fn holds(&self, variants: &[Variant], random: &mut fastrand::Rng) -> Result<bool, String> {
        let mut document = self.ours.clone();
        for variant in variants {
            (variant.apply)(&mut document);
        }
        let text = document.to_string();
        if passes::read::json(&text, "document").is_err() {
            // Too deep for any reader; that has a name and a test of its own.
            return Ok(false);
        }
        let outcome = self.passed(&text)?;
        let shuffled = self.passed(&json_shuffled(&document, random))?;
        if outcome != shuffled {
            return Err(String::from("with the keys in another order the result is another one"));
        }
        match outcome {
            Err(findings) if findings.is_empty() => Err(String::from("refused without a reason")),
            Err(findings) => match findings.iter().find(|finding| !is_named(finding)) {
                Some(finding) => Err(format!("a finding without a place, or of several lines: {finding:?}")),
                None => Ok(false),
            },
            Ok((document, _)) => generates(&document).map(|()| true),
        }
    }

    fn passed(&self, text: &str) -> Result<Outcome, String> {
        let decisions = Decisions::default();
        let run = || passes::run(text, Some((&self.contract, &decisions)));
        let passed = catch_unwind(AssertUnwindSafe(run)).map_err(|payload| said("a pass", payload.as_ref()))?;
        Ok(passed.map(|passed| (passed.document, passes::canonical::text(&passed.data))))
    }

    /// Leaves out one variant after the other, as long as it still fails.
    fn fewest(
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

/// What was accepted must become source that can be parsed.
fn generates(document: &Value) -> Result<(), String> {
    let run = || code::generate(document);
    let generated = catch_unwind(AssertUnwindSafe(run)).map_err(|payload| said("generation", payload.as_ref()))?;
    let generated = generated.map_err(|reasons| format!("accepted, and then: {}", reasons.join("; ")))?;
    for source in [&generated.client, &generated.enums, &generated.operations] {
        syn::parse_file(source).map_err(|error| format!("the generated source is no Rust: {error}"))?;
    }
    Ok(())
}

/// Whether a finding is one line and says where: a JSON pointer, which is empty where the whole document is meant.
fn is_named(finding: &str) -> bool {
    let has_place = finding.contains(" (/") || finding.ends_with(" ()");
    has_place && finding.ends_with(')') && !finding.chars().any(char::is_control)
}

fn said(who: &str, payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("{who} panicked: {}", text.unwrap_or_default())
}

#[test]
fn a_finding_names_its_place_in_one_line() {
    assert!(is_named("getX: is odd (/paths/~1x/get)"));
    assert!(is_named("no member `openapi`: not an OpenAPI document ()"));
    assert!(!is_named("the generator stopped: assertion failed"));
    assert!(!is_named("getX: is\nodd (/paths)"));
}
