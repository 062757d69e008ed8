//! Limits on what is built of a response, not only on its text: JSON takes many times the memory of its length.

use documine::{Client, Credentials};
use futures_util::TryStreamExt;

use crate::canned::{self, Canned};
use crate::scripted::builder;

async fn client(base: &str, most: usize) -> Client {
    let builder = builder(base).await.0.credentials(Credentials::access_token("0wn-t0ken"));
    builder.max_answer_size(most).build().unwrap()
}

/// Values that take much more memory than their text.
const DENSE: [&str; 4] = [r#"{"":0}"#, "[0]", "{}", "0"];

fn many(value: &str, bytes: usize) -> String {
    format!("[{}{value}]", format!("{value},").repeat(bytes / (value.len() + 1)))
}

#[tokio::test]
async fn refuses_an_answer_of_which_too_much_would_be_built() {
    for dense in DENSE {
        let body = format!(r#"{{"unknown":{}}}"#, many(dense, 900_000));
        let service = Canned::answering(move |_| canned::json(&body)).await;
        let error = client(&service.base, 1_000_000).await.license().await;
        let line = error.unwrap_err().to_string();
        assert!(line.contains("bytes of memory, more than 8000000"), "{dense}: {line}");
        assert!(line.contains("max_answer_size"), "{dense}: {line}");
        // Where there is room for it, it is taken.
        let license = client(&service.base, 128_000_000).await.license().await;
        assert!(license.is_ok(), "{dense}: {license:?}");
    }
}

#[tokio::test]
async fn takes_an_answer_of_long_texts_up_to_the_limit_for_its_text() {
    let body = format!(r#"{{"unknown":"{}"}}"#, "{[,".repeat(300_000));
    let service = Canned::answering(move |_| canned::json(&body)).await;
    let license = client(&service.base, 1_000_000).await.license().await;
    assert!(license.is_ok(), "{license:?}");
}

#[cfg(reconstruction)]
#[tokio::test]
async fn one_element_of_which_too_much_would_be_built_costs_no_other_one() {
    let dense = format!(r#"{{"id":"b","unknown":{}}}"#, many("{}", 60_000));
    let body = format!(r#"{{"users":[{{"id":"a"}},{dense},{{"id":"c"}}]}}"#);
    let service = Canned::answering(move |_| canned::json(&body)).await;
    let client = client(&service.base, 1_000_000).await;
    let users = client.users().with_max_item_size(100_000);
    let each: Vec<_> = users.stream_each().try_collect().await.unwrap();
    let ids: Vec<_> = each.iter().map(|user| user.as_ref().ok().map(|user| user.id.as_str())).collect();
    assert_eq!(ids, [Some("a"), None, Some("c")]);
    let line = each[1].as_ref().unwrap_err().to_string();
    assert!(line.contains("`users[1]` exceeds the memory limit of an item: it would take about"), "{line}");
}
