//! One component in the plan: the form in which its values are passed to serde, and the changes of that form.

use std::cell::Cell;

use super::component::Component;
use super::failure::ReceivedValue;
use super::sourced::EXPECTED_ORIGIN;
use super::text;

/// The form of the values for a visitor that accepts any type.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Shape {
    /// Nothing for an empty list or a blank, a scalar for one value, a list for several.
    #[default]
    Auto,
    /// A scalar, even if blank.
    One,
    /// Always a list.
    List,
}

/// The form of one value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum ScalarForm {
    #[default]
    Text,
    TrimmedText,
    Integer,
    Float,
    Bool,
}

/// The way in which the last attempt read a component.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Access {
    /// Not at all, or as a stated type.
    #[default]
    Typed,
    /// Without requesting a type.
    Buffered,
    /// As a component that the type does not have.
    Ignored,
}

/// The treatment of a component with an empty list.
#[derive(Debug, Clone, Copy, PartialEq)]
enum EmptyListMode {
    /// Passed to a map, but not to a struct, so that `#[serde(default)]` works.
    Default,
    Hidden,
    /// Always passed, because the type requires the component.
    Passed,
}

pub(super) struct ComponentEntry<'a> {
    pub(super) component: Component<'a>,
    pub(super) name: &'a str,
    pub(super) texts: &'a [String],
    pub(super) shape: Shape,
    /// One form for each text.
    pub(super) forms: Vec<ScalarForm>,
    /// Set if each value is passed with its origin to a visitor that accepts any type.
    pub(super) sourced: bool,
    pub(super) access: Cell<Access>,
    empty_list: EmptyListMode,
    /// The changes left, so that adapting ends.
    changes: usize,
}

impl<'a> ComponentEntry<'a> {
    pub(super) fn new(component: Component<'a>) -> Self {
        let (name, texts) = (component.name(), component.values());
        let form = |text: &String| {
            if !component.is_number() {
                ScalarForm::Text
            } else if readable(text, ScalarForm::Integer) {
                ScalarForm::Integer
            } else {
                ScalarForm::Float
            }
        };
        let forms = texts.iter().map(form).collect();
        Self {
            component,
            name,
            texts,
            shape: Shape::Auto,
            forms,
            sourced: false,
            access: Cell::default(),
            empty_list: EmptyListMode::Default,
            changes: 6 + 2 * texts.len(),
        }
    }

    /// Returns whether the component is hidden from a type with these fields (a map, if there are none).
    pub(super) fn is_skipped(&self, fields: Option<&[&str]>) -> bool {
        self.texts.is_empty()
            && match self.empty_list {
                EmptyListMode::Default => fields.is_some_and(|fields| fields.contains(&self.name)),
                EmptyListMode::Hidden => true,
                EmptyListMode::Passed => false,
            }
    }

    /// Passes the empty list to a type that requires the component.
    pub(super) fn pass_empty_list(&mut self) -> bool {
        let changed = self.texts.is_empty() && self.empty_list != EmptyListMode::Passed;
        if changed {
            self.empty_list = EmptyListMode::Passed;
            self.shape = Shape::List;
        }
        changed
    }

    /// Hides the empty list from a type that requires a value.
    pub(super) fn hide_empty_list(&mut self) -> bool {
        let changed = self.texts.is_empty() && self.empty_list == EmptyListMode::Default;
        if changed {
            self.empty_list = EmptyListMode::Hidden;
        }
        changed
    }

    /// Trims the texts, after an enum did not recognise one.
    pub(super) fn trim(&mut self) -> bool {
        let mut changed = false;
        for (text, form) in self.texts.iter().zip(&mut self.forms) {
            if *form == ScalarForm::Text && text.trim().len() < text.len() {
                (*form, changed) = (ScalarForm::TrimmedText, true);
            }
        }
        changed
    }

    /// Changes the form, after the type received `found` and expected another type.
    pub(super) fn adapt(&mut self, found: &ReceivedValue, element: Option<usize>, expected: ExpectedType) -> bool {
        let Some(left) = self.changes.checked_sub(1) else { return false };
        self.changes = left;
        match (found, expected) {
            (ReceivedValue::Text(_) | ReceivedValue::Scalar(_), ExpectedType::Sourced) => {
                !std::mem::replace(&mut self.sourced, true)
            }
            (ReceivedValue::Text(_) | ReceivedValue::Unit, ExpectedType::List) => self.reshape(Shape::List),
            (ReceivedValue::Text(_), ExpectedType::Scalar(form)) => element.is_some_and(|at| self.read_as(at, &[form])),
            (ReceivedValue::Text(_), ExpectedType::Other) => {
                element.is_some_and(|at| self.read_as(at, &[ScalarForm::Integer, ScalarForm::Float]))
            }
            (ReceivedValue::Scalar(_), expected) => element.and_then(|at| self.forms.get_mut(at)).is_some_and(|form| {
                // A tuple of numbers and texts, or a number with decimals where an integer is expected.
                let before = *form;
                *form = if expected == ExpectedType::Scalar(ScalarForm::Integer) && before != ScalarForm::Integer {
                    ScalarForm::Integer
                } else {
                    ScalarForm::Text
                };
                before != *form
            }),
            (ReceivedValue::List, _) if self.texts.len() == 1 => self.reshape(Shape::One),
            (ReceivedValue::List, _) if self.texts.is_empty() => self.reshape(Shape::Auto),
            (ReceivedValue::Unit, _) if self.texts.is_empty() => self.hide_empty_list(),
            // A blank is passed to types that accept text; it cannot become a number.
            (ReceivedValue::Unit, ExpectedType::Text | ExpectedType::Other) => self.reshape(Shape::One),
            _ => false,
        }
    }

    fn reshape(&mut self, shape: Shape) -> bool {
        std::mem::replace(&mut self.shape, shape) != shape
    }

    /// Changes the value at `at` to the first form in which it can be read, and all other values that can be read in that form.
    fn read_as(&mut self, at: usize, candidates: &[ScalarForm]) -> bool {
        let Some(text) = self.texts.get(at) else { return false };
        let Some(new_form) = candidates.iter().find(|form| readable(text, **form)) else { return false };
        // Only the first time: values that were changed back since are expected as text.
        let is_first = self.forms.iter().all(|form| *form == ScalarForm::Text);
        let mut changed = false;
        for (index, (text, form)) in self.texts.iter().zip(&mut self.forms).enumerate() {
            if form != new_form && (index == at || (is_first && readable(text, *new_form))) {
                (*form, changed) = (*new_form, true);
            }
        }
        changed
    }

    /// Returns whether a visitor may have received `found`, a list or nothing, from this component.
    pub(super) fn may_have_passed(&self, found: &ReceivedValue) -> bool {
        let list = self.shape == Shape::List || self.texts.len() > 1;
        match found {
            ReceivedValue::List => list,
            ReceivedValue::Unit => {
                !(list && self.texts.is_empty())
                    && self.texts.iter().any(|text| text.trim().is_empty()) | self.texts.is_empty()
            }
            _ => false,
        }
    }

    /// Returns the positions of the values that were passed as this text or number.
    pub(super) fn positions(&self, found: &ReceivedValue) -> Vec<usize> {
        let fits = |(text, form): (&String, &ScalarForm)| match (found, form) {
            (ReceivedValue::Text(received), ScalarForm::Text) => text == received,
            (ReceivedValue::Text(received), ScalarForm::TrimmedText) => text.trim() == received,
            (ReceivedValue::Scalar(received), ScalarForm::Integer) => {
                text::integer::<i128>(text).is_ok_and(|number| number.to_string() == *received)
            }
            (ReceivedValue::Scalar(received), ScalarForm::Float) => {
                text::float(text).is_ok_and(|number| number.to_string() == *received)
            }
            (ReceivedValue::Scalar(received), ScalarForm::Bool) => {
                text::boolean(text).is_some_and(|value| value.to_string() == *received)
            }
            _ => false,
        };
        self.texts.iter().zip(&self.forms).enumerate().filter(|(_, pair)| fits(*pair)).map(|(index, _)| index).collect()
    }
}

/// Returns whether the text can be read in this form. A blank can: it becomes `None` for an `Option`.
fn readable(text: &str, form: ScalarForm) -> bool {
    text.trim().is_empty()
        || match form {
            ScalarForm::Integer => text::integer::<u64>(text).is_ok() || text::integer::<i64>(text).is_ok(),
            ScalarForm::Float => text::float(text).is_ok(),
            ScalarForm::Bool => text::boolean(text).is_some(),
            ScalarForm::Text | ScalarForm::TrimmedText => true,
        }
}

/// The type that a serde error message expects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ExpectedType {
    Scalar(ScalarForm),
    List,
    Text,
    /// A value with its origin.
    Sourced,
    Other,
}

impl ExpectedType {
    pub(super) fn new(expected: &str) -> Self {
        const INTEGERS: [&str; 11] =
            ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "integer"];
        let words: Vec<&str> = expected.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let mentions = |names: &[&str]| words.iter().any(|word| names.contains(word));
        if expected == EXPECTED_ORIGIN {
            Self::Sourced
        } else if mentions(&["string", "str", "character"]) {
            Self::Text
        } else if mentions(&["sequence", "array", "tuple", "list"]) {
            Self::List
        } else if mentions(&INTEGERS) {
            Self::Scalar(ScalarForm::Integer)
        } else if mentions(&["f32", "f64", "float", "number"]) {
            Self::Scalar(ScalarForm::Float)
        } else if mentions(&["bool", "boolean"]) {
            Self::Scalar(ScalarForm::Bool)
        } else {
            Self::Other
        }
    }
}
