//! Limits on the memory that a response occupies after decoding: JSON needs many times the memory of its text.

use documine::{Client, Credentials};
use futures_util::TryStreamExt;

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::scripted::builder;

async fn client(base: &str, limit: usize) -> Client {
    let builder = builder(base).await.0.credentials(Credentials::access_token("0wn-t0ken"));
    builder.max_response_size(limit).build().unwrap()
}

/// Values that occupy much more memory than their text.
const DENSE_VALUES: [&str; 4] = [r#"{"":0}"#, "[0]", "{}", "0"];

fn repeated_values(value: &str, bytes: usize) -> String {
    format!("[{}{value}]", format!("{value},").repeat(bytes / (value.len() + 1)))
}

#[tokio::test]
async fn rejects_response_that_exceeds_memory_limit() {
    for value in DENSE_VALUES {
        let body = format!(r#"{{"unknown":{}}}"#, repeated_values(value, 900_000));
        let service = CannedServer::respond_with(move |_| json_response(&body)).await;
        let error = client(&service.base, 1_000_000).await.license().await;
        let line = error.unwrap_err().to_string();
        assert!(line.contains("bytes of memory, more than 8000000"), "{value}: {line}");
        assert!(line.contains("max_response_size"), "{value}: {line}");
        // A higher limit accepts the same response.
        let license = client(&service.base, 128_000_000).await.license().await;
        assert!(license.is_ok(), "{value}: {license:?}");
    }
}

#[tokio::test]
async fn accepts_long_texts_up_to_response_size_limit() {
    let body = format!(r#"{{"unknown":"{}"}}"#, "{[,".repeat(300_000));
    let service = CannedServer::respond_with(move |_| json_response(&body)).await;
    let license = client(&service.base, 1_000_000).await.license().await;
    assert!(license.is_ok(), "{license:?}");
}

#[cfg(reconstruction)]
#[tokio::test]
async fn skips_only_list_item_that_exceeds_memory_limit() {
    let value = format!(r#"{{"id":"b","unknown":{}}}"#, repeated_values("{}", 60_000));
    let body = format!(r#"{{"users":[{{"id":"a"}},{value},{{"id":"c"}}]}}"#);
    let service = CannedServer::respond_with(move |_| json_response(&body)).await;
    let client = client(&service.base, 1_000_000).await;
    let users = client.users().max_item_size(100_000);
    let each: Vec<_> = users.stream_each().try_collect().await.unwrap();
    let ids: Vec<_> = each.iter().map(|user| user.as_ref().ok().map(|user| user.id.as_str())).collect();
    assert_eq!(ids, [Some("a"), None, Some("c")]);
    let line = each[1].as_ref().unwrap_err().to_string();
    assert!(line.contains("`users[1]` exceeds the memory limit of an item: it would take about"), "{line}");
}
