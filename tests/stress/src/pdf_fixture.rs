//! PDF documents of any size, made from the sample.

use bytes::Bytes;

use crate::Failure;

// A copy of the sample invoice, so that cargo packages the file with the crate.
const SAMPLE: &[u8] = include_bytes!("invoice.pdf");

/// Returns the sample with `bytes` of random data appended as a comment, followed by a copy of its trailer, which locates all objects.
pub(crate) fn document(bytes: usize, random: &mut fastrand::Rng) -> Result<Bytes, Failure> {
    const END: &[u8] = b"startxref";
    let end = SAMPLE.windows(END.len()).rposition(|text| text == END).ok_or("the sample has no trailer")?;
    let mut document = [SAMPLE, b"\n%"].concat();
    let begin = document.len();
    document.resize(begin + bytes, 0);
    random.fill(&mut document[begin..]);
    document.push(b'\n');
    document.extend_from_slice(&SAMPLE[end..]);
    Ok(document.into())
}
