//! File names that every operating system accepts.

/// Converts a text to a file name that every system accepts.
pub(crate) fn safe_name(text: &str) -> String {
    let text = text.trim_start();
    let mut safe = String::from(if is_device_name(text) { "_" } else { "" });
    for letter in text.chars().take(100) {
        let letter = if letter.is_control() || r#"/\:*?"<>|"#.contains(letter) { '_' } else { letter };
        // Systems limit bytes, and an extension follows.
        if safe.len() + letter.len_utf8() > 200 {
            break;
        }
        safe.push(letter);
    }
    let safe = safe.trim_end_matches(|letter: char| letter == '.' || letter.is_whitespace());
    if safe.is_empty() { "package".to_owned() } else { safe.to_owned() }
}

/// Returns whether Windows reserves the name for a device, with any extension.
fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    match stem.as_bytes() {
        b"CON" | b"PRN" | b"AUX" | b"NUL" => true,
        [b'C', b'O', b'M', number] | [b'L', b'P', b'T', number] => matches!(number, b'1'..=b'9'),
        _ => false,
    }
}
