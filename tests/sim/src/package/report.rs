//! The extraction report: an Excel workbook with one row per file and one row per value.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::contents::{PackageContents, PackagedFile};

/// Maximum number of characters in a cell.
const MAX_CELL_CHARS: usize = 16_000;
/// Maximum number of characters in a workbook property.
const MAX_PROPERTY_CHARS: usize = 200;

/// Returns the bytes of the workbook.
pub(super) fn workbook(contents: &PackageContents, name: &str) -> Result<Vec<u8>, XlsxError> {
    let (year, [month, day, hour, minute, second]) = contents.download.ends.calendar();
    let year = u16::try_from(year).unwrap_or(1980);
    let built = ExcelDateTime::from_ymd(year, month, day)?.and_hms(u16::from(hour), minute, f64::from(second))?;
    let properties = DocProperties::new()
        .set_title(property(name))
        .set_subject(property(&contents.dossier))
        .set_author("documine-sim")
        .set_creation_datetime(&built);
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties);
    overview(workbook.add_worksheet(), contents)?;
    values(workbook.add_worksheet(), contents)?;
    workbook.save_to_buffer()
}

/// Writes one row per file and one column per component.
fn overview(sheet: &mut Worksheet, contents: &PackageContents) -> Result<(), XlsxError> {
    let head = Format::new().set_bold();
    sheet.set_name("Overview")?;
    sheet.write_string_with_format(0, 0, "Dossier", &head)?;
    sheet.write_string(0, 1, text(&contents.dossier))?;
    sheet.write_string_with_format(1, 0, "Dossier template", &head)?;
    sheet.write_string(1, 1, text(&contents.template))?;
    sheet.write_string_with_format(2, 0, "BuildResult", &head)?;
    sheet.write_string(2, 1, contents.download.ends.to_rfc3339())?;
    let mut names: Vec<&str> = Vec::new();
    for component in contents.files.iter().flat_map(|file| &file.components) {
        if !names.contains(&component.name.as_str()) {
            names.push(&component.name);
        }
    }
    let titles = ["File", "State", "Pages"].into_iter().chain(names.iter().copied());
    for (column, title) in (0_u16..16_000).zip(titles) {
        sheet.write_string_with_format(4, column, title, &head)?;
    }
    for (row, file) in (5_u32..1_000_000).zip(&contents.files) {
        sheet.write_string(row, 0, text(&file.name))?;
        sheet.write_string(row, 1, &file.state)?;
        sheet.write_number(row, 2, pages(file))?;
        for (column, name) in (3_u16..16_000).zip(&names) {
            let values =
                file.components.iter().find(|component| component.name == *name).map(|component| &component.values);
            let values: Vec<&str> = values.into_iter().flatten().map(|found| found.value.as_str()).collect();
            sheet.write_string(row, column, text(&values.join("; ")))?;
        }
    }
    sheet.set_column_width(0, 32)?;
    sheet.set_freeze_panes(5, 1)?;
    Ok(())
}

/// Writes one row per value, with its source.
fn values(sheet: &mut Worksheet, contents: &PackageContents) -> Result<(), XlsxError> {
    let head = Format::new().set_bold();
    sheet.set_name("Components")?;
    for (column, title) in
        (0_u16..).zip(["File", "Component", "Value", "Original value", "Page", "Rule", "Description"])
    {
        sheet.write_string_with_format(0, column, title, &head)?;
    }
    let found = contents.files.iter().flat_map(|file| {
        file.components
            .iter()
            .flat_map(move |component| component.values.iter().map(move |found| (file, component, found)))
    });
    for (row, (file, component, found)) in (1_u32..1_000_000).zip(found) {
        sheet.write_string(row, 0, text(&file.name))?;
        sheet.write_string(row, 1, text(&component.name))?;
        sheet.write_string(row, 2, text(&found.value))?;
        sheet.write_string(row, 3, text(&found.original))?;
        if let Some(page) = found.page {
            sheet.write_number(row, 4, page)?;
        }
        sheet.write_string(row, 5, text(&found.rule))?;
        sheet.write_string(row, 6, text(found.description.as_deref().unwrap_or("")))?;
    }
    for (column, width) in [(0, 32), (1, 24), (2, 48), (3, 48), (5, 24), (6, 40)] {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn pages(file: &PackagedFile) -> u32 {
    u32::try_from(file.pages).unwrap_or(u32::MAX)
}

fn property(name: &str) -> String {
    text(name).chars().take(MAX_PROPERTY_CHARS).collect()
}

fn text(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || *letter == '\n').take(MAX_CELL_CHARS).collect()
}
