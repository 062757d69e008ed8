//! The difference as text for a terminal.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{ChangeKind, Difference, DocumentDifference, Presence, ValueWithOrigin};
use crate::text::{count, shortened};

/// Hexadecimal digits of a SHA-256 that are shown.
const HASH_DIGITS: usize = 12;

pub(super) fn write(difference: &Difference, writer: &mut impl Write) -> io::Result<()> {
    for (label, journal) in [("before", &difference.before), ("after", &difference.after)] {
        let counts = &journal.counts;
        writeln!(
            writer,
            "{label:<7}{}: {} documents, {} succeeded, {} failed, {} not finished",
            printable(&journal.path),
            count(counts.total),
            count(counts.succeeded),
            count(counts.failed),
            count(counts.open)
        )?;
    }
    let counts = &difference.counts;
    writeln!(
        writer,
        "{} compared: {} different ({} other values, {} other outcomes, {} other contents), {} moved; {} only before, {} only after",
        count(counts.compared),
        count(counts.different),
        count(counts.values_changed),
        count(counts.outcome_changed),
        count(counts.content_changed),
        count(counts.moved),
        count(counts.only_before),
        count(counts.only_after)
    )?;
    components(difference, writer)?;
    for entry in &difference.documents {
        document(entry, writer)?;
    }
    if difference.documents_left_out > 0 {
        writeln!(writer, "\n{} more documents differ", count(difference.documents_left_out))?;
    }
    Ok(())
}

/// Writes the table of the components with differences.
fn components(difference: &Difference, writer: &mut impl Write) -> io::Result<()> {
    let different: Vec<_> =
        difference.components.iter().filter(|counts| counts.added + counts.lost + counts.changed > 0).collect();
    let names: Vec<_> = different.iter().map(|counts| printable(&counts.component)).collect();
    let Some(width) = names.iter().map(|name| name.chars().count()).max() else { return Ok(()) };
    let width = width.max("component".len());
    writeln!(writer, "\n{:<width$}  {:>9}  {:>9}  {:>9}  {:>9}", "component", "added", "lost", "changed", "equal")?;
    for (name, counts) in names.iter().zip(different) {
        let numbers = [counts.added, counts.lost, counts.changed, counts.equal].map(count);
        let [added, lost, changed, equal] = numbers;
        writeln!(writer, "{name:<width$}  {added:>9}  {lost:>9}  {changed:>9}  {equal:>9}")?;
    }
    Ok(())
}

fn document(document: &DocumentDifference, writer: &mut impl Write) -> io::Result<()> {
    let presence = match document.presence {
        Presence::Both => "",
        Presence::OnlyBefore => " (only before)",
        Presence::OnlyAfter => " (only after)",
    };
    writeln!(writer, "\n{}{presence}", printable(&document.source))?;
    if let Some(source) = &document.moved_from {
        writeln!(writer, "    moved from {}", printable(source))?;
    }
    if let Some(outcome) = &document.outcome {
        write!(writer, "    ! {} → {}", outcome.before.as_str(), outcome.after.as_str())?;
        if let Some(failure) = &outcome.failure {
            write!(writer, " ({}: {})", failure.step.as_str(), printable(&failure.cause))?;
        }
        writeln!(writer)?;
    }
    if let Some(content) = &document.content {
        let short = |hash: &str| hash.chars().take(HASH_DIGITS).collect::<String>();
        writeln!(writer, "    ! content {} → {}", short(&content.before), short(&content.after))?;
    }
    for change in &document.components {
        let name = printable(&change.component);
        match change.kind {
            ChangeKind::Added => writeln!(writer, "    + {name}: {}{}", list(&change.after), origin(&change.after))?,
            ChangeKind::Lost => writeln!(writer, "    - {name}: {}{}", list(&change.before), origin(&change.before))?,
            ChangeKind::Changed => {
                let (before, after) = (list(&change.before), list(&change.after));
                writeln!(writer, "    ~ {name}: {before} → {after}{}", origin(&change.after))?;
            }
        }
    }
    Ok(())
}

/// Returns the values in quotes. Control characters are escaped, so that a value cannot control the terminal.
fn list(values: &[ValueWithOrigin]) -> String {
    values.iter().map(|value| format!("{:?}", shortened(&value.value))).collect::<Vec<_>>().join(", ")
}

/// Returns page and rule of the first value.
fn origin(values: &[ValueWithOrigin]) -> String {
    let Some(value) = values.first() else { return String::new() };
    let parts = [
        value.page.map(|page| format!("page {page}")),
        value.rule.as_deref().map(|rule| format!("rule {}", printable(rule))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// Returns a name for a terminal: in quotes and escaped if it has control characters.
fn printable(text: &str) -> Cow<'_, str> {
    let is_plain = text.chars().all(|c| c == '"' || c == '\'' || c == '\\' || c.escape_debug().len() == 1);
    if is_plain { Cow::Borrowed(text) } else { Cow::Owned(format!("{text:?}")) }
}
