//! `study-report.pdf`: a fictional toxicity study of four pages, with the fields at the start of a study report and a table of results.

use crate::page::{BLACK, Cell, Colour, Font, GREY, Page, WHITE};
use crate::pdf::{self, HEIGHT, Sheet, WIDTH};

const TITLE: &str = "Acute Oral Toxicity of Samplium Green in the Rat";
const NUMBER: &str = "SVL-2023-0117";
const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 72.0;
const BODY: f64 = 10.5;
const GREEN: Colour = (0.07, 0.36, 0.33);
const PALE: Colour = (0.9, 0.95, 0.94);

pub(crate) fn make() -> Vec<u8> {
    let info = [
        ("Title", TITLE),
        ("Author", "Sample Valley Laboratories"),
        ("Subject", "Final report of study SVL-2023-0117"),
        ("Creator", "make_samples"),
        ("CreationDate", "D:20240312090000Z"),
    ];
    pdf::write(
        &info,
        vec![Sheet::Text(title()), Sheet::Text(summary()), Sheet::Text(results()), Sheet::Text(conclusions())],
    )
}

fn title() -> Page {
    let mut page = Page::default();
    page.colour(GREEN);
    page.fill(0.0, HEIGHT - 150.0, WIDTH, 150.0);
    page.colour(WHITE);
    page.text(LEFT, HEIGHT - 66.0, Font::Bold, 13.0, "SAMPLE VALLEY LABORATORIES");
    page.text(LEFT, HEIGHT - 84.0, Font::Regular, 9.5, "Regulatory toxicology - 14 Orchard Lane, Sample Valley");
    page.text(LEFT, HEIGHT - 124.0, Font::Bold, 20.0, "Final Report");
    page.colour(BLACK);
    page.text(LEFT, 628.0, Font::Bold, 19.0, TITLE);
    page.colour(GREY);
    page.text(LEFT, 606.0, Font::Oblique, 11.5, "Single dose study by gavage, fixed dose procedure");
    page.line(LEFT, RIGHT, 586.0, 0.8);
    page.colour(BLACK);
    let mut y = 556.0;
    for (label, value) in [
        ("Study title", TITLE),
        ("Study number", NUMBER),
        ("Sponsor", "Examplia Crop Care AG"),
        ("Test facility", "Sample Valley Laboratories"),
        ("Study director", "Dr. Zo\u{eb} Ambrose"),
        ("Test item", "Samplium Green"),
        ("Species", "Rat (Wistar)"),
        ("Test guideline", "OECD 420"),
        ("GLP compliance", "yes"),
        ("Experimental start date", "9 October 2023"),
        ("Experimental completion date", "24 November 2023"),
        ("Completion date", "12 March 2024"),
    ] {
        page.field(LEFT, y, 11.5, label, value);
        y -= 24.0;
    }
    page.colour(GREY);
    page.paragraph(
        LEFT,
        130.0,
        RIGHT - LEFT,
        9.0,
        "This report is a sample. The study, the test item, the companies and the people in it are invented, and no animal was ever treated. \
         It exists so that programs which read documents have something to read.",
    );
    page.text_right(RIGHT, 44.0, Font::Regular, 9.0, "Page 1 of 4");
    page
}

fn summary() -> Page {
    let mut page = inner(2);
    let mut y = heading(&mut page, 752.0, "1  Summary");
    y = page.paragraph(
        LEFT,
        y,
        RIGHT - LEFT,
        BODY,
        "Samplium Green was given once by gavage to groups of five female rats at 50, 300 and 2000 mg/kg body weight. The animals were observed \
         for fourteen days. One animal of the highest dose group died on day 2. Clinical signs were limited to hunched posture and piloerection \
         and had gone by day 4. Body weight gain was not affected.",
    );
    y = heading(&mut page, y - 16.0, "2  Test item");
    y = page.paragraph(
        LEFT,
        y,
        RIGHT - LEFT,
        BODY,
        "The test item is a green, water-dispersible powder. Three batches were supplied by the sponsor. They were stored in the dark at 21 \u{b0}C \
         and were stable for the duration of the study. The analytical certificates are kept in the study file.",
    );
    y -= 8.0;
    for batch in ["SG-2207-A", "SG-2208-B", "SG-2301-C"] {
        page.field(LEFT, y, BODY, "Batch number", batch);
        y -= 18.0;
    }
    for (label, value) in [("Purity", "98.1 %"), ("Expiry date", "30 June 2025")] {
        page.field(LEFT, y, BODY, label, value);
        y -= 18.0;
    }
    y = heading(&mut page, y - 16.0, "3  Animals and housing");
    y -= 2.0;
    for (label, value) in [
        ("Strain", "Wistar"),
        ("Sex", "female"),
        ("Number of animals", "15"),
        ("Age at start", "9 weeks"),
        ("Vehicle", "purified water"),
        ("Dose volume", "10 mL/kg body weight"),
    ] {
        page.field(LEFT, y, BODY, label, value);
        y -= 18.0;
    }
    y = page.paragraph(
        LEFT,
        y - 6.0,
        RIGHT - LEFT,
        BODY,
        "The animals were kept in groups of five at 20 to 24 \u{b0}C and a relative humidity of 45 to 65 %, with twelve hours of light a day. \
         Pelleted feed and tap water were freely available, except that feed was withheld overnight before dosing.",
    );
    y = heading(&mut page, y - 16.0, "4  Study conduct");
    page.paragraph(
        LEFT,
        y,
        RIGHT - LEFT,
        BODY,
        "A sighting study with one animal at 300 mg/kg came first. Mortality and clinical signs were recorded at 0.5, 1, 2 and 4 hours after \
         dosing and daily from then on. Animals were weighed on days 1, 8 and 15 and examined macroscopically at the end of the study.",
    );
    page
}

fn results() -> Page {
    let mut page = inner(3);
    let mut y = heading(&mut page, 752.0, "5  Results");
    y = page.paragraph(
        LEFT,
        y,
        RIGHT - LEFT,
        BODY,
        "Table 1 gives mortality and body weight by dose group. Weights are group means of the surviving animals.",
    );
    page.text(LEFT, y - 14.0, Font::Bold, BODY, "Table 1. Mortality and mean body weight");
    y = table(
        &mut page,
        y - 42.0,
        [LEFT + 8.0, 235.0, 315.0, 400.0, RIGHT - 8.0],
        &[
            ["Group", "Dose (mg/kg)", "Deaths", "Day 1 (g)", "Day 15 (g)"],
            ["Control", "0", "0 of 5", "182.4", "214.9"],
            ["Low", "50", "0 of 5", "181.7", "213.6"],
            ["Mid", "300", "0 of 5", "183.0", "212.2"],
            ["High", "2000", "1 of 5", "182.1", "209.8"],
        ],
    );
    page.text(LEFT, y - 28.0, Font::Bold, BODY, "Table 2. Clinical signs, animals affected");
    y = table(
        &mut page,
        y - 56.0,
        [LEFT + 8.0, 265.0, 340.0, 415.0, RIGHT - 8.0],
        &[
            ["Sign", "Low", "Mid", "High", "Last seen"],
            ["Hunched posture", "0", "1", "4", "day 4"],
            ["Piloerection", "0", "0", "3", "day 3"],
            ["Reduced activity", "0", "0", "2", "day 2"],
        ],
    );
    y = heading(&mut page, y - 30.0, "6  Macroscopic findings");
    page.paragraph(
        LEFT,
        y,
        RIGHT - LEFT,
        BODY,
        "The animal that died had a reddened stomach mucosa. No finding was made in the animals that lived to the end of the study. \
         Historical control data of the test facility (2018\u{2013}2022) agree with the weights of the control group.",
    );
    page
}

fn conclusions() -> Page {
    let mut page = inner(4);
    let mut y = heading(&mut page, 752.0, "7  Conclusions");
    y = page.paragraph(
        LEFT,
        y,
        RIGHT - LEFT,
        BODY,
        "Under the conditions of this study the median lethal dose of Samplium Green after oral administration to female rats is greater than \
         2000 mg/kg body weight. The test item needs no classification for acute oral toxicity.",
    );
    y -= 8.0;
    for (label, value) in
        [("LD50", "> 2000 mg/kg body weight"), ("NOAEL", "50 mg/kg body weight"), ("Conclusion", "Not classified")]
    {
        page.field(LEFT, y, BODY, label, value);
        y -= 18.0;
    }
    y = heading(&mut page, y - 16.0, "8  Statement of compliance");
    y = page.paragraph(
        LEFT,
        y,
        RIGHT - LEFT,
        BODY,
        "The study was planned, run and reported in line with the principles of good laboratory practice. There were no circumstances that \
         would have affected the quality or the integrity of the data. Raw data, specimens and this report are archived at the test facility \
         for ten years.",
    );
    y -= 54.0;
    page.line(LEFT, LEFT + 190.0, y, 0.8);
    page.line(RIGHT - 190.0, RIGHT, y, 0.8);
    page.row(
        y - 14.0,
        Font::Regular,
        BODY,
        &[Cell::Left(LEFT, "Dr. Zo\u{eb} Ambrose"), Cell::Left(RIGHT - 190.0, "Ivo Lindqvist")],
    );
    page.colour(GREY);
    page.row(
        y - 28.0,
        Font::Regular,
        9.0,
        &[
            Cell::Left(LEFT, "Study director, 12 March 2024"),
            Cell::Left(RIGHT - 190.0, "Quality assurance, 11 March 2024"),
        ],
    );
    page
}

/// Returns a page with header and footer.
fn inner(number: usize) -> Page {
    let mut page = Page::default();
    page.colour(GREY);
    page.row(
        HEIGHT - 44.0,
        Font::Regular,
        9.0,
        &[Cell::Left(LEFT, "Sample Valley Laboratories"), Cell::Right(RIGHT, &format!("Report {NUMBER}"))],
    );
    page.line(LEFT, RIGHT, HEIGHT - 52.0, 0.5);
    page.text_right(RIGHT, 44.0, Font::Regular, 9.0, &format!("Page {number} of 4"));
    page.colour(BLACK);
    page
}

fn heading(page: &mut Page, y: f64, text: &str) -> f64 {
    page.colour(GREEN);
    page.text(LEFT, y, Font::Bold, 14.0, text);
    page.colour(BLACK);
    y - 24.0
}

/// Draws rows of five cells: the first column is left-aligned, the others are right-aligned. The first row is the header.
fn table(page: &mut Page, mut y: f64, columns: [f64; 5], rows: &[[&str; 5]]) -> f64 {
    for (index, row) in rows.iter().enumerate() {
        if index == 0 {
            page.colour(PALE);
            page.fill(LEFT, y - 6.0, RIGHT - LEFT, 20.0);
            page.colour(BLACK);
        }
        let cells: Vec<Cell<'_>> = row
            .iter()
            .zip(columns)
            .enumerate()
            .map(|(column, (text, x))| if column == 0 { Cell::Left(x, text) } else { Cell::Right(x, text) })
            .collect();
        page.row(y, if index == 0 { Font::Bold } else { Font::Regular }, BODY, &cells);
        page.line(LEFT, RIGHT, y - 6.0, 0.5);
        y -= 20.0;
    }
    y
}
