//! Values with their origin, beside plain ones.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Components;
use crate::extract::{Money, NamedValues, Sourced, with};

fn components() -> Components {
    let detail = |value: &str, page: i64, rule: &str| json!({"value": value, "originalValue": format!("<{value}>"), "valueDescription": format!("about {value}"), "componentRuleId": rule, "entityReferences": [{"page": page}, {"page": page + 1}]});
    let saved = json!({
        "fileId": "f-1",
        "fileName": "invoice.pdf",
        "components": {
            "Number": ["R-7"], "Total": ["EUR 1.234,50"], "Items": ["1.5", "2"], "Price": ["1.234,50"], "Date": ["12 March 2024"],
            "Empty": [], "Blank": [" "], "Moved": ["x", "y"],
        },
        "componentDetails": {
            "Number": {"values": [detail("R-7", 1, "Number.0.0")]},
            "Total": {"values": [detail("EUR 1.234,50", 2, "Total.1.0")]},
            "Items": {"values": [detail("1.5", 3, "Items.0.0"), detail("2", 4, "Items.0.1")]},
            "Price": {"values": [detail("1.234,50", 5, "Price.0.0")]},
            "Date": {"values": [detail("12 March 2024", 6, "Date.0.0")]},
            "Moved": {"values": [detail("y", 7, "Moved.0.0"), detail("y", 8, "Moved.0.1")]},
        },
    });
    serde_json::from_value(saved).unwrap()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoice {
    number: String,
    total: Sourced<Money>,
    items: Vec<Sourced<f64>>,
    #[serde(deserialize_with = "with::number")]
    price: Sourced<Decimal>,
    #[serde(deserialize_with = "with::date")]
    date: Sourced<String>,
    empty: Option<Sourced<u8>>,
    blank: Option<Sourced<u8>>,
    moved: Vec<Sourced<String>>,
}

#[test]
fn reads_values_with_their_origin_beside_plain_fields() {
    let invoice: Invoice = components().extract().unwrap();
    assert_eq!(invoice.number, "R-7");
    assert_eq!(invoice.total.value, Money::new(1234.5, "EUR"));
    assert_eq!(invoice.total.raw, "EUR 1.234,50");
    assert_eq!((invoice.total.page, invoice.total.rule.as_deref()), (Some(2), Some("Total.1.0")));
    assert_eq!(invoice.total.description.as_deref(), Some("about EUR 1.234,50"));
    assert_eq!(invoice.total.original.as_deref(), Some("<EUR 1.234,50>"));
    let items: Vec<_> = invoice.items.iter().map(|item| (item.value, item.page)).collect();
    assert_eq!(items, [(1.5, Some(3)), (2.0, Some(4))]);
    assert_eq!((invoice.price.value.to_string().as_str(), invoice.price.raw.as_str()), ("1234.50", "1.234,50"));
    assert_eq!(invoice.price.page, Some(5));
    assert_eq!((invoice.date.value.as_str(), invoice.date.raw.as_str()), ("2024-03-12", "12 March 2024"));
    assert_eq!((invoice.empty, invoice.blank), (None, None));
    let moved: Vec<_> = invoice.moved.iter().map(|value| (value.raw.as_str(), value.page)).collect();
    assert_eq!(moved, [("x", None), ("y", Some(8))], "details of another value are not used");
}

#[test]
fn sourced_value_round_trips_through_its_serialized_form() {
    let invoice: Invoice = components().extract().unwrap();
    let saved = serde_json::to_string(&invoice).unwrap();
    assert_eq!(serde_json::from_str::<Invoice>(&saved).unwrap(), invoice);
    let error = serde_json::from_str::<Sourced<u8>>("\"5\"").unwrap_err();
    assert!(error.to_string().contains("expected a value with its origin"), "{error}");
}

#[test]
fn raw_is_present_without_details() {
    #[derive(Debug, Deserialize)]
    struct Study {
        animals: Sourced<u32>,
    }
    let values = [" 1 500 ".to_owned()];
    let study: Study = NamedValues::new([("animals", &values[..])]).extract().unwrap();
    assert_eq!((study.animals.value, study.animals.raw.as_str()), (1500, " 1 500 "));
    assert_eq!((study.animals.page, study.animals.rule, study.animals.description), (None, None, None));
}

#[test]
fn sourced_values_work_behind_flatten() {
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "Number")]
        number: String,
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        rest: BTreeMap<String, Vec<String>>,
    }
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Inner {
        total: Sourced<Money>,
        items: Vec<Sourced<f64>>,
        #[serde(deserialize_with = "with::number")]
        price: Sourced<Decimal>,
        empty: Option<Sourced<u8>>,
    }

    let read: Outer = components().extract().unwrap();
    assert_eq!(read.number, "R-7");
    assert_eq!((read.inner.total.value.amount, read.inner.total.page), (1234.5, Some(2)));
    let items: Vec<_> = read.inner.items.iter().map(|item| (item.value, item.page)).collect();
    assert_eq!(items, [(1.5, Some(3)), (2.0, Some(4))]);
    assert_eq!((read.inner.price.value.to_string().as_str(), read.inner.price.page), ("1234.50", Some(5)));
    assert!(read.inner.empty.is_none());
    assert_eq!(read.rest["Moved"], ["x", "y"]);
}

#[test]
fn error_in_sourced_value_names_index_and_text() {
    #[derive(Debug, Deserialize)]
    struct Wrong {
        #[serde(rename = "Moved")]
        _moved: Vec<Sourced<u8>>,
    }
    #[derive(Debug, Deserialize)]
    struct Several {
        #[serde(rename = "Items")]
        _items: Sourced<f64>,
    }
    let error = components().extract::<Wrong>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "invoice.pdf: component \"Moved\" (field Wrong.Moved[0]): expected a whole number from 0 to 255, found \"x\""
    );
    let error = components().extract::<Several>().unwrap_err().to_string();
    assert!(error.contains("(field Several.Items) has 2 values where one is expected"), "{error}");
}

#[cfg(feature = "schemars")]
#[test]
fn schema_of_sourced_value_is_that_of_the_value() {
    use crate::extract::ComponentMap;

    #[derive(Deserialize, schemars::JsonSchema)]
    #[allow(dead_code)]
    struct Study {
        animals: Sourced<u32>,
        sponsor: Option<Sourced<String>>,
    }
    assert_eq!(ComponentMap::<Study>::needs(), ["animals"]);
    assert_eq!(ComponentMap::<Study>::can_use(), ["sponsor"]);
    assert_eq!(schemars::schema_for!(Sourced<u32>), schemars::schema_for!(u32));
}
