//! One component in the plan: the way in which it is handed over at present, and how that changes.

use std::cell::Cell;

use super::failure::Found;
use super::text;

/// How values are given to a reader that does not say what it wants.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Shape {
    /// Nothing for none and for a blank, a scalar for one, a list for several.
    #[default]
    Guess,
    /// A scalar, even when blank.
    One,
    /// A list, whatever there is.
    List,
}

/// What one value is given as.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Item {
    #[default]
    AsIs,
    Trimmed,
    Integer,
    Float,
    Truth,
}

/// Whether a component with an empty list is shown to the type.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Presence {
    /// To a map; not to a struct, where that makes `#[serde(default)]` work.
    Usual,
    Skipped,
    /// The type cannot do without it.
    Needed,
}

pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) texts: &'a [String],
    pub(super) shape: Shape,
    /// One for each text.
    pub(super) items: Vec<Item>,
    /// Set when the last attempt read it without saying what it wants.
    pub(super) buffered: Cell<bool>,
    presence: Presence,
    /// How often this may still change, so that learning ends.
    changes: usize,
}

impl<'a> Entry<'a> {
    pub(super) fn new(name: &'a str, texts: &'a [String]) -> Self {
        let items = vec![Item::AsIs; texts.len()];
        Self {
            name,
            texts,
            shape: Shape::Guess,
            items,
            buffered: Cell::new(false),
            presence: Presence::Usual,
            changes: 6 + 2 * texts.len(),
        }
    }

    /// Whether a type with these fields (a map, if none are given) is not to see it.
    pub(super) fn is_skipped(&self, fields: Option<&[&str]>) -> bool {
        self.texts.is_empty()
            && match self.presence {
                Presence::Usual => fields.is_some_and(|fields| fields.contains(&self.name)),
                Presence::Skipped => true,
                Presence::Needed => false,
            }
    }

    /// The type needs this component: an empty list is better than nothing.
    pub(super) fn supply(&mut self) -> bool {
        let new = self.texts.is_empty() && self.presence != Presence::Needed;
        if new {
            self.presence = Presence::Needed;
            self.shape = Shape::List;
        }
        new
    }

    /// The type wants a value and there is none.
    pub(super) fn skip(&mut self) -> bool {
        let new = self.texts.is_empty() && self.presence == Presence::Usual;
        if new {
            self.presence = Presence::Skipped;
        }
        new
    }

    /// An enum did not know the text; maybe without the white space around.
    pub(super) fn trim(&mut self) -> bool {
        let mut new = false;
        for (text, item) in self.texts.iter().zip(&mut self.items) {
            if *item == Item::AsIs && text.trim().len() < text.len() {
                (*item, new) = (Item::Trimmed, true);
            }
        }
        new
    }

    /// The type was given `found` by this component and wants something else.
    pub(super) fn adapt(&mut self, found: &Found, element: Option<usize>, want: Want) -> bool {
        let Some(left) = self.changes.checked_sub(1) else { return false };
        self.changes = left;
        match (found, want) {
            (Found::Text(_) | Found::Nothing, Want::List) => self.reshape(Shape::List),
            (Found::Text(_), Want::Item(item)) => element.is_some_and(|at| self.read_as(at, &[item])),
            (Found::Text(_), Want::Else) => element.is_some_and(|at| self.read_as(at, &[Item::Integer, Item::Float])),
            (Found::Parsed(_), want) => element.and_then(|at| self.items.get_mut(at)).is_some_and(|item| {
                // A tuple of numbers and texts, or a number with decimals where there should be none.
                let before = *item;
                *item = if want == Want::Item(Item::Integer) && before != Item::Integer {
                    Item::Integer
                } else {
                    Item::AsIs
                };
                before != *item
            }),
            (Found::List, _) if self.texts.len() == 1 => self.reshape(Shape::One),
            (Found::List, _) if self.texts.is_empty() => self.reshape(Shape::Guess),
            (Found::Nothing, _) if self.texts.is_empty() => self.skip(),
            // A blank text is given to whoever takes texts; a number cannot be made of it.
            (Found::Nothing, Want::Text | Want::Else) => self.reshape(Shape::One),
            _ => false,
        }
    }

    fn reshape(&mut self, shape: Shape) -> bool {
        std::mem::replace(&mut self.shape, shape) != shape
    }

    /// Gives the value at `at`, and all values beside it that allow it, in the first form in which it can be read.
    fn read_as(&mut self, at: usize, forms: &[Item]) -> bool {
        let Some(text) = self.texts.get(at) else { return false };
        let Some(form) = forms.iter().find(|form| readable(text, **form)) else { return false };
        // Only the first time: what was taken back since is wanted as text.
        let fresh = self.items.iter().all(|item| *item == Item::AsIs);
        let mut new = false;
        for (index, (text, item)) in self.texts.iter().zip(&mut self.items).enumerate() {
            if *item != *form && (index == at || (fresh && readable(text, *form))) {
                (*item, new) = (*form, true);
            }
        }
        new
    }

    /// Whether a reader that saw this component can have seen a list, or nothing.
    pub(super) fn gave(&self, found: &Found) -> bool {
        let list = self.shape == Shape::List || self.texts.len() > 1;
        match found {
            Found::List => list,
            Found::Nothing => {
                !(list && self.texts.is_empty())
                    && self.texts.iter().any(|text| text.trim().is_empty()) | self.texts.is_empty()
            }
            _ => false,
        }
    }

    /// Which of the values were given as this text or number.
    pub(super) fn positions(&self, found: &Found) -> Vec<usize> {
        let fits = |(text, item): (&String, &Item)| match (found, item) {
            (Found::Text(wanted), Item::AsIs) => text == wanted,
            (Found::Text(wanted), Item::Trimmed) => text.trim() == wanted,
            (Found::Parsed(wanted), Item::Integer) => {
                text::integer::<i128>(text).is_ok_and(|number| number.to_string() == *wanted)
            }
            (Found::Parsed(wanted), Item::Float) => text::float(text).is_ok_and(|number| number.to_string() == *wanted),
            (Found::Parsed(wanted), Item::Truth) => text::truth(text).is_some_and(|truth| truth.to_string() == *wanted),
            _ => false,
        };
        self.texts.iter().zip(&self.items).enumerate().filter(|(_, pair)| fits(*pair)).map(|(index, _)| index).collect()
    }
}

/// Whether the text can be given in this form. A blank can: it is nothing then, which an `Option` takes.
fn readable(text: &str, form: Item) -> bool {
    text.trim().is_empty()
        || match form {
            Item::Integer => text::integer::<u64>(text).is_ok() || text::integer::<i64>(text).is_ok(),
            Item::Float => text::float(text).is_ok(),
            Item::Truth => text::truth(text).is_some(),
            Item::AsIs | Item::Trimmed => true,
        }
}

/// What a type says it expects, as far as serde's words for it tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Want {
    Item(Item),
    List,
    Text,
    Else,
}

impl Want {
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
            Self::Item(Item::Integer)
        } else if says(&["f32", "f64", "float", "number"]) {
            Self::Item(Item::Float)
        } else if says(&["bool", "boolean"]) {
            Self::Item(Item::Truth)
        } else {
            Self::Else
        }
    }
}
