//! Currencies in common notations.

/// The codes of ISO 4217 in use.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE \
CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW \
KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR \
RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST \
XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// Signs and short forms; longer forms precede shorter ones with the same ending. A bare `$` counts as US dollar and `¥` as yen.
const SIGNS: [(&str, &str); 30] = [
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("AU$", "AUD"),
    ("NZ$", "NZD"),
    ("HK$", "HKD"),
    ("SG$", "SGD"),
    ("NT$", "TWD"),
    ("MX$", "MXN"),
    ("CN¥", "CNY"),
    ("RMB", "CNY"),
    ("R$", "BRL"),
    ("C$", "CAD"),
    ("A$", "AUD"),
    ("S$", "SGD"),
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("￡", "GBP"),
    ("¥", "JPY"),
    ("￥", "JPY"),
    ("₹", "INR"),
    ("₩", "KRW"),
    ("₽", "RUB"),
    ("₺", "TRY"),
    ("₪", "ILS"),
    ("₫", "VND"),
    ("₴", "UAH"),
    ("zł", "PLN"),
    ("Kč", "CZK"),
    ("Fr.", "CHF"),
];

/// Names of currencies in lower case.
const NAMES: [(&str, &str); 12] = [
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("us dollar", "USD"),
    ("us dollars", "USD"),
    ("u.s. dollar", "USD"),
    ("u.s. dollars", "USD"),
    ("pound sterling", "GBP"),
    ("pounds sterling", "GBP"),
    ("british pound", "GBP"),
    ("british pounds", "GBP"),
    ("swiss franc", "CHF"),
    ("swiss francs", "CHF"),
];

/// Returns whether `word` is a currency code in upper case.
pub(super) fn is_code(word: &str) -> bool {
    word.len() == 3 && CODES.split(' ').any(|code| code == word)
}

/// Returns the length of the currency at the beginning of `text`, in characters.
pub(super) fn at_start(text: &[char]) -> Option<usize> {
    let sign = SIGNS.iter().map(|(sign, _)| sign.chars().collect::<Vec<_>>());
    let sign = sign.filter(|sign| text.starts_with(sign)).map(|sign| sign.len()).max();
    let ends = |length: usize| !text.get(length).is_some_and(|letter| letter.is_alphabetic());
    sign.or_else(|| text.get(..3).is_some_and(|code| is_code(&code.iter().collect::<String>())).then_some(3))
        .filter(|length| ends(*length) || !text[*length - 1].is_alphabetic())
}

/// Returns the length of the currency at the end of `text`, in characters.
pub(super) fn at_end(text: &[char]) -> Option<usize> {
    let sign = SIGNS.iter().map(|(sign, _)| sign.chars().collect::<Vec<_>>());
    let sign = sign.filter(|sign| text.ends_with(sign)).map(|sign| sign.len()).max();
    let code = || {
        let start = text.len().checked_sub(3)?;
        is_code(&text[start..].iter().collect::<String>()).then_some(3)
    };
    // "XUSD" contains no currency.
    let begins = |length: usize| {
        let before = text.len().checked_sub(length + 1).map(|index| text[index]);
        !text[text.len() - length].is_alphabetic() || !before.is_some_and(char::is_alphanumeric)
    };
    sign.or_else(code).filter(|length| begins(*length))
}

/// Returns the code of the currency in `text`. With several currencies, returns the text itself.
pub(super) fn code_of(text: &str) -> Option<String> {
    let mut codes: Vec<&str> = Vec::new();
    let mut add = |code| {
        if !codes.contains(&code) {
            codes.push(code);
        }
    };
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let sign = SIGNS
            .iter()
            .find(|(sign, _)| rest.starts_with(sign) && !sign.starts_with(|first: char| first.is_lowercase()));
        rest = match sign {
            Some((sign, code)) => {
                add(*code);
                &rest[sign.len()..]
            }
            None => &rest[letter.len_utf8()..],
        };
    }
    let whole = text.trim();
    let words = text.split(|letter: char| !letter.is_ascii_alphabetic());
    for word in words {
        // A lower-case code counts only on its own, because "all" and "top" are words.
        let word = if word.len() == whole.len() { word.to_ascii_uppercase() } else { word.to_owned() };
        if let Some(code) = CODES.split(' ').find(|code| *code == word) {
            add(code);
        }
    }
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == whole.to_lowercase()) {
        add(*code);
    }
    match codes.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        _ => Some(whole.to_owned()),
    }
}
