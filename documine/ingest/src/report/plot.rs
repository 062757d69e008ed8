//! Plots as SVG. Colours come from the style sheet, so that they follow the theme of the reader.

use std::fmt::Write as _;

use super::coverage::quantile;
use super::timeline::{BINS, InFlight, PHASES};
use super::units;
use crate::text;

/// Bars of a histogram.
const BARS: usize = 24;
/// Marks of an axis, about.
const MARKS: f64 = 5.0;

/// The area of a plot in units of its view box.
struct Frame {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame {
    fn new(width: f64, height: f64) -> Self {
        Self { width, height, left: 46.0, right: width - 14.0, top: 16.0, bottom: height - 26.0 }
    }

    fn x(&self, share: f64) -> f64 {
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    fn y(&self, share: f64) -> f64 {
        self.bottom - share.clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    /// Opens the picture; `label` describes it for those who do not see it. Labels are texts of this crate.
    fn open(&self, label: &str) -> String {
        format!(
            "<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{label}\">",
            self.width, self.height
        )
    }

    /// Draws the vertical axis with lines across the plot.
    fn vertical_axis(&self, svg: &mut String, most: f64) {
        let step = nice_step(most / 4.0, &[1.0, 2.0, 5.0]).max(1.0);
        let mut mark = 0.0;
        while mark <= most {
            let y = self.y(mark / most);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                self.left,
                self.right,
                self.left - 6.0,
                y + 4.0,
                text::count(whole(mark)),
            );
            mark += step;
        }
    }

    /// Draws the horizontal axis of times.
    fn time_axis(&self, svg: &mut String, length: f64) {
        let step = time_step(length / MARKS);
        let mut mark = 0.0;
        while mark <= length {
            let (x, label) = (self.x(mark / length), time_mark(mark, step));
            let anchor = if mark == 0.0 {
                "start"
            } else if x > self.right - 20.0 {
                "end"
            } else {
                "middle"
            };
            let _ = write!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{label}</text>",
                self.bottom + 18.0
            );
            mark += step;
        }
    }
}

/// A plot with the facts below it.
pub(super) struct Plot {
    pub(super) svg: String,
    pub(super) facts: String,
}

/// Draws the distribution of sorted durations in milliseconds.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn histogram(durations: &[f64], what: &str) -> Option<Plot> {
    let longest = durations.last().copied()?;
    let (median, p95) = (quantile(durations, 0.5), quantile(durations, 0.95));
    // A few very long durations would press all others into the first bar.
    let span = longest.min(quantile(durations, 0.99) * 1.3).max(1.0);
    let step = time_step(span / MARKS);
    let length = (span / step).ceil() * step;
    let mut bars = [0_u64; BARS];
    let mut beyond = 0_u64;
    for duration in durations {
        match bars.get_mut((duration / length * BARS as f64) as usize) {
            Some(bar) => *bar += 1,
            None if *duration <= length => bars[BARS - 1] += 1,
            None => beyond += 1,
        }
    }
    let facts = format!(
        "{} documents · median {} · 95 % within {} · longest {}{}",
        text::count(durations.len() as u64),
        units::duration(whole(median)),
        units::duration(whole(p95)),
        units::duration(whole(longest)),
        if beyond > 0 { format!(" · {} beyond the right edge", text::count(beyond)) } else { String::new() }
    );
    let frame = Frame::new(480.0, 210.0);
    let mut svg = frame.open(&format!("Histogram of the {what}: {facts}"));
    let most = bars.iter().copied().max().unwrap_or_default() as f64;
    frame.vertical_axis(&mut svg, most);
    for (index, bar) in bars.iter().enumerate().filter(|(_, bar)| **bar > 0) {
        let (left, right) = (index as f64 / BARS as f64, (index + 1) as f64 / BARS as f64);
        let y = frame.y(*bar as f64 / most).min(frame.bottom - 1.0);
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{} to {}: {}</title></rect>",
            frame.x(left) + 0.5,
            frame.x(right) - frame.x(left) - 1.0,
            frame.bottom - y,
            units::duration(whole(left * length)),
            units::duration(whole(right * length)),
            text::count(*bar),
        );
    }
    for (mark, label, anchor, shift) in [(median, "median", "end", -4.0), (p95, "95 %", "start", 4.0)] {
        if mark > length {
            continue;
        }
        let x = frame.x(mark / length);
        let _ = write!(
            svg,
            "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"4\" y2=\"{:.1}\"/><text class=\"mark-label\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{label}</text>",
            frame.bottom,
            x + shift,
            frame.top - 4.0
        );
    }
    frame.time_axis(&mut svg, length);
    svg.push_str("</svg>");
    Some(Plot { svg, facts })
}

/// Draws the documents in flight as stacked areas.
#[allow(clippy::cast_precision_loss)]
pub(super) fn in_flight(data: &InFlight) -> Plot {
    let frame = Frame::new(980.0, 230.0);
    let most = data.bins.iter().map(|bin| bin.iter().sum::<f64>()).fold(1.0, f64::max);
    let facts = format!(
        "about {} at the same time at the peak · {} of work{}",
        text::count(whole(most)),
        units::duration(whole(data.length)),
        match data.breaks.len() {
            0 => String::new(),
            1 => " · the pause between 2 runs is left out".to_owned(),
            breaks => format!(" · the pauses between {} runs are left out", breaks + 1),
        }
    );
    let mut svg = frame.open(&format!("Documents in flight over time: {facts}"));
    frame.vertical_axis(&mut svg, most);
    let mut below = vec![0.0; BINS];
    for (phase, (name, class)) in PHASES.iter().enumerate() {
        let above: Vec<f64> = below.iter().zip(&data.bins).map(|(low, bin)| low + bin[phase]).collect();
        let _ = write!(svg, "<path class=\"area {class}\" d=\"");
        let point = |svg: &mut String, command: char, index: usize, value: f64| {
            let x = frame.x((index as f64 + 0.5) / BINS as f64);
            let _ = write!(svg, "{command}{x:.1} {:.1}", frame.y(value / most));
        };
        for (index, value) in above.iter().enumerate() {
            point(&mut svg, if index == 0 { 'M' } else { 'L' }, index, *value);
        }
        for (index, value) in below.iter().enumerate().rev() {
            point(&mut svg, 'L', index, *value);
        }
        let _ = write!(svg, "Z\"><title>{name}</title></path>");
        below = above;
    }
    for end in &data.breaks {
        let x = frame.x(end / data.length);
        let _ = write!(
            svg,
            "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"><title>next run</title></line>",
            frame.top, frame.bottom
        );
    }
    frame.time_axis(&mut svg, data.length);
    svg.push_str("</svg>");
    Plot { svg, facts }
}

/// Draws shares of a whole as one bar: `(class, count)`.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn shares(parts: &[(&str, u64)]) -> String {
    let whole = parts.iter().map(|(_, count)| count).sum::<u64>() as f64;
    let mut svg = String::from(
        "<svg class=\"shares\" viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
    );
    let mut x = 0.0;
    for (class, count) in parts.iter().filter(|(_, count)| *count > 0) {
        // One document of thousands stays visible.
        let width = (*count as f64 / whole * 1000.0).max(4.0);
        let _ = write!(svg, "<rect class=\"{class}\" x=\"{x:.1}\" y=\"0\" width=\"{width:.1}\" height=\"16\"/>");
        x += width;
    }
    svg.push_str("</svg>");
    svg
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// Returns the next step of a readable axis: one of `bases` times a power of ten.
fn nice_step(at_least: f64, bases: &[f64]) -> f64 {
    let power = 10_f64.powf(at_least.max(f64::MIN_POSITIVE).log10().floor());
    bases.iter().map(|base| base * power).find(|step| *step >= at_least).unwrap_or(10.0 * power)
}

/// Returns the next step of an axis of milliseconds: a round number of milliseconds, seconds, minutes, hours or days.
fn time_step(at_least: f64) -> f64 {
    const SECOND: f64 = 1000.0;
    const STEPS: [f64; 14] =
        [10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0];
    if at_least <= 5.0 * SECOND {
        return nice_step(at_least, &[1.0, 2.0, 5.0]).max(1.0);
    }
    let day = 86_400.0 * SECOND;
    STEPS
        .iter()
        .map(|step| step * SECOND)
        .find(|step| *step >= at_least)
        .unwrap_or_else(|| nice_step(at_least / day, &[1.0, 2.0, 5.0]).max(0.5) * day)
}

/// Returns a mark of an axis of milliseconds, in the unit of its step.
fn time_mark(mark: f64, step: f64) -> String {
    let (unit, name) = match step {
        step if step < 1000.0 && mark < 1000.0 => (1.0, "ms"),
        step if step < 60_000.0 => (1000.0, "s"),
        step if step < 3_600_000.0 => (60_000.0, "min"),
        step if step < 86_400_000.0 => (3_600_000.0, "h"),
        _ => (86_400_000.0, "d"),
    };
    let number = (mark / unit * 100.0).round() / 100.0;
    if mark == 0.0 { "0".to_owned() } else { format!("{number} {name}") }
}
