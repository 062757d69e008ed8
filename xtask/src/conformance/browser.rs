//! `cargo xtask conformance browser`: logins with a real browser at real login pages.
//!
//! The example `login` is the program that logs in; it reports its progress as lines of JSON. `tests/conformance/browser/person.mjs` acts for the user and
//! drives Chromium. The service behind the login is the simulator, which trusts the keys that the provider publishes. During the login, other tabs send
//! requests to the program's redirect address and must be rejected.
//!
//! The same browser opens the run report of `documine-ingest`.

mod events;
mod run_report;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::{Value, json};

use super::cache::{self, Cache, PYTHON};
use super::error::{CheckError, CheckResult};
use super::report::Report;
use super::server::Server;
use super::{cargo, keycloak, oidc_provider, simulator};
use crate::process;
use events::EventSource;

/// Time limit of a browser session of a few pages.
const SESSION_LIMIT: Duration = Duration::from_secs(90);
/// A user of `tests/conformance/keycloak/realm.json`, with a password that a form must encode.
const USER: (&str, &str) = ("bob", "p&ss+w%20rd =äöüß€");
const CHROMIUM_HELP: &str = "needs Chromium (Debian: apt install chromium)";
const WORKSPACE: &str = "acme";
const CLIENT: &str = "documine-public";

/// Options of `browser`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only this part (may be repeated).
    #[arg(long, value_enum)]
    only: Vec<Part>,
}

impl Args {
    fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// The parts of the suite.
#[derive(Clone, Copy, PartialEq, Debug, clap::ValueEnum)]
enum Part {
    /// Logins at the provider made with oidc-provider.
    OidcProvider,
    /// Logins at a real Keycloak.
    Keycloak,
    /// The run report of 10,000 documents.
    RunReport,
}

/// The providers, in the order of the run.
#[derive(Clone, Copy, Debug)]
enum Provider {
    /// The provider made with oidc-provider.
    OidcProvider,
    /// A real Keycloak.
    Keycloak,
}

impl Provider {
    fn name(self) -> &'static str {
        match self {
            Self::OidcProvider => "oidc-provider",
            Self::Keycloak => "Keycloak",
        }
    }

    fn start(self, cache: &Cache) -> Result<Server, CheckError> {
        match self {
            Self::OidcProvider => oidc_provider::start(cache),
            Self::Keycloak => keycloak::start(cache),
        }
    }
}

/// Actions of the user.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Scenario {
    Login,
    Device,
    RefusedDevice,
}

impl Scenario {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login page",
            Self::Device => "device page",
            Self::RefusedDevice => "device page, refused",
        }
    }
}

/// Runs the suite.
pub(crate) fn run(args: &Args) -> ExitCode {
    Report::run("browser", |cache, report| {
        let providers = [(Part::OidcProvider, Provider::OidcProvider), (Part::Keycloak, Provider::Keycloak)];
        let providers: Vec<_> = providers.into_iter().filter(|(part, _)| args.has(*part)).collect();
        if !providers.is_empty() {
            match Tools::prepare(cache) {
                Err(error) => report.add("logins", &Err(error)),
                Ok(tools) => {
                    for (_, provider) in providers {
                        run_scenarios(&tools, provider, &mut |check, result| report.add(check, &result));
                    }
                }
            }
        }
        if args.has(Part::RunReport) {
            let result = installed_chromium().and_then(|chromium| run_report::run(cache, &chromium));
            report.add("run report of 10,000 documents", &result);
        }
    })
}

/// Runs all scenarios at one provider.
fn run_scenarios(tools: &Tools, provider: Provider, add: &mut impl FnMut(&str, CheckResult)) {
    let started = provider.start(tools.cache).and_then(|provider| {
        let issuer = format!("{}/auth/realms/{WORKSPACE}", provider.text("base_url")?);
        let service = service(tools.cache, &issuer)?;
        Ok((provider, issuer, service))
    });
    match started {
        Err(stop) => add(provider.name(), Err(stop)),
        Ok((_running, issuer, service)) => {
            for scenario in [Scenario::Login, Scenario::Device, Scenario::RefusedDevice] {
                let result = run_scenario(tools, scenario, &issuer, &service);
                add(&format!("{}: {}", provider.name(), scenario.name()), result);
            }
        }
    }
}

/// Starts the simulator with the keys of this provider.
fn service(cache: &Cache, issuer: &str) -> Result<Server, CheckError> {
    let keys = format!("jwks:{issuer}/protocol/openid-connect/certs");
    simulator::start(cache, Path::new(PYTHON), &["--workspace", WORKSPACE, "--auth", &keys])
}

/// Programs that all scenarios use.
struct Tools<'a> {
    cache: &'a Cache,
    person: PathBuf,
    chromium: PathBuf,
    login: PathBuf,
}

impl<'a> Tools<'a> {
    fn prepare(cache: &'a Cache) -> Result<Self, CheckError> {
        let chromium = installed_chromium()?;
        let person = cache.node("browser")?.join("person.mjs");
        let login = cargo::program(&cache.folder, "--example", "documine", "login")?;
        Ok(Self { cache, person, chromium, login })
    }

    /// Runs the user's part and returns the content of the last page.
    fn act(&self, mut task: Value) -> Result<Value, CheckError> {
        task["browser"] = self.chromium.display().to_string().into();
        (task["username"], task["password"]) = (USER.0.into(), USER.1.into());
        let command = &mut Command::new("node");
        command.arg(&self.person).arg(task.to_string());
        let finished =
            process::run(command, "person", &self.cache.folder, SESSION_LIMIT).map_err(cache::without_node)?;
        match serde_json::from_str(finished.stdout.trim()) {
            Ok(page) if finished.success() => Ok(page),
            _ => Err(CheckError::Failed(finished.tail())),
        }
    }
}

/// Finds the browser in the folders of `PATH`.
fn installed_chromium() -> Result<PathBuf, CheckError> {
    chromium(std::env::var_os("PATH").as_deref().unwrap_or_default())
}

/// Finds the browser in the folders of `path`.
fn chromium(path: &std::ffi::OsStr) -> Result<PathBuf, CheckError> {
    std::env::split_paths(path)
        .flat_map(|folder| ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name)))
        .find(|file| Path::is_file(file))
        .ok_or_else(|| CheckError::NotRun(String::from(CHROMIUM_HELP)))
}

fn run_scenario(tools: &Tools, scenario: Scenario, issuer: &str, service: &Server) -> CheckResult {
    let endpoint = |name: &str| format!("{issuer}/protocol/openid-connect/{name}");
    let command = &mut Command::new(&tools.login);
    process::without_settings(command);
    command
        .env("DOCUMINE_BASE_URL", service.text("base_url")?)
        .env("DOCUMINE_WORKSPACE_ID", WORKSPACE)
        .env("DOCUMINE_CLIENT_ID", CLIENT)
        .env("DOCUMINE_AUTH_PATH", endpoint("auth"))
        .env("DOCUMINE_TOKEN_PATH", endpoint("token"))
        .env("DOCUMINE_DEVICE_PATH", endpoint("auth/device"))
        .args(["--json", "--logout", "--flow", if scenario == Scenario::Login { "code" } else { "device" }]);
    let mut program = EventSource::start(command, "login", &tools.cache.folder)?;
    let seen = match scenario {
        Scenario::Login => {
            let page = program.wait_for("open_url")?;
            tools.act(json!({"kind": "login", "url": page["url"]}))?
        }
        Scenario::Device | Scenario::RefusedDevice => {
            let code = program.wait_for("device_code")?;
            let url = &code["verification_uri_complete"];
            tools.act(json!({"kind": "device", "url": url, "refuse": scenario == Scenario::RefusedDevice}))?
        }
    };
    let events = program.finish()?;
    check(scenario, &seen, &events)
}

/// Checks the last page and the events of the program.
fn check(scenario: Scenario, seen: &Value, events: &[Value]) -> CheckResult {
    let fail =
        |what: &str| Err(CheckError::Failed(format!("{what}\nthe last page: {seen}\nthe program: {}", lines(events))));
    if seen["elsewhere"] != json!([]) {
        return fail("the pages requested another origin");
    }
    let text = seen["text"].as_str().unwrap_or_default();
    let has = |event: &str| events.iter().any(|line| line["event"] == event);
    // Some providers cannot end a session without a browser, so that only the revocation counts.
    let logged_out = events.iter().any(|line| line["event"] == "logged_out" && line["revoked"] == true);
    let called = events.iter().any(|line| line["event"] == "api_call" && line["status"] == 200);
    match scenario {
        Scenario::RefusedDevice => {
            let error = events.last().and_then(|line| line["message"].as_str()).unwrap_or_default();
            let refused = error == "login by device code: the person refused the login";
            if has("logged_in") || !refused || seen["heading"] != "Device Login Failed" {
                return fail("the refusal was not reported");
            }
            Ok(format!("page: {}; program: {error}", seen["heading"]))
        }
        _ if !has("logged_in") || !called || !logged_out => fail("login, API call or logout is missing"),
        Scenario::Device => {
            if seen["heading"] != "Device Login Successful" {
                return fail("the page does not confirm the login");
            }
            Ok(format!("page: {}; login, API call, logout", seen["heading"]))
        }
        Scenario::Login => {
            if !text.starts_with("The program has received the login.") {
                return fail("the page does not confirm that the program has received the login");
            }
            if seen["strangers"] != json!([404, 404, 400]) || seen["after"] != "refused" {
                return fail("requests of other tabs were not rejected");
            }
            Ok(String::from(
                "login, API call, logout; requests for an icon, with an empty path, with a guessed code and after the login were rejected",
            ))
        }
    }
}

fn lines(events: &[Value]) -> String {
    // The login of these addresses and codes is over, so that they may be shown.
    events.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_failed_scenarios() {
        let mut seen = json!({"text": "The program has received the login. You can close this page and go back to the program.", "elsewhere": [],
            "strangers": [404, 404, 400], "after": "refused"});
        let events = [
            json!({"event": "logged_in"}),
            json!({"event": "api_call", "status": 200}),
            json!({"event": "logged_out", "revoked": true, "session_ended": false}),
        ];
        assert!(check(Scenario::Login, &seen, &events).is_ok());
        assert!(check(Scenario::Login, &seen, &[events[0].clone(), events[2].clone()]).is_err(), "no call");
        assert!(check(Scenario::Login, &seen, &events[1..]).is_err(), "no login");
        assert!(check(Scenario::Login, &seen, &events[..2]).is_err(), "no logout");
        seen["after"] = json!(200);
        assert!(check(Scenario::Login, &seen, &events).is_err(), "the program still listens");
        seen["after"] = json!("refused");
        seen["strangers"] = json!([404, 404, 200]);
        assert!(check(Scenario::Login, &seen, &events).is_err(), "a guessed code was taken");
        assert!(check(Scenario::Device, &seen, &events).is_err(), "not the page of a device");
        seen["heading"] = json!("Device Login Successful");
        assert!(check(Scenario::Device, &seen, &events).is_ok());
        assert!(check(Scenario::RefusedDevice, &seen, &events).is_err(), "no refusal");
        let refused = [json!({"event": "error", "message": "login by device code: the person refused the login"})];
        assert!(check(Scenario::RefusedDevice, &seen, &refused).is_err(), "the page says otherwise");
        seen["heading"] = json!("Device Login Failed");
        assert!(check(Scenario::RefusedDevice, &seen, &refused).is_ok());
        seen["heading"] = json!("Device Login Successful");
        seen["elsewhere"] = json!(["https://fonts.example"]);
        assert!(check(Scenario::Device, &seen, &events).is_err());
    }

    #[test]
    fn names_the_package_of_a_missing_browser() {
        assert_eq!(chromium("/nowhere".as_ref()), Err(CheckError::NotRun(CHROMIUM_HELP.into())));
    }
}
