//! Answers whose JSON is not what the document says: what newer services do, and what broken ones do.

use crate::faults::fault::Fault;

impl Fault {
    /// A client sees values of enumerations (`processingStatus`, `status`, …) that no document has.
    #[must_use]
    pub fn unknown_enum(mut self) -> Self {
        self.unknown_enum = true;
        self
    }

    /// A client sees an unknown field in every object of the answer. Objects whose keys are data (attributes, components) get none.
    #[must_use]
    pub fn extra_fields(mut self) -> Self {
        self.extra_fields = true;
        self
    }

    /// A client sees null in place of every list that is the value of a field.
    #[must_use]
    pub fn null_lists(mut self) -> Self {
        self.null_lists = true;
        self
    }

    /// A client sees an object in place of a text or number in the last element of the first list; an element that is no object becomes a number.
    #[must_use]
    pub fn wrong_element(mut self) -> Self {
        self.wrong_element = true;
        self
    }

    /// A client sees a complete answer (its `Content-Length` is right) whose JSON ends in the middle.
    #[must_use]
    pub fn truncated_json(mut self) -> Self {
        self.truncated_json = true;
        self
    }

    /// A client sees valid JSON with an unknown text field of so many bytes. They are canned on the way and never in memory as a whole.
    #[must_use]
    pub fn huge_body(mut self, bytes: u64) -> Self {
        self.huge_body = Some(bytes);
        self
    }

    /// Whether it changes the JSON of the answer before that gets the document's names.
    pub(crate) fn changes_json(&self) -> bool {
        self.unknown_enum || self.extra_fields || self.null_lists || self.wrong_element
    }
}
