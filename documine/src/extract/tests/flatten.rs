//! Extraction behind `flatten` and into tagged enums, where serde buffers values before their types are known.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::given;
use crate::extract::{NamedValues, with};

#[derive(Debug, PartialEq, Deserialize)]
enum Unit {
    Kg,
    Mg,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Counts {
    animals: u32,
    weight: f64,
    offset: i16,
    glp: bool,
    grade: Option<char>,
    doses: Vec<f32>,
    batches: Vec<String>,
    pair: (u8, String),
    late: Option<u8>,
    #[serde(default)]
    extra: u8,
    unit: Option<Unit>,
    code: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Study {
    title: String,
    #[serde(flatten)]
    counts: Counts,
    #[serde(flatten)]
    rest: BTreeMap<String, Vec<String>>,
}

#[test]
fn reads_flattened_struct() {
    let read: Study = given(&[
        ("code", &["15"]),
        ("title", &["15"]),
        ("animals", &[" 15 "]),
        ("weight", &["15"]),
        ("offset", &["-15"]),
        ("glp", &["yes"]),
        ("grade", &["A"]),
        ("doses", &["15"]),
        ("batches", &["15"]),
        ("pair", &["15", "15"]),
        ("late", &[]),
        ("extra", &[]),
        ("unit", &[" Kg "]),
        ("more", &["15"]),
        ("and more", &[]),
        ("and yet more", &["", "x"]),
    ])
    .read()
    .unwrap();
    let text = || "15".to_owned();
    let expected = Counts {
        animals: 15,
        weight: 15.0,
        offset: -15,
        glp: true,
        grade: Some('A'),
        doses: vec![15.0],
        batches: vec![text()],
        pair: (15, text()),
        late: None,
        extra: 0,
        unit: Some(Unit::Kg),
        code: text(),
    };
    assert_eq!(read.counts, expected);
    assert_eq!(read.title, "15");
    let rest = [("more", vec!["15"]), ("and more", vec![]), ("and yet more", vec!["", "x"])];
    let rest = rest.map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()));
    assert_eq!(read.rest, BTreeMap::from(rest));
}

#[test]
fn reads_flattened_maps_of_one_type() {
    #[derive(Debug, Deserialize)]
    struct Numbers {
        #[serde(flatten)]
        all: BTreeMap<String, f64>,
    }

    #[derive(Debug, Deserialize)]
    struct Texts {
        #[serde(flatten)]
        all: BTreeMap<String, String>,
    }

    let some = given(&[("a", &["1.5"]), ("b", &["-2"]), ("c", &["1,234.5"]), ("none", &[])]);
    let numbers: Numbers = some.read().unwrap();
    assert_eq!(numbers.all.into_values().collect::<Vec<_>>(), [1.5, -2.0, 1234.5]);
    let texts: Texts = some.read().unwrap();
    assert_eq!(texts.all.into_values().collect::<Vec<_>>(), ["1.5", "-2", "1,234.5"]);
    let blank: Texts = given(&[("a", &[" "])]).read().unwrap();
    assert_eq!(blank.all["a"], " ");
}

#[test]
fn distinguishes_components_with_equal_texts() {
    #[derive(Debug, Deserialize)]
    struct Mixed {
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Debug, Deserialize)]
    struct Inner {
        a: String,
        b: u8,
        c: String,
        d: f64,
        e: Vec<u8>,
        f: Option<String>,
        g: bool,
    }

    let names = ["a", "b", "c", "d", "e", "f", "g"];
    // The result does not depend on the order of the template.
    for offset in 0..names.len() {
        let mut order = names;
        order.rotate_left(offset);
        let all: Vec<(&'static str, &[&str])> = order.iter().map(|name| (*name, &["1"] as &[&str])).collect();
        let Inner { a, b, c, d, e, f, g } = given(&all).read::<Mixed>().unwrap().inner;
        assert_eq!((a.as_str(), b, c.as_str(), d, e, f.as_deref(), g), ("1", 1, "1", 1.0, vec![1], Some("1"), true));
    }
}

#[test]
fn error_behind_flatten_names_component() {
    let base: &[(&'static str, &[&str])] = &[
        ("title", &["t"]),
        ("animals", &["3"]),
        ("weight", &["1"]),
        ("offset", &["0"]),
        ("glp", &["no"]),
        ("doses", &["2"]),
        ("batches", &["b"]),
        ("pair", &["9", "x"]),
        ("code", &["c"]),
    ];
    let with = |name: &'static str, values: &'static [&'static str]| {
        let mut all = base.to_vec();
        all.retain(|(other, _)| *other != name);
        all.push((name, values));
        given(&all).read::<Study>().unwrap_err()
    };
    for (name, values, value) in [
        ("animals", &["fifteen"] as &[&str], "fifteen"),
        ("animals", &["-7"], "-7"),
        ("weight", &["12 kg"], "12 kg"),
        ("glp", &["maybe"], "maybe"),
        ("unit", &["Stone"], "Stone"),
        ("grade", &["AB"], "AB"),
    ] {
        let error = with(name, values);
        assert_eq!((error.component(), error.value()), (Some(name), Some(value)), "{error}");
        assert!(
            error.to_string().starts_with(&format!("report.pdf: component \"{name}\" (field Study.{name}): ")),
            "{error}"
        );
    }
    let several = with("animals", &["7", "8"]);
    assert_eq!(
        several.to_string(),
        "report.pdf: component \"animals\" (field Study.animals) has 2 values where one is expected: \"7\", \"8\""
    );
    let element = with("doses", &["5", "x5"]);
    assert_eq!((element.component(), element.field(), element.value()), (Some("doses"), "Study.doses[1]", Some("x5")));
    let empty = with("animals", &[]);
    assert_eq!(empty.to_string(), "report.pdf: component \"animals\" (field Study.animals) has no value");
    let mut all = base.to_vec();
    all.retain(|(name, _)| *name != "code");
    let absent = given(&all).read::<Study>().unwrap_err();
    assert_eq!(absent.component(), Some("code"));
}

#[test]
fn tagged_enum_is_chosen_by_a_component() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "Kind")]
    enum Document {
        Invoice { total: f64, lines: Vec<String> },
        Report { animals: u32 },
    }

    let invoice: Document =
        given(&[("total", &["1,234.50"]), ("Kind", &["Invoice"]), ("lines", &["a"])]).read().unwrap();
    assert_eq!(invoice, Document::Invoice { total: 1234.5, lines: vec!["a".to_owned()] });
    let report: Document = given(&[("Kind", &["Report"]), ("animals", &["15"])]).read().unwrap();
    assert_eq!(report, Document::Report { animals: 15 });
    let error = given(&[("Kind", &["Letter"])]).read::<Document>().unwrap_err();
    assert_eq!(error.value(), Some("Letter"), "{error}");
}

#[test]
fn locates_errors_without_value_by_omitting_components() {
    #[derive(Debug, Deserialize)]
    struct Dated {
        #[serde(rename = "title")]
        _title: String,
        #[serde(flatten)]
        _dates: Dates,
    }
    #[derive(Debug, Deserialize)]
    struct Dates {
        #[serde(rename = "started", deserialize_with = "with::date")]
        _started: String,
        #[serde(rename = "ended", deserialize_with = "with::date")]
        _ended: String,
        #[serde(rename = "note")]
        _note: Option<String>,
    }

    let error = given(&[("title", &["t"]), ("started", &["1 May 2024"]), ("ended", &["soon"]), ("note", &["n"])])
        .read::<Dated>()
        .unwrap_err();
    assert_eq!((error.component(), error.value()), (Some("ended"), Some("soon")));
    assert_eq!(
        error.to_string(),
        "report.pdf: component \"ended\" (field Dated.ended): \"soon\" was not accepted: expected a date such as 2024-03-12 or 12 March 2024"
    );
}

#[test]
fn optional_flattened_struct_is_none_on_any_mismatch() {
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        plain: Option<Plain>,
        #[serde(flatten)]
        helped: Option<Helped>,
    }
    #[derive(Debug, Deserialize)]
    struct Plain {
        #[serde(rename = "one")]
        _one: u8,
    }
    #[derive(Debug, Deserialize)]
    struct Helped {
        #[serde(deserialize_with = "with::parse")]
        two: u8,
    }

    let read: Outer = given(&[("one", &["1"]), ("two", &["2"])]).read().unwrap();
    assert!(read.plain.is_none(), "the documented limit");
    assert_eq!(read.helped.map(|helped| helped.two), Some(2));
}

#[test]
fn equal_texts_take_few_attempts() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static READ: AtomicUsize = AtomicUsize::new(0);
    #[derive(Debug, PartialEq)]
    struct Counted(f64);
    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            READ.fetch_add(1, Ordering::Relaxed);
            f64::deserialize(deserializer).map(Self)
        }
    }
    #[derive(Debug, Deserialize)]
    struct Numbers {
        #[serde(flatten)]
        all: BTreeMap<String, Counted>,
    }

    let names: Vec<String> = (0..200).map(|number| format!("component {number}")).collect();
    let values = ["0.5".to_owned()];
    let read: Numbers = NamedValues::new(names.iter().map(|name| (name.as_str(), &values[..]))).extract().unwrap();
    assert!(read.all.len() == 200 && read.all.values().all(|number| *number == Counted(0.5)));
    // Two attempts per component: one fails, one with a sentinel identifies the component.
    let count = READ.load(Ordering::Relaxed);
    assert!(count <= 201 * 201, "{count}");
}

#[test]
fn adapting_ends() {
    #[derive(Debug, Deserialize)]
    struct Never {
        #[serde(flatten)]
        _all: BTreeMap<String, Refusing>,
    }
    #[derive(Debug)]
    struct Refusing(#[expect(dead_code, reason = "never constructed")] u8);
    impl<'de> Deserialize<'de> for Refusing {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            use serde::de::{Error, Unexpected};
            let value = serde_json::Value::deserialize(deserializer)?;
            // A type that always expects another type than it receives.
            Err(match &value {
                serde_json::Value::String(text) => D::Error::invalid_type(Unexpected::Str(text), &"u8"),
                serde_json::Value::Number(number) => {
                    D::Error::invalid_type(Unexpected::Unsigned(number.as_u64().unwrap_or(0)), &"a string")
                }
                serde_json::Value::Array(_) => D::Error::invalid_type(Unexpected::Seq, &"u8"),
                _ => D::Error::invalid_type(Unexpected::Unit, &"a sequence"),
            })
        }
    }

    let names: [&'static str; 4] = ["a", "b", "c", "d"];
    let all: Vec<(&'static str, &[&str])> =
        names.iter().zip([&["1"] as &[&str], &["1"], &[], &[" "]]).map(|(name, values)| (*name, values)).collect();
    given(&all).read::<Never>().unwrap_err();
}
