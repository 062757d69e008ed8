//! `openapi/PROVENANCE.md`: the origin of the document in use, for people and for the next run of `regen`.

use sha2::{Digest, Sha256};

/// Origin of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The document is the reconstruction of this repository.
    pub(super) ours: bool,
    source: String,
    /// Checksum of the canonical text.
    sha256: String,
    /// Day of the replacement. The reconstruction has none, so that restoring it gives the same record on any day.
    date: Option<String>,
}

impl Record {
    /// Records a text that came from `source` today. The previous record of the same text keeps its date and source.
    pub(super) fn of(text: &str, ours: bool, source: &str, before: Option<&Self>) -> Self {
        let mut record = Self { ours, source: plain(source), sha256: sha256(text), date: (!ours).then(today) };
        if let Some(before) = before
            && before.sha256 == record.sha256
            && before.ours == ours
        {
            record.date.clone_from(&before.date);
            record.source.clone_from(&before.source);
        }
        record
    }

    /// Returns the file name of the document.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let mut cells = line.trim().trim_matches('|').split('|').map(str::trim);
                (cells.next() == Some(name)).then(|| cells.next().unwrap_or_default().trim_matches('`').to_owned())
            })
        };
        Some(Self {
            ours: value("document")? == OURS,
            source: value("source")?,
            sha256: value("sha256")?,
            date: value("date"),
        })
    }

    pub(super) fn text(&self) -> String {
        let kind = if self.ours { OURS } else { REPLACED };
        let mut text = format!(
            "# Origin of the document in use\n\nWritten by `cargo xtask regen`. The document is `documine.json` beside this file.\n\n| | |\n|---|---|\n| document | {kind} |\n| source | `{}` |\n| sha256 | `{}` |\n",
            self.source, self.sha256
        );
        if let Some(date) = &self.date {
            text += &["| date | ", date, " |\n"].concat();
        }
        text.push_str(if self.ours {
            "\nEvery element of the reconstruction states the certainty of its name in `x-provenance`.\n"
        } else {
            "\nThe official document belongs to the maker of the service and its subscribers: do not publish the document or anything derived from it.\n`cargo xtask regen --restore` restores the reconstruction.\n"
        });
        text
    }
}

const OURS: &str = "our reconstruction";
const REPLACED: &str = "replaced by a document of the user's own";

/// Returns the checksum that identifies a document.
pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn today() -> String {
    chrono::Utc::now().format("%Y-%m-%d").to_string()
}

/// Removes the characters that end a table cell or a code span.
fn plain(source: &str) -> String {
    source.chars().filter(|c| !c.is_control() && !"`|".contains(*c)).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::Record;

    #[test]
    fn reads_its_own_text_and_keeps_the_date_of_an_unchanged_document() {
        let record = Record::of("{}", false, "offi|cial`.json", None);
        assert_eq!(Record::read(&record.text()), Some(record.clone()));
        assert_eq!(record.source, "official.json");
        let older = Record { date: Some(String::from("2020-01-01")), ..record.clone() };
        assert_eq!(Record::of("{}", false, "other.json", Some(&older)), older);
        assert_eq!(Record::of("{} ", false, "x", Some(&older)).source, "x");
        assert_eq!(Record::read("# something else"), None);
    }

    #[test]
    fn records_the_reconstruction_without_a_date() {
        let record = Record::of("{}", true, "openapi/documine.yaml", None);
        assert_eq!(record.date, None);
        assert_eq!(Record::read(&record.text()), Some(record));
    }
}
