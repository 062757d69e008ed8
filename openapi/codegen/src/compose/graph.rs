//! The graph of component schemas that contain each other, and its cycles.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::tree::{self, Object};

pub(super) struct SchemaGraph {
    /// All components, contained ones before containing ones.
    order: Vec<String>,
    /// The number of the cycle of each component; most components form a cycle of one.
    cycle: BTreeMap<String, usize>,
    /// Components that contain themselves by `allOf` alone, or contain a missing one.
    unresolvable: BTreeSet<String>,
}

impl SchemaGraph {
    pub(super) fn of(schemas: &Object) -> Self {
        let names: Vec<&String> = schemas.keys().collect();
        let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut unresolvable: BTreeSet<String> = BTreeSet::new();
        let edges = |keys: &[&str], unresolvable: &mut BTreeSet<String>| -> Vec<Vec<usize>> {
            let mut edges: Vec<Vec<usize>> = Vec::new();
            for (name, schema) in schemas {
                let mut parts: BTreeSet<&str> = BTreeSet::new();
                if let Some(schema) = schema.as_object() {
                    collect_parts(schema, keys, &mut parts);
                }
                if parts.iter().any(|part| !index.contains_key(part)) {
                    unresolvable.insert(name.clone());
                }
                edges.push(parts.iter().filter_map(|part| index.get(part).copied()).collect());
            }
            edges
        };
        let all = edges(&["allOf", "anyOf", "oneOf"], &mut unresolvable);
        let needed = edges(&["allOf"], &mut unresolvable);
        for cycle in cycles(&needed).into_iter().filter(|cycle| is_closed(cycle, &needed)) {
            unresolvable.extend(cycle.iter().filter_map(|at| names.get(*at)).map(|name| (*name).clone()));
        }
        let mut order = Vec::new();
        let mut cycle = BTreeMap::new();
        for (number, members) in cycles(&all).into_iter().enumerate() {
            for name in members.iter().filter_map(|at| names.get(*at)) {
                order.push((*name).clone());
                cycle.insert((*name).clone(), number);
            }
        }
        Self { order, cycle, unresolvable }
    }

    pub(super) fn in_order(&self) -> Vec<String> {
        self.order.clone()
    }

    pub(super) fn in_same_cycle(&self, one: &str, other: &str) -> bool {
        self.cycle.get(one).is_some_and(|cycle| self.cycle.get(other) == Some(cycle))
    }

    pub(super) fn is_unresolvable(&self, name: &str) -> bool {
        self.unresolvable.contains(name)
    }
}

fn collect_parts<'a>(schema: &'a Object, keys: &[&str], parts: &mut BTreeSet<&'a str>) {
    if let Some(reference) = tree::text(schema, "$ref") {
        parts.insert(tree::schema_name(schema).unwrap_or(reference));
        return;
    }
    for key in keys {
        for part in schema.get(*key).and_then(Value::as_array).into_iter().flatten() {
            if let Some(part) = part.as_object() {
                collect_parts(part, keys, parts);
            }
        }
    }
}

/// Returns the strongly connected components of a graph, targets before sources (Kosaraju). Iterative, because a chain of
/// schemas may be long.
pub(crate) fn cycles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut back: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for target in targets {
            if let Some(sources) = back.get_mut(*target) {
                sources.push(from);
            }
        }
    }
    // Depth-first search against the edges gives the order; along the edges, latest first, it gives the components.
    let mut seen = vec![false; edges.len()];
    let mut finished: Vec<usize> = Vec::new();
    for start in 0..edges.len() {
        depth_first(start, &back, &mut seen, &mut finished);
    }
    let mut seen = vec![false; edges.len()];
    let mut cycles = Vec::new();
    for start in finished.into_iter().rev() {
        let mut members = Vec::new();
        depth_first(start, edges, &mut seen, &mut members);
        if !members.is_empty() {
            members.sort_unstable();
            cycles.push(members);
        }
    }
    cycles
}

/// Returns `true` for a real cycle, `false` for a single node without an edge to itself.
pub(crate) fn is_closed(cycle: &[usize], edges: &[Vec<usize>]) -> bool {
    match cycle {
        [alone] => edges.get(*alone).is_some_and(|targets| targets.contains(alone)),
        _ => true,
    }
}

/// Appends all nodes reachable from `start` that were not visited before, in post-order.
fn depth_first(start: usize, edges: &[Vec<usize>], seen: &mut [bool], finished: &mut Vec<usize>) {
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut enter = |node: usize, path: &mut Vec<(usize, usize)>| {
        if let Some(known) = seen.get_mut(node)
            && !*known
        {
            *known = true;
            path.push((node, 0));
        }
    };
    enter(start, &mut path);
    while let Some((node, next)) = path.last_mut() {
        if let Some(target) = edges.get(*node).and_then(|targets| targets.get(*next)).copied() {
            *next += 1;
            enter(target, &mut path);
        } else {
            finished.push(*node);
            path.pop();
        }
    }
}
