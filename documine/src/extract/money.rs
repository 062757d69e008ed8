//! Amounts of money: a number and a currency.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::text::{self, NotANumber, Notation, could_group};

/// An amount of money with its currency.
///
/// Parses `EUR 1.234,50`, `$1,234.50`, `1 234,50 €`, `(£1,234.50)`, `1.234,50- EUR`, `CHF 1'234.–` and amounts without a currency. `N` is any number
/// type that parses from digits with a point: `f64`, `rust_decimal::Decimal`, `bigdecimal::BigDecimal`. A single comma before three digits (`1,234`)
/// is an error and, unlike in plain numbers, so is a single point (`1.234`): the field needs [`with::decimal_point`](super::with::decimal_point) or
/// [`with::decimal_comma`](super::with::decimal_comma).
///
/// Serializes to text (`EUR 1234.50`) and deserializes from it.
///
/// ```
/// use documine::extract::{Money, NamedValues};
///
/// #[derive(serde::Deserialize)]
/// struct Invoice { total: Money }
///
/// let values = ["EUR 1.234,50".to_owned()];
/// let invoice: Invoice = NamedValues::new([("total", &values[..])]).extract()?;
/// assert_eq!((invoice.total.amount, invoice.total.iso_code()), (1234.5, Some("EUR")));
/// # Ok::<(), documine::extract::ExtractError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Money<N = f64> {
    /// The number; negative for a credit note.
    pub amount: N,
    /// The currency as written in the document: `EUR`, `€`, `US$`. `None` if there is none.
    pub currency: Option<String>,
}

impl<N> Money<N> {
    /// Creates an amount in a currency (`EUR`, `€`).
    pub fn new(amount: N, currency: impl Into<String>) -> Self {
        Self { amount, currency: Some(currency.into()) }
    }

    /// Returns the ISO 4217 code, if the document states it or the symbol belongs to one currency: `EUR` for `€`.
    ///
    /// `None` for `$`, `¥` and `kr`, which several currencies share.
    pub fn iso_code(&self) -> Option<&'static str> {
        match currencies(self.currency.as_deref()?) {
            [code] => Some(code),
            _ => None,
        }
    }
}

impl<N: Display> Display for Money<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.currency {
            Some(currency) => write!(f, "{currency} {}", self.amount),
            None => self.amount.fmt(f),
        }
    }
}

impl<N: Display> Serialize for Money<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let amount = unambiguous(self.amount.to_string());
        serializer.collect_str(&Money { amount, currency: self.currency.clone() })
    }
}

impl<'de, N: FromStr> Deserialize<'de> for Money<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A component is a text; numbers occur in JSON files.
        struct Amount<N>(PhantomData<N>);

        impl<N: FromStr> Visitor<'_> for Amount<N> {
            type Value = Money<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as EUR 1,234.50")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let invalid = || E::invalid_value(Unexpected::Str(text), &self);
                let (amount, currency) = parse(text, Notation::Evident).map_err(|why| match why {
                    NotANumber::Ambiguous => E::custom(expected(why)),
                    NotANumber::Malformed => invalid(),
                })?;
                Ok(Money { amount: amount.parse().map_err(|_| invalid())?, currency })
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                self.visit_str(&unambiguous(number.to_string()))
            }
        }

        deserializer.deserialize_any(Amount(PhantomData))
    }
}

#[cfg(feature = "schemars")]
impl<N> schemars::JsonSchema for Money<N> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "An amount of money, such as EUR 1234.50" })
    }
}

/// Returns the reason in words.
pub(super) fn expected(why: NotANumber) -> &'static str {
    match why {
        NotANumber::Ambiguous => {
            "expected an unambiguous amount; with::decimal_point or with::decimal_comma on a Money states the notation"
        }
        NotANumber::Malformed => "expected an amount such as EUR 1,234.50",
    }
}

/// Splits an amount into a plain number (`-1234.50`) and the currency as written.
///
/// Without a stated notation a single mark before three digits is ambiguous, also a point: `EUR 1.234` is 1234 in one country and 1.234 in another.
pub(super) fn parse(text: &str, notation: Notation) -> Result<(String, Option<String>), NotANumber> {
    let ascii = text::in_ascii(text);
    let (amount, notation) = without_empty_cents(ascii.trim(), notation)?;
    // The sign stands outside the currency (`-€5`, `(EUR 5)`) or inside (`€-5`, `(5) EUR`).
    let (outer, unsigned) = outer_sign(&amount);
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '(' | ')');
    let start = unsigned.find(is_number).ok_or(NotANumber::Malformed)?;
    let end = unsigned.rfind(is_number).map_or(start, |last| last + 1);
    let currency = one_currency(unsigned[..start].trim(), unsigned[end..].trim())?;
    let (inner, digits) = text::sign(&unsigned[start..end])?;
    if outer && inner {
        return Err(NotANumber::Malformed);
    }
    if notation == Notation::Evident && could_group(digits) {
        return Err(NotANumber::Ambiguous);
    }
    let regrouped = without_lakhs(digits).filter(|_| notation != Notation::Comma);
    let mut number = text::unsigned_decimal(regrouped.as_deref().unwrap_or(digits), notation)?;
    if outer || inner {
        number.insert(0, '-');
    }
    Ok((number, currency.map(str::to_owned)))
}

/// Appends a fourth decimal to three, so that the point is not ambiguous.
pub(super) fn unambiguous(mut number: String) -> String {
    if could_group(number.trim_start_matches('-')) {
        number.push('0');
    }
    number
}

/// Removes the dash in place of cents (`1.234,-`, `1'234.–`, `5,--`); the mark before it determines the notation.
fn without_empty_cents(text: &str, notation: Notation) -> Result<(String, Notation), NotANumber> {
    let dashes = |text: &str| text.len() - text.trim_start_matches(['-', '\u{2014}']).len();
    let found = text.char_indices().find_map(|(at, mark)| {
        let rest = text.get(at + 1..).filter(|_| matches!(mark, ',' | '.'))?;
        let length = dashes(rest);
        let ends = !rest[length..].starts_with(|c: char| c.is_ascii_digit());
        (length > 0 && ends && text[..at].ends_with(|c: char| c.is_ascii_digit())).then_some((at, mark, length))
    });
    let Some((at, mark, length)) = found else { return Ok((text.to_owned(), notation)) };
    let evident = if mark == ',' { Notation::Comma } else { Notation::Point };
    if notation != Notation::Evident && notation != evident {
        return Err(NotANumber::Malformed);
    }
    Ok((format!("{}{}", &text[..at], &text[at + 1 + length..]), evident))
}

/// Removes the commas of Indian digit groups: `12,34,567.50`.
fn without_lakhs(digits: &str) -> Option<String> {
    let whole = digits.split('.').next()?;
    let groups: Vec<&str> = whole.split(',').collect();
    let [first, middle @ .., last] = &groups[..] else { return None };
    let fits = (1..=2).contains(&first.len())
        && !middle.is_empty()
        && middle.iter().all(|group| group.len() == 2)
        && last.len() == 3;
    (fits && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit())))
        .then(|| digits.replace(',', ""))
}

fn outer_sign(text: &str) -> (bool, &str) {
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (true, inner.trim())
    } else if let Some(rest) = text.strip_prefix('-') {
        (true, rest.trim_start())
    } else if let Some(rest) = text.strip_prefix('+') {
        (false, rest.trim_start())
    } else {
        text.strip_suffix('-').map_or((false, text), |rest| (true, rest.trim_end()))
    }
}

/// Returns the currency. If it is written twice (`$5 USD`), both must agree, and the more specific one is returned.
fn one_currency<'a>(front: &'a str, back: &'a str) -> Result<Option<&'a str>, NotANumber> {
    let written = || front.split_whitespace().chain(back.split_whitespace());
    let Some(narrowest) = written().min_by_key(|word| currencies(word).len()) else { return Ok(None) };
    let agree = |word| currencies(narrowest).iter().any(|code| currencies(word).contains(code));
    if written().all(agree) { Ok(Some(narrowest)) } else { Err(NotANumber::Malformed) }
}

/// Returns the ISO 4217 codes of a written currency; none for other words.
fn currencies(written: &str) -> &'static [&'static str] {
    if let Some(at) = CODES.iter().position(|code| *code == written) {
        return &CODES[at..=at];
    }
    // Codes are upper case. Common ones are accepted in any case, but `all` and `top`, for example, are words.
    let common = COMMON.iter().position(|code| code.eq_ignore_ascii_case(written)).map(|at| &COMMON[at..=at]);
    common
        .or_else(|| SYMBOLS.iter().find(|(symbol, _)| symbol.eq_ignore_ascii_case(written)).map(|(_, codes)| *codes))
        .unwrap_or_default()
}

const COMMON: [&str; 14] =
    ["EUR", "USD", "GBP", "CHF", "JPY", "CNY", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "CAD", "AUD"];

/// Symbols and abbreviations with their currencies.
const SYMBOLS: [(&str, &[&str]); 54] = [
    ("€", &["EUR"]),
    ("euro", &["EUR"]),
    ("euros", &["EUR"]),
    (
        "$",
        &[
            "USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU", "BRL", "NAD", "JMD",
            "BSD", "BBD", "BZD", "FJD", "TTD", "XCD", "LRD", "GYD", "SRD", "KYD", "BMD", "DOP",
        ],
    ),
    ("US$", &["USD"]),
    ("U.S.$", &["USD"]),
    ("A$", &["AUD"]),
    ("AU$", &["AUD"]),
    ("C$", &["CAD"]),
    ("CA$", &["CAD"]),
    ("Can$", &["CAD"]),
    ("HK$", &["HKD"]),
    ("NT$", &["TWD"]),
    ("NZ$", &["NZD"]),
    ("S$", &["SGD"]),
    ("MX$", &["MXN"]),
    ("R$", &["BRL"]),
    ("£", &["GBP"]),
    ("\u{ffe1}", &["GBP"]),
    ("¥", &["JPY", "CNY"]),
    ("\u{ffe5}", &["JPY", "CNY"]),
    ("CN¥", &["CNY"]),
    ("JP¥", &["JPY"]),
    ("RMB", &["CNY"]),
    ("Fr", &["CHF"]),
    ("Fr.", &["CHF"]),
    ("SFr", &["CHF"]),
    ("SFr.", &["CHF"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
    ("kr.", &["SEK", "NOK", "DKK", "ISK"]),
    ("zł", &["PLN"]),
    ("Kč", &["CZK"]),
    ("Ft", &["HUF"]),
    ("lei", &["RON", "MDL"]),
    ("лв", &["BGN"]),
    ("лв.", &["BGN"]),
    ("₽", &["RUB"]),
    ("₴", &["UAH"]),
    ("₺", &["TRY"]),
    ("₪", &["ILS"]),
    ("₹", &["INR"]),
    ("Rs", &["INR", "PKR", "LKR", "NPR", "MUR"]),
    ("Rs.", &["INR", "PKR", "LKR", "NPR", "MUR"]),
    ("₩", &["KRW"]),
    ("₫", &["VND"]),
    ("฿", &["THB"]),
    ("₱", &["PHP"]),
    ("₦", &["NGN"]),
    ("R", &["ZAR"]),
    ("RM", &["MYR"]),
    ("Rp", &["IDR"]),
    ("CAD$", &["CAD"]),
    ("USD$", &["USD"]),
    ("AUD$", &["AUD"]),
];

/// The active codes of ISO 4217, without funds, metals and test codes.
const CODES: [&str; 156] = [
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC",
    "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS",
    "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK",
    "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN",
    "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON",
    "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC",
    "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

#[cfg(test)]
mod tests;
