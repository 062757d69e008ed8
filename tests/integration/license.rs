//! The licence and its usage.

use std::time::Duration;

use documine::models::Timestamp;

use crate::harness::pdf_fixtures::{INVOICE, SCAN, STUDY};
use crate::harness::test_env::{TestEnv, upload_processed};

#[tokio::test]
async fn returns_license_with_validity_and_pages() {
    let env = TestEnv::new().await;
    let license = env.client.license().await.unwrap();
    assert_eq!(license.active, Some(true));
    assert!(license.licensed_pages.is_some_and(|pages| pages > 0));
    let instant = |time: &Option<Timestamp>| time.as_ref().and_then(Timestamp::to_system_time).unwrap();
    let now = env.sim.clock().now();
    assert!(instant(&license.valid_from) <= now && now < instant(&license.valid_to));
}

#[tokio::test]
async fn counts_every_analysed_page() {
    let env = TestEnv::new().await;
    let usage = env.client.license_usage().await.unwrap();
    assert_eq!((usage.analysed_pages, usage.analysed_files, usage.ocr_pages), (Some(0), Some(0), Some(0)));
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    upload_processed(&dossier, "invoice.pdf", INVOICE).await;
    upload_processed(&dossier, "scan.pdf", SCAN).await;
    let usage = env.client.license_usage().await.unwrap();
    assert_eq!((usage.analysed_pages, usage.analysed_files, usage.ocr_pages), (Some(4 + 1 + 2), Some(3), Some(2)));
    assert_eq!(usage.licensed_pages, env.client.license().await.unwrap().licensed_pages);
    let months: Vec<_> = usage.monthly.iter().filter(|month| month.analysed_pages != Some(0)).collect();
    assert_eq!(months.len(), 1);
    assert_eq!((months[0].month.as_deref(), months[0].analysed_pages), (Some("2025-01"), Some(7)));
}

#[tokio::test]
async fn returns_usage_of_requested_period() {
    let env = TestEnv::new().await;
    env.processed_file("study.pdf", STUDY).await;
    let first = env.sim.clock().now();
    env.time.advance(40 * 24 * 3600);
    let second = env.sim.clock().now();
    env.processed_file("invoice.pdf", INVOICE).await;
    let third = env.sim.clock().now() + Duration::from_secs(1);
    let at = Timestamp::from_system_time;

    let pages = async |usage: documine::request::GetLicenseUsage| usage.await.unwrap().analysed_pages;
    let usage = || env.client.license_usage();
    assert_eq!(pages(usage()).await, Some(5));
    assert_eq!(pages(usage().from(at(second))).await, Some(1));
    assert_eq!(pages(usage().to(at(second))).await, Some(4));
    assert_eq!(pages(usage().from(at(first + Duration::from_secs(1))).to(at(second))).await, Some(0));
    assert_eq!(pages(usage().from(at(third))).await, Some(0));

    let whole = usage().await.unwrap();
    let monthly: Vec<_> = whole
        .monthly
        .iter()
        .filter(|month| month.analysed_pages != Some(0))
        .map(|month| month.month.clone().unwrap())
        .collect();
    assert_eq!(monthly, ["2025-01", "2025-02"]);
    let query = env.requests("getLicenseUsage")[3].query.clone().unwrap();
    // An unescaped plus sign in the offset would be decoded as a space.
    assert_eq!(query, "endDate=2025-02-24T09%3A00%3A01.700%2B00%3A00&startDate=2025-01-15T09%3A00%3A02.700%2B00%3A00");
}

#[tokio::test]
async fn rejects_period_that_ends_before_it_begins() {
    let env = TestEnv::new().await;
    let (early, late) =
        (Timestamp::from("2025-01-01T00:00:00.000+00:00"), Timestamp::from("2025-02-01T00:00:00.000+00:00"));
    let error = env.client.license_usage().from(late).to(early).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    assert!(error.to_string().starts_with("getLicenseUsage: 400 Bad Request: "), "{error}");
}
