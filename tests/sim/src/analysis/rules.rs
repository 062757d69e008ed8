//! Extraction rules in TOML: the components of a template and how their values are found.

use std::path::Path;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::normalise::Normaliser;

/// The default rules of a simulator.
const BUILT_IN: &str = include_str!("../../rules/builtin.toml");

/// A set of extraction rules.
///
/// ```
/// # fn main() -> Result<(), documine_sim::RuleError> {
/// let rules = documine_sim::Rules::parse(r#"
///     [[component]]
///     name = "BatchNumber"
///     [[component.rule]]
///     id = "BatchNumber.0.0"
///     pattern = '(?i)batch (?:no|number)[.:]*\s*(\S+)'
///     normalise = "upper"
/// "#)?;
/// assert_eq!(rules.component_names().collect::<Vec<_>>(), ["BatchNumber"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rules {
    pub(crate) template: TemplateTexts,
    pub(super) components: Vec<ComponentRules>,
}

/// The texts of the template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TemplateTexts {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) report: String,
}

impl Default for TemplateTexts {
    fn default() -> Self {
        Self {
            name: "Own rules".to_owned(),
            description: "Extraction rules from a file.".to_owned(),
            report: "Extraction report".to_owned(),
        }
    }
}

/// A component and its rules. The first rule that finds a value wins.
#[derive(Clone, Debug)]
pub(super) struct ComponentRules {
    pub(super) name: String,
    pub(super) multiple: bool,
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) description: Option<String>,
    pub(super) kind: String,
    pub(super) source: RuleSource,
    pub(super) normalise: Normaliser,
    pub(super) pages: PageRange,
}

#[derive(Clone, Debug)]
pub(super) enum RuleSource {
    Pattern(Regex),
    Property(DocumentProperty),
}

/// A property of the document beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DocumentProperty {
    Title,
    Heading,
    PageCount,
    FileName,
    Remarks,
}

/// The pages that a rule searches, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRange {
    pub(super) from: usize,
    pub(super) to: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    template: TemplateTexts,
    component: Vec<RawComponent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComponent {
    name: String,
    #[serde(default)]
    multiple: bool,
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Option<String>,
    description: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    pattern: Option<String>,
    source: Option<DocumentProperty>,
    #[serde(default)]
    normalise: Normaliser,
    pages: Option<String>,
}

/// Rejected rules. The message is one line with the place and the error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(String);

impl Rules {
    /// Returns the built-in rules: study reports, invoices, and common properties of documents.
    pub fn built_in() -> Self {
        // Compiling the patterns is slow in a debug build, so all simulators of a process share them.
        static COMPILED: OnceLock<Rules> = OnceLock::new();
        // A test validates the built-in rules. Without them a simulator still starts, with templates that find nothing.
        let compile =
            || Self::parse(BUILT_IN).unwrap_or(Self { template: TemplateTexts::default(), components: Vec::new() });
        COMPILED.get_or_init(compile).clone()
    }

    /// Reads rules from a file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RuleError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| RuleError(format!("rule file {}: {error}", path.display())))?;
        Self::parse(&text).map_err(|error| RuleError(format!("rule file {}: {error}", path.display())))
    }

    /// Reads rules from TOML text.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let file: RuleFile = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or_else(String::new, |span| {
                format!("line {}: ", text[..span.start.min(text.len())].matches('\n').count() + 1)
            });
            RuleError(format!("{line}{}", error.message().replace('\n', " ")))
        })?;
        let mut components: Vec<ComponentRules> = Vec::with_capacity(file.component.len());
        for raw in file.component {
            let component = compile(raw)?;
            if components.iter().any(|known| known.name == component.name) {
                return Err(RuleError(format!("component {}: duplicate name", component.name)));
            }
            components.push(component);
        }
        if components.is_empty() {
            return Err(RuleError("there is no [[component]]".to_owned()));
        }
        Ok(Self { template: file.template, components })
    }

    /// Returns the names of the components in the order of the rules.
    pub fn component_names(&self) -> impl Iterator<Item = &str> {
        self.components.iter().map(|component| component.name.as_str())
    }
}

fn compile(raw: RawComponent) -> Result<ComponentRules, RuleError> {
    let name = raw.name.trim().to_owned();
    if name.is_empty() {
        return Err(RuleError("a [[component]] has an empty name".to_owned()));
    }
    let mut rules = Vec::with_capacity(raw.rule.len());
    for (number, rule) in raw.rule.into_iter().enumerate() {
        let id = rule.id.unwrap_or_else(|| format!("{name}.{number}.0"));
        let fail = |what: String| RuleError(format!("component {name}, rule {id}: {what}"));
        let source = match (rule.pattern, rule.source) {
            (Some(pattern), None) => RuleSource::Pattern(
                RegexBuilder::new(&pattern)
                    .size_limit(4 * 1024 * 1024)
                    .build()
                    .map_err(|error| fail(format!("bad pattern: {}", last_line(&error.to_string()))))?,
            ),
            (None, Some(property)) => RuleSource::Property(property),
            (Some(_), Some(_)) => return Err(fail("give either a pattern or a source, not both".to_owned())),
            (None, None) => return Err(fail("a pattern or a source is missing".to_owned())),
        };
        let pages = parse_pages(rule.pages.as_deref())
            .ok_or_else(|| fail("pages must be \"all\", one number like \"1\" or a span like \"1-3\"".to_owned()))?;
        let kind = rule.kind.unwrap_or_else(|| snake_case(&name));
        rules.push(Rule { id, description: rule.description, kind, source, normalise: rule.normalise, pages });
    }
    if rules.is_empty() {
        return Err(RuleError(format!("component {name}: there is no [[component.rule]]")));
    }
    Ok(ComponentRules { name, multiple: raw.multiple, rules })
}

fn parse_pages(text: Option<&str>) -> Option<PageRange> {
    let (from, to) = match text.map(str::trim) {
        None | Some("all") => (1, usize::MAX),
        Some(text) => match text.split_once('-') {
            None => {
                let page = text.parse().ok()?;
                (page, page)
            }
            Some((from, "")) => (from.trim().parse().ok()?, usize::MAX),
            Some((from, to)) => (from.trim().parse().ok()?, to.trim().parse().ok()?),
        },
    };
    (from >= 1 && from <= to).then_some(PageRange { from, to })
}

/// Returns the last line of an error of the regex crate, which names the cause.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }));
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_rules_are_valid() {
        assert_eq!(Rules::parse(BUILT_IN).map(|rules| rules.components.len() > 15), Ok(true));
    }

    #[test]
    fn invalid_rules_yield_a_one_line_error() {
        let error = |text: &str| Rules::parse(text).map(|_| ()).expect_err("refused").to_string();
        assert_eq!(error("component = []"), "there is no [[component]]");
        assert!(error("[[component]]\nname = 'A'\nrules = 1").starts_with("line 3: unknown field `rules`"));
        let pattern = error("[[component]]\nname = 'A'\n[[component.rule]]\nid = 'A.0.0'\npattern = '('");
        assert_eq!(pattern, "component A, rule A.0.0: bad pattern: unclosed group");
        assert!(
            error("[[component]]\nname = 'A'\n[[component.rule]]\npattern = 'x'\npages = '3-1'")
                .contains("pages must be")
        );
        assert!(error("[[component]]\nname = 'A'\n[[component.rule]]\n").contains("is missing"));
    }

    #[test]
    fn derives_entity_types_from_names() {
        assert_eq!(snake_case("CompletionDate"), "completion_date");
        assert_eq!(snake_case("Study_Title"), "study_title");
    }
}
