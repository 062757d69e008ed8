//! `cargo xtask conformance browser`: a person with a real browser at real login pages.
//!
//! The SDK's side is the `login` example, which says what it does in lines of JSON; the person is `tests/conformance/browser/person.mjs`, which drives
//! Chromium. The service behind the login is the simulator, which trusts the keys that the provider publishes. Meanwhile other tabs come to the program that
//! waits for the answer, and are turned away.

mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::{Value, json};

use super::cache::{self, Cache};
use super::report::{CheckError, CheckResult, Report, strict};
use super::server::Server;
use super::{cargo, keycloak, oidc_provider, print, process, python, script};
use program::Program;

/// A browser starts, and a person goes through a handful of pages.
const VISIT: Duration = Duration::from_secs(90);
/// Somebody of `tests/conformance/keycloak/realm.json`, with a password that a form has to encode well.
const PERSON: (&str, &str) = ("bob", "p&ss+w%20rd =äöüß€");
const CHROMIUM_HELP: &str = "needs Chromium (Debian: apt install chromium)";
const WORKSPACE: &str = "acme";
const CLIENT: &str = "documine-public";

/// Options of `browser`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only at this provider (may be repeated).
    #[arg(long, value_enum)]
    only: Vec<Provider>,
}

/// The providers, in the order they are visited.
#[derive(Clone, Copy, PartialEq, Debug, clap::ValueEnum)]
enum Provider {
    /// The provider made of oidc-provider.
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

/// What a person does.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Scene {
    Login,
    Device,
    RefusedDevice,
}

impl Scene {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login page",
            Self::Device => "device page",
            Self::RefusedDevice => "device page, a person who refuses",
        }
    }
}

/// Visits the providers and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut report = Report::default();
    match Cache::open() {
        Err(stop) => report.add("cache", &Err(stop)),
        Ok(cache) => {
            let mut keep = false;
            let mut add = |what: &str, result: CheckResult| {
                keep |= matches!(result, Err(CheckError::Failed(_)));
                report.add(what, &result);
            };
            match Tools::gather(&cache) {
                Err(stop) => add("browser", Err(stop)),
                Ok(tools) => {
                    for provider in [Provider::OidcProvider, Provider::Keycloak] {
                        if args.only.is_empty() || args.only.contains(&provider) {
                            visit(&tools, provider, &mut add);
                        }
                    }
                }
            }
            if keep {
                print(&format!("outputs of this run: {}", cache.folder.display()));
            }
            cache.close(keep);
        }
    }
    report.finish("browser", strict())
}

/// All scenes at one provider.
fn visit(tools: &Tools, provider: Provider, add: &mut impl FnMut(&str, CheckResult)) {
    let stage = provider.start(tools.cache).and_then(|provider| {
        let issuer = format!("{}/auth/realms/{WORKSPACE}", provider.text("base_url")?);
        let service = service(tools.cache, &issuer)?;
        Ok((provider, issuer, service))
    });
    match stage {
        Err(stop) => add(provider.name(), Err(stop)),
        Ok((_running, issuer, service)) => {
            for scene in [Scene::Login, Scene::Device, Scene::RefusedDevice] {
                let result = play(tools, scene, &issuer, &service);
                add(&format!("{}: {}", provider.name(), scene.name()), result);
            }
        }
    }
}

/// The simulated service, which takes the tokens of this provider.
fn service(cache: &Cache, issuer: &str) -> Result<Server, CheckError> {
    let program = cargo::program(&cache.folder, "--bin", "documine-sim", "documine-sim")?;
    let keys = format!("jwks:{issuer}/protocol/openid-connect/certs");
    let command = &mut Command::new(python::program());
    command.arg(script("leash.py")).arg(program);
    command.args(["--listen", "127.0.0.1:0", "--workspace", WORKSPACE, "--auth", &keys]);
    Server::start(command, "simulator", &cache.folder).map_err(python::missing)
}

/// What all scenes need.
struct Tools<'a> {
    cache: &'a Cache,
    person: PathBuf,
    chromium: PathBuf,
    login: PathBuf,
}

impl<'a> Tools<'a> {
    fn gather(cache: &'a Cache) -> Result<Self, CheckError> {
        let chromium = chromium(std::env::var_os("PATH").as_deref().unwrap_or_default())?;
        let person = cache.node("browser")?.join("person.mjs");
        let login = cargo::program(&cache.folder, "--example", "documine", "login")?;
        Ok(Self { cache, person, chromium, login })
    }

    /// What the last page said to the person.
    fn person(&self, mut task: Value) -> Result<Value, CheckError> {
        task["browser"] = self.chromium.display().to_string().into();
        (task["username"], task["password"]) = (PERSON.0.into(), PERSON.1.into());
        let command = &mut Command::new("node");
        command.arg(&self.person).arg(task.to_string());
        let finished = process::run(command, "person", &self.cache.folder, VISIT).map_err(cache::without_node)?;
        match serde_json::from_str(finished.stdout.trim()) {
            Ok(seen) if finished.success => Ok(seen),
            _ => Err(CheckError::Failed(finished.tail())),
        }
    }
}

/// The browser in one of the folders of `path`.
fn chromium(path: &std::ffi::OsStr) -> Result<PathBuf, CheckError> {
    std::env::split_paths(path)
        .flat_map(|folder| ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name)))
        .find(|file| Path::is_file(file))
        .ok_or_else(|| CheckError::NotRun(String::from(CHROMIUM_HELP)))
}

fn play(tools: &Tools, scene: Scene, issuer: &str, service: &Server) -> CheckResult {
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
        .args(["--json", "--logout", "--flow", if scene == Scene::Login { "code" } else { "device" }]);
    let mut program = Program::start(command, "login", &tools.cache.folder)?;
    let seen = match scene {
        Scene::Login => {
            let page = program.event("open_url")?;
            tools.person(json!({"kind": "login", "url": page["url"]}))?
        }
        Scene::Device | Scene::RefusedDevice => {
            let code = program.event("device_code")?;
            let url = &code["verification_uri_complete"];
            tools.person(json!({"kind": "device", "url": url, "refuse": scene == Scene::RefusedDevice}))?
        }
    };
    let told = program.end()?;
    examine(scene, &seen, &told)
}

/// What the person saw, and what the program told of it.
fn examine(scene: Scene, seen: &Value, told: &[Value]) -> CheckResult {
    let fail =
        |what: &str| Err(CheckError::Failed(format!("{what}\nthe last page: {seen}\nthe program: {}", lines(told))));
    if seen["elsewhere"] != json!([]) {
        return fail("the pages asked for something elsewhere");
    }
    let text = seen["text"].as_str().unwrap_or_default();
    let has = |event: &str| told.iter().any(|line| line["event"] == event);
    // Whether a session can be ended without a browser is the provider's affair.
    let logged_out = told.iter().any(|line| line["event"] == "logged_out" && line["revoked"] == true);
    let called = told.iter().any(|line| line["event"] == "api_call" && line["status"] == 200);
    match scene {
        Scene::RefusedDevice => {
            let error = told.last().and_then(|line| line["message"].as_str()).unwrap_or_default();
            let refused = error == "login by device code: the person refused the login";
            if has("logged_in") || !refused || seen["heading"] != "Device Login Failed" {
                return fail("a refusal was not told as one");
            }
            Ok(format!("the page: {}; the program: {error}", seen["heading"]))
        }
        _ if !has("logged_in") || !called || !logged_out => fail("there was no login, no call with it, or no logout"),
        Scene::Device => {
            if seen["heading"] != "Device Login Successful" {
                return fail("the page does not print that it is done");
            }
            Ok(format!("the page: {}; logged in, a call made, logged out", seen["heading"]))
        }
        Scene::Login => {
            if !text.starts_with("The program has the answer.") {
                return fail("the browser was not told that the program has the answer");
            }
            if seen["strangers"] != json!([404, 404, 400]) || seen["after"] != "nobody" {
                return fail("other tabs were not turned away");
            }
            Ok(String::from(
                "logged in, a call made, logged out; an icon, a blank path, a guessed code and a late tab were turned away",
            ))
        }
    }
}

fn lines(told: &[Value]) -> String {
    // The address of the page and the device's code open a login, but a login that is over.
    told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_that_went_wrong_is_not_passed() {
        let mut seen = json!({"text": "The program has the answer. You can close this page and go back to it.", "elsewhere": [],
            "strangers": [404, 404, 400], "after": "nobody"});
        let told = [
            json!({"event": "logged_in"}),
            json!({"event": "api_call", "status": 200}),
            json!({"event": "logged_out", "revoked": true, "session_ended": false}),
        ];
        assert!(examine(Scene::Login, &seen, &told).is_ok());
        assert!(examine(Scene::Login, &seen, &[told[0].clone(), told[2].clone()]).is_err(), "no call");
        assert!(examine(Scene::Login, &seen, &told[1..]).is_err(), "no login");
        assert!(examine(Scene::Login, &seen, &told[..2]).is_err(), "no logout");
        seen["after"] = json!(200);
        assert!(examine(Scene::Login, &seen, &told).is_err(), "somebody still listens");
        seen["after"] = json!("nobody");
        seen["strangers"] = json!([404, 404, 200]);
        assert!(examine(Scene::Login, &seen, &told).is_err(), "a guessed code was taken");
        assert!(examine(Scene::Device, &seen, &told).is_err(), "not the page of a device");
        seen["heading"] = json!("Device Login Successful");
        assert!(examine(Scene::Device, &seen, &told).is_ok());
        assert!(examine(Scene::RefusedDevice, &seen, &told).is_err(), "no refusal");
        let refused = [json!({"event": "error", "message": "login by device code: the person refused the login"})];
        assert!(examine(Scene::RefusedDevice, &seen, &refused).is_err(), "the page says otherwise");
        seen["heading"] = json!("Device Login Failed");
        assert!(examine(Scene::RefusedDevice, &seen, &refused).is_ok());
        seen["heading"] = json!("Device Login Successful");
        seen["elsewhere"] = json!(["https://fonts.example"]);
        assert!(examine(Scene::Device, &seen, &told).is_err());
    }

    #[test]
    fn a_machine_without_a_browser_says_how_to_get_one() {
        assert_eq!(chromium("/nowhere".as_ref()), Err(CheckError::NotRun(CHROMIUM_HELP.into())));
    }
}
