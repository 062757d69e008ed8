//! Precedence of program, environment and profile; invalid files; and masking of secrets.
#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::auth::{FileStore, MemoryStore, TokenStore};
use crate::client::Client;
use crate::error::ErrorKind;

const SECRETS: [&str; 3] = ["pa55-w0rd", "cl1ent-s3cret", "t0ken-t3xt"];

const FULL: &str = r#"
default = "acme"

[profiles.acme]
base_url = "https://acme.example"
workspace = "acme"
client_id = "program"
client_secret = "cl1ent-s3cret"
username = "robot"
password = "pa55-w0rd"
auth_path = "/auth"
token_path = "/token"
device_path = "/device"
issuer = "https://login.example"
scopes = ["openid", "offline_access"]
store = "/var/lib/program/tokens"

[profiles.other]
base_url = "https://other.example"
"#;

fn file(text: &str) -> ProfileFile {
    ProfileFile { path: "config.toml".into(), text: text.to_owned().into(), accessible_to_others: false }
}

fn variables<'a>(pairs: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn builder(pairs: &[(&str, &str)], text: &str) -> Result<ClientBuilder> {
    ClientBuilder::from_variables_and_file(variables(pairs), Some(&file(text)))
}

/// Returns the line of a configuration error, and checks that it shows no secret.
fn line<T>(outcome: Result<T>) -> String {
    let error = outcome.map(drop).unwrap_err();
    let all = format!("{error} {error:?}");
    assert!(SECRETS.iter().all(|secret| !all.contains(secret)), "{all}");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

/// Merges the profile `acme` with the environment.
fn merged(pairs: &[(&str, &str)]) -> Profile {
    file(FULL).profile("acme").unwrap().overridden_by(|name| non_blank(variables(pairs), name)).unwrap()
}

fn texts(profile: &Profile) -> [Option<&str>; 10] {
    [
        profile.base_url.as_deref(),
        profile.workspace.as_deref(),
        profile.client_id.as_deref(),
        profile.client_secret.as_ref().map(Secret::expose),
        profile.username.as_deref(),
        profile.password.as_ref().map(Secret::expose),
        profile.auth_path.as_deref(),
        profile.token_path.as_deref(),
        profile.device_path.as_deref(),
        profile.issuer.as_deref(),
    ]
}

const IN_FILE: [&str; 10] = [
    "https://acme.example",
    "acme",
    "program",
    "cl1ent-s3cret",
    "robot",
    "pa55-w0rd",
    "/auth",
    "/token",
    "/device",
    "https://login.example",
];

#[test]
fn reads_all_settings_of_a_profile() {
    let profile = merged(&[]);
    assert_eq!(texts(&profile), IN_FILE.map(Some));
    assert_eq!((profile.name.as_str(), profile.scopes.join(" ")), ("acme", "openid offline_access".into()));
    assert_eq!(profile.store.as_deref(), Some("/var/lib/program/tokens"));
    let builder = builder(&[], FULL).unwrap();
    let shown = format!("{profile:?} {builder:?} {:?}", builder.clone().build().unwrap());
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
    for part in
        ["https://acme.example/auth\"", "https://acme.example/token\"", "https://acme.example/device\"", "robot"]
    {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn environment_overrides_each_setting_of_a_profile() {
    let variables = [
        ("DOCUMINE_BASE_URL", 0),
        ("DOCUMINE_WORKSPACE_ID", 1),
        ("DOCUMINE_CLIENT_SECRET", 3),
        ("DOCUMINE_AUTH_PATH", 6),
        ("DOCUMINE_TOKEN_PATH", 7),
        ("DOCUMINE_DEVICE_PATH", 8),
    ];
    for (name, index) in variables {
        let mut expected = IN_FILE.map(Some);
        assert_eq!(texts(&merged(&[(name, "  ")])), expected, "{name} is blank");
        expected[index] = Some("from the environment");
        if [0, 1].contains(&index) {
            // Another service or workspace: the secrets are not sent there. A path stays on the service of the profile.
            expected[3..6].fill(None);
        }
        assert_eq!(texts(&merged(&[(name, "from the environment")])), expected, "{name}");
    }
}

#[test]
fn builder_calls_override_environment_and_profile() {
    let environment = [("DOCUMINE_AUTH_PATH", "/environment"), ("DOCUMINE_DEVICE_PATH", "/environment")];
    let client = builder(&environment, FULL).unwrap();
    let client = client.workspace("program").token_path("/program").build().unwrap();
    assert_eq!(client.workspace(), "program");
    assert!(format!("{client:?}").contains("token_endpoint: \"https://acme.example/program\""), "{client:?}");
    let own = builder(&[], FULL).unwrap().credentials(Credentials::password("own", "me", "secret"));
    let shown = format!("{own:?}");
    assert!(shown.contains("\"me\"") && !shown.contains("robot"), "{shown}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn secrets_of_a_profile_are_sent_to_its_own_origins_only() {
    // The token endpoint of the profile is on another origin than its base URL.
    let split = FULL.replace("\"/token\"", "\"https://login.example:8443/token\"");
    let own = [
        ("DOCUMINE_BASE_URL", "https://acme.example"),
        ("DOCUMINE_BASE_URL", " HTTPS://ACME.example:443/ "),
        ("DOCUMINE_BASE_URL", "https://acme.example/documine"),
        ("DOCUMINE_WORKSPACE_ID", "acme"),
        ("DOCUMINE_AUTH_PATH", "/other"),
        ("DOCUMINE_AUTH_PATH", "other"),
        ("DOCUMINE_TOKEN_PATH", "/other"),
        ("DOCUMINE_TOKEN_PATH", "https://acme.example/other"),
        ("DOCUMINE_TOKEN_PATH", "//evil.example/other"),
        ("DOCUMINE_DEVICE_PATH", "/other"),
        ("DOCUMINE_DEVICE_PATH", "https://login.example:8443/device"),
        ("DOCUMINE_DEVICE_PATH", "https://acme.example:443/device"),
        ("DOCUMINE_DEVICE_PATH", "/https:/evil.example/device"),
        ("DOCUMINE_DEVICE_PATH", "@evil.example/device"),
        ("DOCUMINE_DEVICE_PATH", "\\\\evil.example\\device"),
    ];
    for variable in own {
        let settings = builder(&[variable], &split).unwrap();
        let shown = format!("{settings:?}");
        assert!(shown.contains("robot") && shown.contains("secret: Some([redacted])"), "{variable:?}: {shown}");
        let (client, login) = (settings.clone().build().unwrap(), settings.login_from_profile().unwrap());
        assert!(format!("{login:?}").contains("secret: Some([redacted])"), "{variable:?}: {login:?}");
        let shown = format!("{client:?}");
        assert!(!shown.contains("://evil.example"), "{variable:?}: {shown}");
    }
    let overriding = [
        ("DOCUMINE_BASE_URL", "https://evil.example"),
        ("DOCUMINE_BASE_URL", "https://acme.example:8443"),
        ("DOCUMINE_BASE_URL", "https://acme.example.evil.example"),
        ("DOCUMINE_WORKSPACE_ID", "other"),
        ("DOCUMINE_AUTH_PATH", "https://evil.example/auth"),
        ("DOCUMINE_TOKEN_PATH", "https://evil.example/token"),
        ("DOCUMINE_TOKEN_PATH", "https://login.example/token"),
        ("DOCUMINE_TOKEN_PATH", " https://evil.example/token"),
        ("DOCUMINE_DEVICE_PATH", "https://evil.example/device"),
        ("DOCUMINE_DEVICE_PATH", "HTTPS://EVIL.example/device"),
        ("DOCUMINE_DEVICE_PATH", "https://acme.example:8443/device"),
        ("DOCUMINE_DEVICE_PATH", "http://127.0.0.1/device"),
    ];
    for variable in overriding {
        let reason = match variable.0 {
            "DOCUMINE_WORKSPACE_ID" => "DOCUMINE_WORKSPACE_ID names another workspace".to_owned(),
            name => format!("{name} points to an origin that is not in the profile"),
        };
        let settings = builder(&[variable], &split).unwrap();
        assert!(!format!("{settings:?}").contains("redacted"), "{variable:?}: {settings:?}");
        assert_eq!(
            line(settings.clone().build()),
            format!(
                "no credentials: those of profile \"acme\" are not used, because {reason}; \
                 pass some to `credentials(…)`, or set the address or workspace in a profile"
            )
        );
        assert_eq!(
            line(settings.login_from_profile()),
            format!(
                "client secret and token store of profile \"acme\" not used: {reason}; \
                 use `login(…)` to log in without them, or set the address or workspace in a profile"
            )
        );
        // Secrets of the environment are used with the addresses of the environment.
        let own_secrets = [
            variable,
            ("DOCUMINE_CLIENT_SECRET", "its own"),
            ("DOCUMINE_USERNAME", "analyst"),
            ("DOCUMINE_PASSWORD", "other"),
        ];
        let settings = builder(&own_secrets, &split).unwrap();
        assert!(format!("{settings:?}").contains("\"analyst\""), "{variable:?}: {settings:?}");
        settings.build().unwrap();
    }
    // Invalid addresses are reported as such.
    for (name, value) in [("DOCUMINE_BASE_URL", "nothing"), ("DOCUMINE_DEVICE_PATH", "ftp://acme.example/device")] {
        let settings = builder(&[(name, value)], &split).unwrap();
        assert!(!line(settings.clone().build()).contains("credentials"), "{name}");
        assert!(!line(settings.login_from_profile()).contains("credentials"), "{name}");
    }
    // What the caller or the environment provides is not missing.
    let with = |client_secret: bool, token_store: bool| {
        let mut variables = vec![("DOCUMINE_WORKSPACE_ID", "other")];
        variables.extend(client_secret.then_some(("DOCUMINE_CLIENT_SECRET", "its own")));
        let settings = builder(&variables, &split).unwrap();
        if token_store { settings.token_store(MemoryStore::default()) } else { settings }.login_from_profile()
    };
    let refused = |what: &str, pronoun: &str| {
        format!(
            "{what} of profile \"acme\" not used: DOCUMINE_WORKSPACE_ID names another workspace; \
             use `login(…)` to log in without {pronoun}, or set the address or workspace in a profile"
        )
    };
    assert_eq!(line(with(false, false)), refused("client secret and token store", "them"));
    assert_eq!(line(with(false, true)), refused("client secret", "it"));
    assert_eq!(line(with(true, false)), refused("token store", "it"));
    drop(with(true, true).unwrap());
    // A profile without secret and store has nothing to withhold.
    let public =
        "default = \"a\"\n[profiles.a]\nbase_url = \"https://a.example\"\nworkspace = \"w\"\nclient_id = \"c\"\n";
    drop(
        builder(&[("DOCUMINE_DEVICE_PATH", "https://login.example/device")], public)
            .unwrap()
            .login_from_profile()
            .unwrap(),
    );
}

#[test]
fn missing_settings_have_defaults() {
    let shown = format!(
        "{:?}",
        Client::builder("https://other.example").workspace("w").credentials(Credentials::access_token("t")).build()
    );
    let bare = builder(&[("DOCUMINE_PROFILE", "other")], FULL).unwrap();
    assert_eq!(line(bare.clone().build()), "no workspace; pass its id to `workspace(…)`");
    let bare = bare.workspace("w");
    assert_eq!(
        line(bare.clone().build()),
        "no credentials; pass some to `credentials(…)`, for example Credentials::password"
    );
    assert_eq!(format!("{:?}", bare.credentials(Credentials::access_token("t")).build()), shown);
}

#[test]
fn does_not_mix_credentials_of_different_sources() {
    let shown = |pairs: &[(&str, &str)]| format!("{:?}", builder(pairs, FULL).unwrap());
    let token = ("DOCUMINE_ACCESS_TOKEN", "t0ken-t3xt");
    let text = shown(&[token]);
    assert!(text.contains("Tokens") && text.contains("client: None") && !text.contains("robot"), "{text}");
    // The client id is a separate setting.
    let text = shown(&[token, ("DOCUMINE_REFRESH_TOKEN", "t0ken-t3xt")]);
    assert!(text.contains("Tokens") && text.contains("\"program\"") && !text.contains("robot"), "{text}");

    let pair = [("DOCUMINE_USERNAME", "analyst"), ("DOCUMINE_PASSWORD", "other")];
    let profile = merged(&pair);
    assert_eq!((profile.username.as_deref(), profile.password.as_ref().unwrap().expose()), (Some("analyst"), "other"));
    assert!(shown(&pair).contains("\"analyst\""));
    for (present, missing) in [(0, "DOCUMINE_PASSWORD"), (1, "DOCUMINE_USERNAME")] {
        let text = format!(
            "{missing} is not set or empty, but {} is; set both in the environment, or both in the profile",
            pair[present].0
        );
        assert_eq!(line(builder(&[pair[present]], FULL)), text);
    }
    let refresh = [("DOCUMINE_REFRESH_TOKEN", "t0ken-t3xt")];
    let text = "DOCUMINE_ACCESS_TOKEN is not set or empty; it is required together with DOCUMINE_REFRESH_TOKEN";
    assert_eq!(line(builder(&refresh, FULL)), text);
}

#[test]
fn client_secret_is_not_used_with_another_client_id() {
    let secret = |pairs: &[(&str, &str)]| merged(pairs).client_secret.map(|secret| secret.expose().to_owned());
    assert_eq!(secret(&[("DOCUMINE_CLIENT_ID", "another")]), None);
    assert_eq!(secret(&[("DOCUMINE_CLIENT_ID", "program")]).as_deref(), Some("cl1ent-s3cret"));
    let both = [("DOCUMINE_CLIENT_ID", "another"), ("DOCUMINE_CLIENT_SECRET", "its own")];
    assert_eq!(secret(&both).as_deref(), Some("its own"));
}

#[test]
fn uses_named_or_default_or_no_profile() {
    let base = |pairs: &[(&str, &str)], text: &str| {
        let builder = builder(pairs, text).unwrap().workspace("w").credentials(Credentials::access_token("t"));
        builder.build().unwrap().base_url().to_owned()
    };
    assert_eq!(base(&[], FULL), "https://acme.example");
    assert_eq!(base(&[("DOCUMINE_PROFILE", "other")], FULL), "https://other.example");
    let without_default = FULL.replace("default = \"acme\"", "");
    let environment = [("DOCUMINE_BASE_URL", "https://environment.example")];
    assert_eq!(base(&environment, &without_default), "https://environment.example");
    let text = "no base URL: DOCUMINE_BASE_URL is not set or empty, and no profile is used; set it, or name a profile with DOCUMINE_PROFILE";
    assert_eq!(line(builder(&[], &without_default)), text);
    assert_eq!(line(ClientBuilder::from_variables_and_file(variables(&[]), None)), text);

    let unknown = [("DOCUMINE_PROFILE", "acne")];
    assert_eq!(line(builder(&unknown, FULL)), "config.toml: no profile \"acne\"; available: acme, other");
    assert_eq!(line(builder(&[], "default = \"acne\"")), "config.toml: no profile \"acne\"; available: none");
    assert_eq!(
        line(ClientBuilder::from_variables_and_file(variables(&unknown), None)),
        "no file with profile \"acne\", which DOCUMINE_PROFILE names; create one or set DOCUMINE_CONFIG"
    );
}

#[test]
fn reports_missing_base_url_or_client_id() {
    let no_base = "default = \"a\"\n[profiles.a]\nworkspace = \"w\"\n";
    assert_eq!(
        line(builder(&[], no_base)),
        "no base URL: profile \"a\" has no `base_url`, and DOCUMINE_BASE_URL is not set or empty; set one of them"
    );
    let no_client =
        "default = \"a\"\n[profiles.a]\nbase_url = \"https://a.example\"\nusername = \"u\"\npassword = \"pa55-w0rd\"\n";
    assert_eq!(
        line(builder(&[], no_client)),
        "user name and password require a client id; set `client_id` in the profile, or DOCUMINE_CLIENT_ID"
    );
    builder(&[("DOCUMINE_CLIENT_ID", "program")], no_client).unwrap().workspace("w").build().unwrap();
}

#[test]
fn token_store_requires_a_client_id() {
    let text =
        "default = \"a\"\n[profiles.a]\nbase_url = \"https://a.example\"\nworkspace = \"w\"\nstore = \"/kept\"\n";
    let builder = builder(&[], text).unwrap();
    assert_eq!(
        line(builder.clone().build()),
        "no credentials: profile \"a\" has a token store but no `client_id`; set `client_id`"
    );
    let refused = builder.login_from_profile().map(drop).unwrap_err();
    assert_eq!(refused.to_string(), "no client id; set `client_id` in the profile, or DOCUMINE_CLIENT_ID");
    drop(builder.login("program").unwrap());
    builder.credentials(Credentials::access_token("t")).build().unwrap();
}

#[cfg(not(feature = "keyring"))]
#[test]
fn reports_missing_keyring_support() {
    let text = "[profiles.a]\nbase_url = \"https://a.example\"\nclient_id = \"c\"\nstore = \"keyring\"\n";
    assert_eq!(
        line(builder(&[("DOCUMINE_PROFILE", "a")], text).and_then(ClientBuilder::build)),
        "profile \"a\" stores tokens in the keyring: this build has no keyring support; enable the feature `keyring`"
    );
}

#[tokio::test]
async fn uses_the_login_in_the_token_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    let text = format!(
        "[profiles.a]\nbase_url = \"https://a.example\"\nworkspace = \"w\"\nclient_id = \"c\"\nstore = {:?}\n",
        path.display().to_string()
    );
    let builder = builder(&[("DOCUMINE_PROFILE", "a")], &text).unwrap();
    let error = builder.clone().build().unwrap().identity().await.unwrap_err();
    assert_eq!(error.to_string(), "the token store is empty: no login has been saved; log in again");
    let login = builder.login_from_profile().unwrap();
    assert!(format!("{login:?}").contains("\"c\""));
    let endpoint = "https://a.example/auth/realms/w/protocol/openid-connect/token";
    let json = format!(
        r#"{{"version": 1, "client_id": "c", "token_endpoint": "{endpoint}", "access_token": "a", "refresh_token": null,
            "id_token": null, "expires_at": null, "refresh_expires_at": null, "scopes": ["documents"]}}"#
    );
    let store = FileStore::new(&path);
    assert!(store.compare_and_swap(None, &crate::auth::StoredLogin::from_json(&json).unwrap()).await.unwrap());
    assert_eq!(builder.build().unwrap().identity().await.unwrap().scopes, ["documents"]);
}

#[test]
fn reports_line_and_key_but_never_the_value() {
    let keys = "use base_url, workspace, client_id, client_secret, username, password, auth_path, token_path, device_path, issuer, scopes or store";
    let cases = [
        ("[profiles.a]\n\npasword = \"pa55-w0rd\"", &*format!("3: `pasword` is not supported; {keys}")),
        ("# a\n[acme]\npassword = \"pa55-w0rd\"", "2: `acme` is not supported; use `default` or `[profiles.NAME]`"),
        ("profiles = \"pa55-w0rd\"", "1: `profiles` must be a table; start each profile with `[profiles.NAME]`"),
        (
            "[profiles]\npassword = \"pa55-w0rd\"",
            "2: `password` must be a table; start a profile with `[profiles.NAME]`",
        ),
        ("default = 7", "1: `default` must be a string; write it in quotes"),
        ("[profiles.a]\npassword = 55", "2: `password` must be a string; write it in quotes"),
        ("[profiles.a]\npassword = [\"pa55-w0rd\"]", "2: `password` must be a string; write it in quotes"),
        ("[profiles.a]\nworkspace = \" \"", "2: `workspace` is empty; set a value or remove the key"),
        ("\n[profiles.a]\nusername = \"u\"", "2: `a` has only one of `username` and `password`; set both or neither"),
        (
            "[profiles.a]\npassword = \"pa55-w0rd\"",
            "1: `a` has only one of `username` and `password`; set both or neither",
        ),
        (
            "[profiles.a]\nclient_secret = \"cl1ent-s3cret\"",
            "1: `a` has a `client_secret` but no `client_id`; set both or neither",
        ),
        (
            "[profiles.a]\nstore = \"pa55-w0rd\"",
            "2: `store` must be \"file\", \"keyring\", or the absolute path of a file",
        ),
        (
            "[profiles.a]\nscopes = \"openid\"",
            "2: `scopes` must be a list of scopes such as [\"openid\", \"offline_access\"]",
        ),
        (
            "[profiles.a]\nscopes = [\"openid offline_access\"]",
            "2: `scopes` must be a list of scopes such as [\"openid\", \"offline_access\"]",
        ),
        ("[profiles.a]\npassword = pa55-w0rd", "2: string values must be quoted, expected literal string"),
        ("[profiles.a]\npassword = \"pa55-w0rd", "2: invalid basic string, expected `\"`"),
        ("[profiles.a]\npa55-w0rd", "2: key with no value, expected `=`"),
        ("[profiles.a]\nissuer = \"a\"\nissuer = \"pa55-w0rd\"", "3: duplicate key"),
        ("[profiles.a]\n[profiles.a]", "2: duplicate key"),
    ];
    for (text, expected) in cases {
        assert_eq!(line(builder(&[], text)), format!("config.toml, line {expected}"), "{text}");
    }
    let long = format!("[profiles.a]\n\"{}\\n\" = 1", "x".repeat(9000));
    assert!(
        line(builder(&[], &long)).starts_with(&format!("config.toml, line 2: `{}` is not supported", "x".repeat(60)))
    );
    let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(line(builder(&[], &deep)).starts_with("config.toml, line 1: "));
}

#[test]
fn reports_missing_and_unreadable_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    assert!(ProfileFile::read(&path).unwrap().is_none());
    assert_eq!(line(ClientBuilder::from_profile(&path, "a")), format!("no file {}", path.display()));
    fs::write(&path, "\n".repeat(1024 * 1024 + 1)).unwrap();
    let large = format!("{}: larger than 1 MiB; not a file of profiles", path.display());
    assert_eq!(line(ClientBuilder::from_profile(&path, "a")), large);
    fs::write(&path, b"\xff").unwrap();
    let start = |path: &Path| format!("could not read the file of profiles {}: ", path.display());
    for (path, start) in [(path.as_path(), start(&path)), (folder.path(), start(folder.path()))] {
        let error = ClientBuilder::from_profile(path, "a").map(drop).unwrap_err();
        assert!(error.to_string().starts_with(&start), "{error}");
        assert_eq!(error.kind(), ErrorKind::File);
    }
    fs::write(&path, "[profiles.a]\nworkspace = \"w\"").unwrap();
    let text = format!("{}: profile \"a\" has no `base_url`", path.display());
    assert_eq!(line(ClientBuilder::from_profile(&path, "a")), text);
}

#[cfg(unix)]
#[test]
fn rejects_a_file_with_secrets_that_other_users_can_access() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let set = |text: &str, mode: u32| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        ClientBuilder::from_profile(&path, "other")
    };
    let refused = format!(
        "{0} contains a password or client secret and is accessible to other users; run: chmod 600 {0}",
        path.display()
    );
    let without_password = FULL.replace("username = \"robot\"", "").replace("password = \"pa55-w0rd\"", "");
    let without_any = without_password.replace("client_secret = \"cl1ent-s3cret\"", "");
    for mode in [0o640, 0o604, 0o644, 0o620, 0o666] {
        assert_eq!(line(set(FULL, mode)), refused, "{mode:o}");
        assert_eq!(line(set(&without_password, mode)), refused, "{mode:o}");
        drop(set(&without_any, mode).unwrap());
    }
    for mode in [0o600, 0o400] {
        drop(set(FULL, mode).unwrap());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Runs in a separate process, because the environment is global to the process.
#[cfg(unix)]
#[test]
fn finds_the_file_in_the_config_directory() {
    const ROLE: &str = "DOCUMINE_TEST_ROLE";
    const NAME: &str = "client::profile::tests::finds_the_file_in_the_config_directory";
    if std::env::var_os(ROLE).is_some() {
        let outcome = ClientBuilder::from_env_or_profile()
            .and_then(|builder| builder.workspace("w").credentials(Credentials::access_token("t")).build());
        // To a file, because the test harness prints to stdout.
        let line = outcome.map_or_else(|error| error.to_string(), |client| client.base_url().to_owned());
        fs::write(std::env::var_os(ROLE).unwrap(), line).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |path: &str| folder.path().join(path);
    let save = |path: &str, host: &str| {
        fs::create_dir_all(in_folder(path).parent().unwrap()).unwrap();
        fs::write(in_folder(path), format!("default = \"a\"\n[profiles.a]\nbase_url = \"https://{host}.example\""))
            .unwrap();
    };
    let outcome = |pairs: &[(&str, PathBuf)]| {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap());
        process.args([NAME, "--exact"]).env_clear().env("HOME", folder.path()).env(ROLE, in_folder("outcome"));
        let ran = process.envs(pairs.iter().map(|(name, value)| (*name, value))).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        fs::read_to_string(in_folder("outcome")).unwrap()
    };
    let none = "no base URL: DOCUMINE_BASE_URL is not set or empty, and no profile is used; set it, or name a profile with DOCUMINE_PROFILE";
    assert_eq!(outcome(&[]), none);
    save(".config/documine/config.toml", "home");
    save("desktop/documine/config.toml", "desktop");
    save("own.toml", "own");
    assert_eq!(outcome(&[]), "https://home.example");
    let desktop = ("XDG_CONFIG_HOME", in_folder("desktop"));
    assert_eq!(outcome(std::slice::from_ref(&desktop)), "https://desktop.example");
    assert_eq!(outcome(&[desktop.clone(), ("DOCUMINE_CONFIG", in_folder("own.toml"))]), "https://own.example");
    assert_eq!(
        outcome(&[desktop, ("DOCUMINE_BASE_URL", "https://environment.example".into())]),
        "https://environment.example"
    );
    let gone = format!("no file {}, which DOCUMINE_CONFIG names", in_folder("gone.toml").display());
    assert_eq!(outcome(&[("DOCUMINE_CONFIG", in_folder("gone.toml"))]), gone);
}
