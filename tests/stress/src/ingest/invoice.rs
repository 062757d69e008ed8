//! Invoices with numbers of their own. The program `tests/bench` is built with this file, too, so that the file uses nothing of this crate.

const SAMPLE: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../documine/examples/samples/invoice.pdf"));
const SAMPLE_NUMBER: &str = "INV-2024-00318";

/// Returns an invoice whose number ends with `number`, which has at most five digits.
pub(crate) fn invoice(number: u32) -> Vec<u8> {
    let mut pdf = SAMPLE.to_vec();
    let own = format!("INV-2024-{number:05}");
    let is_number = |place: &usize| SAMPLE[*place..].starts_with(SAMPLE_NUMBER.as_bytes());
    for place in (0..SAMPLE.len()).filter(is_number) {
        pdf.splice(place..place + SAMPLE_NUMBER.len(), own.bytes());
    }
    pdf
}
