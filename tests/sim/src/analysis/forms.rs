//! Forms are drawings that other drawings contain. Those that contain themselves, or multiply without end, are emptied before the library follows them.

use std::collections::HashMap;

use pdf_extract::{Dictionary, Document, Object, ObjectId};

/// Drawing more forms than that takes longer than anybody waits.
const MOST_DRAWN: u64 = 50_000;
/// Deeper nesting is nothing that a program would make.
const DEEPEST: u32 = 40;

/// Empties the forms that can't be drawn in reasonable time.
pub(super) fn tame(document: &mut Document) {
    let forms: Vec<ObjectId> =
        document.objects.iter().filter(|(_, object)| form(object).is_some()).map(|(id, _)| *id).collect();
    let mut costs = HashMap::new();
    let wild: Vec<ObjectId> = forms
        .into_iter()
        .filter(|id| cost(document, *id, &mut costs, 0).is_none_or(|cost| cost > MOST_DRAWN))
        .collect();
    for id in wild {
        if let Some(Object::Stream(stream)) = document.objects.get_mut(&id) {
            stream.dict.remove(b"Filter");
            stream.dict.remove(b"DecodeParms");
            stream.set_content(Vec::new());
        }
    }
}

fn form(object: &Object) -> Option<&pdf_extract::Stream> {
    let Object::Stream(stream) = object else { return None };
    stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Form").then_some(stream)
}

/// How many forms are drawn when this one is; nothing for one that contains itself or lies too deep.
fn cost(document: &Document, id: ObjectId, known: &mut HashMap<ObjectId, Option<u64>>, depth: u32) -> Option<u64> {
    if let Some(cost) = known.get(&id) {
        return *cost;
    }
    let stream = form(document.objects.get(&id)?)?;
    // Whoever comes back here while the sum is made has run in a circle.
    known.insert(id, None);
    let cost = (depth < DEEPEST).then(|| inner_cost(document, stream, known, depth)).flatten();
    known.insert(id, cost);
    cost
}

fn inner_cost(
    document: &Document,
    stream: &pdf_extract::Stream,
    known: &mut HashMap<ObjectId, Option<u64>>,
    depth: u32,
) -> Option<u64> {
    let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
    let drawn = content.windows(2).filter(|window| window == b"Do").count() as u64;
    if drawn == 0 {
        return Some(1);
    }
    let resources = stream.dict.get(b"Resources").and_then(|resources| document.dereference(resources)?.1.as_dict());
    // Without resources of its own it draws by the names of whoever draws it, which may be its own name.
    let objects = document.get_dict_in_dict(resources.ok()?, b"XObject").ok();
    let mut dearest = 0;
    for (_, object) in objects.into_iter().flat_map(Dictionary::iter) {
        if let Ok(id) = object.as_reference()
            && document.objects.get(&id).and_then(form).is_some()
        {
            dearest = dearest.max(cost(document, id, known, depth + 1)?);
        }
    }
    Some(drawn.saturating_mul(dearest).saturating_add(1))
}
