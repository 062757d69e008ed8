//! Generates the sample PDFs in `documine/examples/samples/`, byte for byte: `cargo run -p documine-sim --example make_samples [-- FOLDER]`.
//!
//! The generator uses the standard library only and does not compress text, so that the files are readable in an editor. All data is fictional.

mod invoice;
mod page;
mod pdf;
mod report;
mod scan;
mod strokes;

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../documine/examples/samples");
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from(default), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for (name, bytes) in
        [("study-report.pdf", report::make()), ("invoice.pdf", invoice::make()), ("scan.pdf", scan::make())]
    {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
