//! What bodies and answers hold: pairs of schemas, each compared once, whatever number of operations leads to it.
//!
//! The pairs are a graph. First each is compared by itself and says which pairs its fields lead to; then the graph is walked from each
//! operation, and what changed is told where it is met first, with the other operations beside it. So the cost is what the documents
//! hold, also where schemas lead to each other in circles.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::rules::{Standing, What};
use super::schema::{Further, Lot, View};
use super::words::{code, codes};
use super::{Change, Effect, MOST_ALSO};
use crate::passes::contract::{Contract, Need, SchemaSpec, Type};
use crate::passes::mapping::{Mapping, SchemaMapping};

/// More pairs than this are not compared.
const MOST_PAIRS: usize = 50_000;
/// How many members of a place are written out.
const LONGEST_PLACE: usize = 40;

/// Who makes the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Request,
    Answer,
}

/// What the contract says of a place.
#[derive(Clone, Debug)]
pub(super) enum Is<'a> {
    /// Nothing.
    Other,
    /// It is a field of a model that has the document's type, or stands in one; whether its type is told already.
    Follows(bool),
    /// An id in a path: it is sent as a text, whatever its type.
    Id,
    /// Its type; no model is in it.
    Typed(Type<'a>),
    /// A model, or lists and maps of one, with what the mapping found on both sides.
    Model(Type<'a>, Option<&'a SchemaMapping>, Option<&'a SchemaMapping>),
    /// A form; the part that holds the file, on both sides.
    Form(Option<&'a str>, Option<&'a str>),
}

/// A pair of schemas.
struct Pair<'a> {
    old: Lot<'a>,
    new: Lot<'a>,
    side: Side,
    is: Is<'a>,
    found: Vec<Found>,
    /// With the rest of the place.
    leads_to: Vec<(String, usize)>,
}

/// A change before it is known which operation it is told of.
struct Found {
    what: What,
    effect: Effect,
    place: String,
    text: String,
}

/// What tells pairs apart.
type Key = ((Vec<usize>, bool), (Vec<usize>, bool), Side, String);

/// Where an operation leads to a pair.
struct Root {
    operation: String,
    place: String,
    pair: usize,
}

/// All pairs of two documents.
pub(super) struct Fields<'a> {
    contract: &'a Contract,
    documents: [&'a Value; 2],
    mappings: [&'a Mapping; 2],
    pairs: Vec<Pair<'a>>,
    known: HashMap<Key, usize>,
    roots: Vec<Root>,
    is_full: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn new(contract: &'a Contract, documents: [&'a Value; 2], mappings: [&'a Mapping; 2]) -> Self {
        Self {
            contract,
            documents,
            mappings,
            pairs: Vec::new(),
            known: HashMap::new(),
            roots: Vec::new(),
            is_full: false,
        }
    }

    pub(super) fn contract(&self) -> &'a Contract {
        self.contract
    }

    /// Compares two schemas at a place of an operation.
    pub(super) fn root(&mut self, operation: &str, place: &str, schemas: [&'a Value; 2], side: Side, is: Is<'a>) {
        let [old, new] = schemas.map(Lot::one);
        if let Some(pair) = self.pair(old, new, side, is) {
            self.roots.push(Root { operation: operation.to_owned(), place: place.to_owned(), pair });
        }
    }

    /// What the contract says of a body or answer that the mapping paired under these keys.
    pub(super) fn model(&self, name: &'a str, keys: [Option<&'a String>; 2]) -> Is<'a> {
        let [old, new] = [0, 1].map(|side| {
            let (_, bound) = self.mappings[side].bound(keys[side]?)?;
            Some(bound)
        });
        Is::Model(Type::Schema(name), old, new)
    }

    fn pair(&mut self, old: Lot<'a>, new: Lot<'a>, side: Side, is: Is<'a>) -> Option<usize> {
        let bound = |bound: Option<&SchemaMapping>| bound.map_or("", |bound| bound.key.as_str()).to_owned();
        let stands = match &is {
            Is::Other => String::new(),
            Is::Follows(told) => format!("follows {told}"),
            Is::Id => String::from("id"),
            Is::Typed(kind) => format!("{kind:?}"),
            Is::Model(kind, old, new) => format!("{kind:?} {} {}", bound(*old), bound(*new)),
            Is::Form(old, new) => format!("form {old:?} {new:?}"),
        };
        let key = (old.key(self.documents[0]), new.key(self.documents[1]), side, stands);
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        if self.pairs.len() >= MOST_PAIRS {
            self.is_full = true;
            return None;
        }
        let index = self.pairs.len();
        self.known.insert(key, index);
        self.pairs.push(Pair { old, new, side, is, found: Vec::new(), leads_to: Vec::new() });
        Some(index)
    }

    /// Compares all pairs and says what changed.
    pub(super) fn finish(mut self) -> Vec<Change> {
        let mut next = 0;
        while let Some(pair) = self.pairs.get(next) {
            let (old, new, side, is) = (pair.old.clone(), pair.new.clone(), pair.side, pair.is.clone());
            let mut work = Work { fields: &mut self, side, is, found: Vec::new(), leads_to: Vec::new() };
            work.compare(&old, &new);
            let (found, leads_to) = (work.found, work.leads_to);
            if let Some(pair) = self.pairs.get_mut(next) {
                pair.found = found;
                pair.leads_to = leads_to;
            }
            next += 1;
        }
        self.told()
    }

    fn told(mut self) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        // The changes of each pair that is told already, as a range.
        let mut told: Vec<Option<std::ops::Range<usize>>> = vec![None; self.pairs.len()];
        let mut seen: Vec<usize> = vec![usize::MAX; self.pairs.len()];
        self.roots.sort_by(|one, other| (&one.operation, &one.place).cmp(&(&other.operation, &other.place)));
        for (number, root) in self.roots.iter().enumerate() {
            // Breadth first, so that the shortest place is told; each step knows the one before.
            let mut steps: Vec<(usize, usize, &str)> = vec![(root.pair, 0, "")];
            let mut at = 0;
            if let Some(seen) = seen.get_mut(root.pair) {
                *seen = number;
            }
            while let Some(&(index, _, _)) = steps.get(at) {
                let Some(pair) = self.pairs.get(index) else {
                    break;
                };
                if let Some(range) = told.get(index).and_then(Option::as_ref) {
                    for change in changes.get_mut(range.clone()).into_iter().flatten() {
                        let is_known = change.operation.as_ref() == Some(&root.operation)
                            || change.also.last() == Some(&root.operation);
                        if !is_known && change.also.len() < MOST_ALSO {
                            change.also.push(root.operation.clone());
                        }
                    }
                } else if !pair.found.is_empty() {
                    let before = changes.len();
                    let place = place(&steps, at);
                    changes.extend(pair.found.iter().map(|found| Change {
                        what: found.what,
                        effect: found.effect,
                        operation: Some(root.operation.clone()),
                        also: Vec::new(),
                        place: joined(&root.place, &format!("{place}{}", found.place)),
                        text: found.text.clone(),
                    }));
                    if let Some(told) = told.get_mut(index) {
                        *told = Some(before..changes.len());
                    }
                }
                for (rest, next) in &pair.leads_to {
                    if let Some(seen) = seen.get_mut(*next)
                        && *seen != number
                    {
                        *seen = number;
                        steps.push((*next, at, rest));
                    }
                }
                at += 1;
            }
        }
        if self.is_full {
            changes.push(Change {
                what: What::Unfinished,
                effect: Effect::None,
                operation: None,
                also: Vec::new(),
                place: String::from("schemas"),
                text: format!("more than {MOST_PAIRS} pairs of schemas: the rest is not compared"),
            });
        }
        changes
    }
}

/// The place of a step: what all steps before it add.
fn place(steps: &[(usize, usize, &str)], at: usize) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut at = at;
    while at != 0 && parts.len() < LONGEST_PLACE {
        let Some((_, before, rest)) = steps.get(at) else {
            break;
        };
        parts.push(rest);
        at = *before;
    }
    parts.reverse();
    let beginning = if at == 0 { "" } else { "…" };
    format!("{beginning}{}", parts.concat())
}

/// `answer` and `.files[]` → `answer files[]`.
fn joined(root: &str, rest: &str) -> String {
    match rest.strip_prefix('.') {
        Some(rest) => format!("{root} {rest}"),
        None => format!("{root}{rest}"),
    }
}

/// One pair while it is compared.
struct Work<'w, 'a> {
    fields: &'w mut Fields<'a>,
    side: Side,
    is: Is<'a>,
    found: Vec<Found>,
    leads_to: Vec<(String, usize)>,
}

/// The kind of change on the side that is compared.
macro_rules! on {
    ($work:expr, $request:ident, $answer:ident) => {
        if $work.side == Side::Request { What::$request } else { What::$answer }
    };
}

impl<'a> Work<'_, 'a> {
    fn tell(&mut self, what: What, standing: Standing, place: &str, text: String) {
        let effect = what.effect(standing);
        let effect = match (&self.is, effect) {
            (Is::Follows(_), Effect::Raw) => Effect::Caller,
            _ => effect,
        };
        self.found.push(Found { what, effect, place: place.to_owned(), text });
    }

    fn lead(&mut self, place: &str, old: &Lot<'a>, new: &Lot<'a>, is: Is<'a>) {
        if let Some(pair) = self.fields.pair(old.clone(), new.clone(), self.side, is) {
            self.leads_to.push((place.to_owned(), pair));
        }
    }

    /// How the contract stands to the value itself.
    fn standing(&self) -> Standing {
        match self.is {
            Is::Other | Is::Follows(_) => Standing::Other,
            Is::Form(..) => Standing::Beside,
            Is::Id | Is::Typed(_) | Is::Model(..) => Standing::Named,
        }
    }

    /// The type that the contract gives the value.
    fn kind(&self) -> Option<Type<'a>> {
        match &self.is {
            Is::Typed(kind) | Is::Model(kind, _, _) => Some(kind.clone()),
            Is::Other | Is::Follows(_) | Is::Id | Is::Form(..) => None,
        }
    }

    fn compare(&mut self, old: &Lot<'a>, new: &Lot<'a>) {
        let [was, is] = [View::of(self.fields.documents[0], old), View::of(self.fields.documents[1], new)];
        let same_type = self.types(&was, &is);
        self.names(old, new, &was, &is);
        self.values(&was, &is);
        if self.side == Side::Request {
            self.demands(&was, &is);
        }
        self.inside(&was, &is, same_type);
    }

    /// Gives whether the type is the same.
    fn types(&mut self, was: &View<'a>, is: &View<'a>) -> bool {
        let (before, after) = (was.described(), is.described());
        let text = || format!("is {}, was {}", code(&after), code(&before));
        let refused = self.kind().is_some_and(|kind| fits(&kind, was) && !fits(&kind, is));
        if refused {
            let what = on!(self, RequestTypeRefused, AnswerTypeRefused);
            self.tell(what, Standing::Named, "", text());
        } else if before != after && !matches!(self.is, Is::Follows(true)) {
            self.tell(on!(self, RequestType, AnswerType), self.standing(), "", text());
        }
        before == after
    }

    /// The names of types in the raw client, and alternatives.
    fn names(&mut self, old: &Lot<'a>, new: &Lot<'a>, was: &View<'a>, is: &View<'a>) {
        let names = (old.name(self.fields.documents[0]), new.name(self.fields.documents[1]));
        // Lists, texts and numbers that have a name are no types of their own.
        let is_type = |view: &View<'_>| !view.properties.is_empty() || view.values.is_some();
        if let (Some(before), Some(after)) = names
            && before != after
            && is_type(was)
            && is_type(is)
        {
            let text = format!("the schema is called {}, was {}", code(after), code(before));
            self.tell(on!(self, RequestTypeName, AnswerTypeName), self.standing(), "", text);
        }
        if was.forms != is.forms {
            let count = |forms: usize| {
                if forms == 0 { String::from("no alternatives") } else { format!("{forms} alternatives") }
            };
            let text = format!("has {}, had {}", count(is.forms), count(was.forms));
            self.tell(on!(self, RequestForms, AnswerForms), self.standing(), "", text);
        }
        let changed = match (was.deprecated, is.deprecated) {
            (false, true) => Some((What::Deprecated, "is deprecated")),
            (true, false) => Some((What::NotDeprecated, "is deprecated no longer")),
            _ => None,
        };
        if let Some((what, text)) = changed {
            self.tell(what, Standing::Other, "", text.to_owned());
        }
    }

    /// Sets of values.
    fn values(&mut self, was: &View<'a>, is: &View<'a>) {
        let set = match self.kind() {
            Some(Type::Enum(name)) => self.fields.contract.enums.get(name),
            _ => None,
        };
        match (&was.values, &is.values) {
            (Some(before), Some(after)) => {
                let gained: Vec<&str> = after.difference(before).map(String::as_str).collect();
                if !gained.is_empty() {
                    let text = format!("gains {}", codes(gained));
                    self.tell(on!(self, RequestValuesGained, AnswerValuesGained), Standing::Named, "", text);
                }
                let lost: Vec<&str> = before.difference(after).map(String::as_str).collect();
                if !lost.is_empty() {
                    let needed = set.is_some_and(|set| set.needed.iter().any(|value| lost.contains(&value.as_str())));
                    // The contract's values are variants whatever the document lists; another one is no more.
                    let further =
                        set.is_some_and(|set| lost.iter().any(|lost| set.values.iter().all(|known| known != lost)));
                    let standing = match (self.side, needed) {
                        (Side::Answer, true) => Standing::Needed,
                        (Side::Answer, false) if further => Standing::Beside,
                        _ => self.standing(),
                    };
                    self.tell(
                        on!(self, RequestValuesLost, AnswerValuesLost),
                        standing,
                        "",
                        format!("loses {}", codes(lost)),
                    );
                }
            }
            (None, Some(after)) => {
                let text = format!("has listed values: {}", codes(after.iter().map(String::as_str)));
                self.tell(on!(self, RequestValuesListed, AnswerValuesListed), self.standing(), "", text);
                self.listed(set.map(|set| (set.values.as_slice(), set.needed.as_slice())), after);
            }
            (Some(_), None) => {
                let text = String::from("may have any value, no longer listed ones only");
                self.tell(on!(self, RequestValuesFree, AnswerValuesFree), self.standing(), "", text);
            }
            (None, None) => {}
        }
    }

    /// Values are listed that were not: what the contract knows beyond them is lost.
    fn listed(&mut self, set: Option<(&[String], &[String])>, after: &BTreeSet<String>) {
        match (self.side, set) {
            (Side::Request, Some((values, _))) => {
                let lost: Vec<&str> =
                    values.iter().map(String::as_str).filter(|value| !after.contains(*value)).collect();
                if !lost.is_empty() {
                    self.tell(What::RequestValuesLost, Standing::Named, "", format!("does not list {}", codes(lost)));
                }
            }
            (Side::Request, None) if matches!(self.is, Is::Typed(_)) => {
                let text = String::from("takes no other values any more");
                self.tell(What::RequestValuesLost, Standing::Named, "", text);
            }
            (Side::Answer, Some((_, needed))) => {
                let lost: Vec<&str> =
                    needed.iter().map(String::as_str).filter(|value| !after.contains(*value)).collect();
                if !lost.is_empty() {
                    let text = format!("does not list {}, which the facade waits for", codes(lost));
                    self.tell(What::AnswerValuesLost, Standing::Needed, "", text);
                }
            }
            _ => {}
        }
    }

    /// What a service asks of a value beyond its type.
    fn demands(&mut self, was: &View<'a>, is: &View<'a>) {
        let (tighter, wider) = is.limits_since(was);
        if !tighter.is_empty() {
            self.tell(What::RequestLimits, self.standing(), "", code(&tighter.join("; ")));
        }
        if !wider.is_empty() {
            self.tell(What::RequestLimitsEased, self.standing(), "", code(&wider.join("; ")));
        }
        match (was.default, is.default) {
            (Some(before), Some(after)) if before != after => {
                let text = format!("left out means {}, meant {}", code(&after.to_string()), code(&before.to_string()));
                self.tell(What::RequestDefault, self.standing(), "", text);
            }
            (None, Some(after)) => {
                let text = format!("left out means {}, as the document says now", code(&after.to_string()));
                self.tell(What::RequestDefaultSaid, self.standing(), "", text);
            }
            (Some(before), None) => {
                let text =
                    format!("left out meant {}, and the document says no longer what", code(&before.to_string()));
                self.tell(What::RequestDefaultSaid, self.standing(), "", text);
            }
            _ => {}
        }
        match (&was.further, &is.further) {
            (Further::None, Further::None) => {}
            (_, Further::None) => {
                self.tell(What::RequestClosed, self.standing(), "", String::from("takes no further fields any more"));
            }
            (Further::None, _) => {
                self.tell(What::RequestOpened, self.standing(), "", String::from("takes further fields now"));
            }
            _ => {}
        }
    }

    fn inside(&mut self, was: &View<'a>, is: &View<'a>, same_type: bool) {
        // A type that is another one altogether is told once, not field by field.
        if same_type || (!was.properties.is_empty() && !is.properties.is_empty()) {
            match self.is.clone() {
                Is::Model(Type::Schema(name), old, new) => match self.fields.contract.schemas.get(name) {
                    Some(spec) => self.model(&Model { name, spec, bounds: [old, new] }, was, is),
                    None => self.others(was, is, Standing::Beside, &[], &[]),
                },
                Is::Form(old, new) => {
                    self.part(old, new);
                    self.others(was, is, Standing::Beside, old.as_slice(), new.as_slice());
                }
                _ => self.others(was, is, Standing::Other, &[], &[]),
            }
        }
        let inner = |is: &Is<'a>| match is {
            Is::Follows(_) => Is::Follows(false),
            Is::Typed(Type::List(inner) | Type::Map(inner)) => Is::Typed((**inner).clone()),
            Is::Model(Type::List(inner) | Type::Map(inner), old, new) => Is::Model((**inner).clone(), *old, *new),
            _ => Is::Other,
        };
        if let (Some(old), Some(new)) = (&was.items, &is.items) {
            self.element("[]", old, new, inner(&self.is));
        }
        if let (Further::Of(old), Further::Of(new)) = (&was.further, &is.further) {
            self.element("{}", old, new, inner(&self.is));
        }
    }

    /// An element of a list or a map.
    fn element(&mut self, place: &str, old: &Lot<'a>, new: &Lot<'a>, is: Is<'a>) {
        let nullable = (old.is_nullable(self.fields.documents[0]), new.is_nullable(self.fields.documents[1]));
        let standing = if matches!(is, Is::Other | Is::Follows(_)) { Standing::Other } else { Standing::Named };
        match nullable {
            (false, true) => {
                self.tell(on!(self, RequestNullable, AnswerNullable), standing, place, String::from("may be `null`"));
            }
            (true, false) => {
                let text = String::from("is never `null`");
                self.tell(on!(self, RequestNotNullable, AnswerRequired), standing, place, text);
            }
            _ => {}
        }
        self.lead(place, old, new, is);
    }

    /// The part of a form that holds the file.
    fn part(&mut self, old: Option<&str>, new: Option<&str>) {
        match (old, new) {
            (Some(old), Some(new)) if old != new => {
                let text = format!("the file is sent as {}, was {}", code(new), code(old));
                self.tell(What::RequestFieldMapped, Standing::Needed, &member(new), text);
            }
            (Some(old), None) => {
                let text = String::from("no part holds the file any more");
                self.tell(What::RequestFieldGone, Standing::Needed, &member(old), text);
            }
            _ => {}
        }
    }

    /// Fields that the contract does not name; `taken`: those that it does.
    fn others(&mut self, was: &View<'a>, is: &View<'a>, standing: Standing, old_taken: &[&str], new_taken: &[&str]) {
        for (name, old) in was.properties.iter().filter(|(name, _)| !old_taken.contains(*name)) {
            match is.properties.get(name).filter(|_| !new_taken.contains(name)) {
                Some(new) => {
                    let field = Field { place: member(name), label: String::new(), always: false, standing };
                    self.presence(&field, (was, old, name), (is, new, name));
                    let inner = if matches!(self.is, Is::Follows(_)) { Is::Follows(false) } else { Is::Other };
                    self.lead(&field.place, old, new, inner);
                }
                // It is a field of the contract now, and told there.
                None if new_taken.contains(name) => {}
                None => self.tell(
                    on!(self, RequestFieldGone, AnswerFieldGone),
                    standing,
                    &member(name),
                    String::from("is gone"),
                ),
            }
        }
        for name in
            is.properties.keys().filter(|name| !new_taken.contains(*name) && !was.properties.contains_key(*name))
        {
            if self.side == Side::Request && is.required.contains(name) {
                let text = String::from("is new and required");
                self.tell(What::RequestFieldNewRequired, standing, &member(name), text);
            } else {
                self.tell(on!(self, RequestFieldNew, AnswerFieldNew), standing, &member(name), String::from("is new"));
            }
        }
    }

    /// Whether a field may be missing or `null`.
    fn presence(&mut self, field: &Field, old: (&View<'a>, &Lot<'a>, &str), new: (&View<'a>, &Lot<'a>, &str)) {
        let (was_required, is_required) = (old.0.required.contains(old.2), new.0.required.contains(new.2));
        let was_nullable = old.1.is_nullable(self.fields.documents[0]);
        let is_nullable = new.1.is_nullable(self.fields.documents[1]);
        let side = self.side;
        let mut tell = |what: What, standing: Standing, text: &str| {
            self.tell(what, standing, &field.place, format!("{text}{}", field.label));
        };
        if side == Side::Request {
            match (was_required, is_required) {
                (false, true) if field.always => tell(What::RequestRequired, Standing::Needed, "is required"),
                (false, true) => tell(What::RequestRequired, field.standing, "is required"),
                (true, false) => tell(What::RequestOptional, field.standing, "is optional"),
                _ => {}
            }
            match (was_nullable, is_nullable) {
                (false, true) => tell(What::RequestNullable, field.standing, "may be `null`"),
                (true, false) => tell(What::RequestNotNullable, field.standing, "may be `null` no longer"),
                _ => {}
            }
            return;
        }
        let (could_miss, may_miss) = (!was_required || was_nullable, !is_required || is_nullable);
        match (could_miss, may_miss) {
            _ if field.always && is_nullable && !was_nullable => {
                tell(What::AnswerNullable, Standing::Needed, "may be `null`, and the facade needs it in every answer");
            }
            (false, true) if is_nullable => tell(What::AnswerNullable, field.standing, "may be `null`"),
            (false, true) => tell(What::AnswerOptional, field.standing, "may be missing"),
            (true, false) => tell(What::AnswerRequired, field.standing, "is always there"),
            _ => match (was_nullable, is_nullable) {
                (false, true) => tell(What::NullSaid, field.standing, "may be `null` as well as missing"),
                (true, false) => tell(What::NullSaid, field.standing, "may be missing, and is never `null`"),
                _ => {}
            },
        }
    }

    /// The fields of a model of the contract, and those beside them.
    fn model(&mut self, model: &Model<'a>, was: &View<'a>, is: &View<'a>) {
        let [old_wires, new_wires] = [model.wires(0, was), model.wires(1, is)];
        for (field, spec) in &model.spec.fields {
            let label = format!(" (the model's field {})", code(&format!("{}.{field}", model.name)));
            match (old_wires.get(field.as_str()), new_wires.get(field.as_str())) {
                (Some(old), None) => self.gone(model, field, old, &new_wires),
                (None, Some(new)) => {
                    let text = format!("is there now{label}");
                    self.tell(on!(self, RequestFieldNew, AnswerFieldNew), Standing::Named, &member(new), text);
                }
                (Some(old), Some(new)) => {
                    if old != new {
                        let text = format!("is called {}, was {}: the mapping knows it{label}", code(new), code(old));
                        let what = on!(self, RequestFieldMapped, AnswerFieldMapped);
                        self.tell(what, standing_of(spec.need()), &member(new), text);
                    }
                    if let (Some(old_lot), Some(new_lot)) = (was.properties.get(old), is.properties.get(new)) {
                        let always = spec.need() == Need::Always;
                        let at = Field { place: member(new), label, always, standing: Standing::Named };
                        self.presence(&at, (was, old_lot, old), (is, new_lot, new));
                        let inner = self.field_is(model, field, &at, [old_lot, new_lot]);
                        self.lead(&at.place, old_lot, new_lot, inner);
                    }
                }
                (None, None) => {}
            }
        }
        let taken = |wires: &BTreeMap<&str, &'a str>| wires.values().copied().collect::<Vec<&str>>();
        self.others(was, is, Standing::Beside, &taken(&old_wires), &taken(&new_wires));
    }

    /// What the contract says of a field that is on both sides; tells when it begins or ends to follow the document.
    fn field_is(&mut self, model: &Model<'a>, field: &str, at: &Field, lots: [&Lot<'a>; 2]) -> Is<'a> {
        let [old, new] = model.bounds.map(|bound| bound.and_then(|bound| bound.fields.get(field)));
        let follows = [old, new].map(|found| found.is_some_and(|found| found.uses_document_type));
        if follows[0] != follows[1] {
            let types = [0, 1].map(|side| View::of(self.fields.documents[side], lots[side]).described());
            let [before, after] = &types;
            let is = if before == after {
                format!("holds other {}", code(after))
            } else {
                format!("is {}, was {}", code(after), code(before))
            };
            let takes = if follows[1] { "takes the document's type" } else { "has the contract's type again" };
            let text = format!("{is}: the model's field {} {takes}", code(&format!("{}.{field}", model.name)));
            self.tell(on!(self, RequestTypeFollows, AnswerTypeFollows), Standing::Named, &at.place, text);
        }
        if follows.contains(&true) {
            return Is::Follows(follows[0] != follows[1]);
        }
        let Some(kind) = model.spec.fields.get(field).and_then(|spec| self.fields.contract.kind(spec.is())) else {
            return Is::Other;
        };
        if !holds_model(&kind) {
            return Is::Typed(kind);
        }
        let bound = |side: usize, found: Option<&'a crate::passes::mapping::FieldMapping>| {
            let (_, bound) = self.fields.mappings[side].bound(found?.target.as_ref()?)?;
            Some(bound)
        };
        Is::Model(kind, bound(0, old), bound(1, new))
    }

    /// A field of the contract is gone.
    fn gone(&mut self, model: &Model<'a>, field: &str, wire: &str, new_wires: &BTreeMap<&str, &str>) {
        let need = model.spec.fields.get(field).map(crate::passes::contract::FieldSpec::need).unwrap_or_default();
        let one_of = &model.spec.one_of;
        let last =
            one_of.iter().any(|name| name == field) && !one_of.iter().any(|name| new_wires.contains_key(name.as_str()));
        let standing = if last { Standing::Needed } else { standing_of(need) };
        let label = code(&format!("{}.{field}", model.name));
        let text = match (standing, self.side) {
            (Standing::Needed, _) => format!("is gone, and the facade depends on it (the model's field {label})"),
            (_, Side::Answer) => format!("is gone: the model's field {label} stays empty"),
            (_, Side::Request) => format!("is gone: the model's field {label} is sent for nothing"),
        };
        self.tell(on!(self, RequestFieldGone, AnswerFieldGone), standing, &member(wire), text);
    }
}

/// A model of the contract on both sides.
struct Model<'a> {
    name: &'a str,
    spec: &'a SchemaSpec,
    bounds: [Option<&'a SchemaMapping>; 2],
}

impl<'a> Model<'a> {
    /// The document's names of its fields.
    fn wires(&self, side: usize, view: &View<'a>) -> BTreeMap<&'a str, &'a str> {
        let bound = self.bounds.get(side).copied().flatten();
        let fields = self.spec.fields.keys();
        fields
            .filter_map(|field| {
                let wire = match bound {
                    Some(bound) => bound.fields.get(field)?.wire.as_deref()?,
                    // A schema that was refused, or met where the mapping did not look.
                    None => view.properties.contains_key(field.as_str()).then_some(field.as_str())?,
                };
                Some((field.as_str(), wire))
            })
            .collect()
    }
}

/// A field that is on both sides.
struct Field {
    place: String,
    /// The model's name for it, for the end of a text.
    label: String,
    /// Whether the facade needs it in every answer, or sends it with every request.
    always: bool,
    standing: Standing,
}

fn standing_of(need: Need) -> Standing {
    match need {
        Need::Always | Need::Declared => Standing::Needed,
        Need::Used | Need::Known => Standing::Named,
    }
}

fn member(name: &str) -> String {
    format!(".{}", super::words::name(name))
}

fn holds_model(kind: &Type<'_>) -> bool {
    match kind {
        Type::Schema(_) => true,
        Type::List(inner) | Type::Map(inner) => holds_model(inner),
        _ => false,
    }
}

/// Whether a value of this form is one of the contract's type. The mapping decides in the end; this is its rule in short.
fn fits(kind: &Type<'_>, view: &View<'_>) -> bool {
    let only = |allowed: &[&str]| view.kinds.iter().all(|kind| allowed.contains(kind));
    match kind {
        Type::Text | Type::Id(_) | Type::Timestamp => only(&["string"]) && !view.formats.contains("binary"),
        Type::Enum(_) => only(&["string"]),
        Type::Integer => only(&["integer"]),
        Type::Number => only(&["integer", "number"]),
        Type::Boolean => only(&["boolean"]),
        Type::List(_) => only(&["array"]),
        Type::Map(_) => only(&["object"]) && view.properties.is_empty() && !matches!(view.further, Further::None),
        Type::Schema(_) => only(&["object"]) && !view.kinds.is_empty(),
    }
}
