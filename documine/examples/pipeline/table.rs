//! A plain table: columns as wide as they need to be, the last one broken into lines where the terminal is narrow.

use std::fmt::{self, Display};

use console::measure_text_width as width_of;

/// Narrower than this the last column never gets.
const NARROWEST: usize = 24;
const GAP: &str = "  ";

/// Rows under headings.
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
    width: Option<usize>,
}

impl<const N: usize> Table<N> {
    /// `width`: of the terminal, where there is one.
    pub(crate) fn new(headings: [&str; N], width: Option<usize>) -> Self {
        Self { rows: vec![headings.map(str::to_owned)], width }
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        // Texts from documents may hold anything, line breaks too.
        self.rows.push(cells.map(|cell| plain(&cell)));
    }
}

impl<const N: usize> Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths: [usize; N] =
            std::array::from_fn(|column| self.rows.iter().map(|row| width_of(&row[column])).max().unwrap_or(0));
        let before: usize = widths.iter().rev().skip(1).map(|width| width + GAP.len()).sum();
        if let (Some(last), Some(width)) = (widths.last_mut(), self.width) {
            *last = (*last).min(width.saturating_sub(before).max(NARROWEST));
        }
        for (index, row) in self.rows.iter().enumerate() {
            let (last, first) = row.split_last().map_or(("", &row[..]), |(last, first)| (last.as_str(), first));
            let lines = broken(last, widths.last().copied().unwrap_or(NARROWEST));
            for (number, line) in lines.iter().enumerate() {
                for (cell, width) in first.iter().zip(widths) {
                    let cell = if number == 0 { cell } else { "" };
                    write!(f, "{}{GAP}", console::pad_str(cell, width, console::Alignment::Left, None))?;
                }
                writeln!(f, "{line}")?;
            }
            if index == 0 {
                writeln!(f, "{}", widths.map(|width| "-".repeat(width)).join(GAP))?;
            }
        }
        Ok(())
    }
}

/// The text in lines of at most `width` columns, broken at spaces where there are any.
pub(crate) fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let line = lines.last_mut().map_or(0, |line| width_of(line));
            let gap = usize::from(line > 0);
            if line + gap + width_of(word) <= width {
                break;
            }
            if line > 0 {
                lines.push(String::new());
                continue;
            }
            // A word that is wider than a line.
            let cut = word
                .char_indices()
                .map(|(at, c)| at + c.len_utf8())
                .take_while(|end| width_of(&word[..*end]) <= width)
                .last();
            let (fits, rest) = word.split_at(cut.unwrap_or(word.len()));
            if let Some(line) = lines.last_mut() {
                line.push_str(fits);
            }
            if rest.is_empty() {
                word = "";
                break;
            }
            lines.push(String::new());
            word = rest;
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() && !word.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Replaces control characters, so that a text from elsewhere cannot control the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
