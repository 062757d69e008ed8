//! Accepted and rejected notations, and round trips of generated numbers.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::{NotANumber, Notation, boolean, float, integer, plain};

#[test]
fn reads_unambiguous_notations() {
    for (text, expected) in [
        ("0", 0.0),
        ("007", 7.0),
        (" 42\n", 42.0),
        ("+5", 5.0),
        ("-5", -5.0),
        ("\u{2212}5", -5.0),
        ("\u{2013}5", -5.0),
        ("\u{2011}5", -5.0),
        ("\u{2010}5", -5.0),
        ("\u{2012}5", -5.0),
        ("\u{fe63}5", -5.0),
        ("\u{ff0d}5", -5.0),
        ("\u{ad}5", -5.0),
        ("- 5", -5.0),
        ("\u{2212}\u{a0}1 234,5", -1234.5),
        ("+ 5", 5.0),
        ("\u{ff0b}5", 5.0),
        ("\u{200e}-5", -5.0),
        ("\u{feff}5\u{200b}", 5.0),
        ("\u{ff11}\u{ff0c}\u{ff12}\u{ff13}\u{ff14}\u{ff0e}\u{ff15}", 1234.5),
        ("1.5e\u{2212}3", 0.0015),
        ("1\u{2007}234", 1234.0),
        ("1\u{2008}234\u{200a}567", 1_234_567.0),
        ("1\u{3000}234", 1234.0),
        ("1 234\u{a0}567", 1_234_567.0),
        ("1\u{2bc}234\u{2018}567", 1_234_567.0),
        ("1.234", 1.234),
        ("12,5", 12.5),
        ("0,125", 0.125),
        ("1234,567", 1234.567),
        ("1,234.50", 1234.5),
        ("1.234,50", 1234.5),
        ("1,234,567", 1_234_567.0),
        ("1.234.567", 1_234_567.0),
        ("1,234,567.89", 1_234_567.89),
        ("1.234.567,89", 1_234_567.89),
        ("1 234", 1234.0),
        ("1\u{a0}234\u{a0}567", 1_234_567.0),
        ("1\u{202f}234,5", 1234.5),
        ("1 234,567", 1234.567),
        ("1'234.50", 1234.5),
        ("1\u{2019}234", 1234.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("2,5e+2", 250.0),
    ] {
        assert_eq!(float(text), Ok(expected), "{text:?}");
    }
}

#[test]
fn rejects_texts_that_are_not_numbers() {
    for text in [
        "",
        " ",
        "-",
        "+",
        ".",
        ",",
        "abc",
        "12 kg",
        "EUR 5",
        "5%",
        "1.",
        ".5",
        "1,",
        ",5",
        "1..2",
        "1,,2",
        "1,2,3",
        "1,23,456",
        "12,34.5",
        "1,234.5,6",
        "1.234,5.6",
        "1 23",
        "1  234",
        "1 234'567",
        "0 123",
        "0,123,456",
        "1234,567,890",
        "1e",
        "e5",
        "1e5.5",
        "1e+",
        "NaN",
        "inf",
        "infinity",
        "1e999",
        "--5",
        "+-5",
        "- -5",
        "+ -5",
        "1\n234",
        "1\t234",
        "-\n5",
        "\u{2014}5",
        "(5)",
        "5-",
        "5+",
        "0x10",
        "1_000",
        "١٢",
    ] {
        assert_eq!(float(text), Err(NotANumber::Malformed), "{text:?}");
        assert_eq!(integer::<i64>(text), Err(NotANumber::Malformed), "{text:?}");
    }
}

#[test]
fn rejects_one_comma_before_three_digits() {
    for text in ["1,234", "12,345", "-123,456", " 1,000 "] {
        assert_eq!(float(text), Err(NotANumber::Ambiguous), "{text:?}");
        assert_eq!(integer::<u64>(text), Err(NotANumber::Ambiguous), "{text:?}");
    }
    assert_eq!(plain("1,234", Notation::Point), Ok("1234".to_owned()));
    assert_eq!(plain("1,234", Notation::Comma), Ok("1.234".to_owned()));
    assert_eq!(plain("1.234", Notation::Comma), Ok("1234".to_owned()));
    assert_eq!(plain("1.234,5", Notation::Point), Err(NotANumber::Malformed));
    assert_eq!(plain("1,234.5", Notation::Comma), Err(NotANumber::Malformed));
}

#[test]
fn stated_notation_reads_negative_forms_of_accounting() {
    for (text, expected) in [
        ("(1,234.50)", "-1234.50"),
        ("( 1,234.50 )", "-1234.50"),
        ("\u{ff08}1,234.50\u{ff09}", "-1234.50"),
        ("1,234.50-", "-1234.50"),
        ("1,234.50 -", "-1234.50"),
        ("1,234.50\u{2212}", "-1234.50"),
        ("- 1,234.50", "-1234.50"),
        ("\u{2013}1,234.50", "-1234.50"),
        ("+1,234.50", "1234.50"),
    ] {
        assert_eq!(plain(text, Notation::Point).as_deref(), Ok(expected), "{text:?}");
        let swapped: String = text
            .chars()
            .map(|c| match c {
                ',' => '.',
                '.' => ',',
                c => c,
            })
            .collect();
        assert_eq!(plain(&swapped, Notation::Comma).as_deref(), Ok(expected), "{swapped:?}");
    }
    for text in ["(-5)", "-(5)", "-5-", "(5", "5)", "(5)-", "((5))", "()", "( )", "-", "5+", "5--", "(+5)"] {
        assert_eq!(plain(text, Notation::Point), Err(NotANumber::Malformed), "{text:?}");
    }
}

#[test]
fn integers_reject_decimals_and_overflow() {
    for text in ["1.5", "1,5", "15.00", "1.234", "1e3"] {
        assert_eq!(integer::<u32>(text), Err(NotANumber::Malformed), "{text:?}");
    }
    assert_eq!(integer::<u8>("255"), Ok(255));
    assert_eq!(integer::<u8>("256"), Err(NotANumber::Malformed));
    assert_eq!(integer::<u8>("-1"), Err(NotANumber::Malformed));
    assert_eq!(integer::<i8>("-128"), Ok(-128));
    assert_eq!(integer::<u128>("340282366920938463463374607431768211455"), Ok(u128::MAX));
}

#[test]
fn truth_in_any_case() {
    for text in ["true", "TRUE", "Yes", " yes ", "1"] {
        assert_eq!(boolean(text), Some(true), "{text:?}");
    }
    for text in ["false", "False", "NO", "0"] {
        assert_eq!(boolean(text), Some(false), "{text:?}");
    }
    for text in ["", "y", "2", "ja", "truee", "on"] {
        assert_eq!(boolean(text), None, "{text:?}");
    }
}

/// Generates a fixed sequence of numbers (splitmix64).
fn numbers(count: usize) -> impl Iterator<Item = u64> {
    let mut state = 0x5eed_u64;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // Spreads the numbers over all magnitudes.
        (z ^ (z >> 31)) >> (z % 64)
    })
    .take(count)
}

fn grouped(number: u64, separator: &str) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push_str(separator);
        }
        out.push(digit);
    }
    out
}

#[test]
fn integers_round_trip() {
    for number in numbers(5000) {
        assert_eq!(integer::<u64>(&number.to_string()), Ok(number));
        assert_eq!(integer::<i128>(&format!(" -{number} ")), Ok(-i128::from(number)));
        for separator in [" ", "'", "\u{a0}", "\u{202f}"] {
            let text = grouped(number, separator);
            assert_eq!(integer::<u64>(&text), Ok(number), "{text:?}");
        }
        for (separator, notation) in [(",", Notation::Point), (".", Notation::Comma)] {
            let text = grouped(number, separator);
            assert_eq!(plain(&text, notation).map(|text| text.parse()), Ok(Ok(number)), "{text:?}");
            let read = integer::<u64>(&text);
            // With a single mark the text is ambiguous; it is rejected, never misread.
            assert!(read == Ok(number) || (number / 1000 < 1000 && read.is_err()), "{text:?} was read as {read:?}");
        }
    }
}

#[test]
fn floats_round_trip() {
    for bits in numbers(5000) {
        let number = f64::from_bits(bits);
        if number.is_finite() {
            assert_eq!(float(&number.to_string()), Ok(number));
            assert_eq!(float(&format!("{number:e}")), Ok(number));
        }
    }
    for number in numbers(5000) {
        let cents = number % 100;
        let expected: f64 = format!("{number}.{cents:02}").parse().unwrap();
        for (group, mark) in [(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")] {
            let text = format!("{}{mark}{cents:02}", grouped(number, group));
            assert_eq!(float(&text), Ok(expected), "{text:?}");
        }
    }
}

#[test]
fn never_panics() {
    let marks: Vec<char> = "0159.,'+-eE \u{a0}\u{2212}x%é()\u{200e}".chars().collect();
    for mut seed in numbers(20_000) {
        let mut text = String::new();
        while seed > 0 {
            text.push(marks[usize::try_from(seed % 20).unwrap() % marks.len()]);
            seed /= 20;
        }
        if let Ok(read) = plain(&text, Notation::Evident) {
            assert!(read.parse::<f64>().is_ok(), "{text:?} became {read:?}");
        }
        let _ = (float(&text), integer::<i32>(&text), boolean(&text));
    }
}
