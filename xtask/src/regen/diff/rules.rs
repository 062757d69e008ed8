//! The classification: each kind of change with its effect, by how the contract stands to the thing that changed.
//!
//! The table is what the comparison looks effects up in, and openapi/CHANGES.md shows the same table, which `regen`
//! writes and `regen --check` holds against it.

use heck::ToKebabCase;

use super::Effect;

/// How the contract stands to what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It knows nothing of it: another operation, or what stands in a field that it does not name.
    Other,
    /// It does not name it, but names what it stands in: a further field of a model, a further parameter of a call.
    Beside,
    /// It names it, and the facade can do without.
    Named,
    /// It names it, and the facade depends on it.
    Needed,
}

/// One line of the table.
pub(super) struct Rule {
    pub(super) what: What,
    /// The heading that it stands below.
    group: &'static str,
    words: &'static str,
    /// In the order of [`Standing`]; `None`: does not happen.
    effects: [Option<Effect>; 4],
}

const N: Option<Effect> = Some(Effect::None);
const R: Option<Effect> = Some(Effect::Raw);
const C: Option<Effect> = Some(Effect::Caller);
const F: Option<Effect> = Some(Effect::Facade);
const X: Option<Effect> = None;

macro_rules! rules {
    ($($group:literal { $($what:ident $words:literal $other:ident $beside:ident $named:ident $needed:ident)* })*) => {
        /// A kind of change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum What {
            $($(#[doc = $words] $what,)*)*
        }

        /// All kinds of changes.
        pub(super) const RULES: &[Rule] = &[$($(
            Rule { what: What::$what, group: $group, words: $words, effects: [$other, $beside, $named, $needed] },
        )*)*];
    };
}

rules! {
    "The document" {
        Title "the title is another one" N N N N
        Version "the version is another one" N N N N
        OpenApi "the document follows another version of OpenAPI" N N N N
        Servers "the servers are others; the address comes from the client's configuration" N N N N
        TagGained "there is a new tag" N N N N
        TagLost "a tag is gone" N N N N
    }
    "Security" {
        SchemeGained "there is a new security scheme" N N N N
        SchemeLost "a security scheme is gone" N N N N
        SchemeOther "a security scheme is described otherwise; addresses come from the client's configuration" N N N N
        Unmet "a call is secured in a way that no bearer token meets" R X C C
        Scopes "a call asks for further scopes of the token" R X C C
        Requirement "a call is secured otherwise, and a bearer token does" N X N N
    }
    "Operations" {
        OperationNew "there is an operation that was not there" N X N N
        OperationGone "an operation is gone" R X C F
        OperationUnfit "an operation is there and no longer what the contract means" R X C F
        OperationMoved "an operation has another path; the client follows" N X N N
        OperationRenamed "an operation has another operationId" R X N N
        OperationTag "an operation stands below another tag" N X N N
        Deprecated "an operation, parameter or field is deprecated" N N N N
        NotDeprecated "it is deprecated no longer" N N N N
        Paging "a list comes in another way that the client follows" X X N N
    }
    "Parameters" {
        ParameterNew "there is a new optional parameter" N N N X
        ParameterNewRequired "there is a new required parameter" R F X X
        ParameterCookie "there is a new required cookie, which the client never sends" R C X X
        ParameterTransport "a header that the transport sets by itself came, went or changed" N N X X
        ParameterGone "a parameter is gone" R R C X
        ParameterMapped "a parameter has another name, which the mapping knows" X X N N
        ParameterRenamed "a parameter of the path has another name" R X N N
        ParameterRequired "a parameter became required" R F C X
        ParameterOptional "a parameter became optional" N N N X
        ParameterForm "the values of a parameter are written otherwise (style, explode)" R R N X
    }
    "Bodies" {
        BodyNew "there is a new optional body" N N X X
        BodyNewRequired "there is a new required body" R F X X
        BodyGone "there is no body any more" R R X F
        BodyRequired "the body became required" R F X N
        BodyOptional "the body became optional" N N X N
        BodyTypeGained "the body may come in a further media type" N N N N
        BodyTypeLost "the body may come no longer in a media type" R R X F
    }
    "What goes into a request" {
        RequestFieldNew "there is a new optional field" N N N X
        RequestFieldNewRequired "there is a new required field" R F X X
        RequestFieldGone "a field is gone" R R C F
        RequestFieldMapped "a field has another name, which the mapping knows" X X N N
        RequestRequired "a field became required" R F C N
        RequestOptional "a field became optional" N N N N
        RequestNullable "`null` is taken now" N N N N
        RequestNotNullable "`null` is taken no longer" R R N N
        RequestType "the type is another one; what the contract sends still fits" R R N N
        RequestTypeFollows "a field of a model takes the document's type, or has the contract's again" X X C X
        RequestTypeRefused "the type is another one, and what the contract sends does not fit" X X F F
        RequestTypeName "the schema has another name" R R N N
        RequestForms "the alternatives (oneOf, anyOf) are others in number" R R N N
        RequestClosed "further fields are taken no longer" R R N N
        RequestOpened "further fields are taken now" N N N N
        RequestValuesGained "further values are taken" N N N N
        RequestValuesLost "values are taken no longer" R R C C
        RequestValuesListed "a text may only have listed values now" R R N N
        RequestValuesFree "a text may have any value now" R R N N
        RequestLimits "limits (length, range, pattern, …) became tighter" R R C C
        RequestLimitsEased "limits became wider" N N N N
        RequestDefault "what absence means changed (`default`)" R R C C
        RequestDefaultSaid "it is said now, or no longer, what absence means" N N N N
    }
    "Answers" {
        StatusGained "there is a further status of success" N X N N
        StatusLost "a status of success is gone; the client takes any" N X N N
        ErrorGained "there is a further error answer; they are read without their description" N X N N
        ErrorLost "an error answer is gone" N X N N
        ContentGained "an answer that held nothing holds something" R X N N
        ContentLost "an answer holds nothing any more, as far as the document says" R X N N
        AnswerTypeGained "the answer comes in a further media type" N N N N
        AnswerTypeLost "the answer comes no longer in a media type" R R C F
        HeaderGained "an answer has a further header" N N N N
        HeaderLost "a header of an answer is gone" N N N N
    }
    "What stands in an answer" {
        AnswerFieldNew "there is a new field" N N N N
        AnswerFieldGone "a field is gone" R R C F
        AnswerFieldMapped "a field has another name, which the mapping knows" X X N N
        AnswerOptional "a field may be missing now" R R N N
        AnswerRequired "a field is always there now" R R N N
        AnswerNullable "a field that was always there may be `null`" R R N C
        NullSaid "a field that may be missing may, or may not, be `null` too" N N N N
        AnswerType "the type is another one; what the contract reads still fits" R R N N
        AnswerTypeFollows "a field of a model takes the document's type, or has the contract's again" X X C X
        AnswerTypeRefused "the type is another one, and what the contract reads does not fit" X X F F
        AnswerTypeName "the schema has another name" R R N N
        AnswerForms "the alternatives (oneOf, anyOf) are others in number" R R N N
        AnswerValuesGained "a set has further values" N N N N
        AnswerValuesLost "a set has values no longer" R R N F
        AnswerValuesListed "a text has listed values now" R R N N
        AnswerValuesFree "a text may have any value now" R R N N
    }
    "The comparison" {
        Unfinished "the documents are too large to be compared to the end" N N N N
    }
}

impl What {
    /// As it is called in JSON and in openapi/CHANGES.md.
    pub(crate) fn key(self) -> String {
        format!("{self:?}").to_kebab_case()
    }

    /// Its effect. Where the table says that it does not happen, the worst is assumed.
    pub(super) fn effect(self, standing: Standing) -> Effect {
        let rule = RULES.iter().find(|rule| rule.what == self);
        let effect = rule.and_then(|rule| rule.effects.get(standing as usize).copied().flatten());
        debug_assert!(effect.is_some(), "{self:?} {standing:?}");
        effect.unwrap_or(Effect::Facade)
    }
}

impl Rule {
    /// The combinations that happen.
    #[cfg(test)]
    pub(super) fn standings(&self) -> impl Iterator<Item = (Standing, Effect)> {
        let all = [Standing::Other, Standing::Beside, Standing::Named, Standing::Needed];
        all.into_iter().zip(self.effects).filter_map(|(standing, effect)| Some((standing, effect?)))
    }
}

/// openapi/CHANGES.md.
pub(crate) fn page() -> String {
    use std::fmt::Write as _;

    let mut text = String::from(HEAD);
    let mut group = "";
    for rule in RULES {
        if rule.group != group {
            group = rule.group;
            let _ = write!(text, "\n## {group}\n\n{COLUMNS}");
        }
        let _ = write!(text, "| `{}` | {} |", rule.what.key(), rule.words);
        for effect in rule.effects {
            let _ = write!(text, " {} |", effect.map_or("", Effect::word));
        }
        text.push('\n');
    }
    text
}

const COLUMNS: &str = "| in JSON | change | other | beside | named | needed |\n|---|---|---|---|---|---|\n";

const HEAD: &str = "\
# What a change of the document means

`cargo xtask regen --from FILE` compares the document that comes with the one that goes, and says for each change whom it
concerns. This is the table that it uses; `regen` writes it from `xtask/src/regen/diff/rules.rs`.

The effect is one of these, and the report begins with the worst:

- `none`: nobody notices, or only people who read the document.
- `raw`: code that calls `client.raw()`, or that reads that further field of a model, may have to change.
- `caller`: code that uses the facade notices: a field of a model stays empty or has another type, a call is not supported, a
  value that could be left out is required.
- `facade`: the facade itself depends on it. The mapping refuses such a document, unless it may be missing
  (`--accept-missing`).

It depends on what openapi/contract.toml says of the thing that changed:

- *other*: nothing. It belongs to an operation that the facade does not call, or stands in a field that the contract does not name.
- *beside*: nothing, but it stands in something of the contract: a further field of a model, a further parameter of a call.
- *named*: it is there, and the facade can do without it (`need` is `used` or `known`, the rank of an operation `inferred` or
  the operation may be missing).
- *needed*: it is there, and the facade can't (`need` is `always` or `declared`, the rank is `core` or `extra`; for a set, the values
  `needed`; for `answer-nullable`, `always` alone).

An empty cell does not happen. Two things change what stands here:

- Where a field of a model has the document's type (a `known` field whose type is not the contract's), `raw` becomes `caller` for all
  that stands in it, because users of the model read it.
- Optional means optional to whoever makes the JSON: a field of an answer that is not required or may be `null` has the type
  `Option` in the raw client, so a change either way is one for its users.

Why the comparison is our own: no maintained Rust crate compares OpenAPI documents (looked for in November 2026: `schemadoc-diff` 0.1.20
of 2023 and `anicca` 0.1.0 are what there is), and this one must know the mapping: a field that only has another name is no change for
anybody.
";

#[cfg(test)]
mod tests {
    use super::{RULES, Rule};

    #[test]
    fn each_change_has_one_rule() {
        for (index, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.what as usize, index);
            assert!(rule.standings().count() > 0, "{:?}", rule.what);
        }
        let mut keys: Vec<String> = RULES.iter().map(|rule: &Rule| rule.what.key()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), RULES.len());
    }
}
