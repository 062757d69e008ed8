//! The fault plan: selects the fault of a request and counts the hits. Random draws follow from a seed, separately for each fault and operation, so
//! requests of other operations do not change them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::fault::Fault;

/// The seed of a plan without its own seed.
const DEFAULT_SEED: u64 = 1;

/// The fault plan of a simulator. Clones share the plan.
///
/// ```
/// use documine_sim::{Fault, Faults};
///
/// let faults = Faults::parse(r#"
///     seed = 7
///
///     [[fault]]
///     operation = "uploadFile"
///     probability = 0.1
///     reset_before_headers = true
/// "#)?;
/// faults.add(Fault::on("getFiles").nth(2).rate_limited(3));
/// assert_eq!(faults.list().len(), 2);
/// assert!(faults.hits().is_empty());
/// # Ok::<(), documine_sim::FaultError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    seed: Option<u64>,
    /// The number of faults added so far. The number of a fault is part of its seed.
    added: u64,
    planned: Vec<PlannedFault>,
    hits: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct PlannedFault {
    fault: Fault,
    number: u64,
    /// The number of requests that match.
    seen: u64,
    /// The number of requests that were hit.
    hit: u64,
    draws: BTreeMap<String, FaultDraws>,
}

/// The random draws of one fault for one operation.
#[derive(Debug)]
struct FaultDraws {
    random: fastrand::Rng,
    /// The remaining hits of the current burst.
    burst: u64,
}

/// The properties of a request that select a fault.
#[derive(Clone, Copy)]
pub(crate) struct RequestKey<'a> {
    pub(crate) operation: Option<&'a str>,
    pub(crate) method: &'a str,
    /// True if the request is for the identity provider.
    pub(crate) provider: bool,
}

impl Faults {
    /// Adds a fault. If several faults hit a request, the one added first takes effect.
    pub fn add(&self, fault: Fault) {
        self.plan().add(fault);
    }

    /// Adds the faults of another plan after those of this plan.
    pub fn add_all(&self, other: &Self) {
        let faults = other.list();
        let mut plan = self.plan();
        for fault in faults {
            plan.add(fault);
        }
    }

    /// Removes all faults and clears the hit counts.
    pub fn clear(&self) {
        let mut plan = self.plan();
        plan.planned.clear();
        plan.hits.clear();
    }

    /// Sets the seed and restarts the draws. The same seed and the same sequence of requests of an operation produce the same hits. Default: the
    /// seed of the simulator.
    pub fn seed(&self, seed: u64) {
        let mut plan = self.plan();
        plan.seed = Some(seed);
        plan.planned.iter_mut().for_each(|planned| planned.draws.clear());
    }

    /// Returns the planned faults in the order in which they were added.
    pub fn list(&self) -> Vec<Fault> {
        self.plan().planned.iter().map(|planned| planned.fault.clone()).collect()
    }

    /// Returns the number of hits by [`Fault::kind`]. Faults of the same kind are counted together; faults without a hit are absent.
    pub fn hits(&self) -> BTreeMap<String, u64> {
        self.plan().hits.clone()
    }

    /// Returns the seed in use.
    pub(crate) fn seed_in_use(&self) -> u64 {
        self.plan().seed.unwrap_or(DEFAULT_SEED)
    }

    /// Sets the seed unless the plan has one.
    pub(crate) fn set_default_seed(&self, seed: u64) {
        self.plan().seed.get_or_insert(seed);
    }

    /// Returns the fault that hits this request.
    pub(crate) fn select(&self, request: RequestKey<'_>) -> Option<Fault> {
        let plan = &mut *self.plan();
        let seed = plan.seed.unwrap_or(DEFAULT_SEED);
        let mut hit: Option<Fault> = None;
        for planned in plan.planned.iter_mut().filter(|planned| planned.fault.matches(request)) {
            if planned.should_hit(request, seed, hit.is_none()) {
                hit = Some(planned.fault.clone());
            }
        }
        if let Some(fault) = &hit {
            *plan.hits.entry(fault.kind()).or_default() += 1;
        }
        hit
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn add(&mut self, fault: Fault) {
        self.planned.push(PlannedFault { fault, number: self.added, seen: 0, hit: 0, draws: BTreeMap::new() });
        self.added += 1;
    }
}

impl Fault {
    /// Returns whether the fault selects this request.
    fn matches(&self, request: RequestKey<'_>) -> bool {
        let operation = match self.operation.as_str() {
            "*" => true,
            "api/*" => request.operation.is_some() && !request.provider,
            "idp/*" => request.operation.is_some() && request.provider,
            operation => request.operation == Some(operation),
        };
        operation && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(request.method))
    }
}

impl PlannedFault {
    /// Returns whether the fault hits a request that it selects. `is_free` is false if an earlier fault hits the request.
    fn should_hit(&mut self, request: RequestKey<'_>, seed: u64, is_free: bool) -> bool {
        self.seen += 1;
        let first = self.fault.nth.unwrap_or(1).max(1);
        if self.seen < first {
            return false;
        }
        let times = self.fault.times.unwrap_or(if self.fault.nth.is_some() { 1 } else { u64::MAX });
        let Some(probability) = self.fault.probability else {
            let hit = is_free && self.seen - first < times;
            self.hit += u64::from(hit);
            return hit;
        };
        let operation = request.operation.unwrap_or_default();
        let number = self.number;
        let draw = self.draws.entry(operation.to_owned()).or_insert_with(|| FaultDraws::new(seed, number, operation));
        // Always drawn, so that other faults do not shift the sequence.
        let is_drawn = draw.random.f64() < probability;
        if !is_free || self.hit >= times || !(is_drawn || draw.burst > 0) {
            return false;
        }
        draw.burst = if draw.burst > 0 { draw.burst - 1 } else { self.fault.burst.unwrap_or(0) };
        self.hit += 1;
        true
    }
}

impl FaultDraws {
    fn new(seed: u64, number: u64, operation: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.update(operation.as_bytes());
        let start = hash.finalize().iter().take(8).fold(0, |start, byte| (start << 8) | u64::from(*byte));
        Self { random: fastrand::Rng::with_seed(start), burst: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(operation: Option<&str>) -> RequestKey<'_> {
        RequestKey { operation, method: "GET", provider: operation == Some("token") }
    }

    fn hits(faults: &Faults, operation: &str, requests: usize) -> String {
        (0..requests).map(|_| if faults.select(key(Some(operation))).is_some() { 'x' } else { '.' }).collect()
    }

    #[test]
    fn hits_the_selected_requests() {
        let faults = Faults::default();
        faults.add(Fault::on("a").nth(2).times(2).status(503));
        assert_eq!(hits(&faults, "a", 5), ".xx..");
        assert!(faults.select(key(Some("b"))).is_none());
        assert_eq!(faults.hits(), BTreeMap::from([("status_503".to_owned(), 2)]));
        faults.clear();
        faults.add(Fault::on("*").nth(1));
        assert!(faults.select(key(None)).is_some());
        assert!(faults.select(key(None)).is_none());
    }

    #[test]
    fn selects_by_side_and_method() {
        let faults = Faults::default();
        faults.add(Fault::on("idp/*").status(503));
        faults.add(Fault::on("api/*").method("post").status(500));
        assert_eq!(faults.select(key(Some("token"))).and_then(|fault| fault.status), Some(503));
        assert!(faults.select(key(Some("getFile"))).is_none());
        let post = RequestKey { operation: Some("uploadFile"), method: "POST", provider: false };
        assert_eq!(faults.select(post).and_then(|fault| fault.status), Some(500));
        assert!(faults.select(RequestKey { operation: None, ..post }).is_none(), "no operation of the API");
    }

    #[test]
    fn same_seed_hits_the_same_requests_with_any_other_requests_between() {
        let planned = |seed| {
            let faults = Faults::default();
            faults.add(Fault::on("*").probability(0.3).status(503));
            faults.seed(seed);
            faults
        };
        let (alone, mixed) = (planned(7), planned(7));
        let expected = hits(&alone, "a", 200);
        let interleaved: String = (0..200).map(|_| hits(&mixed, "b", 1) + &hits(&mixed, "a", 1)).collect();
        let of_a: String = interleaved.chars().skip(1).step_by(2).collect();
        assert_eq!(of_a, expected);
        let count = expected.matches('x').count();
        assert!((40..80).contains(&count), "{count} of 200 with 0.3");
        assert_ne!(hits(&planned(8), "a", 200), expected);
        alone.seed(7);
        assert_eq!(hits(&alone, "a", 200), expected, "from the beginning");
    }

    #[test]
    fn burst_follows_a_hit() {
        let faults = Faults::default();
        faults.add(Fault::on("a").probability(0.05).burst(3).status(503));
        let hit = hits(&faults, "a", 300);
        assert!(hit.contains("xxxx"), "{hit}");
        assert!(hit.trim_matches('x').split('.').all(|run| run.is_empty() || run.len() >= 4), "{hit}");
        let few = Faults::default();
        few.add(Fault::on("a").probability(1.0).times(2).status(503));
        assert_eq!(hits(&few, "a", 4), "xx..");
    }
}
