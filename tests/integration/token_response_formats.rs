//! Token responses in unusual formats: an unambiguous meaning is accepted, everything else is rejected in one line.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use documine::{
    Client, Clock, Credentials, ErrorKind, Result, TimeoutPhase,
    auth::{DeviceCode, Identity, TokenSet},
};
use serde_json::{Value, json};

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::login::jwt;
use crate::harness::messages::UNSAFE_VERIFICATION_PAGE;
use crate::harness::scripted::{self, response_sequence};
use crate::harness::test_env::{SimulatedTime, TestEnv};

const JSON: &str = "Content-Type: application/json";

/// The outcome of a device login at a scripted provider.
struct DeviceLogin {
    shown: Option<DeviceCode>,
    sleeps: Vec<f64>,
    requests: usize,
    outcome: Result<TokenSet>,
}

async fn device_login(responses: Vec<Vec<u8>>, limit: Option<Duration>) -> DeviceLogin {
    let next = response_sequence(responses);
    let service = CannedServer::respond_with(move |_| next()).await;
    let time: SimulatedTime = TestEnv::new().await.time.clone();
    let login = Client::builder(&service.base).workspace("acme").clock(time.clone()).login("laptop").unwrap();
    let login = limit.into_iter().fold(login, documine::auth::Login::time_limit);
    let screen = Arc::<Mutex<Option<DeviceCode>>>::default();
    let outcome = login.device(|code| *screen.lock().unwrap() = Some(code.clone())).await;
    let shown = screen.lock().unwrap().clone();
    let sleeps = time.sleeps().iter().map(Duration::as_secs_f64).collect();
    DeviceLogin { shown, sleeps, requests: service.requests().len(), outcome }
}

/// Returns a device authorization response with these changes; `"ABSENT"` removes a member.
fn device_code(changes: &Value) -> Vec<u8> {
    let mut body = json!({
        "device_code": "d3vice", "user_code": "WDJB-MJHT", "verification_uri": "https://login.example/device", "expires_in": 600,
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| *value != json!("ABSENT"));
    json_response(&body.to_string())
}

fn token() -> Vec<u8> {
    json_response(r#"{"access_token":"a-1","token_type":"Bearer","expires_in":300}"#)
}

fn token_error(status: &str, code: &str, headers: &[&str]) -> Vec<u8> {
    response(status, &[&[JSON], headers].concat(), &json!({ "error": code }).to_string())
}

#[tokio::test]
async fn accepts_device_interval_in_any_spelling() {
    let default = 5.0;
    let cases = [
        (json!(7), 7.0),
        (json!("7"), 7.0),
        (json!(" 7 "), 7.0),
        (json!(7.5), 7.5),
        (json!("7.0"), 7.0),
        (json!("7s"), 7.0),
        (json!(0.2), 1.0),
        (json!(600), 600.0),
        (json!("ABSENT"), default),
        (json!(null), default),
        (json!(""), default),
        (json!("soon"), default),
        (json!("NaN"), default),
        (json!(true), default),
        (json!([5]), default),
        (json!(0), default),
        (json!(-7), default),
        // Longer than the lifetime of the code: no poll could succeed.
        (json!(601), default),
        (json!(1_000_000_000), default),
        (json!(u64::MAX), default),
        (json!(1e300), default),
    ];
    for (interval, delay) in cases {
        let login = device_login(vec![device_code(&json!({ "interval": interval })), token()], None).await;
        login.outcome.unwrap_or_else(|error| panic!("{interval}: {error}"));
        assert_eq!(login.sleeps, [delay], "{interval}");
        assert_eq!(login.shown.unwrap().interval, Duration::from_secs_f64(delay), "{interval}");
    }
    // A number out of range invalidates only its own member.
    let huge = r#"{"device_code":"d","user_code":"u","verification_uri":"https://login.example","expires_in":600,"interval":1e999}"#;
    assert_eq!(device_login(vec![json_response(huge), token()], None).await.sleeps, [default]);
}

#[tokio::test]
async fn accepts_device_code_lifetime_in_any_spelling() {
    let default = 1800.0;
    let cases = [
        (json!(600), 600.0),
        (json!("600"), 600.0),
        (json!("600.0"), 600.0),
        (json!(600.5), 600.5),
        (json!("ABSENT"), default),
        (json!(null), default),
        (json!("never"), default),
        (json!(0), default),
        (json!(-1), default),
        (json!(1e300), default),
        // Bounded by the time limit of the login.
        (json!(1_000_000_000), 3600.0),
    ];
    for (lifetime, expected) in cases {
        let login = device_login(vec![device_code(&json!({ "expires_in": lifetime })), token()], None).await;
        assert_eq!(login.shown.unwrap().expires_in, Duration::from_secs_f64(expected), "{lifetime}");
        assert!(login.outcome.is_ok(), "{lifetime}");
    }
}

#[tokio::test]
async fn device_polls_respect_retry_after() {
    let pending = "authorization_pending";
    let cases = [
        (token_error("400 Bad Request", pending, &["Retry-After: 30"]), 30.0),
        (token_error("429 Too Many Requests", pending, &["Retry-After: 30"]), 30.0),
        (token_error("429 Too Many Requests", "slow_down", &["Retry-After: 30"]), 30.0),
        (token_error("400 Bad Request", "slow_down", &["Retry-After: 2"]), 10.0),
        (response("429 Too Many Requests", &["Retry-After: 30"], ""), 30.0),
        (response("503 Service Unavailable", &["Retry-After: 30"], "<html>"), 30.0),
        (response("503 Service Unavailable", &["Retry-After: 2"], ""), 10.0),
        (response("503 Service Unavailable", &["Retry-After: soon"], ""), 10.0),
        (
            response(
                "503 Service Unavailable",
                &["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"],
                "",
            ),
            30.0,
        ),
        // Bounded by the lifetime of the code: 600 s, of which 5 have passed.
        (response("503 Service Unavailable", &["Retry-After: 31536000"], ""), 595.0),
        (token_error("400 Bad Request", pending, &["Retry-After: 99999999999999999999999"]), 595.0),
    ];
    for (poll, delay) in cases {
        let shown = String::from_utf8_lossy(&poll).into_owned();
        let login = device_login(vec![device_code(&json!({})), poll, token()], None).await;
        login.outcome.unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(login.sleeps, [5.0, delay], "{shown}");
    }
}

#[tokio::test]
async fn device_login_ends_at_time_limit() {
    let pending = token_error("400 Bad Request", "authorization_pending", &[]);
    let endless = json!({"expires_in": 1_000_000_000, "interval": 60});
    for (limit, polls) in [(None, 60), (Some(Duration::from_secs(150)), 3), (Some(Duration::from_secs(30)), 1)] {
        let login = device_login(vec![device_code(&endless), pending.clone()], limit).await;
        let error = login.outcome.unwrap_err();
        let limit = limit.unwrap_or(Duration::from_secs(3600));
        assert_eq!(
            error.to_string(),
            format!(
                "login by device code: timed out after {limit:?} waiting for the person to confirm; start the login again, or set a longer \
                 `time_limit`"
            )
        );
        assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Login)));
        assert_eq!(login.sleeps.iter().copied().map(Duration::from_secs_f64).sum::<Duration>(), limit);
        assert_eq!(login.requests, polls + 1);
    }
}

#[tokio::test]
async fn slow_down_stays_bounded() {
    let login =
        device_login(vec![device_code(&json!({})), token_error("400 Bad Request", "slow_down", &[])], None).await;
    assert!(login.outcome.unwrap_err().needs_login());
    assert!(login.sleeps.iter().sum::<f64>() <= 660.0, "{:?}", login.sleeps);
}

#[tokio::test]
async fn accepts_alternative_names_of_verification_uri() {
    let page = "https://login.example/device";
    let with_code = "https://login.example/device?user_code=WDJB-MJHT";
    let absent = || json!({"verification_uri": "ABSENT"});
    let cases = [
        (json!({"verification_url": page}), page, None),
        (json!({"verificationUri": page}), page, None),
        (json!({"verificationUrl": page}), page, None),
        (json!({"verification_uri": null, "verification_url": page}), page, None),
        (json!({"verification_url": page, "verification_url_complete": with_code}), page, Some(with_code)),
        (json!({"verification_url": page, "verification_uri_complete": with_code}), page, Some(with_code)),
        (json!({"verification_url": page, "verification_uri_complete": null}), page, None),
        (json!({"verification_url": page, "verification_uri_complete": ""}), page, None),
        (json!({"verification_uri_complete": with_code}), with_code, Some(with_code)),
    ];
    for (members, uri, complete) in cases {
        let mut changes = absent();
        changes.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let login = device_login(vec![device_code(&changes), token()], None).await;
        let shown = login.shown.unwrap_or_else(|| panic!("{changes}: {:?}", login.outcome));
        assert_eq!(shown.verification_uri, uri, "{changes}");
        assert_eq!(shown.verification_uri_complete.as_deref(), complete, "{changes}");
    }
    let digits = device_login(vec![device_code(&json!({"user_code": 123_456})), token()], None).await;
    assert_eq!(digits.shown.unwrap().user_code, "123456");
    // The URI shown to the person must be a web URL, regardless of the member.
    for name in ["verification_url", "verification_uri_complete"] {
        let changes = json!({"verification_uri": "ABSENT", name: "javascript:alert(1)"});
        let login = device_login(vec![device_code(&changes), token()], None).await;
        assert_eq!(login.outcome.unwrap_err().to_string(), UNSAFE_VERIFICATION_PAGE);
        assert_eq!(login.shown, None);
    }
}

#[tokio::test]
async fn device_polls_continue_for_any_status_of_pending_login() {
    let statuses =
        ["200 OK", "202 Accepted", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "428 Precondition Required"];
    let statuses = statuses.into_iter().chain(["429 Too Many Requests", "500 Oops", "503 Service Unavailable"]);
    for status in statuses {
        let polls = [
            token_error(status, "authorization_pending", &[]),
            token_error(status, "Authorization_Pending", &[]),
            response(status, &["Content-Type: text/plain"], r#"{"error":"authorization_pending"}"#),
            response(status, &[JSON], "\u{feff}{\"error\":\"authorization_pending\"}"),
            response(status, &[JSON], r#"{"error":{"code":"authorization_pending","message":"Not yet"}}"#),
            response(status, &[JSON], r#"{"error":"authorization_pending","error_description":["a"],"error_uri":7}"#),
            response(status, &[JSON], r#"{"status":400,"message":"authorization_pending"}"#),
            response(
                status,
                &["Content-Type: application/x-www-form-urlencoded"],
                "error=authorization_pending&error_description=Not+yet",
            ),
        ];
        for poll in polls {
            let shown = String::from_utf8_lossy(&poll).into_owned();
            let login = device_login(vec![device_code(&json!({})), poll, token()], None).await;
            login.outcome.unwrap_or_else(|error| panic!("{shown}: {error}"));
            assert_eq!(login.sleeps, [5.0, 5.0], "{shown}");
        }
        let ends = [
            ("access_denied", "the person refused the login"),
            ("authorization_declined", "the person refused the login"),
            ("expired_token", "the device code expired before it was confirmed; start the login again"),
            ("code_expired", "the device code expired before it was confirmed; start the login again"),
        ];
        for (code, line) in ends {
            let login = device_login(vec![device_code(&json!({})), token_error(status, code, &[])], None).await;
            let error = login.outcome.unwrap_err();
            assert_eq!(error.to_string(), format!("login by device code: {line}"), "{status} {code}");
            assert!(error.needs_login() && login.requests == 2, "{status} {code}");
        }
        let login = device_login(vec![token_error(status, "unauthorized_client", &[])], None).await;
        let error = login.outcome.unwrap_err().to_string();
        assert!(error.contains("refused: unauthorized_client; check the client id"), "{status}: {error}");
    }
}

/// Logs in with a password and returns the identity or the login error, with the number of requests.
async fn password_login(token_answer: Vec<u8>) -> (Result<Identity>, usize) {
    let next = response_sequence(vec![token_answer]);
    let service =
        CannedServer::respond_with(move |head| if head.starts_with("POST ") { next() } else { json_response("{}") })
            .await;
    let (builder, _) = scripted::builder(&service.base).await;
    let client = builder.credentials(Credentials::password("program", "robot", "pa55-w0rd")).build().unwrap();
    let identity = match client.license().await {
        Ok(_) => client.identity().await,
        Err(error) => Err(error),
    };
    (identity, service.requests().len())
}

#[tokio::test]
async fn reads_token_endpoint_errors_for_any_status() {
    let codes = [("invalid_grant", true), ("invalid_client", true), ("unauthorized_client", true)];
    let codes = codes.into_iter().chain([("invalid_scope", false), ("unsupported_grant_type", false)]);
    for (code, needs_login) in codes {
        for status in ["200 OK", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "428 Odd", "500 Odd"] {
            let error = password_login(token_error(status, code, &[])).await.0.unwrap_err();
            assert!(error.to_string().contains(&format!("refused: {code}")), "{status}: {error}");
            assert_eq!((error.needs_login(), error.is_transient()), (needs_login, false), "{status} {code}: {error}");
        }
    }
    for status in ["200 OK", "400 Bad Request", "500 Odd"] {
        for code in ["temporarily_unavailable", "server_error"] {
            let error = password_login(token_error(status, code, &[])).await.0.unwrap_err();
            assert_eq!((error.needs_login(), error.is_transient()), (false, true), "{status} {code}: {error}");
        }
    }
    // With an unknown error code, the status decides.
    for (status, transient) in [("400 Bad Request", false), ("500 Odd", true), ("429 Too Many", true)] {
        for code in ["internal_failure", "rate_limit_exceeded"] {
            let error = password_login(token_error(status, code, &[])).await.0.unwrap_err();
            assert_eq!((error.needs_login(), error.is_transient()), (false, transient), "{status} {code}: {error}");
        }
    }
}

#[tokio::test]
async fn extracts_message_of_token_error() {
    let begin = "login with a password: the identity provider";
    let cases = [
        (r#"{"error":"nope","error_description":"Too late"}"#, "refused: Too late (nope)"),
        (r#"{"error":"nope","error_description":["Too late","x"]}"#, "refused: Too late (nope)"),
        (r#"{"error":"nope","error_description":7}"#, "refused: 7 (nope)"),
        (r#"{"error":"nope","error_description":{}}"#, "refused: nope"),
        (r#"{"error":"nope","error_description":null}"#, "refused: nope"),
        (r#"{"error":"nope","errorDescription":"Too late"}"#, "refused: Too late (nope)"),
        (r#"{"error":{"code":400,"status":"NOPE","message":"Too late"}}"#, "refused: Too late (NOPE)"),
        (r#"{"errorCode":"E1","errorSummary":"Too late"}"#, "refused: Too late (E1)"),
        (r#"{"status":400,"error":"Bad Request","message":"Too late"}"#, "refused: Too late (Bad Request)"),
        (r#"{"title":"Bad Request","detail":"Too late"}"#, "answered 400 Bad Request: Too late"),
        (r#"{"message":"Too late"}"#, "answered 400 Bad Request: Too late"),
        ("error=nope&error_description=Too+late", "refused: Too late (nope)"),
        ("{\"error\":\"nope\",\"error_description\":\"cut \\ud83d\"}", "refused: nope"),
        ("<html>", "answered 400 Bad Request without a reason"),
        ("", "answered 400 Bad Request without a reason"),
    ];
    for (body, line) in cases {
        let error = password_login(response("400 Bad Request", &[JSON], body)).await.0.unwrap_err();
        assert_eq!(error.to_string(), format!("{begin} {line}"), "{body}");
    }
}

/// Returns the rounded number of seconds from `now` to a point in time.
fn seconds_until(at: Option<SystemTime>, now: SystemTime) -> Option<f64> {
    at.map(|at| (at.duration_since(now).unwrap().as_secs_f64() * 10.0).round() / 10.0)
}

#[tokio::test]
async fn accepts_token_lifetimes_in_any_spelling() {
    let now = TestEnv::new().await.time.now();
    let epoch = |ahead: u64| now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + ahead;
    let forms = [
        (json!(3600), Some(3600.0)),
        (json!("3600"), Some(3600.0)),
        (json!(" 3600 "), Some(3600.0)),
        (json!(3600.0), Some(3600.0)),
        (json!(3600.5), Some(3600.5)),
        (json!("3600.0"), Some(3600.0)),
        (json!("3600s"), Some(3600.0)),
        (json!("3.6e3"), Some(3600.0)),
        (json!(null), None),
        (json!(""), None),
        (json!("never"), None),
        (json!(0), None),
        (json!(-1), None),
        (json!("-3600"), None),
        (json!("NaN"), None),
        (json!("Infinity"), None),
        (json!(1e300), None),
        (json!(u64::MAX), None),
        (json!(true), None),
        (json!({"seconds": 3600}), None),
    ];
    let check = async |body: String, access: Option<f64>, refresh: Option<f64>| {
        let me = password_login(json_response(&body)).await.0.unwrap_or_else(|error| panic!("{body}: {error}"));
        let found = (seconds_until(me.access_expires_at, now), seconds_until(me.refresh_expires_at, now));
        assert_eq!(found, (access, refresh), "{body}");
    };
    for (form, seconds) in forms {
        check(json!({"access_token": "a", "expires_in": form}).to_string(), seconds, None).await;
        for name in ["refresh_expires_in", "refresh_expries_in", "refresh_token_expires_in"] {
            let body = json!({"access_token": "a", "expires_in": 60, "refresh_token": "r", name: form});
            check(body.to_string(), Some(60.0), seconds).await;
        }
    }
    check(r#"{"access_token":"a","expires_in":1e999}"#.into(), None, None).await;
    check(json!({"access_token": "a", "expiresIn": "60"}).to_string(), Some(60.0), None).await;
    let azure =
        json!({"access_token": "a", "expires_in": "60", "ext_expires_in": "9999", "expires_on": epoch(60).to_string()});
    check(azure.to_string(), Some(60.0), None).await;
    check(json!({"access_token": "a", "ext_expires_in": 9999}).to_string(), None, None).await;
    for name in ["expires_on", "expires_at"] {
        check(json!({"access_token": "a", name: epoch(60).to_string()}).to_string(), Some(60.0), None).await;
        check(json!({"access_token": "a", name: epoch(60)}).to_string(), Some(60.0), None).await;
        check(json!({"access_token": "a", name: epoch(60) * 1000}).to_string(), Some(60.0), None).await;
        check(json!({"access_token": "a", name: 7}).to_string(), None, None).await;
    }
}

#[tokio::test]
async fn accepts_unambiguous_token_responses() {
    let plain = |body: &str| response("200 OK", &["Content-Type: text/plain"], body);
    let bodies = [
        r#"{"access_token":"a-1"}"#,
        r#"{"access_token":"a-1","token_type":"BEARER"}"#,
        r#"{"access_token":"a-1","token_type":null}"#,
        r#"{"access_token":"a-1","token_type":7}"#,
        r#"{"access_token":" a-1\n"}"#,
        r#"{"access_token":"Bearer a-1"}"#,
        r#"{"access_token":"a-1","access_token":"a-1"}"#,
        r#"{"access_token":"a-1","error":null}"#,
        r#"{"access_token":"a-1","error":"","error_description":""}"#,
        r#"{"access_token":"a-1","error":false}"#,
        r#"{"access_token":"a-1","errorCode":0,"code":0,"message":"ok"}"#,
        r#"{"access_token":"a-1","refresh_token":null,"id_token":"","scope":null}"#,
        r#"{"access_token":"a-1","refresh_token":7,"id_token":[],"scope":{},"expires_in":{}}"#,
        r#"{"accessToken":"a-1","tokenType":"bearer"}"#,
        r#"{"code":0,"data":{"access_token":"a-1"}}"#,
        "\u{feff}{\"access_token\":\"a-1\"}",
        "\r\n {\"access_token\":\"a-1\"} \r\n",
        "access_token=a-1&token_type=bearer&expires_in=60",
        "token_type=bearer&access_token=a%2D1",
    ];
    for body in bodies {
        let next = response_sequence(vec![plain(body)]);
        let service = CannedServer::respond_with(
            move |head| if head.starts_with("POST ") { next() } else { json_response("{}") },
        )
        .await;
        let (builder, _) = scripted::builder(&service.base).await;
        let client = builder.credentials(Credentials::password("program", "robot", "pa55-w0rd")).build().unwrap();
        client.license().await.unwrap_or_else(|error| panic!("{body}: {error}"));
        let requests = service.requests();
        assert!(requests[0].to_ascii_lowercase().contains("accept: application/json\r\n"), "{}", requests[0]);
        assert!(requests[1].to_ascii_lowercase().contains("authorization: bearer a-1\r\n"), "{body}: {}", requests[1]);
    }
    for scope in [json!("read write"), json!(["read", "write"]), json!("read,write"), json!(["read write", 7])] {
        let body = json!({"access_token": "a-1", "scope": scope}).to_string();
        let scopes = password_login(plain(&body)).await.0.unwrap().scopes;
        assert_eq!(scopes[..2], ["read", "write"], "{scope}");
    }
}

#[tokio::test]
async fn rejects_ambiguous_token_responses() {
    let unclear = "login with a password: the identity provider's response holds no access token";
    let cases = [
        ("", unclear),
        ("{}", unclear),
        ("<html>log in</html>", unclear),
        (r#"["access_token"]"#, unclear),
        (r#"{"access_token":""}"#, unclear),
        (r#"{"access_token":7,"s":"s3cret"}"#, unclear),
        (r#"{"access_token":"s3cret","access_token":"other"}"#, unclear),
        (r#"{"a":{"access_token":"s3cret"},"b":{"access_token":"other"}}"#, unclear),
        (r#"{"access_token":"s3cret""#, unclear),
        (r#"{"access_token":"s3cret"} {}"#, unclear),
        (
            r#"{"access_token":"s3cret","error":"invalid_request"}"#,
            "login with a password: the identity provider refused: invalid_request",
        ),
        (
            r#"{"access_token":"s3cret","token_type":"DPoP"}"#,
            "login with a password: the identity provider issued a dpop token, but only bearer tokens are supported; configure it to issue bearer \
             tokens to this client",
        ),
    ];
    for (body, line) in cases {
        let (outcome, requests) = password_login(json_response(body)).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.kind(), requests), (line, ErrorKind::Auth, 1), "{body}");
        assert!(!format!("{error:?}").contains("s3cret"), "{body}");
    }
}

#[tokio::test]
async fn ignores_invalid_claim_and_keeps_identity() {
    let cases = [
        (r#"{"preferred_username":"ada","scope":["read","write"]}"#, "ada", &["read", "write"][..]),
        (r#"{"preferred_username":"ada","scp":["read"]}"#, "ada", &["read"]),
        (r#"{"preferred_username":"ada","scp":"read write"}"#, "ada", &["read", "write"]),
        (r#"{"preferred_username":"ada","scope":7,"exp":"soon","aud":["a","b"]}"#, "ada", &["7"]),
        (r#"{"preferred_username":"ada","exp":1e999,"realm_access":[],"resource_access":7}"#, "ada", &[]),
        (r#"{"preferred_username":["ada"],"email":"ada@x.example"}"#, "ada@x.example", &[]),
        (r#"{"preferred_username":"","email":null,"sub":4711}"#, "4711", &[]),
        (r#"{"preferred_username":{},"sub":"id-1","aud":"a"}"#, "id-1", &[]),
    ];
    for (claims, account, scopes) in cases {
        for padding in ["", "="] {
            let token = jwt(claims).replacen(".c2", &format!("{padding}.c2"), 1);
            let body = json!({"access_token": token}).to_string();
            let me = password_login(json_response(&body)).await.0.unwrap();
            assert_eq!(me.account.as_deref(), Some(account), "{claims}");
            assert_eq!(me.scopes, scopes, "{claims}");
        }
    }
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    for exp in ["4000000000", "4000000000.0", "\"4000000000\"", "4e9"] {
        let token = jwt(&format!(r#"{{"sub":"id-1","exp":{exp}}}"#));
        let body = json!({"access_token": token}).to_string();
        let me = password_login(json_response(&body)).await.0.unwrap();
        assert_eq!(me.access_expires_at, Some(far), "{exp}");
    }
}
