//! The program: ready line, signals, invalid settings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output};

use serde_json::Value;
use support::program;

fn rejected(arguments: &[&str]) -> (Output, String) {
    let output = program(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    assert!(output.stdout.is_empty(), "no ready line");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    (output, text)
}

#[test]
fn prints_the_ready_line_and_ends_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut child = program(&["--seed", "3", "--paging", "link", "--speed", "50"]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        for key in
            ["base_url", "workspace_id", "client_id", "client_secret", "username", "password", "dossier_template_id"]
        {
            assert!(ready[key].as_str().is_some_and(|value| !value.is_empty()), "{key} in {line}");
        }
        assert!(ready["base_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(child.wait().unwrap().success());
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "only one line");
    }
}

#[test]
fn invalid_settings_yield_a_one_line_error() {
    let rules = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(rules.path(), "[[component]]\nname = 'A'\n[[component.rule]]\npattern = '('\n").unwrap();
    let (_, text) = rejected(&["--rules", rules.path().to_str().unwrap()]);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("component A, rule A.0.0: bad pattern: unclosed group"), "{text}");
    let (_, text) = rejected(&["--rules", "/nowhere/rules.toml"]);
    assert!(text.contains("rule file /nowhere/rules.toml"), "{text}");
    let (_, text) = rejected(&["--listen", "nowhere"]);
    assert!(text.starts_with("documine-sim: cannot listen on nowhere"), "{text}");
    for arguments in [["--speed", "0"], ["--auth", "sometimes"], ["--paging", "pages"]] {
        let (output, text) = rejected(&arguments);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(arguments[0]), "{text}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let (_, text) = rejected(&["--data", file.path().to_str().unwrap()]);
    assert!(text.starts_with("documine-sim: cannot use the data folder"), "{text}");
}
