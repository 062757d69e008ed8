//! Effects on the JSON of responses, as of newer and of broken services.

use crate::faults::fault::Fault;

impl Fault {
    /// Replaces enumeration values (`processingStatus`, `status`, …) with a value that no document has.
    #[must_use]
    pub fn unknown_enum(mut self) -> Self {
        self.unknown_enum = true;
        self
    }

    /// Adds an unknown field to every object of the response, except to objects whose keys are data (attributes, components).
    #[must_use]
    pub fn extra_fields(mut self) -> Self {
        self.extra_fields = true;
        self
    }

    /// Replaces every list that is the value of a field with null.
    #[must_use]
    pub fn null_lists(mut self) -> Self {
        self.null_lists = true;
        self
    }

    /// Replaces a string or number in the last item of the first list with an object. An item that is not an object becomes a number.
    #[must_use]
    pub fn wrong_element(mut self) -> Self {
        self.wrong_element = true;
        self
    }

    /// Cuts the JSON in the middle of an otherwise complete response with a matching `Content-Length`.
    #[must_use]
    pub fn truncated_json(mut self) -> Self {
        self.truncated_json = true;
        self
    }

    /// Adds an unknown text field of `bytes` bytes to the JSON. The bytes are generated while they are sent and never held in memory as a whole.
    #[must_use]
    pub fn huge_body(mut self, bytes: u64) -> Self {
        self.huge_body = Some(bytes);
        self
    }

    /// Returns whether the fault changes the JSON before the translation to the document.
    pub(crate) fn changes_json(&self) -> bool {
        self.unknown_enum || self.extra_fields || self.null_lists || self.wrong_element
    }
}
