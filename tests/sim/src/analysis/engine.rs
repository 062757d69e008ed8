//! Applies extraction rules to the text of a document.

use serde::{Deserialize, Serialize};

use super::pdf::{DocumentText, PageText};
use super::rules::{ComponentRules, DocumentProperty, PageRange, Rule, RuleSource, Rules};

/// Maximum number of values of a component.
const MAX_VALUES: usize = 500;

/// A component with its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) values: Vec<ExtractedValue>,
}

/// A value and its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExtractedValue {
    pub(crate) value: String,
    pub(crate) original: String,
    pub(crate) description: Option<String>,
    pub(crate) rule: String,
    pub(crate) kind: String,
    pub(crate) page: Option<u32>,
}

/// The document that rules are applied to.
pub(crate) struct RuleInput<'a> {
    pub(crate) file_name: &'a str,
    pub(crate) text: &'a DocumentText,
}

/// Extracts the values of all components.
pub(crate) fn apply_rules(rules: &Rules, input: &RuleInput<'_>) -> Vec<Component> {
    rules
        .components
        .iter()
        .map(|component| Component { name: component.name.clone(), values: values_of(component, input) })
        .collect()
}

fn values_of(component: &ComponentRules, input: &RuleInput<'_>) -> Vec<ExtractedValue> {
    let mut values: Vec<ExtractedValue> = Vec::new();
    for rule in &component.rules {
        let found = match &rule.source {
            RuleSource::Property(property) => property_values(*property, input, rule),
            // Searches the drawing order first. The visual order helps for forms and tables that are drawn column by column.
            RuleSource::Pattern(pattern) => {
                let drawn =
                    pattern_matches(rule, pattern, input.text, component.multiple, |page| Some(page.text.as_str()));
                if drawn.is_empty() {
                    pattern_matches(rule, pattern, input.text, component.multiple, |page| page.visual.as_deref())
                } else {
                    drawn
                }
            }
        };
        for value in found {
            if values.len() < MAX_VALUES && !values.iter().any(|known| known.value == value.value) {
                values.push(value);
            }
        }
        if !component.multiple && !values.is_empty() {
            values.truncate(1);
            break;
        }
    }
    values
}

fn pattern_matches<'t>(
    rule: &Rule,
    pattern: &regex::Regex,
    text: &'t DocumentText,
    multiple: bool,
    view: impl Fn(&'t PageText) -> Option<&'t str>,
) -> Vec<ExtractedValue> {
    let PageRange { from, to } = rule.pages;
    let mut found = Vec::new();
    for (index, page) in text.pages.iter().enumerate().skip(from - 1).take_while(|(index, _)| *index < to) {
        let Some(text) = view(page) else { continue };
        for captures in pattern.captures_iter(text).take(MAX_VALUES) {
            let Some(hit) = captures.name("value").or_else(|| captures.get(1)).or_else(|| captures.get(0)) else {
                continue;
            };
            let Some(value) = rule.normalise.apply(hit.as_str()) else { continue };
            let original = hit.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            // The mark after a label separates a dash from a sign and is not part of the value.
            let original = original.trim_start_matches([':', '=', ' ']).to_owned();
            found.push(extracted(rule, value, original, u32::try_from(index + 1).ok()));
            if !multiple {
                return found;
            }
        }
    }
    found
}

fn extracted(rule: &Rule, value: String, original: String, page: Option<u32>) -> ExtractedValue {
    ExtractedValue {
        value,
        original,
        description: rule.description.clone(),
        rule: rule.id.clone(),
        kind: rule.kind.clone(),
        page,
    }
}

fn property_values(property: DocumentProperty, input: &RuleInput<'_>, rule: &Rule) -> Vec<ExtractedValue> {
    let text = input.text;
    let one = |value: Option<String>, page: Option<u32>| {
        let value = value.and_then(|value| Some((rule.normalise.apply(&value)?, value)));
        value.map(|(value, original)| extracted(rule, value, original, page)).into_iter().collect::<Vec<_>>()
    };
    match property {
        DocumentProperty::Title => one(text.title.clone(), Some(1)),
        DocumentProperty::Heading => one(text.heading.clone(), Some(1)),
        DocumentProperty::PageCount => one(Some(text.pages.len().to_string()), None),
        DocumentProperty::FileName => one(Some(input.file_name.to_owned()), None),
        DocumentProperty::Remarks => {
            remarks(text).into_iter().flat_map(|(remark, page)| one(Some(remark), page)).collect()
        }
    }
}

/// Returns remarks about missing text.
fn remarks(text: &DocumentText) -> Vec<(String, Option<u32>)> {
    let pictures: Vec<usize> =
        text.pages.iter().enumerate().filter(|(_, page)| page.image_only).map(|(index, _)| index + 1).collect();
    let mut remarks = Vec::new();
    if let Some(first) = pictures.first() {
        let list = page_spans(&pictures);
        let which =
            if pictures.len() == 1 { format!("Page {list} is an image") } else { format!("Pages {list} are images") };
        let remark =
            format!("{which} without a text layer. The simulator does not read pixels, so no text was found there.");
        remarks.push((remark, u32::try_from(*first).ok()));
    }
    let unread = text.unread.iter().map(|unread| {
        let remark = format!("Text in the font {} on page {} could not be read.", unread.font, unread.page);
        (remark, Some(unread.page))
    });
    remarks.extend(unread);
    remarks.extend(text.incomplete.clone().map(|incomplete| (incomplete, None)));
    remarks
}

/// Formats `1-3, 5` for 1, 2, 3, 5.
fn page_spans(numbers: &[usize]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, end)) if *end + 1 == *number => *end = *number,
            _ => spans.push((*number, *number)),
        }
    }
    spans
        .iter()
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(pages: &[&str]) -> DocumentText {
        let pages = pages
            .iter()
            .map(|text| PageText { text: (*text).to_owned(), visual: None, image_only: text.is_empty() })
            .collect();
        DocumentText { pages, title: Some("A Title".to_owned()), ..DocumentText::default() }
    }

    fn run(rules: &str, pages: &[&str]) -> Vec<Component> {
        let rules = Rules::parse(rules).expect("good rules");
        apply_rules(&rules, &RuleInput { file_name: "a.pdf", text: &document(pages) })
    }

    #[test]
    fn first_matching_rule_wins_and_records_its_page() {
        let rules = "[[component]]\nname = 'Day'\n[[component.rule]]\nid = 'Day.0.0'\npattern = 'signed (.*)'\nnormalise = 'date'\n[[component.rule]]\nid = 'Day.1.0'\npattern = 'dated (.*)'\nnormalise = 'date'";
        let found = run(rules, &["nothing", "dated 12 March 2024"]);
        let value = &found[0].values[0];
        assert_eq!(
            (value.value.as_str(), value.original.as_str(), value.rule.as_str(), value.page),
            ("2024-03-12", "12 March 2024", "Day.1.0", Some(2))
        );
    }

    #[test]
    fn lists_distinct_values_in_order() {
        let rules = "[[component]]\nname = 'Mail'\nmultiple = true\n[[component.rule]]\npattern = '[a-z]+@[a-z.]+'";
        let found = run(rules, &["b@x.org a@x.org", "b@x.org c@x.org"]);
        let values: Vec<&str> = found[0].values.iter().map(|found| found.value.as_str()).collect();
        assert_eq!(values, ["b@x.org", "a@x.org", "c@x.org"]);
    }

    #[test]
    fn remarks_name_image_pages() {
        let rules = "[[component]]\nname = 'Remarks'\nmultiple = true\n[[component.rule]]\nsource = 'remarks'";
        let found = run(rules, &["", "text", "", ""]);
        assert!(found[0].values[0].value.starts_with("Pages 1, 3-4 are images without a text layer."));
    }

    /// Returns the values that the built-in rules extract from one page.
    fn built_in(page: &str, component: &str) -> Vec<String> {
        let found = apply_rules(&Rules::built_in(), &RuleInput { file_name: "a.pdf", text: &document(&[page]) });
        let component = found.into_iter().find(|found| found.name == component).expect("a built-in component");
        component.values.into_iter().map(|found| found.value).collect()
    }

    #[test]
    fn built_in_rules_read_credit_notes() {
        for (line, component, value) in [
            ("Total: -1,234.50", "TotalAmount", "-1234.50"),
            ("Total: (1,234.50)", "TotalAmount", "-1234.50"),
            ("Total: 1,234.50-", "TotalAmount", "-1234.50"),
            ("Total: 1,234.50 CR", "TotalAmount", "-1234.50"),
            ("Total: −1,234.50", "TotalAmount", "-1234.50"),
            ("TOTAL EUR -1,234.50", "TotalAmount", "-1234.50"),
            ("Total -EUR 1,234.50", "TotalAmount", "-1234.50"),
            ("Total  -1.234,50 €", "TotalAmount", "-1234.50"),
            ("Total (EUR): -1,234.50", "TotalAmount", "-1234.50"),
            ("Total (EUR)  (1,234.50)", "TotalAmount", "-1234.50"),
            ("Grand total  $(1,234.50)", "TotalAmount", "-1234.50"),
            ("Total amount due: -$1,234.50", "TotalAmount", "-1234.50"),
            ("Gesamtbetrag: -1.234,50 EUR", "TotalAmount", "-1234.50"),
            ("Rechnungsbetrag  1.234,50- EUR", "TotalAmount", "-1234.50"),
            ("Subtotal: -1,000.00", "NetAmount", "-1000.00"),
            ("Net amount: (1,000.00)", "NetAmount", "-1000.00"),
            ("Nettobetrag: -1.000,00 EUR", "NetAmount", "-1000.00"),
            ("VAT 19%: -190.00", "TaxAmount", "-190.00"),
            ("VAT (19 %): (190.00)", "TaxAmount", "-190.00"),
            ("MwSt. 19 %  -190,00 €", "TaxAmount", "-190.00"),
            ("Total: -1,234.50", "NetAmount", ""),
            ("Total: KWD 1.234", "TotalAmount", "KWD 1.234"),
            ("Total: KWD 12,345.678", "TotalAmount", "12345.678"),
            ("Refund of -$5.00", "Amounts", "-$5.00"),
            ("Refund of ($5.00)", "Amounts", "($5.00)"),
            ("Refund of EUR -5.00", "Amounts", "EUR -5.00"),
            ("Refund of -1.234,50 €", "Amounts", "-1.234,50 €"),
            ("Refund of 5.00 EUR CR", "Amounts", "5.00 EUR CR"),
            ("Credit: EUR (5.00)", "Amounts", "EUR (5.00)"),
        ] {
            let expected: Vec<&str> = Some(value).filter(|value| !value.is_empty()).into_iter().collect();
            assert_eq!(built_in(line, component), expected, "{line}: {component}");
        }
    }

    #[test]
    fn built_in_rules_read_amounts_only() {
        for (line, component, value) in [
            ("Total: EUR 1,234.50", "TotalAmount", "1234.50"),
            ("Total 1.234,50 €", "TotalAmount", "1234.50"),
            ("Total: 1 234,50 EUR", "TotalAmount", "1234.50"),
            ("Total (3 items): 20.00", "TotalAmount", "20.00"),
            ("Total incl. 19 % VAT: 1,190.00", "TotalAmount", "1190.00"),
            ("Amount due by 12 March 2024: USD 500.00", "TotalAmount", "500.00"),
            ("Total  1,000.00  190.00  1,190.00", "TotalAmount", "1,000.00 190.00 1,190.00"),
            ("Total - 1,234.50", "TotalAmount", "- 1,234.50"),
            ("Total number of pages: 12", "TotalAmount", ""),
            ("Total weight: 12.50 kg", "TotalAmount", ""),
            ("Amount due: see page 3", "TotalAmount", ""),
            ("Net 30 days", "NetAmount", ""),
            ("Net weight 12.5 kg", "NetAmount", ""),
            ("VAT 19 %", "TaxAmount", ""),
            ("VAT No. 12345678", "TaxAmount", ""),
            ("VAT ID: DE123456789", "TaxAmount", ""),
            ("Tax 7 %: 70.00", "TaxAmount", "70.00"),
            ("Total: CA$ 5.00", "Currency", "CAD"),
            ("Total: 5.00 €", "Currency", "EUR"),
            ("Total in europe: 5.00", "Currency", ""),
            ("It costs -5.00 €", "Currency", "EUR"),
            ("Invoice date: 03/04/2024", "InvoiceDate", "03/04/2024"),
            ("Invoice date: 13/04/2024", "InvoiceDate", "2024-04-13"),
            ("Invoice date: 03.04.2024", "InvoiceDate", "2024-04-03"),
            ("between $5 and $10", "Amounts", "$5|$10"),
            ("$5-$10", "Amounts", "$5"),
        ] {
            let expected: Vec<&str> = value.split('|').filter(|value| !value.is_empty()).collect();
            assert_eq!(built_in(line, component), expected, "{line}: {component}");
        }
    }
}
