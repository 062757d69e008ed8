//! The tables of figures.

use super::figures::{Cell, Row, Subject, Unit, median, spread};
use crate::workspace::print;

const CLIENTS: [Subject; 4] = [Subject::Ours, Subject::Reqwest, Subject::Generated, Subject::Curl];
const BUILDS: [Subject; 4] = [Subject::Ours, Subject::OursMinimal, Subject::Octocrab, Subject::AsyncOpenai];

/// Prints all rows, then the reasons for missing figures.
pub(super) fn print_rows(rows: &[Row], notes: &[String]) {
    let (builds, calls): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.job == "build");
    let mut reasons = Vec::new();
    let ratios: &[(&str, Subject)] = &[("ours/reqwest", Subject::Reqwest), ("ours/generated", Subject::Generated)];
    print_part(&calls, &CLIENTS, ratios, &mut reasons);
    print_part(
        &builds,
        &BUILDS,
        &[("ours/octocrab", Subject::Octocrab), ("ours/async-openai", Subject::AsyncOpenai)],
        &mut reasons,
    );
    for (number, reason) in reasons.iter().enumerate() {
        let mut lines = reason.lines();
        print(&format!("[{}] not run: {}", number + 1, lines.next().unwrap_or_default()));
        for line in lines {
            print(&format!("    {line}"));
        }
    }
    for note in notes {
        print(&format!("- {note}"));
    }
    print(
        "- ± is half of the range between the fastest and the slowest round; ratios are medians of the ratios of the rounds",
    );
}

fn print_part(rows: &[&Row], who: &[Subject], ratios: &[(&str, Subject)], reasons: &mut Vec<String>) {
    if rows.is_empty() {
        return;
    }
    let mut lines = vec![
        ["job", "metric"]
            .into_iter()
            .map(str::to_owned)
            .chain(who.iter().map(|who| who.name().to_owned()))
            .chain(ratios.iter().map(|(name, _)| (*name).to_owned()))
            .collect::<Vec<_>>(),
    ];
    for row in rows {
        let mut line = vec![row.job.clone(), row.metric.to_owned()];
        for who in who {
            line.push(
                row.cells
                    .iter()
                    .find(|cell| cell.who == *who)
                    .map_or_else(String::new, |cell| shown(cell, row.unit, reasons)),
            );
        }
        line.extend(
            ratios.iter().map(|(_, other)| row.ratio(*other).map_or_else(String::new, |ratio| format!("{ratio:.3}"))),
        );
        lines.push(line);
    }
    print("");
    for line in aligned(&lines) {
        print(&line);
    }
    print("");
}

/// The first two columns stand to the left, numbers to the right.
pub(super) fn aligned(lines: &[Vec<String>]) -> Vec<String> {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

fn shown(cell: &Cell, unit: Unit, reasons: &mut Vec<String>) -> String {
    let rounds = match &cell.rounds {
        Ok(rounds) => rounds,
        Err(reason) => {
            let known = reasons.iter().position(|known| known == reason);
            let number = known.unwrap_or_else(|| {
                reasons.push(reason.clone());
                reasons.len() - 1
            });
            return format!("not run [{}]", number + 1);
        }
    };
    let Some(middle) = median(rounds) else { return String::new() };
    let spread = spread(rounds).filter(|_| rounds.len() > 1);
    let spread = spread.map_or_else(String::new, |spread| format!(" ±{:.0}%", spread * 100.0));
    format!("{}{spread}", number(middle, unit))
}

fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count if value >= 1000.0 => grouped(value),
        Unit::Count if value.fract() == 0.0 => format!("{value:.0}"),
        Unit::Count => format!("{value:.2}"),
        Unit::Nanoseconds if value >= 1e6 => format!("{:.1} ms", value / 1e6),
        Unit::Nanoseconds => format!("{:.1} µs", value / 1e3),
        Unit::Seconds => format!("{value:.1} s"),
        Unit::Kibibytes => format!("{:.1} MiB", value / 1024.0),
    }
}

/// Groups digits by three: 98 020.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_numbers_with_units() {
        assert_eq!(number(98_020.26, Unit::Count), "98 020");
        assert_eq!(number(88.0, Unit::Count), "88");
        assert_eq!(number(13.5, Unit::Count), "13.50");
        assert_eq!(number(41_250.0, Unit::Nanoseconds), "41.2 µs");
        assert_eq!(number(638_219_407.0, Unit::Nanoseconds), "638.2 ms");
        assert_eq!(number(200_632.0, Unit::Kibibytes), "195.9 MiB");
    }

    #[test]
    fn numbers_each_reason_once() {
        let mut reasons = Vec::new();
        let cell = Cell { who: Subject::Generated, rounds: Err("no Java".to_owned()) };
        assert_eq!(shown(&cell, Unit::Count, &mut reasons), "not run [1]");
        assert_eq!(shown(&cell, Unit::Count, &mut reasons), "not run [1]");
        assert_eq!(reasons, ["no Java"]);
        let cell = Cell { who: Subject::Ours, rounds: Ok(vec![9e3, 1e4, 1.1e4]) };
        assert_eq!(shown(&cell, Unit::Nanoseconds, &mut reasons), "10.0 µs ±10%");
    }

    #[test]
    fn columns_are_aligned() {
        let lines = [["job", "metric", "ours"], ["call", "wall", "1 µs"]].map(|line| line.map(str::to_owned).to_vec());
        assert_eq!(aligned(&lines), ["job   metric  ours", "call  wall    1 µs"]);
    }
}
