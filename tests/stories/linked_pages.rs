//! The links of a service that pages: however they are spelt, the list is whole, or it is an error.

use documine::{ErrorKind, Result, User};
use futures_util::{StreamExt, TryStreamExt};

use crate::canned::{Canned, answer};
use crate::scripted::{asked, client, service};

/// One page of users, with the header that links the next one.
fn page(link: Option<&str>, body: &str) -> Vec<u8> {
    let link = link.map(|link| format!("Link: {link}"));
    let headers: Vec<&str> = std::iter::once("Content-Type: application/json").chain(link.as_deref()).collect();
    answer("200 OK", &headers, body)
}

/// A service with three users on two pages.
async fn two_pages(link: &str) -> Canned {
    service(vec![page(Some(link), r#"{"users":[{"id":"a"},{"id":"b"}]}"#), page(None, r#"{"users":[{"id":"c"}]}"#)])
        .await
}

async fn users(service: &Canned) -> Result<Vec<String>> {
    let users = client(&service.base).await.users().await?;
    Ok(users.iter().map(|user| user.id.as_str().to_owned()).collect())
}

/// The list is whole, and its second page was asked for at `second`.
async fn leads_to(link: &str, second: &str) {
    let service = two_pages(link).await;
    assert_eq!(users(&service).await.unwrap(), ["a", "b", "c"], "{link}");
    assert_eq!(asked(&service), ["GET /api/users".to_owned(), format!("GET {second}")], "{link}");
}

#[tokio::test]
async fn a_comma_in_an_address_does_not_end_it() {
    leads_to(r#"</api/users?ids=1,2&page=2>; rel="next""#, "/api/users?ids=1,2&page=2").await;
    leads_to(
        r#"</api/users?ids=1,2&page=0>; rel="first", </api/users?ids=1,2&page=2>; title="on, and on"; rel="next""#,
        "/api/users?ids=1,2&page=2",
    )
    .await;
}

#[tokio::test]
async fn an_address_is_read_from_where_the_page_was() {
    leads_to("<?page=2>; rel=next", "/api/users?page=2").await;
    leads_to(r#"<users?page=2>; rel="next""#, "/api/users?page=2").await;
    leads_to(r#"<./people/2>; rel="next""#, "/api/people/2").await;
    leads_to(r#"<../v2/users?page=2>; rel="next""#, "/v2/users?page=2").await;
}

#[tokio::test]
async fn an_address_that_is_none_is_an_error_and_never_the_end_of_the_list() {
    let link = r#"<http://[>; rel="next""#;
    let error = users(&two_pages(link).await).await.unwrap_err();
    assert_eq!(error.to_string(), "getUsers: the link to the next page is no address: invalid IPv6 address");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let service = two_pages(link).await;
    let items: Vec<Result<User>> = client(&service.base).await.users().stream().collect().await;
    assert!(items.last().unwrap().is_err());
}

#[tokio::test]
async fn a_total_counts_the_items_of_all_pages() {
    let link = r#"</api/users?page=2>; rel="next""#;
    let first = page(Some(link), r#"{"users":[{"id":"a"},{"id":"b"}],"totalElements":3}"#);
    let service = service(vec![first, page(None, r#"{"users":[{"id":"c"}],"totalElements":3}"#)]).await;
    assert_eq!(users(&service).await.unwrap(), ["a", "b", "c"]);
    assert_eq!(asked(&service), ["GET /api/users", "GET /api/users?page=2"]);
}

#[tokio::test]
async fn pages_that_hold_fewer_items_than_announced_are_an_error() {
    let link = r#"</api/users?page=2>; rel="next""#;
    let first = page(Some(link), r#"{"users":[{"id":"a"},{"id":"b"}],"totalElements":4}"#);
    let service = service(vec![first, page(None, r#"{"users":[{"id":"c"}],"totalElements":4}"#)]).await;
    let told = "getUsers: the service gives 3 of 4 items, paged in a way that the document does not declare (x-paging)";
    let error = users(&service).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, told));
}

#[tokio::test]
async fn a_stream_of_too_few_items_does_not_end_well() {
    let service = service(vec![page(None, r#"{"users":[{"id":"a"}],"totalElements":2}"#)]).await;
    let taken: Result<Vec<User>> = client(&service.base).await.users().stream().try_collect().await;
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::Decode);
}
