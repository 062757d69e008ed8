//! Operations missing from the document used for the build: programs still compile, and the call fails before sending anything.
//!
//! The repository's document is complete; these tests run when `cargo xtask documents` substitutes another one.

#[cfg(not(has = "getUsers"))]
use documine::ErrorKind;

#[cfg(not(has = "getUsers"))]
use crate::harness::test_env::TestEnv;

#[tokio::test]
#[cfg(not(has = "getUsers"))]
async fn reports_operation_missing_in_document_without_sending() {
    let env = TestEnv::new().await;
    let error = env.client.users().await.expect_err("the document has no such operation");
    assert_eq!(error.kind(), ErrorKind::UnsupportedByDocument);
    assert!(error.is_unsupported_by_document() && !error.was_sent() && !error.is_transient());
    assert_eq!((error.operation(), error.attempts()), (Some("getUsers"), 0));
    assert!(error.to_string().contains("does not have GET /api/users"), "{error}");
    let raw = env.client.raw().get_users().send().await.expect_err("nor does the raw client send it");
    let chain = std::iter::successors(Some(&raw as &dyn std::error::Error), |error| error.source());
    assert!(chain.map(ToString::to_string).any(|text| text.contains("getUsers")), "{raw:?}");
    assert_eq!(env.request_log(), Vec::<String>::new());
}

/// Compares the table of operations with the document.
#[test]
fn lists_missing_operations() {
    let missing: Vec<&str> = documine::api::operations::OPERATIONS
        .iter()
        .filter(|operation| operation.missing)
        .map(|operation| operation.id)
        .collect();
    assert_eq!(missing.contains(&"getUsers"), cfg!(not(has = "getUsers")), "{missing:?}");
    #[cfg(reconstruction)]
    assert_eq!(missing, Vec::<&str>::new());
}
