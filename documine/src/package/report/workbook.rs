//! The parts of a workbook: which sheets it has, their shared texts and number formats.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use quick_xml::events::Event;

use super::number_format::NumberFormat;
use super::xml::{Xml, attribute, decode};
use super::{MemoryBudget, Sheet, sheet};
use crate::package::archive::Archive;
use crate::package::entry::Entry;
use crate::package::trouble::{Trouble, go_on};

/// The memory that a relation or a listed sheet takes beside its letters.
const LISTED: usize = 192;

/// The data that cells of all sheets refer to.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) texts: Texts,
    /// By the number of a cell's style.
    pub(super) formats: Vec<NumberFormat>,
    pub(super) from_1904: bool,
}

/// The shared texts, one behind the other: an empty one takes four bytes, fewer than it has in the part.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.all.get(start as usize..end as usize)
    }
}

/// Reads the sheets of a workbook, in the workbook's order. Sheets that are charts are left out.
pub(super) fn read<R: Read + Seek + Clone>(
    archive: &Archive<R>,
    memory: &mut MemoryBudget,
    stop: &AtomicBool,
) -> Result<Vec<Sheet>, Trouble> {
    let mut parts = Parts::new(archive, memory, stop);
    let book = parts.workbook()?;
    let folder = book.name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let relations = match parts.find(folder, &format!("_rels/{}.rels", book.file_name())) {
        Some(part) => parts.read(part, relations)?,
        None => HashMap::new(),
    };
    let Book { sheets, from_1904 } = parts.read(book, workbook)?;
    let named = |kind: &str| {
        let found =
            relations.values().find(|relation| relation.is(kind)).and_then(|found| parts.find(folder, &found.target));
        found.or_else(|| parts.find(folder, &format!("{kind}.xml")))
    };
    let (texts, styles) = (named("sharedStrings"), named("styles"));
    let texts = match texts {
        Some(part) => parts.read(part, texts_of)?,
        None => Texts::default(),
    };
    // What can't be read of the styles costs no value.
    let formats = styles.map_or_else(|| Ok(Vec::new()), |part| parts.read(part, formats)).or_else(only_refused)?;
    let held = texts.all.capacity()
        + texts.ends.capacity() * size_of::<u32>()
        + formats.capacity() * size_of::<NumberFormat>();
    parts.memory.take(held)?;
    let shared = Shared { texts, formats, from_1904 };
    let related = |id: &str| relations.get(id).and_then(|relation| parts.find(folder, &relation.target));
    let found_parts: Vec<Option<&Entry>> = sheets.iter().map(|sheet| related(&sheet.id)).collect();
    let known: HashSet<&str> = found_parts.iter().flatten().map(|part| part.name.as_str()).collect();
    let mut read = HashSet::new();
    let mut found = Vec::new();
    for (index, (ListedSheet { name, .. }, part)) in sheets.into_iter().zip(found_parts).enumerate() {
        go_on(stop)?;
        // By its number, but never the part of another sheet.
        let by_number = || parts.find(folder, &format!("worksheets/sheet{}.xml", index + 1));
        let part = part.or_else(|| by_number().filter(|part| !known.contains(part.name.as_str())));
        let rows = match part {
            // Else a small workbook could have one large part read any number of times.
            Some(part) if !read.insert(&part.name) => {
                return Err(Trouble::entry(&part.name, "is more than one of its sheets"));
            }
            Some(part) => parts.read(part, |xml, memory| sheet::rows(xml, &shared, memory))?,
            None => Some(Vec::new()),
        };
        if let Some(rows) = rows {
            found.push(Sheet { name, rows });
        }
    }
    parts.memory.give_back(held);
    Ok(found)
}

/// Keeps the end of the work, and forgets what is wrong with a part.
fn only_refused<T: Default>(trouble: Trouble) -> Result<T, Trouble> {
    if matches!(trouble, Trouble::Refused(_)) { Ok(T::default()) } else { Err(trouble) }
}

/// The parts by their names, whose case does not count (ECMA-376 part 2, 6.2.2.3).
struct Parts<'a, R> {
    archive: &'a Archive<R>,
    by_name: HashMap<String, &'a Entry>,
    memory: &'a mut MemoryBudget,
    stop: &'a AtomicBool,
}

impl<'a, R: Read + Seek + Clone> Parts<'a, R> {
    fn new(archive: &'a Archive<R>, memory: &'a mut MemoryBudget, stop: &'a AtomicBool) -> Self {
        let by_name = archive.files().iter().map(|part| (part.name.to_ascii_lowercase(), part)).collect();
        Self { archive, by_name, memory, stop }
    }

    /// The part that the package says is the workbook, else the first one that is called so.
    fn workbook(&mut self) -> Result<&'a Entry, Trouble> {
        let relations = match self.find("", "_rels/.rels") {
            Some(part) => self.read(part, relations).or_else(only_refused)?,
            None => HashMap::new(),
        };
        let said = relations.values().find(|relation| relation.is("officeDocument"));
        let said = said.and_then(|relation| self.find("", &relation.target));
        let called = || self.archive.files().iter().find(|part| part.file_name().eq_ignore_ascii_case("workbook.xml"));
        said.or_else(called).ok_or_else(|| Trouble::refused("it holds no workbook"))
    }

    /// The part that a target names, seen from a folder: `sheet1.xml`, `../media/a.png`, `/xl/styles.xml`.
    fn find(&self, folder: &str, target: &str) -> Option<&'a Entry> {
        let target = target.replace('\\', "/").to_ascii_lowercase();
        let folder = folder.to_ascii_lowercase();
        let whole = if target.starts_with('/') { target.clone() } else { format!("{folder}/{target}") };
        let mut path: Vec<&str> = Vec::new();
        for part in whole.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(path.pop()),
                part => path.push(part),
            }
        }
        // Some writers name a part from the outermost folder without saying so.
        self.by_name.get(&path.join("/")).or_else(|| self.by_name.get(&target)).copied()
    }

    /// Reads a part, which is in memory meanwhile.
    fn read<T>(
        &mut self,
        part: &Entry,
        parse: impl FnOnce(&mut Xml<'_>, &mut MemoryBudget) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.memory.unless_failed(|memory| {
            let mut held = usize::try_from(part.size).unwrap_or(usize::MAX);
            memory.take(held)?;
            let bytes = self.archive.read(part, self.stop)?;
            let text = decode(&bytes);
            if let Cow::Owned(text) = &text {
                memory.take(text.capacity())?;
                held += text.capacity();
            }
            let parsed = parse(&mut Xml::new(&text, &part.name, self.stop), memory)?;
            memory.give_back(held);
            Ok(parsed)
        })
    }
}

/// A relation of one part to another.
struct Relation {
    kind: String,
    target: String,
}

impl Relation {
    /// By the last part of its type: what stands before it has two spellings (ECMA-376, transitional and strict).
    fn is(&self, kind: &str) -> bool {
        self.kind.rsplit('/').next() == Some(kind)
    }
}

/// Reads relations by their ids.
fn relations(xml: &mut Xml<'_>, memory: &mut MemoryBudget) -> Result<HashMap<String, Relation>, Trouble> {
    let mut relations = HashMap::new();
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let of = |name| attribute(&element, name).unwrap_or_default().into_owned();
                let (id, relation) = (of("Id"), Relation { kind: of("Type"), target: of("Target") });
                memory.take(LISTED + id.len() + relation.kind.len() + relation.target.len())?;
                relations.insert(id, relation);
            }
            Event::Eof => return Ok(relations),
            _ => {}
        }
    }
}

struct Book {
    sheets: Vec<ListedSheet>,
    from_1904: bool,
}

/// A sheet by its name and the id of its relation.
struct ListedSheet {
    name: String,
    id: String,
}

fn workbook(xml: &mut Xml<'_>, memory: &mut MemoryBudget) -> Result<Book, Trouble> {
    let mut book = Book { sheets: Vec::new(), from_1904: false };
    loop {
        match xml.next()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "sheet" => {
                    let of = |name| attribute(&element, name).unwrap_or_default().into_owned();
                    let sheet = ListedSheet { name: of("name"), id: of("id") };
                    memory.take(LISTED + sheet.name.len() + sheet.id.len())?;
                    book.sheets.push(sheet);
                }
                "workbookPr" => {
                    // An extension has an element of the same name.
                    let says = attribute(&element, "date1904");
                    book.from_1904 |= says.is_some_and(|says| matches!(says.trim(), "1" | "true" | "on"));
                }
                _ => {}
            },
            Event::Eof => return Ok(book),
            _ => {}
        }
    }
}

/// While the part is read, the texts count beside it; what stays of them is for the caller to count.
fn texts_of(xml: &mut Xml<'_>, memory: &mut MemoryBudget) -> Result<Texts, Trouble> {
    let mut texts = Texts::default();
    let mut counted = 0;
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "si" => {
                let before = texts.all.len();
                sheet::rich_text(xml, &mut texts.all)?;
                let cost = texts.all.len() - before + size_of::<u32>();
                memory.take(cost)?;
                counted += cost;
                let end =
                    u32::try_from(texts.all.len()).map_err(|_| Trouble::refused("it has more than 4 GiB of texts"))?;
                texts.ends.push(end);
            }
            Event::Eof => {
                texts.all.shrink_to_fit();
                texts.ends.shrink_to_fit();
                memory.give_back(counted);
                return Ok(texts);
            }
            _ => {}
        }
    }
}

/// While the part is read, the formats count beside it; what stays of them is for the caller to count.
fn formats(xml: &mut Xml<'_>, memory: &mut MemoryBudget) -> Result<Vec<NumberFormat>, Trouble> {
    const COST: usize = size_of::<u32>() + size_of::<NumberFormat>();
    let mut own = HashMap::new();
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
                            memory.take(2 * COST)?;
                            own.insert(id, NumberFormat::of_code(&code));
                        }
                    }
                    "xf" if in_cells => {
                        memory.take(COST)?;
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
    memory.give_back((2 * own.len() + ids.len()) * COST);
    let format = |id: u32| own.get(&id).copied().unwrap_or_else(|| NumberFormat::built_in(id));
    Ok(ids.into_iter().map(format).collect())
}
