//! The journal: every document of a run with its state, in one SQLite file.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod fixture;
mod lock;
mod reader;
mod schema;
mod thread;
mod writer;

pub use reader::{Counts, Documents, JournalReader, RunInfo};
pub(crate) use writer::{DocumentKey, Journal, Listing, Moment, OpenDocument, Placement, name_key};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::{JournalReader, fixture};
    use crate::Failure;
    use crate::document::Step;

    #[test]
    fn reads_documents_in_the_order_of_their_sources() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.sqlite");
        let mut documents: Vec<_> = (0..600)
            .map(|index| {
                fixture::succeeded(&format!("{:04}.pdf", (index * 7) % 600), json!({"components": {"total": ["1"]}}))
            })
            .collect();
        documents.push(fixture::failed("z.pdf", Failure::new(Step::Wait, "analysis_failed", "no text")));
        fixture::write(&path, &documents);
        documents.sort_by(|a, b| a.source.cmp(&b.source));
        let reader = JournalReader::open(&path).unwrap();
        let read: Vec<_> = reader.documents().map(Result::unwrap).collect();
        assert_eq!(read, documents);
        let counts = reader.counts().unwrap();
        assert_eq!((counts.total, counts.succeeded, counts.failed, counts.pages), (601, 600, 1, 1200));
    }
}
