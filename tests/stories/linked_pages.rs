//! The links of a service that pages: however they are spelt, the list is whole, or it is an error.

use documine::api::operations::Paging;
use documine::{ErrorKind, List, Result, User};
use futures_util::{StreamExt, TryStreamExt};

use crate::canned::{Canned, answer};
use crate::scripted::{self, asked, client, service};

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

/// Users that are asked for by the number of their page.
async fn numbered(answers: &[&str]) -> (Canned, List<(), User>) {
    let service = service(answers.iter().map(|body| page(None, body)).collect()).await;
    let list = client(&service.base).await.users().with_paging(Paging::PageSize);
    (service, list)
}

fn ids(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.id.as_str()).collect()
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_no_end() {
    let first = r#"{"users":[{"id":"a"}],"last":false,"number":0}"#;
    let pages = [first, r#"{"users":[],"last":false,"number":1}"#, r#"{"users":[{"id":"b"}],"last":true,"number":2}"#];
    let (service, list) = numbered(&pages).await;
    assert_eq!(ids(&list.await.unwrap()), ["a", "b"]);
    assert_eq!(asked(&service), ["GET /api/users", "GET /api/users?page=1", "GET /api/users?page=2"]);
    let (_, list) = numbered(&pages).await;
    assert_eq!(ids(&list.stream().try_collect::<Vec<_>>().await.unwrap()), ["a", "b"]);
    let link = r#"</api/users?page=2>; rel="next""#;
    let linked =
        scripted::service(vec![page(Some(link), r#"{"users":[]}"#), page(None, r#"{"users":[{"id":"b"}]}"#)]).await;
    assert_eq!(users(&linked).await.unwrap(), ["b"]);
}

#[tokio::test]
async fn a_size_that_the_service_ignores_loses_nothing() {
    let pages = [
        r#"{"page":{"number":0,"size":2,"totalElements":3,"totalPages":2},"users":[{"id":"a"},{"id":"b"}]}"#,
        r#"{"page":{"number":1,"size":2,"totalElements":3,"totalPages":2},"users":[{"id":"c"}]}"#,
    ];
    let (service, list) = numbered(&pages).await;
    let pages: Vec<_> = list.with_page_size(100).pages().try_collect().await.unwrap();
    assert_eq!(
        pages.iter().map(|page| (page.items.len(), page.total)).collect::<Vec<_>>(),
        [(2, Some(3)), (1, Some(3))]
    );
    assert_eq!(asked(&service), ["GET /api/users?size=100", "GET /api/users?size=100&page=1"]);
}

#[tokio::test]
async fn a_service_that_gives_one_page_for_ever_is_found_out() {
    let same = r#"{"users":[{"id":"a"}],"last":false}"#;
    let told = "getUsers: the list does not end: the service gives the same page again";
    let (service, list) = numbered(&[same]).await;
    assert_eq!(list.await.unwrap_err().to_string(), told);
    assert_eq!(asked(&service).len(), 2);
    let (_, list) = numbered(&[same]).await;
    assert_eq!(list.stream().try_collect::<Vec<_>>().await.unwrap_err().to_string(), told);
    // Of pages whose elements nobody reads, nobody can say that they are the same.
    let large = |id: &str, last| format!(r#"{{"users":[{{"id":"{}"}}],"last":{last}}}"#, id.repeat(50));
    let pages = [large("a", false), large("b", false), large("c", true)];
    let (_, list) = numbered(&pages.each_ref().map(String::as_str)).await;
    let each: Vec<_> = list.with_max_item_size(40).stream_each().try_collect().await.unwrap();
    assert_eq!((each.len(), each.iter().filter(|each| each.is_err()).count()), (3, 3));
    let (_, list) = numbered(&[r#"{"users":[{"id":"a"}],"totalPages":9,"number":0}"#]).await;
    let error = list.await.unwrap_err();
    assert_eq!(error.to_string(), "getUsers: the service gives page 0 where page 1 was asked for");
    let (service, list) = numbered(&[r#"{"users":[],"last":false}"#]).await;
    let error = list.await.unwrap_err();
    assert_eq!(error.to_string(), "getUsers: the list does not end: 100 pages in a row are empty");
    assert_eq!(asked(&service).len(), 101);
}

#[tokio::test]
async fn links_in_a_circle_end_a_stream_with_an_error() {
    let body = r#"{"users":[{"id":"a"}]}"#;
    let service = service(vec![page(Some(r#"</api/users>; rel="next""#), body)]).await;
    let items: Vec<Result<User>> = client(&service.base).await.users().stream().collect().await;
    let told = "getUsers: the list does not end: the service links its pages in a circle";
    assert_eq!(items.len(), 2);
    assert_eq!(items[1].as_ref().unwrap_err().to_string(), told);
    assert_eq!(asked(&service), ["GET /api/users"], "it leads back to where it came from");
}
