//! Settings that can't work: told by `build()` in one line each, before anything is sent, and without a secret.

use documine::{Client, ClientBuilder, Credentials, ErrorKind, TokenSet};

use crate::bad_input::{SECRETS, credentials, is_line};

fn refused(builder: ClientBuilder, line: &str) {
    is_line(&builder.build().map(drop).unwrap_err(), ErrorKind::Config, line);
}

#[test]
fn a_wrong_base_url_is_told_before_anything_is_sent() {
    let with = |base: &str| Client::builder(base).workspace("acme").credentials(credentials());
    refused(with(""), "the base URL is empty; give the service's address, for example https://acme.example");
    refused(with("   "), "the base URL is empty; give the service's address, for example https://acme.example");
    refused(
        with("acme"),
        "the base URL is no URL (relative URL without a base); it should look like https://acme.example",
    );
    refused(with("https://"), "the base URL is no URL (empty host); it should look like https://acme.example");
    refused(with("ftp://acme.example"), "the base URL has the scheme \"ftp\"; use https");
    refused(with("mailto:pa55-w0rd"), "the base URL names no host; it should look like https://acme.example");
    refused(
        with("https://robot:pa55-w0rd@acme.example"),
        "the base URL holds a user name or password; give them as credentials instead",
    );
    refused(
        with("https://acme.example/?key=pa55-w0rd"),
        "the base URL holds a query or fragment; leave out what follows `?` or `#`",
    );
    refused(
        with("https://acme.example/#top"),
        "the base URL holds a query or fragment; leave out what follows `?` or `#`",
    );
}

#[test]
fn tokens_do_not_travel_in_the_clear() {
    let with = |base: &str| Client::builder(base).workspace("acme").credentials(credentials());
    for host in ["acme.example", "10.0.0.1", "localhost.acme.example", "127.0.0.1.acme.example"] {
        let line = format!(
            "the base URL is http://{host}, which would send tokens in the clear; use https (http is for 127.0.0.1 and localhost only)"
        );
        refused(with(&format!("http://{host}")), &line);
    }
    for base in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://acme.example/documine/"] {
        with(base).build().unwrap();
    }
    let builder = with("https://acme.example").token_path("http://login.example/token");
    refused(
        builder,
        "the token path is http://login.example, which would send tokens in the clear; use https (http is for 127.0.0.1 and localhost only)",
    );
}

#[test]
fn empty_credentials_are_told_one_by_one() {
    let with = |credentials| Client::builder("https://acme.example").workspace("acme").credentials(credentials);
    refused(with(Credentials::password("", "u", "p")), "credentials: the client id is empty; give one");
    refused(with(Credentials::password("c", " ", "p")), "credentials: the user name is empty; give one");
    refused(with(Credentials::password("c", "u", "")), "credentials: the password is empty; give one");
    refused(
        with(Credentials::password("c", "u", "p").client_secret("")),
        "credentials: the client secret is empty; give one",
    );
    refused(with(Credentials::access_token("")), "credentials: the access token is empty; give one");
    refused(with(Credentials::tokens("c", TokenSet::new("\t"))), "credentials: the access token is empty; give one");
    refused(
        with(Credentials::access_token("t0ken-t3xt\nX-Other: 1")),
        "credentials: the access token holds characters that are not allowed in a header, perhaps a line break",
    );
    refused(
        Client::builder("https://acme.example").workspace("acme"),
        "no credentials; give them with `credentials(…)`, for example Credentials::password",
    );
}

#[test]
fn a_wrong_workspace_is_told() {
    let with =
        |workspace: &str| Client::builder("https://acme.example").workspace(workspace).credentials(credentials());
    refused(with(""), "the workspace is empty; give its id with `workspace(…)`");
    refused(
        Client::builder("https://acme.example").credentials(credentials()),
        "the workspace is empty; give its id with `workspace(…)`",
    );
    for (workspace, shown) in
        [("a/b", r#""a/b""#), ("..", r#""..""#), ("a b", r#""a b""#), ("a\nb", r#""a\nb""#), ("a?b", r#""a?b""#)]
    {
        refused(
            with(workspace),
            &format!("the workspace {shown} is no workspace id: letters, digits, `-`, `_`, `.` and `~` only"),
        );
    }
}

#[test]
fn a_time_limit_of_zero_is_told() {
    let with = || Client::builder("https://acme.example").workspace("acme").credentials(credentials());
    let zero = std::time::Duration::ZERO;
    refused(with().connect_timeout(zero), "the connect timeout is zero; nothing could ever succeed");
    refused(with().attempt_timeout(zero), "the attempt timeout is zero; nothing could ever succeed");
    refused(with().idle_timeout(zero), "the idle timeout is zero; nothing could ever succeed");
    refused(with().app_info("my\nrobot", "1"), "app_info holds characters that no header may hold; use plain ASCII");
}

#[test]
fn a_missing_variable_is_named() {
    let all = [
        (
            "DOCUMINE_BASE_URL",
            "https://acme.example",
            "DOCUMINE_BASE_URL is not set or empty; it holds the service's address",
        ),
        ("DOCUMINE_WORKSPACE_ID", "acme", "DOCUMINE_WORKSPACE_ID is not set or empty; it holds the workspace's id"),
        (
            "DOCUMINE_CLIENT_ID",
            "client",
            "DOCUMINE_CLIENT_ID is not set or empty; it holds the client's id at the identity provider (or set DOCUMINE_ACCESS_TOKEN)",
        ),
        ("DOCUMINE_USERNAME", "robot", "DOCUMINE_USERNAME is not set or empty; it holds the user's name"),
        ("DOCUMINE_PASSWORD", SECRETS[0], "DOCUMINE_PASSWORD is not set or empty; it holds the user's password"),
    ];
    let value = |name: &str| all.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| (*value).to_owned());
    ClientBuilder::from_variables(value).unwrap().build().unwrap();
    for (missing, _, line) in all {
        for blank in [None, Some("  ".to_owned())] {
            let lookup = |name: &str| if name == missing { blank.clone() } else { value(name) };
            is_line(&ClientBuilder::from_variables(lookup).map(drop).unwrap_err(), ErrorKind::Config, line);
        }
    }
    let lookup = |name: &str| match name {
        "DOCUMINE_ACCESS_TOKEN" | "DOCUMINE_REFRESH_TOKEN" => Some(SECRETS[2].to_owned()),
        "DOCUMINE_CLIENT_ID" => None,
        name => value(name),
    };
    is_line(
        &ClientBuilder::from_variables(lookup).map(drop).unwrap_err(),
        ErrorKind::Config,
        "DOCUMINE_CLIENT_ID is not set or empty; DOCUMINE_REFRESH_TOKEN works only together with it",
    );
}

#[test]
fn no_secret_is_in_what_a_client_or_its_builder_shows() {
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
