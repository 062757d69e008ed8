//! Documents to upload: the sample, as large as wanted.

use bytes::Bytes;

use crate::Failure;

// A link, so that cargo packs it with the rest.
const SAMPLE: &[u8] = include_bytes!("invoice.pdf");

/// The sample with so much behind it, and its end once more, which says where everything is.
pub(crate) fn document(bytes: usize, random: &mut fastrand::Rng) -> Result<Bytes, Failure> {
    const END: &[u8] = b"startxref";
    let end = SAMPLE.windows(END.len()).rposition(|text| text == END).ok_or("the sample has no end")?;
    let mut document = [SAMPLE, b"\n%"].concat();
    let begin = document.len();
    document.resize(begin + bytes, 0);
    random.fill(&mut document[begin..]);
    document.push(b'\n');
    document.extend_from_slice(&SAMPLE[end..]);
    Ok(document.into())
}
