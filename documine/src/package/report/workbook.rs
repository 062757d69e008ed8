//! Parts of a workbook: its list of sheets, shared strings and number formats.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use quick_xml::events::Event;

use super::memory_budget::MemoryBudget;
use super::model::Sheet;
use super::number_format::NumberFormat;
use super::sheet;
use super::workbook_data::{SharedStrings, WorkbookData};
use super::xml::{XmlPart, attribute, decode};
use crate::package::archive::Archive;
use crate::package::entry::Entry;
use crate::package::error::{PackageError, check_cancelled};

/// Memory overhead of a relationship or a listed sheet.
const LIST_ITEM_OVERHEAD: usize = 192;

/// Reads the sheets in the order of the workbook. Chart sheets are omitted.
pub(super) fn read<R: Read + Seek + Clone>(
    archive: &Archive<R>,
    memory: &mut MemoryBudget,
    cancelled: &AtomicBool,
) -> Result<Vec<Sheet>, PackageError> {
    let mut parts = WorkbookParts::new(archive, memory, cancelled);
    let book = parts.workbook()?;
    let folder = book.name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let relationships = match parts.find(folder, &format!("_rels/{}.rels", book.file_name())) {
        Some(part) => parts.read(part, relationships)?,
        None => HashMap::new(),
    };
    let WorkbookPart { sheets, from_1904 } = parts.read(book, workbook)?;
    let part_of_kind = |kind: &str| {
        let found = relationships
            .values()
            .find(|relationship| relationship.is(kind))
            .and_then(|found| parts.find(folder, &found.target));
        found.or_else(|| parts.find(folder, &format!("{kind}.xml")))
    };
    let (strings, styles) = (part_of_kind("sharedStrings"), part_of_kind("styles"));
    let shared_strings = match strings {
        Some(part) => parts.read(part, read_shared_strings)?,
        None => SharedStrings::default(),
    };
    // Invalid styles affect only the formats, not the values.
    let formats = styles.map_or_else(|| Ok(Vec::new()), |part| parts.read(part, formats)).or_else(ignore_invalid)?;
    let held = shared_strings.buffer.capacity()
        + shared_strings.ends.capacity() * size_of::<u32>()
        + formats.capacity() * size_of::<NumberFormat>();
    parts.memory.charge(held)?;
    let data = WorkbookData { shared_strings, formats, from_1904 };
    let part_of_relationship =
        |id: &str| relationships.get(id).and_then(|relationship| parts.find(folder, &relationship.target));
    let found_parts: Vec<Option<&Entry>> = sheets.iter().map(|sheet| part_of_relationship(&sheet.id)).collect();
    let referenced: HashSet<&str> = found_parts.iter().flatten().map(|part| part.name.as_str()).collect();
    let mut parts_read = HashSet::new();
    let mut result = Vec::new();
    for (index, (ListedSheet { name, .. }, part)) in sheets.into_iter().zip(found_parts).enumerate() {
        check_cancelled(cancelled)?;
        // Falls back to the part with the number of the sheet, unless another sheet refers to that part.
        let by_number = || parts.find(folder, &format!("worksheets/sheet{}.xml", index + 1));
        let part = part.or_else(|| by_number().filter(|part| !referenced.contains(part.name.as_str())));
        let rows = match part {
            // Otherwise a small workbook could cause many reads of one large part.
            Some(part) if !parts_read.insert(&part.name) => {
                return Err(PackageError::entry(&part.name, "used by more than one sheet"));
            }
            Some(part) => parts.read(part, |xml, memory| sheet::rows(xml, &data, memory))?,
            None => Some(Vec::new()),
        };
        if let Some(rows) = rows {
            result.push(Sheet { name, rows });
        }
    }
    parts.memory.release(held);
    Ok(result)
}

/// Replaces the error of an invalid part with a default value. Other errors are kept.
fn ignore_invalid<T: Default>(error: PackageError) -> Result<T, PackageError> {
    if matches!(error, PackageError::Invalid(_)) { Ok(T::default()) } else { Err(error) }
}

/// The parts of the workbook by name, ignoring case (ECMA-376 part 2, 6.2.2.3).
struct WorkbookParts<'a, R> {
    archive: &'a Archive<R>,
    by_name: HashMap<String, &'a Entry>,
    memory: &'a mut MemoryBudget,
    cancelled: &'a AtomicBool,
}

impl<'a, R: Read + Seek + Clone> WorkbookParts<'a, R> {
    fn new(archive: &'a Archive<R>, memory: &'a mut MemoryBudget, cancelled: &'a AtomicBool) -> Self {
        let by_name = archive.files().iter().map(|part| (part.name.to_ascii_lowercase(), part)).collect();
        Self { archive, by_name, memory, cancelled }
    }

    /// Returns the workbook part according to the relationships, else the first part with that name.
    fn workbook(&mut self) -> Result<&'a Entry, PackageError> {
        let relationships = match self.find("", "_rels/.rels") {
            Some(part) => self.read(part, relationships).or_else(ignore_invalid)?,
            None => HashMap::new(),
        };
        let related = relationships.values().find(|relationship| relationship.is("officeDocument"));
        let related = related.and_then(|relationship| self.find("", &relationship.target));
        let named = || self.archive.files().iter().find(|part| part.file_name().eq_ignore_ascii_case("workbook.xml"));
        related.or_else(named).ok_or_else(|| PackageError::invalid("no workbook part"))
    }

    /// Resolves a target relative to a folder: `sheet1.xml`, `../media/a.png`, `/xl/styles.xml`.
    fn find(&self, folder: &str, target: &str) -> Option<&'a Entry> {
        let target = target.replace('\\', "/").to_ascii_lowercase();
        let folder = folder.to_ascii_lowercase();
        let absolute = if target.starts_with('/') { target.clone() } else { format!("{folder}/{target}") };
        let mut path: Vec<&str> = Vec::new();
        for part in absolute.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(path.pop()),
                part => path.push(part),
            }
        }
        // Some writers omit the leading slash of an absolute path.
        self.by_name.get(&path.join("/")).or_else(|| self.by_name.get(&target)).copied()
    }

    /// Reads and parses a part. The part is charged to the memory budget while it is parsed.
    fn read<T>(
        &mut self,
        part: &Entry,
        parse: impl FnOnce(&mut XmlPart<'_>, &mut MemoryBudget) -> Result<T, PackageError>,
    ) -> Result<T, PackageError> {
        self.memory.rollback_on_error(|memory| {
            let mut held = usize::try_from(part.size).unwrap_or(usize::MAX);
            memory.charge(held)?;
            let bytes = self.archive.read(part, self.cancelled)?;
            let text = decode(&bytes);
            if let Cow::Owned(text) = &text {
                memory.charge(text.capacity())?;
                held += text.capacity();
            }
            let parsed = parse(&mut XmlPart::new(&text, &part.name, self.cancelled), memory)?;
            memory.release(held);
            Ok(parsed)
        })
    }
}

/// A relationship between two parts.
struct Relationship {
    kind: String,
    target: String,
}

impl Relationship {
    /// Compares the last component of the type. The URI before it differs between transitional and strict ECMA-376.
    fn is(&self, kind: &str) -> bool {
        self.kind.rsplit('/').next() == Some(kind)
    }
}

/// Reads relationships by their ids.
fn relationships(
    xml: &mut XmlPart<'_>,
    memory: &mut MemoryBudget,
) -> Result<HashMap<String, Relationship>, PackageError> {
    let mut relationships = HashMap::new();
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let value = |name| attribute(&element, name).unwrap_or_default().into_owned();
                let (id, relationship) = (value("Id"), Relationship { kind: value("Type"), target: value("Target") });
                memory.charge(LIST_ITEM_OVERHEAD + id.len() + relationship.kind.len() + relationship.target.len())?;
                relationships.insert(id, relationship);
            }
            Event::Eof => return Ok(relationships),
            _ => {}
        }
    }
}

/// The content of the workbook part.
struct WorkbookPart {
    sheets: Vec<ListedSheet>,
    from_1904: bool,
}

/// A sheet of the workbook part and the id of its relationship.
struct ListedSheet {
    name: String,
    id: String,
}

fn workbook(xml: &mut XmlPart<'_>, memory: &mut MemoryBudget) -> Result<WorkbookPart, PackageError> {
    let mut book = WorkbookPart { sheets: Vec::new(), from_1904: false };
    loop {
        match xml.next()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "sheet" => {
                    let value = |name| attribute(&element, name).unwrap_or_default().into_owned();
                    let sheet = ListedSheet { name: value("name"), id: value("id") };
                    memory.charge(LIST_ITEM_OVERHEAD + sheet.name.len() + sheet.id.len())?;
                    book.sheets.push(sheet);
                }
                "workbookPr" => {
                    // Combined, because an extension has an element of the same name.
                    let flag = attribute(&element, "date1904");
                    book.from_1904 |= flag.is_some_and(|flag| matches!(flag.trim(), "1" | "true" | "on"));
                }
                _ => {}
            },
            Event::Eof => return Ok(book),
            _ => {}
        }
    }
}

/// Reads the shared strings. Their memory is charged while the part is parsed; the caller charges the result.
fn read_shared_strings(xml: &mut XmlPart<'_>, memory: &mut MemoryBudget) -> Result<SharedStrings, PackageError> {
    let mut shared_strings = SharedStrings::default();
    let mut charged = 0;
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "si" => {
                let before = shared_strings.buffer.len();
                sheet::rich_text(xml, &mut shared_strings.buffer)?;
                let cost = shared_strings.buffer.len() - before + size_of::<u32>();
                memory.charge(cost)?;
                charged += cost;
                let end = u32::try_from(shared_strings.buffer.len())
                    .map_err(|_| PackageError::invalid("more than 4 GiB of shared strings"))?;
                shared_strings.ends.push(end);
            }
            Event::Eof => {
                shared_strings.buffer.shrink_to_fit();
                shared_strings.ends.shrink_to_fit();
                memory.release(charged);
                return Ok(shared_strings);
            }
            _ => {}
        }
    }
}

/// Reads the number formats. Their memory is charged while the part is parsed; the caller charges the result.
fn formats(xml: &mut XmlPart<'_>, memory: &mut MemoryBudget) -> Result<Vec<NumberFormat>, PackageError> {
    const COST: usize = size_of::<u32>() + size_of::<NumberFormat>();
    let mut custom = HashMap::new();
    let mut ids: Vec<u32> = Vec::new();
    let (mut in_formats, mut in_cells) = (false, false);
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(element) => {
                let id = || attribute(element, "numFmtId").and_then(|id| id.trim().parse().ok());
                match element.local_name().as_ref() {
                    "numFmts" => in_formats = true,
                    "cellXfs" => in_cells = true,
                    "numFmt" if in_formats => {
                        if let Some((id, code)) = id().zip(attribute(element, "formatCode")) {
                            memory.charge(2 * COST)?;
                            custom.insert(id, NumberFormat::of_code(&code));
                        }
                    }
                    "xf" if in_cells => {
                        memory.charge(COST)?;
                        ids.push(id().unwrap_or_default());
                    }
                    _ => {}
                }
            }
            Event::End(element) => match element.local_name().as_ref() {
                "numFmts" => in_formats = false,
                "cellXfs" => in_cells = false,
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    memory.release((2 * custom.len() + ids.len()) * COST);
    let format = |id: u32| custom.get(&id).copied().unwrap_or_else(|| NumberFormat::built_in(id));
    Ok(ids.into_iter().map(format).collect())
}
