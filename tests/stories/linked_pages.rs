//! The links of a service that pages: however they are spelt, the list is whole, or it is an error.

use std::sync::atomic::{AtomicUsize, Ordering};

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
    assert_eq!(error.to_string(), "getUsers: invalid URL in the link to the next page: invalid IPv6 address");
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
    let told =
        "getUsers: incomplete list: the service returned 3 of 4 items, and the document declares no paging (x-paging)";
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
    let told = "getUsers: endless list: the service returned the same page again";
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
    assert_eq!(error.to_string(), "getUsers: the service returned page 0 instead of page 1");
    let (service, list) = numbered(&[r#"{"users":[],"last":false}"#]).await;
    let error = list.await.unwrap_err();
    assert_eq!(error.to_string(), "getUsers: endless list: 100 consecutive pages are empty");
    assert_eq!(asked(&service).len(), 101);
}

#[tokio::test]
async fn links_in_a_circle_end_a_stream_with_an_error() {
    let body = r#"{"users":[{"id":"a"}]}"#;
    let service = service(vec![page(Some(r#"</api/users>; rel="next""#), body)]).await;
    let items: Vec<Result<User>> = client(&service.base).await.users().stream().collect().await;
    let told = "getUsers: endless list: the links between the pages form a cycle";
    assert_eq!(items.len(), 2);
    assert_eq!(items[1].as_ref().unwrap_err().to_string(), told);
    assert_eq!(asked(&service), ["GET /api/users"], "it leads back to where it came from");
}

/// A service whose page number `n` is what `page` makes of `n`; each links the next one by a cursor that never came before.
async fn endless(page: impl Fn(usize) -> String + Send + Sync + 'static) -> Canned {
    let pages = AtomicUsize::new(0);
    Canned::answering(move |_| {
        let number = pages.fetch_add(1, Ordering::Relaxed);
        self::page(Some(&format!(r#"</api/users?cursor=c{number}>; rel="next""#)), &page(number))
    })
    .await
}

#[tokio::test]
async fn a_fresh_cursor_with_the_same_items_ends_a_list() {
    let told = "getUsers: endless list: the service returned the same page again";
    let same = |_| r#"{"users":[{"id":"a"},{"id":"b"}]}"#.to_owned();
    // What stands beside the items changes with every page.
    let same_beside_a_cursor =
        |number| format!(r#"{{"next":"c{number}","took":{number},"users":[{{"id":"a"}},{{"id":"b"}}]}}"#);
    let two_in_turn = |number: usize| format!(r#"{{"users":[{{"id":"{}"}}]}}"#, number % 2);
    let pages: [Box<dyn Fn(usize) -> String + Send + Sync>; 3] =
        [Box::new(same), Box::new(same_beside_a_cursor), Box::new(two_in_turn)];
    for page in pages {
        let service = endless(page).await;
        let client = client(&service.base).await;
        assert_eq!(client.users().await.unwrap_err().to_string(), told);
        assert!(service.requests().len() <= 8, "{}", service.requests().len());
        let streamed = client.users().stream().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!((streamed.kind(), streamed.to_string().as_str()), (ErrorKind::Decode, told));
        assert_eq!(client.users().pages().try_collect::<Vec<_>>().await.unwrap_err().to_string(), told);
        let each = client.users().stream_each().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(each.to_string(), told);
    }
}

#[tokio::test]
async fn empty_pages_that_always_link_on_end_a_list() {
    let service = endless(|_| r#"{"users":[]}"#.to_owned()).await;
    let told = "getUsers: endless list: 100 consecutive pages are empty";
    assert_eq!(users(&service).await.unwrap_err().to_string(), told);
    assert_eq!(asked(&service).len(), 101);
}

#[tokio::test]
async fn a_collected_list_has_a_limit_and_a_stream_has_none() {
    let fresh = |number| format!(r#"{{"users":[{{"id":"a{number}"}},{{"id":"b{number}"}}]}}"#);
    let service = endless(fresh).await;
    let client = client(&service.base).await;
    let error = client.users().with_max_items(20).await.unwrap_err();
    let told = "getUsers: the list continues after 20 items on 10 pages, and the limit of a collected list is 20 (with_max_items); raise the limit, or stream the list";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, told));
    assert_eq!(asked(&service).len(), 10);
    let streamed: Vec<User> = client.users().with_max_items(20).stream().take(300).try_collect().await.unwrap();
    assert_eq!(streamed.len(), 300);
    // Pages count, too: nearly all of these are empty.
    let sparse =
        |number| if number % 90 == 0 { format!(r#"{{"users":[{{"id":"{number}"}}]}}"#) } else { "{}".to_owned() };
    let sparse = endless(sparse).await;
    let error = scripted::client(&sparse.base).await.users().with_max_items(200).await.unwrap_err();
    assert!(error.to_string().contains("after 3 items on 200 pages"), "{error}");
}

#[tokio::test]
async fn pages_that_only_look_alike_and_lists_in_one_answer_are_whole() {
    let link = |cursor: &str| format!(r#"</api/users?cursor={cursor}>; rel="next""#);
    let body = |ids: [&str; 2]| format!(r#"{{"users":[{{"id":"{}"}},{{"id":"{}"}}]}}"#, ids[0], ids[1]);
    let shifted = scripted::service(vec![
        page(Some(&link("1")), &body(["a", "b"])),
        page(Some(&link("2")), &body(["a", "b"])),
        page(Some(&link("3")), r#"{"users":[]}"#),
        page(Some(&link("4")), &body(["c", "d"])),
        page(None, &body(["d", "c"])),
    ])
    .await;
    assert_eq!(users(&shifted).await.unwrap(), ["a", "b", "a", "b", "c", "d", "d", "c"]);
    let one = scripted::service(vec![page(None, &body(["a", "b"]))]).await;
    assert_eq!(client(&one.base).await.users().with_max_items(1).await.unwrap().len(), 2);
    let exact = two_pages(r#"</api/users?page=2>; rel="next""#).await;
    assert_eq!(client(&exact.base).await.users().with_max_items(3).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_link_to_another_address_is_followed_at_the_configured_one() {
    let elsewhere = scripted::service(vec![page(None, r#"{"users":[{"id":"stolen"}]}"#)]).await;
    for target in [
        format!("{}/api/users?page=2", elsewhere.base),
        "https://127.0.0.1/api/users?page=2".to_owned(),
        "http://backend.internal:8080/api/users?page=2".to_owned(),
        "//backend.internal/api/users?page=2".to_owned(),
        "http://robot:pa55-w0rd@backend.internal/api/users?page=2#users".to_owned(),
        "http://backend.internal/documine/api/users?page=2".to_owned(),
    ] {
        leads_to(&format!(r#"<{target}>; rel="next""#), "/api/users?page=2").await;
    }
    leads_to(r#"<http://backend.internal/api/users/pages/2>; rel="next""#, "/api/users/pages/2").await;
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_link_is_followed_below_the_path_of_the_base_url() {
    for target in ["http://backend:8080/api/users?page=2", "/api/users?page=2", "/docs/api/users?page=2", "?page=2"] {
        let service = two_pages(&format!(r#"<{target}>; rel="next""#)).await;
        let client = client(&format!("{}/docs", service.base)).await;
        let mut pages = client.users().pages();
        let first = pages.try_next().await.unwrap().unwrap();
        assert!(first.continuation.is_some(), "{target}");
        assert_eq!(pages.try_collect::<Vec<_>>().await.unwrap().len(), 1, "{target}");
        assert_eq!(asked(&service), ["GET /docs/api/users", "GET /docs/api/users?page=2"], "{target}");
    }
}

#[tokio::test]
async fn a_link_of_another_scheme_is_an_error() {
    let service = two_pages(r#"<javascript:alert(1)>; rel="next""#).await;
    let told = "getUsers: unsupported scheme \"javascript\" in the link to the next page; expected https";
    assert_eq!(users(&service).await.unwrap_err().to_string(), told);
}
