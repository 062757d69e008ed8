//! One component in the plan: the form in which its values are passed to serde, and the changes of that form.

use std::cell::Cell;

use super::failure::ReceivedValue;
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

/// The treatment of a component with an empty list.
#[derive(Debug, Clone, Copy, PartialEq)]
enum EmptyListMode {
    /// Passed to a map, but not to a struct, so that `#[serde(default)]` works.
    Usual,
    Skipped,
    /// Always passed, because the type requires the component.
    Needed,
}

pub(super) struct ComponentEntry<'a> {
    pub(super) name: &'a str,
    pub(super) texts: &'a [String],
    pub(super) shape: Shape,
    /// One form for each text.
    pub(super) items: Vec<ScalarForm>,
    /// Set if the last attempt read the component without requesting a type.
    pub(super) buffered: Cell<bool>,
    presence: EmptyListMode,
    /// The changes left, so that adapting ends.
    changes: usize,
}

impl<'a> ComponentEntry<'a> {
    pub(super) fn new(name: &'a str, texts: &'a [String]) -> Self {
        let items = vec![ScalarForm::Text; texts.len()];
        Self {
            name,
            texts,
            shape: Shape::Auto,
            items,
            buffered: Cell::new(false),
            presence: EmptyListMode::Usual,
            changes: 6 + 2 * texts.len(),
        }
    }

    /// Returns whether the component is hidden from a type with these fields (a map, if there are none).
    pub(super) fn is_skipped(&self, fields: Option<&[&str]>) -> bool {
        self.texts.is_empty()
            && match self.presence {
                EmptyListMode::Usual => fields.is_some_and(|fields| fields.contains(&self.name)),
                EmptyListMode::Skipped => true,
                EmptyListMode::Needed => false,
            }
    }

    /// Passes the empty list to a type that requires the component.
    pub(super) fn supply(&mut self) -> bool {
        let new = self.texts.is_empty() && self.presence != EmptyListMode::Needed;
        if new {
            self.presence = EmptyListMode::Needed;
            self.shape = Shape::List;
        }
        new
    }

    /// Hides the empty list from a type that requires a value.
    pub(super) fn skip(&mut self) -> bool {
        let new = self.texts.is_empty() && self.presence == EmptyListMode::Usual;
        if new {
            self.presence = EmptyListMode::Skipped;
        }
        new
    }

    /// Trims the texts, after an enum did not recognise one.
    pub(super) fn trim(&mut self) -> bool {
        let mut new = false;
        for (text, item) in self.texts.iter().zip(&mut self.items) {
            if *item == ScalarForm::Text && text.trim().len() < text.len() {
                (*item, new) = (ScalarForm::TrimmedText, true);
            }
        }
        new
    }

    /// Changes the form, after the type received `found` and expected another type.
    pub(super) fn adapt(&mut self, found: &ReceivedValue, element: Option<usize>, expected: ExpectedType) -> bool {
        let Some(left) = self.changes.checked_sub(1) else { return false };
        self.changes = left;
        match (found, expected) {
            (ReceivedValue::Text(_) | ReceivedValue::Unit, ExpectedType::List) => self.reshape(Shape::List),
            (ReceivedValue::Text(_), ExpectedType::Scalar(item)) => element.is_some_and(|at| self.read_as(at, &[item])),
            (ReceivedValue::Text(_), ExpectedType::Other) => {
                element.is_some_and(|at| self.read_as(at, &[ScalarForm::Integer, ScalarForm::Float]))
            }
            (ReceivedValue::Scalar(_), expected) => element.and_then(|at| self.items.get_mut(at)).is_some_and(|item| {
                // A tuple of numbers and texts, or a number with decimals where an integer is expected.
                let before = *item;
                *item = if expected == ExpectedType::Scalar(ScalarForm::Integer) && before != ScalarForm::Integer {
                    ScalarForm::Integer
                } else {
                    ScalarForm::Text
                };
                before != *item
            }),
            (ReceivedValue::List, _) if self.texts.len() == 1 => self.reshape(Shape::One),
            (ReceivedValue::List, _) if self.texts.is_empty() => self.reshape(Shape::Auto),
            (ReceivedValue::Unit, _) if self.texts.is_empty() => self.skip(),
            // A blank is passed to types that accept text; it cannot become a number.
            (ReceivedValue::Unit, ExpectedType::Text | ExpectedType::Other) => self.reshape(Shape::One),
            _ => false,
        }
    }

    fn reshape(&mut self, shape: Shape) -> bool {
        std::mem::replace(&mut self.shape, shape) != shape
    }

    /// Changes the value at `at` to the first form in which it can be read, and all other values that can be read in that form.
    fn read_as(&mut self, at: usize, forms: &[ScalarForm]) -> bool {
        let Some(text) = self.texts.get(at) else { return false };
        let Some(form) = forms.iter().find(|form| readable(text, **form)) else { return false };
        // Only the first time: values that were changed back since are expected as text.
        let fresh = self.items.iter().all(|item| *item == ScalarForm::Text);
        let mut new = false;
        for (index, (text, item)) in self.texts.iter().zip(&mut self.items).enumerate() {
            if *item != *form && (index == at || (fresh && readable(text, *form))) {
                (*item, new) = (*form, true);
            }
        }
        new
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
        let fits = |(text, item): (&String, &ScalarForm)| match (found, item) {
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
        self.texts.iter().zip(&self.items).enumerate().filter(|(_, pair)| fits(*pair)).map(|(index, _)| index).collect()
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
    Other,
}

impl ExpectedType {
    pub(super) fn new(expected: &str) -> Self {
        const INTEGERS: [&str; 11] =
            ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "integer"];
        let words: Vec<&str> = expected.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let says = |names: &[&str]| words.iter().any(|word| names.contains(word));
        if says(&["string", "str", "character"]) {
            Self::Text
        } else if says(&["sequence", "array", "tuple", "list"]) {
            Self::List
        } else if says(&INTEGERS) {
            Self::Scalar(ScalarForm::Integer)
        } else if says(&["f32", "f64", "float", "number"]) {
            Self::Scalar(ScalarForm::Float)
        } else if says(&["bool", "boolean"]) {
            Self::Scalar(ScalarForm::Bool)
        } else {
            Self::Other
        }
    }
}
