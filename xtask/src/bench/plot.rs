//! The plot of the waits: requests on the x axis, delay on the y axis, both logarithmic; one panel for each trace.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use serde_json::Value;

use super::figures::NotMeasured;

const SIZE: (u32, u32) = (1500, 520);

/// Series: beginning of the poller's name, label, colour.
const SERIES: [(&str, &str, RGBColor); 3] = [
    ("list every", "fixed intervals, one list per poll", RGBColor(31, 119, 180)),
    ("list 1 s doubling", "doubling intervals, one list per poll", RGBColor(44, 160, 44)),
    ("each file", "one request per file", RGBColor(150, 150, 150)),
];
const OURS: RGBColor = RGBColor(214, 39, 40);

/// Draws the panels into an SVG file.
pub(super) fn draw(waits: &[&Value], path: &Path) -> Result<(), NotMeasured> {
    panels(waits, path).map_err(|error| format!("{}: {error}", path.display()))
}

fn panels(waits: &[&Value], path: &Path) -> Result<(), Box<dyn Error>> {
    let drawing = SVGBackend::new(path, SIZE).into_drawing_area();
    drawing.fill(&WHITE)?;
    for (area, wait) in drawing.split_evenly((1, waits.len().max(1))).iter().zip(waits) {
        let title = format!("{}, {} files", wait["trace"].as_str().unwrap_or_default(), wait["files"]);
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(55)
            .build_cartesian_2d((3.0..100_000.0).log_scale(), (0.3..60.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("requests")
            .y_desc("delay in seconds: ● median, ○ p95")
            .light_line_style(WHITE)
            .draw()?;
        let others: Vec<&Value> = wait["others"].as_array().into_iter().flatten().collect();
        for (begins, label, colour) in SERIES {
            let of_these: Vec<&Value> = others.iter().copied().filter(|other| starts_with(other, begins)).collect();
            for (metric, filled) in [("median_s", true), ("p95_s", false)] {
                let points: Vec<_> = of_these.iter().map(|other| point(other, metric)).collect();
                if begins == "list every" {
                    chart.draw_series(LineSeries::new(points.clone(), colour.mix(0.4)))?;
                }
                let dot = |point| Circle::new(point, 4, ShapeStyle { color: colour.into(), filled, stroke_width: 1 });
                let drawn = chart.draw_series(points.into_iter().map(dot))?;
                if filled {
                    drawn.label(label).legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
                }
            }
        }
        for (metric, filled) in [("median_s", true), ("p95_s", false)] {
            let dot = Circle::new(
                point(&wait["ours"], metric),
                7,
                ShapeStyle { color: OURS.into(), filled, stroke_width: 2 },
            );
            let drawn = chart.draw_series([dot])?;
            if filled {
                drawn.label("documine").legend(|(x, y)| Circle::new((x + 8, y), 6, OURS.filled()));
            }
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    }
    drawing.present()?;
    Ok(())
}

fn starts_with(wait: &Value, begins: &str) -> bool {
    wait["who"].as_str().is_some_and(|who| who.starts_with(begins))
}

fn point(wait: &Value, metric: &str) -> (f64, f64) {
    (wait["requests"].as_f64().unwrap_or(1.0), wait[metric].as_f64().unwrap_or(1.0))
}
