//! The license and its usage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::timestamp::Timestamp;

/// The license of the workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct License {
    pub(crate) id: String,
    pub(crate) licensed_to: String,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) pages: u64,
}

/// An analysis that counts towards the license, at the time of its end. A reanalysis does not count again; an upload that replaces a file does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UsageEvent {
    pub(crate) at: Timestamp,
    pub(crate) file_id: String,
    pub(crate) pages: u64,
    pub(crate) ocr_pages: u64,
}

impl License {
    /// Returns the JSON of the API.
    pub(crate) fn to_json(&self, now: Timestamp) -> Value {
        json!({
            "id": self.id,
            "name": "Simulated licence",
            "product": "DocuMine",
            "licensedTo": self.licensed_to,
            "validFrom": self.from.to_rfc3339(),
            "validTo": self.to.to_rfc3339(),
            "licensedPages": self.pages,
            "active": self.from <= now && now <= self.to,
        })
    }

    /// Returns the usage between two timestamps. Default: the period of the license.
    pub(crate) fn usage(
        &self,
        events: &[UsageEvent],
        start: Option<Timestamp>,
        end: Option<Timestamp>,
        now: Timestamp,
    ) -> Value {
        let (start, end) = (start.unwrap_or(self.from), end.unwrap_or(self.to));
        let mut months: BTreeMap<String, u64> = BTreeMap::new();
        // Lists every month from the start of the license until today, with or without usage.
        let (mut day, last) = (start.max(self.from), end.min(now));
        while day <= last {
            months.insert(day.year_month(), 0);
            day = Timestamp(day.0 + 27 * 86_400_000);
        }
        if start.max(self.from) <= last {
            months.insert(last.year_month(), 0);
        }
        let (mut files, mut pages, mut ocr_pages) = (0_u64, 0_u64, 0_u64);
        for event in events.iter().filter(|event| event.at >= start && event.at <= end && event.at <= now) {
            files += 1;
            pages += event.pages;
            ocr_pages += event.ocr_pages;
            *months.entry(event.at.year_month()).or_insert(0) += event.pages;
        }
        let monthly: Vec<Value> =
            months.into_iter().map(|(month, pages)| json!({"month": month, "analysedPages": pages})).collect();
        json!({
            "startDate": start.to_rfc3339(),
            "endDate": end.to_rfc3339(),
            "analysedPages": pages,
            "analysedFiles": files,
            "ocrPages": ocr_pages,
            "licensedPages": self.pages,
            "monthly": monthly,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_usage_by_month_within_the_period() {
        let day = |text: &str| Timestamp::parse(text).expect("a moment");
        let license = License {
            id: "l".to_owned(),
            licensed_to: "a".to_owned(),
            from: day("2024-01-01T00:00:00"),
            to: day("2025-12-31T00:00:00"),
            pages: 10,
        };
        let event = |at: &str, pages| UsageEvent { at: day(at), file_id: "f".to_owned(), pages, ocr_pages: 1 };
        let events =
            [event("2024-01-31T10:00:00", 3), event("2024-03-01T10:00:00", 4), event("2024-09-01T10:00:00", 5)];
        let usage = license.usage(&events, None, None, day("2024-03-05T00:00:00"));
        assert_eq!(usage["analysedPages"], 7);
        assert_eq!(usage["ocrPages"], 2);
        let months: Vec<_> = usage["monthly"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|month| month["month"].as_str().expect("a text").to_owned())
            .collect();
        assert_eq!(months, ["2024-01", "2024-02", "2024-03"]);
        let none = license.usage(
            &events,
            Some(day("9999-12-31T23:59:59")),
            Some(day("1000-01-01T00:00:00")),
            day("2024-03-05T00:00:00"),
        );
        assert_eq!(none["analysedFiles"], 0);
    }
}
