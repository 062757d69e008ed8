//! Operations: which is which in two documents, and what changed about each but for what their bodies and answers hold.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::{Fields, Is, Side as Way};
use super::rules::{Standing, What};
use super::schema::resolved;
use super::security::{self, Requirement};
use super::words::{code, codes, name};
use super::{Change, Side};
use crate::passes::contract::{Contract, OperationSpec, Rank, ResponseKind, parameters};
use crate::passes::mapping::{OperationMapping, server_path, shape};
use crate::passes::tree::{self, METHODS, Object};

/// Headers that the transport sets by itself, and that no call has as a parameter.
const BY_TRANSPORT: [&str; 5] = ["accept", "authorization", "content-type", "cookie", "x-tenant-id"];

/// An operation of one document.
struct Operation<'a> {
    path: &'a str,
    method: &'static str,
    item: &'a Object,
    own: &'a Object,
    /// The contract's name, and what was found of it.
    known: Option<(&'a str, &'a OperationMapping)>,
}

impl Operation<'_> {
    /// `GET /api/users`.
    fn line(&self) -> String {
        name(&format!("{} {}", self.method.to_uppercase(), self.path))
    }

    fn text(&self, key: &str) -> &str {
        tree::text(self.own, key).unwrap_or_default()
    }
}

/// Everything of one document.
struct Operations<'a> {
    all: Vec<Operation<'a>>,
    /// The server's path and what stands in place of `/api`.
    server: String,
    prefix: &'a str,
}

impl<'a> Operations<'a> {
    fn of(side: &Side<'a>) -> Self {
        let mut places: BTreeMap<(&str, &str), (&str, &OperationMapping)> = BTreeMap::new();
        for (id, mapped) in &side.mapping.operations {
            if let Some(place) = &mapped.location {
                places.insert((place.path.as_str(), place.method.as_str()), (id.as_str(), mapped));
            }
        }
        let mut all: Vec<Operation<'a>> = Vec::new();
        for (path, item) in side.document.get("paths").and_then(Value::as_object).into_iter().flatten() {
            let Some(item) = item.as_object() else {
                continue;
            };
            for method in METHODS {
                if let Some(own) = item.get(method).and_then(Value::as_object) {
                    let known = places.get(&(path.as_str(), method)).copied();
                    all.push(Operation { path, method, item, own, known });
                }
            }
        }
        all.sort_by_key(|operation| (operation.path, operation.method));
        Self { all, server: server_path(side.document), prefix: side.mapping.prefix.as_str() }
    }

    /// What an operation is paired by: method and shape below the server's path, and the same without the document's prefix.
    fn forms(&self, operation: &Operation<'_>) -> [String; 2] {
        let whole = shape(&format!("{}{}", self.server, operation.path));
        let tail = whole.strip_prefix(self.prefix).filter(|_| !self.prefix.is_empty());
        let tail = tail.map_or_else(|| format!("whole {whole}"), |tail| format!("below {tail}"));
        [format!("{} {whole}", operation.method), format!("{} {tail}", operation.method)]
    }
}

/// Compares all operations. What bodies and answers hold goes to `fields`.
pub(super) fn compare<'a>(
    contract: &'a Contract,
    old: &Side<'a>,
    new: &Side<'a>,
    fields: &mut Fields<'a>,
    changes: &mut Vec<Change>,
) {
    let (before, after) = (Operations::of(old), Operations::of(new));
    let pairs = pairs(&before, &after);
    let used: BTreeSet<usize> = pairs.values().copied().collect();
    let mut secured: Vec<(String, Requirement, Requirement, Standing)> = Vec::new();
    for (index, was) in before.all.iter().enumerate() {
        let spec = was.known.and_then(|(id, _)| contract.operations.get(id));
        if let Some(is) = pairs.get(&index).and_then(|index| after.all.get(*index)) {
            let known = is.known.or(was.known).map(|(id, _)| id);
            let spec = is.known.and_then(|(id, _)| contract.operations.get(id));
            let standing = standing(known.filter(|_| spec.is_some()), spec, new);
            let label = known.map_or_else(|| is.line(), str::to_owned);
            let mut work = Work { old: *old, new: *new, spec, standing, label: label.clone(), fields, changes };
            work.pair(was, is, known.and_then(|id| contract.operations.get(id)), after.prefix != before.prefix);
            let requirements = (security::of(old.document, was.own), security::of(new.document, is.own));
            secured.push((label, requirements.0, requirements.1, standing));
        } else {
            let label = was.known.map_or_else(|| was.line(), |(id, _)| id.to_owned());
            let standing = standing(was.known.map(|(id, _)| id), spec, new);
            let text = match standing {
                Standing::Other => String::from("is gone"),
                Standing::Needed => format!("{} is gone, and the facade depends on it", code(&was.line())),
                _ => format!("{} is gone: the call says that it is not supported", code(&was.line())),
            };
            changes.push(change(What::OperationGone, standing, &label, "", text));
        }
    }
    for (_, is) in after.all.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
        let (label, standing) =
            is.known.map_or((is.line(), Standing::Other), |(id, _)| (id.to_owned(), Standing::Named));
        let text = match is.known {
            Some(_) => format!("is there now: {}", code(&is.line())),
            None => match is.text("operationId") {
                "" => String::from("is new; the raw client has it"),
                id => format!("is new; the raw client has it as {}", code(id)),
            },
        };
        changes.push(change(What::OperationNew, standing, &label, "", text));
    }
    security::requirements(secured, changes);
}

/// Old operations → new ones.
fn pairs(before: &Operations<'_>, after: &Operations<'_>) -> BTreeMap<usize, usize> {
    let mut pairs: BTreeMap<usize, usize> = BTreeMap::new();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let ids: BTreeMap<&str, usize> =
        after.all.iter().enumerate().filter_map(|(index, is)| Some((is.known?.0, index))).collect();
    for (index, was) in before.all.iter().enumerate() {
        if let Some(found) = was.known.and_then(|(id, _)| ids.get(id)) {
            pairs.insert(index, *found);
            used.insert(*found);
        }
    }
    for form in [0, 1] {
        let mut free: BTreeMap<String, usize> = BTreeMap::new();
        for (index, is) in after.all.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
            let [whole, tail] = after.forms(is);
            // Two paths may have one shape: the first stands for it.
            free.entry(if form == 0 { whole } else { tail }).or_insert(index);
        }
        for (index, was) in before.all.iter().enumerate() {
            if pairs.contains_key(&index) {
                continue;
            }
            let [whole, tail] = before.forms(was);
            let wanted = if form == 0 { whole } else { tail };
            if let Some(found) = free.remove(&wanted) {
                let other = was.known.zip(after.all.get(found).and_then(|is| is.known)).is_some();
                // Both are of the contract and differ there: they are two.
                if !other && used.insert(found) {
                    pairs.insert(index, found);
                }
            }
        }
    }
    pairs
}

/// How the contract stands to an operation.
fn standing(id: Option<&str>, spec: Option<&OperationSpec>, new: &Side<'_>) -> Standing {
    match (id, spec) {
        (Some(id), Some(spec)) if spec.rank == Rank::Inferred || new.accepted.contains(id) => Standing::Named,
        (Some(_), Some(_)) => Standing::Needed,
        _ => Standing::Other,
    }
}

fn change(what: What, standing: Standing, label: &str, place: &str, text: String) -> Change {
    Change {
        what,
        effect: what.effect(standing),
        operation: Some(label.to_owned()),
        also: Vec::new(),
        place: place.to_owned(),
        text,
    }
}

/// A pair of operations while it is compared.
struct Work<'w, 'a> {
    old: Side<'a>,
    new: Side<'a>,
    /// What the contract says of it, where the new document has it in the contract's place.
    spec: Option<&'a OperationSpec>,
    standing: Standing,
    label: String,
    fields: &'w mut Fields<'a>,
    changes: &'w mut Vec<Change>,
}

impl<'a> Work<'_, 'a> {
    fn tell(&mut self, what: What, standing: Standing, place: &str, text: impl Into<String>) {
        self.changes.push(change(what, standing, &self.label, place, text.into()));
    }

    /// The standing of what the contract does not name in the operation.
    fn beside(&self) -> Standing {
        if self.spec.is_some() { Standing::Beside } else { Standing::Other }
    }

    fn pair(&mut self, was: &Operation<'a>, is: &Operation<'a>, known: Option<&OperationSpec>, other_prefix: bool) {
        match (was.known, is.known) {
            (Some((id, _)), None) => {
                let standing = standing(Some(id), known, &self.new);
                let text = if standing == Standing::Needed {
                    "is there, but does not fit, and the facade depends on it"
                } else {
                    "is there, but does not fit: the call says that it is not supported"
                };
                self.tell(What::OperationUnfit, standing, "", text);
            }
            (None, Some(_)) => self.tell(What::OperationNew, Standing::Named, "", "is one that the facade calls now"),
            _ => {}
        }
        self.place(was, is, other_prefix);
        let (id_was, id_is) = (was.text("operationId"), is.text("operationId"));
        if id_was != id_is {
            let shown = |id: &str| if id.is_empty() { String::from("nothing") } else { code(id) };
            let text = format!("is called {}, was {}", shown(id_is), shown(id_was));
            self.tell(What::OperationRenamed, self.standing, "", text);
        }
        let tags = |operation: &Operation<'a>| {
            let tags = operation.own.get("tags").and_then(Value::as_array).into_iter().flatten();
            tags.filter_map(Value::as_str).collect::<Vec<&str>>()
        };
        if tags(was) != tags(is) {
            let text = format!("stands below {}, was {}", codes(tags(is)), codes(tags(was)));
            self.tell(What::OperationTag, self.standing, "", text);
        }
        match (tree::is_true(was.own, "deprecated"), tree::is_true(is.own, "deprecated")) {
            (false, true) => self.tell(What::Deprecated, self.standing, "", "is deprecated"),
            (true, false) => self.tell(What::NotDeprecated, self.standing, "", "is deprecated no longer"),
            _ => {}
        }
        let servers = |operation: &Operation<'a>| {
            operation.own.get("servers").or_else(|| operation.item.get("servers")).cloned().unwrap_or_default()
        };
        if servers(was) != servers(is) {
            let text = "has other servers of its own; calls go to the configured address";
            self.tell(What::Servers, self.standing, "", text);
        }
        if let (Some((_, was)), Some((_, is))) = (was.known, is.known)
            && was.paging != is.paging
        {
            let shown = |paging: Option<&'static str>| code(paging.unwrap_or("none"));
            let text = format!("comes as {}, was {}", shown(is.paging), shown(was.paging));
            self.tell(What::Paging, self.standing, "", text);
        }
        self.parameters(was, is);
        self.body(was, is);
        self.answers(was, is);
    }

    fn place(&mut self, was: &Operation<'a>, is: &Operation<'a>, other_prefix: bool) {
        let whole = |document: &Value, path: &str| format!("{}{path}", server_path(document));
        let paths = (whole(self.old.document, was.path), whole(self.new.document, is.path));
        let moved = shape(&paths.0) != shape(&paths.1) || was.method != is.method;
        if moved {
            // All of them moved with the prefix: that is told once, of the document.
            let tails = [(&paths.0, &self.old), (&paths.1, &self.new)]
                .map(|(path, side)| shape(path.strip_prefix(side.mapping.prefix.as_str()).unwrap_or(path)));
            if other_prefix && tails[0] == tails[1] && was.method == is.method {
                return;
            }
            let text = format!("is at {}, was at {}", code(&is.line()), code(&was.line()));
            self.tell(What::OperationMoved, self.standing, "", text);
        }
    }

    fn parameters(&mut self, was: &Operation<'a>, is: &Operation<'a>) {
        let (before, after) = (Parameters::of(self.old.document, was), Parameters::of(self.new.document, is));
        let mut new_used: BTreeSet<(&str, String)> = BTreeSet::new();
        // The contract's own, under whatever name.
        let queries: Vec<(&String, Option<&String>, Option<&String>)> = match (was.known, is.known) {
            (Some((_, old)), Some((_, new))) => new
                .query
                .iter()
                .map(|(name, wire)| (name, old.query.get(name).and_then(Option::as_ref), wire.as_ref()))
                .collect(),
            _ => Vec::new(),
        };
        let mut old_used: BTreeSet<(&str, String)> = BTreeSet::new();
        for (name, old, new) in queries {
            old_used.extend(old.map(|old| ("query", old.clone())));
            new_used.extend(new.map(|new| ("query", new.clone())));
            let place = |wire: &str| format!("query {}", super::words::name(wire));
            match (old, new) {
                (Some(old), None) => {
                    let text = format!("is gone: the call's {} is not sent", code(name));
                    self.tell(What::ParameterGone, Standing::Named, &place(old), text);
                }
                (None, Some(new)) => {
                    let text = format!("is there now: the call's {} is sent", code(name));
                    self.tell(What::ParameterNew, Standing::Named, &place(new), text);
                }
                (Some(old), Some(new)) => {
                    if old != new {
                        let text = format!("was called {}: the mapping knows it", code(old));
                        self.tell(What::ParameterMapped, Standing::Named, &place(new), text);
                    }
                    if let (Some(was), Some(is)) = (before.get("query", old), after.get("query", new)) {
                        let kind = self.spec.and_then(|spec| spec.query.get(name));
                        let kind = kind.and_then(|query| self.fields_contract().kind(&query.is));
                        let of = kind.map_or(Is::Other, Is::Typed);
                        self.parameter(&place(new), was, is, Standing::Named, of);
                    }
                }
                (None, None) => {}
            }
        }
        self.path_parameters(was.path, is.path, &before, &after, &mut old_used, &mut new_used);
        let beside = self.beside();
        for (key, old) in before.0.iter().filter(|(key, _)| !old_used.contains(*key)) {
            let place = place_of(key);
            if let Some(new) = after.0.get(key).filter(|_| !new_used.contains(key)) {
                if by_transport(key) {
                    if old != new && key.0 == "header" {
                        self.tell(What::ParameterTransport, beside, &place, "changed; the transport sets it by itself");
                    }
                    continue;
                }
                self.parameter(&place, old, new, beside, Is::Other);
            } else if by_transport(key) {
                self.tell(What::ParameterTransport, beside, &place, "is gone; the transport sets it by itself");
            } else {
                self.tell(What::ParameterGone, beside, &place, "is gone");
            }
        }
        for (key, new) in after.0.iter().filter(|(key, _)| !new_used.contains(*key)) {
            if before.0.contains_key(key) && !old_used.contains(key) {
                continue;
            }
            let required = new.get("required") == Some(&Value::Bool(true));
            let place = place_of(key);
            match (by_transport(key), key.0, required) {
                (true, "cookie", true) => {
                    self.tell(What::ParameterCookie, beside, &place, "is new and required, and is never sent");
                }
                (true, _, _) => {
                    self.tell(What::ParameterTransport, beside, &place, "is new; the transport sets it by itself");
                }
                (false, _, true) => self.tell(What::ParameterNewRequired, beside, &place, "is new and required"),
                (false, _, false) => self.tell(What::ParameterNew, beside, &place, "is new"),
            }
        }
    }

    fn fields_contract(&self) -> &'a Contract {
        self.fields.contract()
    }

    /// The parameters of the path stand for each other by place.
    fn path_parameters(
        &mut self,
        old_path: &'a str,
        new_path: &'a str,
        before: &Parameters<'a>,
        after: &Parameters<'a>,
        old_used: &mut BTreeSet<(&'a str, String)>,
        new_used: &mut BTreeSet<(&'a str, String)>,
    ) {
        let (old_names, new_names): (Vec<&str>, Vec<&str>) =
            (parameters(old_path).collect(), parameters(new_path).collect());
        if old_names.len() != new_names.len() {
            return;
        }
        // By name where only their order changed.
        let same_names = old_names.iter().all(|name| new_names.contains(name));
        for (old, new) in old_names.iter().zip(&new_names) {
            let old = if same_names { new } else { old };
            let place = place_of(&("path", (*new).to_owned()));
            if old != new {
                let text = format!("was called {}", code(old));
                self.tell(What::ParameterRenamed, self.standing, &place, text);
            }
            if let (Some(was), Some(is)) = (before.get("path", old), after.get("path", new)) {
                let of = if self.spec.is_some() { Is::Id } else { Is::Other };
                let beside = self.beside();
                self.parameter(&place, was, is, beside, of);
            }
            old_used.insert(("path", (*old).to_owned()));
            new_used.insert(("path", (*new).to_owned()));
        }
    }

    /// A parameter that is on both sides.
    fn parameter(&mut self, place: &str, was: &'a Value, is: &'a Value, standing: Standing, of: Is<'a>) {
        let flag = |parameter: &Value, key: &str| parameter.get(key) == Some(&Value::Bool(true));
        match (flag(was, "required"), flag(is, "required")) {
            (false, true) => self.tell(What::ParameterRequired, standing, place, "is required"),
            (true, false) => self.tell(What::ParameterOptional, standing, place, "is optional"),
            _ => {}
        }
        match (flag(was, "deprecated"), flag(is, "deprecated")) {
            (false, true) => self.tell(What::Deprecated, standing, place, "is deprecated"),
            (true, false) => self.tell(What::NotDeprecated, standing, place, "is deprecated no longer"),
            _ => {}
        }
        let (was_form, is_form) = (form(was), form(is));
        if was_form != is_form {
            let text = format!("is written {}, was {}", code(&is_form), code(&was_form));
            self.tell(What::ParameterForm, standing, place, text);
        }
        let schema = |parameter: &'a Value| {
            let content = parameter.get("content").and_then(Value::as_object);
            parameter.get("schema").or_else(|| content.and_then(|content| content.values().next()?.get("schema")))
        };
        if let (Some(was), Some(is)) = (schema(was), schema(is)) {
            self.fields.root(&self.label, place, [was, is], Way::Request, of);
        }
    }

    fn body(&mut self, was: &Operation<'a>, is: &Operation<'a>) {
        let body = |document: &'a Value, operation: &Operation<'a>| {
            operation.own.get("requestBody").map(|body| resolved(document, body))
        };
        let (before, after) = (body(self.old.document, was), body(self.new.document, is));
        let sends = self.spec.is_some_and(|spec| spec.takes.is_some() || spec.part.is_some());
        let standing = match (self.spec, sends) {
            (None, _) => Standing::Other,
            (Some(_), true) => Standing::Needed,
            (Some(_), false) => Standing::Beside,
        };
        let required = |body: &Value| body.get("required") == Some(&Value::Bool(true));
        let (was_body, is_body) = match (before, after) {
            (Some(was), Some(is)) => (was, is),
            (None, Some(is)) => {
                if sends {
                    // It was refused before: there is nothing to compare with.
                } else if required(is) {
                    self.tell(What::BodyNewRequired, standing, "body", "is new and required");
                } else {
                    self.tell(What::BodyNew, standing, "body", "is new");
                }
                return;
            }
            (Some(_), None) => {
                self.tell(What::BodyGone, standing, "body", "is gone");
                return;
            }
            (None, None) => return,
        };
        match (required(was_body), required(is_body)) {
            (false, true) => self.tell(What::BodyRequired, standing, "body", "is required"),
            (true, false) => self.tell(What::BodyOptional, standing, "body", "is optional"),
            _ => {}
        }
        let (before, after) = (content(was_body), content(is_body));
        for lost in before.keys().filter(|key| !after.contains_key(*key)) {
            let needed = match self.spec {
                Some(spec) if spec.takes.is_some() => lost == JSON,
                Some(spec) if spec.part.is_some() => is.known.is_some_and(|(_, mapped)| mapped.part.is_none()),
                _ => false,
            };
            let standing = if needed { Standing::Needed } else { self.beside() };
            self.tell(What::BodyTypeLost, standing, "body", format!("comes no longer as {}", code(lost)));
        }
        for gained in after.keys().filter(|key| !before.contains_key(*key)) {
            self.tell(What::BodyTypeGained, standing, "body", format!("may come as {}", code(gained)));
        }
        self.contents("body", &before, &after, Way::Request, |work, media_type| {
            let (old, new) = (was.known.map(|(_, mapped)| mapped), is.known.map(|(_, mapped)| mapped));
            let spec = work.spec?;
            if spec.part.is_some() {
                let part = |mapped: Option<&'a OperationMapping>| mapped.and_then(|mapped| mapped.part.as_deref());
                let is_form = media_type.starts_with("multipart/") || after.len() == 1;
                return is_form.then(|| Is::Form(part(old), part(new)));
            }
            let takes = spec.takes.as_ref().filter(|_| media_type == JSON)?;
            let key = |mapped: Option<&'a OperationMapping>| mapped.and_then(|mapped| mapped.takes.as_ref());
            Some(work.fields.model(takes, [key(old), key(new)]))
        });
    }

    /// Compares what stands below the same media type on both sides.
    fn contents(
        &mut self,
        place: &str,
        before: &BTreeMap<String, &'a Value>,
        after: &BTreeMap<String, &'a Value>,
        way: Way,
        of: impl Fn(&Self, &str) -> Option<Is<'a>>,
    ) {
        let schema = |media: Option<&&'a Value>| media.and_then(|media| media.get("schema"));
        let json = [schema(before.get(JSON)), schema(after.get(JSON))];
        for (media_type, media) in before {
            let schemas = [schema(Some(media)), schema(after.get(media_type))];
            // The other forms of the same thing.
            if media_type != JSON && schemas == json && json[0].is_some() {
                continue;
            }
            if let [Some(was), Some(is)] = schemas {
                let is_what = of(self, media_type).unwrap_or(Is::Other);
                self.fields.root(&self.label, place, [was, is], way, is_what);
            }
        }
    }

    fn answers(&mut self, was: &Operation<'a>, is: &Operation<'a>) {
        let (before, after) = (Responses::of(self.old.document, was), Responses::of(self.new.document, is));
        for (statuses, others, what) in [
            (&after.success, &before.success, What::StatusGained),
            (&before.success, &after.success, What::StatusLost),
            (&after.errors, &before.errors, What::ErrorGained),
            (&before.errors, &after.errors, What::ErrorLost),
        ] {
            let other: Vec<&str> = statuses.keys().filter(|key| !others.contains_key(*key)).copied().collect();
            if !other.is_empty() {
                let verb = if matches!(what, What::StatusGained | What::ErrorGained) { "gains" } else { "loses" };
                self.tell(what, self.standing, "answer", format!("{verb} {}", codes(other)));
            }
        }
        let several = before.success.len() > 1 || after.success.len() > 1;
        let mut json_lost = false;
        for (status, old) in &before.success {
            let new = after.success.get(status).or_else(|| {
                // One status of success each, and another one: the same answer.
                let only = before.success.len() == 1 && after.success.len() == 1;
                only.then(|| after.success.values().next()).flatten()
            });
            if let Some(new) = new {
                let place = if several { format!("answer {}", name(status)) } else { String::from("answer") };
                json_lost |= self.answer(&place, old, new, was, is);
            }
        }
        // The only answer of JSON went with its status.
        let holds_json =
            |responses: &Responses<'_>| responses.success.values().any(|response| content(response).contains_key(JSON));
        let reads = self.spec.is_some_and(|spec| matches!(spec.answers(), ResponseKind::Json(_)));
        let any = after.success.values().any(|response| !content(response).is_empty());
        if reads && any && !json_lost && holds_json(&before) && !holds_json(&after) {
            self.tell(What::AnswerTypeLost, Standing::Needed, "answer", "comes no longer as JSON");
        }
    }

    /// One answer of success. Gives whether it was told that JSON is gone.
    fn answer(&mut self, place: &str, old: &'a Value, new: &'a Value, was: &Operation<'a>, is: &Operation<'a>) -> bool {
        self.headers(place, old, new);
        let (before, after) = (content(old), content(new));
        match (before.is_empty(), after.is_empty()) {
            (true, true) => return false,
            (true, false) => {
                let text = format!("holds {}", codes(after.keys().map(String::as_str)));
                self.tell(What::ContentGained, self.standing, place, text);
                return false;
            }
            (false, true) => {
                self.tell(What::ContentLost, self.standing, place, "holds nothing, as far as the document says");
                return false;
            }
            (false, false) => {}
        }
        let expects = self.spec.map(OperationSpec::answers);
        let bytes = |content: &BTreeMap<String, &Value>| content.keys().any(|key| key != JSON);
        let mut json_lost = false;
        for lost in before.keys().filter(|key| !after.contains_key(*key)) {
            let standing = match &expects {
                None => Standing::Other,
                Some(ResponseKind::Json(_)) if lost == JSON => {
                    json_lost = true;
                    Standing::Needed
                }
                Some(ResponseKind::Json(_)) if self.spec.is_some_and(|spec| spec.xml) && is_xml(lost) => {
                    let other = after.keys().any(|key| is_xml(key));
                    if other { Standing::Beside } else { Standing::Named }
                }
                Some(ResponseKind::Bytes) if !bytes(&after) => Standing::Needed,
                Some(_) => Standing::Beside,
            };
            self.tell(What::AnswerTypeLost, standing, place, format!("comes no longer as {}", code(lost)));
        }
        for gained in after.keys().filter(|key| !before.contains_key(*key)) {
            self.tell(What::AnswerTypeGained, self.standing, place, format!("comes as {} too", code(gained)));
        }
        self.contents(place, &before, &after, Way::Answer, |work, media_type| {
            let Some(ResponseKind::Json(model)) = work.spec.map(OperationSpec::answers) else {
                return None;
            };
            let key = |operation: &Operation<'a>| operation.known.and_then(|(_, mapped)| mapped.answers.as_ref());
            (media_type == JSON).then(|| work.fields.model(model, [key(was), key(is)]))
        });
        json_lost
    }

    fn headers(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let names = |response: &'a Value| -> BTreeMap<String, &'a str> {
            let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
            headers.map(|(name, _)| (name.to_ascii_lowercase(), name.as_str())).collect()
        };
        let (before, after) = (names(old), names(new));
        for (these, others, what, verb) in
            [(&after, &before, What::HeaderGained, "gains"), (&before, &after, What::HeaderLost, "loses")]
        {
            let other: Vec<&str> =
                these.iter().filter(|(key, _)| !others.contains_key(*key)).map(|(_, name)| *name).collect();
            if !other.is_empty() {
                let text = format!("{verb} the header {}", codes(other));
                self.tell(what, self.standing, place, text);
            }
        }
    }
}

/// What all media types that mean JSON are called here.
const JSON: &str = "application/json";

fn is_json(essence: &str) -> bool {
    essence == JSON || essence.ends_with("+json")
}

fn is_xml(essence: &str) -> bool {
    matches!(essence, "application/xml" | "text/xml") || essence.ends_with("+xml")
}

/// The media types of a body or answer; JSON under one name.
fn content(holder: &Value) -> BTreeMap<String, &Value> {
    let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    let mut all: BTreeMap<String, &Value> = BTreeMap::new();
    for (name, media) in content {
        let essence = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let binary = media.pointer("/schema/format").and_then(Value::as_str) == Some("binary");
        let any_json = essence == "*/*" && media.get("schema").is_some() && !binary;
        let key = if is_json(&essence) || any_json { JSON.to_owned() } else { essence };
        all.entry(key).or_insert(media);
    }
    all
}

/// The parameters of an operation by place and name.
struct Parameters<'a>(BTreeMap<(&'a str, String), &'a Value>);

impl<'a> Parameters<'a> {
    fn of(document: &'a Value, operation: &Operation<'a>) -> Self {
        let mut all = BTreeMap::new();
        for holder in [operation.item, operation.own] {
            for parameter in holder.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                let parameter = resolved(document, parameter);
                let text = |key: &str| parameter.get(key).and_then(Value::as_str);
                let (Some(place), Some(name)) = (text("in"), text("name")) else {
                    continue;
                };
                // One that stands beside the paths of others is nothing to this one.
                if place != "path" || parameters(operation.path).any(|known| known == name) {
                    let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
                    all.insert((place, name), parameter);
                }
            }
        }
        Self(all)
    }

    fn get(&self, place: &'a str, name: &str) -> Option<&'a Value> {
        self.0.get(&(place, name.to_owned())).copied()
    }
}

fn place_of((place, parameter): &(&str, String)) -> String {
    format!("{} {}", name(place), name(parameter))
}

fn by_transport((place, name): &(&str, String)) -> bool {
    *place == "cookie" || (*place == "header" && BY_TRANSPORT.contains(&name.as_str()))
}

/// How the values of a parameter are written, with what the specification presumes.
fn form(parameter: &Value) -> String {
    let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
    if parameter.get("content").is_some() {
        return String::from("as content");
    }
    let presumed = if matches!(place, "query" | "cookie") { "form" } else { "simple" };
    let style = parameter.get("style").and_then(Value::as_str).unwrap_or(presumed);
    let explode = parameter.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
    format!("{style}, {}", if explode { "each by itself" } else { "together" })
}

/// The answers of an operation by status.
struct Responses<'a> {
    success: BTreeMap<&'a str, &'a Value>,
    errors: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Responses<'a> {
    fn of(document: &'a Value, operation: &Operation<'a>) -> Self {
        let all = tree::object(operation.own, "responses").into_iter().flatten();
        let all = all.filter(|(status, _)| !status.starts_with("x-"));
        let (mut success, mut errors) = (BTreeMap::new(), BTreeMap::new());
        for (status, response) in all {
            let response = resolved(document, response);
            if status.starts_with('2') { &mut success } else { &mut errors }.insert(status.as_str(), response);
        }
        // `default` is the success of a document that names none.
        if success.is_empty()
            && let Some((status, response)) = errors.remove_entry("default")
        {
            success.insert(status, response);
        }
        Self { success, errors }
    }
}
