//! Invalid settings: `build()` rejects each in one line, before anything is sent and without showing a secret.

use documine::{
    Client, ClientBuilder, Credentials, ErrorKind,
    auth::{MemoryStore, TokenSet},
};

use crate::harness::assertions::{SECRETS, assert_error, credentials};

fn assert_rejected(builder: ClientBuilder, line: &str) {
    assert_error(&builder.build().map(drop).unwrap_err(), ErrorKind::Config, line);
}

#[test]
fn rejects_invalid_base_url() {
    let with = |base: &str| Client::builder(base).workspace("acme").credentials(credentials());
    assert_rejected(with(""), "empty base URL; expected the URL of the service, for example https://acme.example");
    assert_rejected(with("   "), "empty base URL; expected the URL of the service, for example https://acme.example");
    assert_rejected(
        with("acme"),
        "invalid base URL: relative URL without a base; expected a URL such as https://acme.example",
    );
    assert_rejected(with("https://"), "invalid base URL: empty host; expected a URL such as https://acme.example");
    assert_rejected(with("ftp://acme.example"), "unsupported scheme \"ftp\" in the base URL; use https");
    assert_rejected(with("mailto:pa55-w0rd"), "the base URL has no host; expected a URL such as https://acme.example");
    assert_rejected(
        with("https://robot:pa55-w0rd@acme.example"),
        "the base URL contains a user name or password; pass them as credentials",
    );
    assert_rejected(
        with("https://acme.example/?key=pa55-w0rd"),
        "the base URL contains a query or fragment; remove everything from `?` or `#`",
    );
    assert_rejected(
        with("https://acme.example/#top"),
        "the base URL contains a query or fragment; remove everything from `?` or `#`",
    );
}

#[test]
fn rejects_plain_http_except_for_loopback() {
    let with = |base: &str| Client::builder(base).workspace("acme").credentials(credentials());
    for host in ["acme.example", "10.0.0.1", "localhost.acme.example", "127.0.0.1.acme.example"] {
        let line = format!(
            "the base URL uses http://{host}, which would send tokens in plain text; use https (http is allowed for 127.0.0.1 and localhost only)"
        );
        assert_rejected(with(&format!("http://{host}")), &line);
    }
    for base in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://acme.example/documine/"] {
        with(base).build().unwrap();
    }
    let builder = with("https://acme.example").token_path("http://login.example/token");
    assert_rejected(
        builder,
        "the token path uses http://login.example, which would send tokens in plain text; use https (http is allowed for 127.0.0.1 and localhost only)",
    );
}

#[test]
fn names_empty_credential_field() {
    let with = |credentials| Client::builder("https://acme.example").workspace("acme").credentials(credentials);
    assert_rejected(with(Credentials::password("", "u", "p")), "credentials: the client id is empty; give one");
    assert_rejected(with(Credentials::password("c", " ", "p")), "credentials: the user name is empty; give one");
    assert_rejected(with(Credentials::password("c", "u", "")), "credentials: the password is empty; give one");
    assert_rejected(
        with(Credentials::password("c", "u", "p").client_secret("")),
        "credentials: the client secret is empty; give one",
    );
    assert_rejected(with(Credentials::access_token("")), "credentials: the access token is empty; give one");
    assert_rejected(
        with(Credentials::tokens("c", TokenSet::new("\t"))),
        "credentials: the access token is empty; give one",
    );
    assert_rejected(
        with(Credentials::access_token("t0ken-t3xt\nX-Other: 1")),
        "credentials: the access token holds characters that are not allowed in a header, perhaps a line break",
    );
    assert_rejected(
        Client::builder("https://acme.example").workspace("acme"),
        "no credentials; pass some to `credentials(…)`, for example Credentials::password",
    );
}

#[test]
fn rejects_invalid_workspace() {
    let with =
        |workspace: &str| Client::builder("https://acme.example").workspace(workspace).credentials(credentials());
    assert_rejected(with(""), "no workspace; pass its id to `workspace(…)`");
    assert_rejected(
        Client::builder("https://acme.example").credentials(credentials()),
        "no workspace; pass its id to `workspace(…)`",
    );
    for (workspace, shown) in
        [("a/b", r#""a/b""#), ("..", r#""..""#), ("a b", r#""a b""#), ("a\nb", r#""a\nb""#), ("a?b", r#""a?b""#)]
    {
        assert_rejected(
            with(workspace),
            &format!("invalid workspace id {shown}; only letters, digits, `-`, `_`, `.` and `~` are allowed"),
        );
    }
}

#[test]
fn rejects_zero_timeouts() {
    let with = || Client::builder("https://acme.example").workspace("acme").credentials(credentials());
    let zero = std::time::Duration::ZERO;
    assert_rejected(with().connect_timeout(zero), "the connect timeout is zero; set a positive duration");
    assert_rejected(with().attempt_timeout(zero), "the attempt timeout is zero; set a positive duration");
    assert_rejected(with().idle_timeout(zero), "the idle timeout is zero; set a positive duration");
    assert_rejected(
        with().app_info("my\nrobot", "1"),
        "invalid app_info: characters not allowed in a header; use ASCII",
    );
}

#[test]
fn names_missing_environment_variable() {
    let all = [
        (
            "DOCUMINE_BASE_URL",
            "https://acme.example",
            "DOCUMINE_BASE_URL is not set or empty; set it to the URL of the service",
        ),
        (
            "DOCUMINE_WORKSPACE_ID",
            "acme",
            "DOCUMINE_WORKSPACE_ID is not set or empty; set it to the id of the workspace",
        ),
        (
            "DOCUMINE_CLIENT_ID",
            "client",
            "DOCUMINE_CLIENT_ID is not set or empty; set it to the client id at the identity provider (or set DOCUMINE_ACCESS_TOKEN)",
        ),
        ("DOCUMINE_USERNAME", "robot", "DOCUMINE_USERNAME is not set or empty; set it to the user name"),
        ("DOCUMINE_PASSWORD", SECRETS[0], "DOCUMINE_PASSWORD is not set or empty; set it to the password"),
    ];
    let value = |name: &str| all.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| (*value).to_owned());
    ClientBuilder::from_variables(value).unwrap().build().unwrap();
    for (missing, _, line) in all {
        for blank in [None, Some("  ".to_owned())] {
            let lookup = |name: &str| if name == missing { blank.clone() } else { value(name) };
            let built = ClientBuilder::from_variables(lookup).and_then(ClientBuilder::build);
            assert_error(&built.map(drop).unwrap_err(), ErrorKind::Config, line);
        }
    }
    let lookup = |name: &str| match name {
        "DOCUMINE_ACCESS_TOKEN" | "DOCUMINE_REFRESH_TOKEN" => Some(SECRETS[2].to_owned()),
        "DOCUMINE_CLIENT_ID" => None,
        name => value(name),
    };
    assert_error(
        &ClientBuilder::from_variables(lookup).map(drop).unwrap_err(),
        ErrorKind::Config,
        "DOCUMINE_CLIENT_ID is not set or empty; it is required together with DOCUMINE_REFRESH_TOKEN",
    );
}

#[test]
fn missing_credentials_of_the_environment_are_reported_by_build() {
    let settings = |client: bool| {
        ClientBuilder::from_variables(|name| match name {
            "DOCUMINE_BASE_URL" => Some("https://acme.example".to_owned()),
            "DOCUMINE_WORKSPACE_ID" => Some("acme".to_owned()),
            "DOCUMINE_CLIENT_ID" if client => Some("client".to_owned()),
            _ => None,
        })
        .unwrap()
    };
    assert_rejected(settings(true), "DOCUMINE_USERNAME is not set or empty; set it to the user name");
    assert_rejected(
        settings(false),
        "DOCUMINE_CLIENT_ID is not set or empty; set it to the client id at the identity provider (or set DOCUMINE_ACCESS_TOKEN)",
    );
    assert_rejected(
        settings(false).token_store(MemoryStore::default()),
        "no credentials for the token store: the client id is unknown; pass Credentials::stored to `credentials(…)`, or set DOCUMINE_CLIENT_ID",
    );
    assert_rejected(
        settings(true).credentials(Credentials::access_token("t")).token_store(MemoryStore::default()),
        "credentials: a token store needs a client id to refresh the tokens with; use Credentials::tokens",
    );
    settings(false).credentials(Credentials::none()).build().unwrap();
    settings(true).token_store(MemoryStore::default()).build().unwrap();
    drop(settings(true).login_from_profile().unwrap());
}

#[test]
fn redacts_secrets_in_debug_output_of_client_and_builder() {
    let builder = Client::builder("https://acme.example").workspace("acme").credentials(credentials());
    let tokens = TokenSet::new(SECRETS[2]).refresh_token(SECRETS[0]);
    let shown = format!(
        "{builder:?} {:?} {tokens:?} {:?}",
        builder.clone().build().unwrap(),
        Credentials::tokens("c", tokens.clone())
    );
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("https://acme.example") && shown.contains("robot"), "{shown}");
}
