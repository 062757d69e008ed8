//! The hash of a page's items, used to detect repeated pages.

use std::hash::{DefaultHasher, Hasher};

use super::tokenizer::{ListToken, ListTokenizer};

/// Hashes the items of a page, but not the members beside them, such as a fresh cursor.
#[derive(Default)]
pub(super) struct PageHasher(DefaultHasher);

impl PageHasher {
    /// Hashes the items of a whole response.
    pub(super) fn hash_body(list: &'static str, body: &[u8]) -> u64 {
        let (mut tokenizer, mut input) = (ListTokenizer::new(list, body.len()), body);
        let (mut hasher, mut items) = (Self::default(), 0);
        while let Ok(Some(token)) = tokenizer.next(&mut input) {
            if let ListToken::Item(item) = token {
                hasher.add_item(item);
                items += 1;
            }
        }
        if items == 0 {
            // The items are in a member with an alternative name of the list.
            hasher.add_members(body);
        }
        hasher.finish()
    }

    pub(super) fn add_item(&mut self, item: &[u8]) {
        self.0.write(item);
        self.0.write_u8(b',');
    }

    pub(super) fn add_members(&mut self, members: &[u8]) {
        self.0.write(members);
    }

    pub(super) fn finish(&self) -> u64 {
        self.0.finish()
    }
}
