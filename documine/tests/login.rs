//! The login example: output, stored login and exit codes.

mod support;

use std::fs;

use documine_sim::Simulator;
use serde_json::{Value, json};
use support::{Finished, Program, run_beside_simulator};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Parses the lines of stdout as JSON.
fn events(finished: &Finished) -> Vec<Value> {
    finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!(line))).collect()
}

/// Returns the names of the events.
fn event_names(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event"].as_str()).collect()
}

async fn service() -> Result<(Simulator, Program), Box<dyn std::error::Error>> {
    let sim = Simulator::builder().rotate_refresh(true).start().await?;
    let program = Program::new("login")?.environment(sim.environment());
    Ok((sim, program))
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_in_with_password_and_logs_out() -> TestResult {
    let (sim, program) = service().await?;
    let finished = run_beside_simulator(&program, &["--json", "--flow", "password", "--whoami", "--logout"]).await?;
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
    let scopes = json!(["email", "profile"]);
    let expected = [
        json!({"event": "logged_in", "flow": "password", "access_expires_in": 300, "refresh_expires_in": 1800, "scopes": scopes}),
        json!({"event": "who_am_i", "workspace": sim.workspace_id(), "account": sim.username(),
            "access_expires_in": 300, "refresh_expires_in": 1800, "scopes": scopes}),
        json!({"event": "api_call", "operation": "getLicense", "status": 200}),
        json!({"event": "logged_out", "revoked": true, "session_ended": true}),
    ];
    assert_eq!(events(&finished), expected);
    assert_eq!(program.all_files(), Vec::<String>::new());
    Ok(())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn device_login_is_stored_and_reused() -> TestResult {
    let (sim, program) = service().await?;
    let mut running = program.start(&["--json", "--flow", "device", "--store", "me.json"])?;
    let shown = running.next().await?;
    assert_eq!(shown["event"], "device_code");
    for (name, value) in [("interval", 5), ("expires_in", 600)] {
        assert_eq!(shown[name], value, "{name}");
    }
    let code = shown["user_code"].as_str().ok_or("no user code")?;
    assert!(shown["verification_uri_complete"].as_str().is_some_and(|link| link.ends_with(code)));
    assert!(sim.control().provider().approve_device(code, sim.username()));
    let finished = running.finish().await?;
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
    let logged = events(&finished);
    // The client adopts the tokens that the login saved in the store.
    assert_eq!(event_names(&logged), ["logged_in", "adopted", "api_call"]);
    assert_eq!(logged[0]["flow"], "device");

    let stored = fs::read_to_string(program.folder().join("me.json"))?;
    let stored: Value = serde_json::from_str(&stored)?;
    let (access, refresh) =
        (stored["access_token"].as_str().ok_or("no token")?, stored["refresh_token"].as_str().ok_or("no token")?);
    let second = run_beside_simulator(&program, &["--json", "--store", "me.json"]).await?;
    assert_eq!((second.code, event_names(&events(&second))), (0, vec!["adopted", "api_call"]));
    let identity = run_beside_simulator(&program, &["--whoami", "--store", "me.json"]).await?;
    assert_eq!(identity.code, 0);
    assert!(
        identity.stderr.contains(&format!("{} in the workspace {}", sim.username(), sim.workspace_id())),
        "{}",
        identity.stderr
    );
    let logged_out = run_beside_simulator(&program, &["--json", "--logout", "--store", "me.json"]).await?;
    assert_eq!((logged_out.code, event_names(&events(&logged_out))), (0, vec!["logged_out"]));
    let without_login = run_beside_simulator(&program, &["--json", "--store", "me.json"]).await?;
    assert_eq!((without_login.code, event_names(&events(&without_login))), (4, vec!["login_needed", "error"]));
    assert_eq!(events(&without_login)[1]["kind"], "auth");
    for logged in [finished, second, identity, logged_out, without_login] {
        for token in [access, refresh] {
            assert!(!logged.stdout.contains(token) && !logged.stderr.contains(token));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_errors_in_one_line_with_exit_code() -> TestResult {
    let (_sim, program) = service().await?;
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--whoami"], 2, "which login? name the file that keeps it with --store, or log in with --flow"),
        (
            &["--flow", "paste"],
            2,
            "login by browser: not a login response; paste the whole URL that the browser ended at",
        ),
        (&["--flow", "code", "--redirect-path", "no path"], 2, "\"no path\" is not a path of a redirect URI"),
        (
            &["--flow", "code", "--redirect-uri", "https://acme.example/cb"],
            2,
            "can't listen on the redirect URI \"https://acme.example/cb\"",
        ),
        (
            &["--flow", "code", "--time-limit", "1", "--no-open"],
            5,
            "timed out after 1s waiting for the browser; start the login again",
        ),
    ];
    for (args, code, line) in cases {
        let finished = run_beside_simulator(&program, args).await?;
        assert_eq!(finished.code, code, "{args:?}: {}", finished.stderr);
        assert!(finished.only_error()?.contains(line), "{args:?}: {}", finished.stderr);
        assert_eq!(finished.stdout, "");
    }
    let unset = Program::new("login")?.environment([("DOCUMINE_BASE_URL", "https://acme.example".to_owned())]);
    let finished = run_beside_simulator(&unset, &["--json"]).await?;
    assert_eq!(finished.code, 2);
    let message = "DOCUMINE_WORKSPACE_ID is not set or empty; it holds the workspace's id";
    assert_eq!(events(&finished), [json!({"event": "error", "kind": "usage", "message": message})]);
    Ok(())
}
