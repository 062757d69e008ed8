//! `openapi/PROVENANCE.md`: where the document in use comes from, for people, in a form that `regen` reads again.

use sha2::{Digest, Sha256};

/// What is known of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Whether it is our reconstruction.
    pub(super) ours: bool,
    source: String,
    /// Of the canonical text, which is the file's.
    sha256: String,
    /// When it was put there. Ours has none: the history of the repository knows, and putting it back has to give the same record on any day.
    date: Option<String>,
}

impl Record {
    /// The record of a text that came from `source` today; an older record of the very same keeps its date.
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

    /// Where it came from.
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
            "# Where the document in use comes from\n\nWritten by `cargo xtask regen`. The document is `documine.json` beside this file.\n\n| | |\n|---|---|\n| document | {kind} |\n| source | `{}` |\n| sha256 | `{}` |\n",
            self.source, self.sha256
        );
        if let Some(date) = &self.date {
            text += &["| date | ", date, " |\n"].concat();
        }
        text.push_str(if self.ours {
            "\nEvery element of the reconstruction says in `x-provenance` how sure its name is.\n"
        } else {
            "\nThe official document belongs to the maker of the service and its subscribers: do not publish it, nor what is made from it.\n`cargo xtask regen --restore` puts the reconstruction back.\n"
        });
        text
    }
}

const OURS: &str = "our reconstruction";
const REPLACED: &str = "replaced by a document of the user's own";

/// The hash by which a document is recognised.
pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn today() -> String {
    chrono::Utc::now().format("%Y-%m-%d").to_string()
}

/// A name that can stand in a table.
fn plain(source: &str) -> String {
    source.chars().filter(|c| !c.is_control() && !"`|".contains(*c)).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::Record;

    #[test]
    fn what_is_written_is_read_again_and_the_same_document_keeps_its_date() {
        let record = Record::of("{}", false, "offi|cial`.json", None);
        assert_eq!(Record::read(&record.text()), Some(record.clone()));
        assert_eq!(record.source, "official.json");
        let older = Record { date: Some(String::from("2020-01-01")), ..record.clone() };
        assert_eq!(Record::of("{}", false, "other.json", Some(&older)), older);
        assert_eq!(Record::of("{} ", false, "x", Some(&older)).source, "x");
        assert_eq!(Record::read("# something else"), None);
    }

    #[test]
    fn ours_is_recorded_the_same_on_any_day() {
        let record = Record::of("{}", true, "openapi/documine.yaml", None);
        assert_eq!(record.date, None);
        assert_eq!(Record::read(&record.text()), Some(record));
    }
}
