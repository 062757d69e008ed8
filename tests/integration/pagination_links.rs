//! Pagination by link headers: in any spelling, the list is complete or an error.

use std::sync::atomic::{AtomicUsize, Ordering};

use documine::api::operations::Paging;
use documine::{ErrorKind, Result, models::User, request::ListUsers};
use futures_util::{StreamExt, TryStreamExt};

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::messages::{EMPTY_PAGES, LINK_CYCLE, REPEATED_PAGE};
use crate::harness::scripted::{self, client, request_lines, scripted_server};

/// Builds one page of users with a `Link` header.
fn page(link: Option<&str>, body: &str) -> Vec<u8> {
    let link = link.map(|link| format!("Link: {link}"));
    let headers: Vec<&str> = std::iter::once("Content-Type: application/json").chain(link.as_deref()).collect();
    response("200 OK", &headers, body)
}

/// Starts a service with three users on two pages.
async fn two_pages(link: &str) -> CannedServer {
    scripted_server(vec![
        page(Some(link), r#"{"users":[{"id":"a"},{"id":"b"}]}"#),
        page(None, r#"{"users":[{"id":"c"}]}"#),
    ])
    .await
}

async fn users(service: &CannedServer) -> Result<Vec<String>> {
    let users = client(&service.base).await.users().await?;
    Ok(users.iter().map(|user| user.id.as_str().to_owned()).collect())
}

/// Asserts that the list is complete and that its second page was requested at `second`.
async fn assert_next_page(link: &str, second: &str) {
    let service = two_pages(link).await;
    assert_eq!(users(&service).await.unwrap(), ["a", "b", "c"], "{link}");
    assert_eq!(request_lines(&service), ["GET /api/users".to_owned(), format!("GET {second}")], "{link}");
}

#[tokio::test]
async fn accepts_comma_in_link_url() {
    assert_next_page(r#"</api/users?ids=1,2&page=2>; rel="next""#, "/api/users?ids=1,2&page=2").await;
    assert_next_page(
        r#"</api/users?ids=1,2&page=0>; rel="first", </api/users?ids=1,2&page=2>; title="on, and on"; rel="next""#,
        "/api/users?ids=1,2&page=2",
    )
    .await;
}

#[tokio::test]
async fn resolves_relative_link_against_page_url() {
    assert_next_page("<?page=2>; rel=next", "/api/users?page=2").await;
    assert_next_page(r#"<users?page=2>; rel="next""#, "/api/users?page=2").await;
    assert_next_page(r#"<./people/2>; rel="next""#, "/api/people/2").await;
    assert_next_page(r#"<../v2/users?page=2>; rel="next""#, "/v2/users?page=2").await;
}

#[tokio::test]
async fn rejects_invalid_link_url() {
    let link = r#"<http://[>; rel="next""#;
    let error = users(&two_pages(link).await).await.unwrap_err();
    assert_eq!(error.to_string(), "getUsers: invalid URL in the link to the next page: invalid IPv6 address");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let service = two_pages(link).await;
    let items: Vec<Result<User>> = client(&service.base).await.users().stream().collect().await;
    assert!(items.last().unwrap().is_err());
}

#[tokio::test]
async fn total_counts_items_of_all_pages() {
    let link = r#"</api/users?page=2>; rel="next""#;
    let first = page(Some(link), r#"{"users":[{"id":"a"},{"id":"b"}],"totalElements":3}"#);
    let service = scripted_server(vec![first, page(None, r#"{"users":[{"id":"c"}],"totalElements":3}"#)]).await;
    assert_eq!(users(&service).await.unwrap(), ["a", "b", "c"]);
    assert_eq!(request_lines(&service), ["GET /api/users", "GET /api/users?page=2"]);
}

#[tokio::test]
async fn reports_fewer_items_than_announced() {
    let link = r#"</api/users?page=2>; rel="next""#;
    let first = page(Some(link), r#"{"users":[{"id":"a"},{"id":"b"}],"totalElements":4}"#);
    let service = scripted_server(vec![first, page(None, r#"{"users":[{"id":"c"}],"totalElements":4}"#)]).await;
    let message =
        "getUsers: incomplete list: the service returned 3 of 4 items, and the document declares no paging (x-paging)";
    let error = users(&service).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, message));
}

#[tokio::test]
async fn stream_fails_on_fewer_items_than_announced() {
    let service = scripted_server(vec![page(None, r#"{"users":[{"id":"a"}],"totalElements":2}"#)]).await;
    let taken: Result<Vec<User>> = client(&service.base).await.users().stream().try_collect().await;
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::Decode);
}

/// Starts a service whose users are paged by page number.
async fn numbered_pages(responses: &[&str]) -> (CannedServer, ListUsers) {
    let service = scripted_server(responses.iter().map(|body| page(None, body)).collect()).await;
    let list = client(&service.base).await.users().with_paging(Paging::PageSize);
    (service, list)
}

fn ids(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.id.as_str()).collect()
}

#[tokio::test]
async fn continues_after_empty_page() {
    let first = r#"{"users":[{"id":"a"}],"last":false,"number":0}"#;
    let pages = [first, r#"{"users":[],"last":false,"number":1}"#, r#"{"users":[{"id":"b"}],"last":true,"number":2}"#];
    let (service, list) = numbered_pages(&pages).await;
    assert_eq!(ids(&list.await.unwrap()), ["a", "b"]);
    assert_eq!(request_lines(&service), ["GET /api/users", "GET /api/users?page=1", "GET /api/users?page=2"]);
    let (_, list) = numbered_pages(&pages).await;
    assert_eq!(ids(&list.stream().try_collect::<Vec<_>>().await.unwrap()), ["a", "b"]);
    let link = r#"</api/users?page=2>; rel="next""#;
    let linked =
        scripted::scripted_server(vec![page(Some(link), r#"{"users":[]}"#), page(None, r#"{"users":[{"id":"b"}]}"#)])
            .await;
    assert_eq!(users(&linked).await.unwrap(), ["b"]);
}

#[tokio::test]
async fn continues_when_service_ignores_page_size() {
    let pages = [
        r#"{"page":{"number":0,"size":2,"totalElements":3,"totalPages":2},"users":[{"id":"a"},{"id":"b"}]}"#,
        r#"{"page":{"number":1,"size":2,"totalElements":3,"totalPages":2},"users":[{"id":"c"}]}"#,
    ];
    let (service, list) = numbered_pages(&pages).await;
    let pages: Vec<_> = list.with_page_size(100).pages().try_collect().await.unwrap();
    assert_eq!(
        pages.iter().map(|page| (page.items.len(), page.total)).collect::<Vec<_>>(),
        [(2, Some(3)), (1, Some(3))]
    );
    assert_eq!(request_lines(&service), ["GET /api/users?size=100", "GET /api/users?size=100&page=1"]);
}

#[tokio::test]
async fn detects_page_repeated_forever() {
    let same = r#"{"users":[{"id":"a"}],"last":false}"#;
    let message = REPEATED_PAGE;
    let (service, list) = numbered_pages(&[same]).await;
    assert_eq!(list.await.unwrap_err().to_string(), message);
    assert_eq!(request_lines(&service).len(), 2);
    let (_, list) = numbered_pages(&[same]).await;
    assert_eq!(list.stream().try_collect::<Vec<_>>().await.unwrap_err().to_string(), message);
    // Unread items have no identity, so repeated pages cannot be detected.
    let large = |id: &str, last| format!(r#"{{"users":[{{"id":"{}"}}],"last":{last}}}"#, id.repeat(50));
    let pages = [large("a", false), large("b", false), large("c", true)];
    let (_, list) = numbered_pages(&pages.each_ref().map(String::as_str)).await;
    let each: Vec<_> = list.max_item_size(40).stream_each().try_collect().await.unwrap();
    assert_eq!((each.len(), each.iter().filter(|each| each.is_err()).count()), (3, 3));
    let (_, list) = numbered_pages(&[r#"{"users":[{"id":"a"}],"totalPages":9,"number":0}"#]).await;
    let error = list.await.unwrap_err();
    assert_eq!(error.to_string(), "getUsers: the service returned page 0 instead of page 1");
    let (service, list) = numbered_pages(&[r#"{"users":[],"last":false}"#]).await;
    let error = list.await.unwrap_err();
    assert_eq!(error.to_string(), EMPTY_PAGES);
    assert_eq!(request_lines(&service).len(), 101);
}

#[tokio::test]
async fn stream_fails_on_link_cycle() {
    let body = r#"{"users":[{"id":"a"}]}"#;
    let service = scripted_server(vec![page(Some(r#"</api/users>; rel="next""#), body)]).await;
    let items: Vec<Result<User>> = client(&service.base).await.users().stream().collect().await;
    let message = LINK_CYCLE;
    assert_eq!(items.len(), 2);
    assert_eq!(items[1].as_ref().unwrap_err().to_string(), message);
    assert_eq!(request_lines(&service), ["GET /api/users"], "the link points to the page itself");
}

/// Starts a service whose page number `n` is the result of `page(n)`; each page links the next one with a fresh cursor.
async fn endless_pages(page: impl Fn(usize) -> String + Send + Sync + 'static) -> CannedServer {
    let pages = AtomicUsize::new(0);
    CannedServer::respond_with(move |_| {
        let number = pages.fetch_add(1, Ordering::Relaxed);
        self::page(Some(&format!(r#"</api/users?cursor=c{number}>; rel="next""#)), &page(number))
    })
    .await
}

#[tokio::test]
async fn detects_same_items_with_fresh_cursor() {
    let message = REPEATED_PAGE;
    let same = |_| r#"{"users":[{"id":"a"},{"id":"b"}]}"#.to_owned();
    // The members beside the items change with every page.
    let same_beside_a_cursor =
        |number| format!(r#"{{"next":"c{number}","took":{number},"users":[{{"id":"a"}},{{"id":"b"}}]}}"#);
    let two_in_turn = |number: usize| format!(r#"{{"users":[{{"id":"{}"}}]}}"#, number % 2);
    let pages: [Box<dyn Fn(usize) -> String + Send + Sync>; 3] =
        [Box::new(same), Box::new(same_beside_a_cursor), Box::new(two_in_turn)];
    for page in pages {
        let service = endless_pages(page).await;
        let client = client(&service.base).await;
        assert_eq!(client.users().await.unwrap_err().to_string(), message);
        assert!(service.requests().len() <= 8, "{}", service.requests().len());
        let streamed = client.users().stream().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!((streamed.kind(), streamed.to_string().as_str()), (ErrorKind::Decode, message));
        assert_eq!(client.users().pages().try_collect::<Vec<_>>().await.unwrap_err().to_string(), message);
        let each = client.users().stream_each().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(each.to_string(), message);
    }
}

#[tokio::test]
async fn gives_up_after_100_empty_pages() {
    let service = endless_pages(|_| r#"{"users":[]}"#.to_owned()).await;
    let message = EMPTY_PAGES;
    assert_eq!(users(&service).await.unwrap_err().to_string(), message);
    assert_eq!(request_lines(&service).len(), 101);
}

#[tokio::test]
async fn limits_collected_items_but_not_streams() {
    let fresh = |number| format!(r#"{{"users":[{{"id":"a{number}"}},{{"id":"b{number}"}}]}}"#);
    let service = endless_pages(fresh).await;
    let client = client(&service.base).await;
    let error = client.users().max_items(20).await.unwrap_err();
    let message = "getUsers: the list continues after 20 items on 10 pages, and the limit of a collected list is 20 (max_items); \
        raise the limit, or stream the list";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, message));
    assert_eq!(request_lines(&service).len(), 10);
    let streamed: Vec<User> = client.users().max_items(20).stream().take(300).try_collect().await.unwrap();
    assert_eq!(streamed.len(), 300);
    // Pages count too: nearly all of these are empty.
    let sparse =
        |number| if number % 90 == 0 { format!(r#"{{"users":[{{"id":"{number}"}}]}}"#) } else { "{}".to_owned() };
    let sparse = endless_pages(sparse).await;
    let error = scripted::client(&sparse.base).await.users().max_items(200).await.unwrap_err();
    assert!(error.to_string().contains("after 3 items on 200 pages"), "{error}");
}

#[tokio::test]
async fn accepts_similar_pages_and_single_page_lists() {
    let link = |cursor: &str| format!(r#"</api/users?cursor={cursor}>; rel="next""#);
    let body = |ids: [&str; 2]| format!(r#"{{"users":[{{"id":"{}"}},{{"id":"{}"}}]}}"#, ids[0], ids[1]);
    let shifted = scripted::scripted_server(vec![
        page(Some(&link("1")), &body(["a", "b"])),
        page(Some(&link("2")), &body(["a", "b"])),
        page(Some(&link("3")), r#"{"users":[]}"#),
        page(Some(&link("4")), &body(["c", "d"])),
        page(None, &body(["d", "c"])),
    ])
    .await;
    assert_eq!(users(&shifted).await.unwrap(), ["a", "b", "a", "b", "c", "d", "d", "c"]);
    let one = scripted::scripted_server(vec![page(None, &body(["a", "b"]))]).await;
    assert_eq!(client(&one.base).await.users().max_items(1).await.unwrap().len(), 2);
    let exact = two_pages(r#"</api/users?page=2>; rel="next""#).await;
    assert_eq!(client(&exact.base).await.users().max_items(3).await.unwrap().len(), 3);
}

#[tokio::test]
async fn follows_link_to_another_host_at_configured_origin() {
    let other_server = scripted::scripted_server(vec![page(None, r#"{"users":[{"id":"stolen"}]}"#)]).await;
    for target in [
        format!("{}/api/users?page=2", other_server.base),
        "https://127.0.0.1/api/users?page=2".to_owned(),
        "http://backend.internal:8080/api/users?page=2".to_owned(),
        "//backend.internal/api/users?page=2".to_owned(),
        "http://robot:pa55-w0rd@backend.internal/api/users?page=2#users".to_owned(),
        "http://backend.internal/documine/api/users?page=2".to_owned(),
    ] {
        assert_next_page(&format!(r#"<{target}>; rel="next""#), "/api/users?page=2").await;
    }
    assert_next_page(r#"<http://backend.internal/api/users/pages/2>; rel="next""#, "/api/users/pages/2").await;
    assert_eq!(other_server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn follows_link_below_base_url_path() {
    for target in ["http://backend:8080/api/users?page=2", "/api/users?page=2", "/docs/api/users?page=2", "?page=2"] {
        let service = two_pages(&format!(r#"<{target}>; rel="next""#)).await;
        let client = client(&format!("{}/docs", service.base)).await;
        let mut pages = client.users().pages();
        let first = pages.try_next().await.unwrap().unwrap();
        assert!(first.continuation.is_some(), "{target}");
        assert_eq!(pages.try_collect::<Vec<_>>().await.unwrap().len(), 1, "{target}");
        assert_eq!(request_lines(&service), ["GET /docs/api/users", "GET /docs/api/users?page=2"], "{target}");
    }
}

#[tokio::test]
async fn rejects_link_with_another_scheme() {
    let service = two_pages(r#"<javascript:alert(1)>; rel="next""#).await;
    let message = "getUsers: unsupported scheme \"javascript\" in the link to the next page; expected https";
    assert_eq!(users(&service).await.unwrap_err().to_string(), message);
}
