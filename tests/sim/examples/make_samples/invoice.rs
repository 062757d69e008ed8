//! `invoice.pdf`: a fictional one-page invoice with correct sums (net + 20 % VAT = total).

use crate::page::{BLACK, Cell, Colour, Font, GREY, Page, WHITE};
use crate::pdf::{self, Sheet, WIDTH};

const LEFT: f64 = 60.0;
const RIGHT: f64 = WIDTH - 60.0;
const BLUE: Colour = (0.13, 0.23, 0.42);

pub(crate) fn make() -> Vec<u8> {
    let info = [
        ("Title", "Invoice INV-2024-00318"),
        ("Author", "Papermill Office Services Ltd"),
        ("Creator", "make_samples"),
        ("CreationDate", "D:20240402081500Z"),
    ];
    pdf::write(&info, vec![Sheet::Text(page())])
}

fn page() -> Page {
    let mut page = Page::default();
    page.colour(BLUE);
    page.text(LEFT, 772.0, Font::Bold, 17.0, "Papermill Office Services Ltd");
    page.text_right(RIGHT, 772.0, Font::Bold, 24.0, "INVOICE");
    page.colour(GREY);
    page.text(LEFT, 756.0, Font::Regular, 9.5, "3 Weir Street, Milltown - accounts@papermill.example");
    page.line(LEFT, RIGHT, 742.0, 0.8);
    page.colour(BLACK);
    let fields = [
        ("Invoice number", "INV-2024-00318"),
        ("Invoice date", "2024-04-02"),
        ("Due date", "2024-05-02"),
        ("Order number", "PO-77120"),
        ("Supplier", "Papermill Office Services Ltd"),
        ("Supplier VAT ID", "XX123456789"),
        ("Customer", "Examplia Crop Care AG"),
        ("Customer number", "10442"),
    ];
    let mut y = 712.0;
    for (label, value) in fields {
        page.field(LEFT, y, 10.5, label, value);
        y -= 19.0;
    }

    y = items(&mut page, y - 16.0) - 40.0;
    for (label, value) in [("Net amount", "EUR 1,028.75"), ("VAT rate", "20 %"), ("VAT", "EUR 205.75")] {
        page.field_right(RIGHT - 8.0, y, 10.5, label, value);
        y -= 19.0;
    }
    page.line(RIGHT - 200.0, RIGHT, y + 10.0, 1.2);
    page.field_right(RIGHT - 8.0, y - 10.0, 13.0, "Total", "EUR 1,234.50");

    y -= 70.0;
    page.field(LEFT, y, 10.5, "Payment terms", "30 days net");
    page.field(LEFT, y - 19.0, 10.5, "Bank account", "XX00 0000 0000 0000 0000 00");
    page.field(LEFT, y - 38.0, 10.5, "Reverse charge", "no");
    page.colour(GREY);
    page.paragraph(
        LEFT,
        y - 76.0,
        RIGHT - LEFT,
        9.5,
        "Please give the invoice number with your payment. This invoice is a sample: the companies are invented and nothing is to be paid.",
    );
    page.text_right(RIGHT, 44.0, Font::Regular, 9.0, "Page 1 of 1");
    page
}

/// Draws the table of line items and returns the y of its last line.
fn items(page: &mut Page, mut y: f64) -> f64 {
    let columns = [300.0, 350.0, 425.0, RIGHT - 8.0];
    let lines = [
        ["Archiving of contract files, boxes", "12", "box", "18.50", "222.00"],
        ["Scanning of paper records", "1,850", "page", "0.12", "222.00"],
        ["Review of captured data", "9.5", "hour", "58.50", "555.75"],
        ["Courier, round trip", "1", "trip", "29.00", "29.00"],
    ];
    page.colour(BLUE);
    page.fill(LEFT, y - 7.0, RIGHT - LEFT, 22.0);
    page.colour(WHITE);
    row(page, y, Font::Bold, columns, &["Description", "Quantity", "Unit", "Unit price", "Amount EUR"]);
    page.colour(BLACK);
    for line in &lines {
        y -= 24.0;
        row(page, y, Font::Regular, columns, line);
        page.line(LEFT, RIGHT, y - 8.0, 0.5);
    }
    y
}

fn row(page: &mut Page, y: f64, font: Font, columns: [f64; 4], texts: &[&str; 5]) {
    let mut cells = vec![Cell::Left(LEFT + 8.0, texts[0])];
    cells.extend(texts[1..].iter().zip(columns).map(|(text, x)| Cell::Right(x, text)));
    page.row(y, font, 10.0, &cells);
}
