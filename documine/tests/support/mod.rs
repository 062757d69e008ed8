//! Runs an example program in its own folder.
#![allow(dead_code, reason = "each test uses a part of this module")]

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Time after which a program counts as hanging.
const TIMEOUT: Duration = Duration::from_secs(120);

/// An example program with its folder and environment.
pub(crate) struct Program {
    example: &'static str,
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// Exit code and output of a program.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn new(example: &'static str) -> io::Result<Self> {
        Ok(Self { example, folder: tempfile::tempdir()?, environment: Vec::new() })
    }

    /// Adds environment variables; later values take precedence.
    pub(crate) fn environment(mut self, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub(crate) fn write_file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.folder().join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, content)
    }

    /// Returns the paths of all files in the folder.
    pub(crate) fn all_files(&self) -> Vec<String> {
        fn collect_files(folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    collect_files(&entry.path(), found);
                } else {
                    found.push(entry.path().display().to_string());
                }
            }
        }
        let mut found = Vec::new();
        collect_files(self.folder(), &mut found);
        found
    }

    pub(crate) fn run(&self, args: &[&str]) -> io::Result<Finished> {
        Ok(self.command(args)?.output()?.into())
    }

    #[cfg(unix)]
    pub(crate) fn start(&self, args: &[&str]) -> io::Result<Running> {
        Ok(Running(self.command(args)?.spawn()?, None))
    }

    fn command(&self, args: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(build_if_stale(self.example)?);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DOCUMINE_")) {
            command.env_remove(name);
        }
        command
            .args(args)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }
}

/// Runs the program while the simulator of the test keeps running.
pub(crate) async fn run_beside_simulator(program: &Program, args: &[&str]) -> io::Result<Finished> {
    let mut command = program.command(args)?;
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = tokio::time::timeout(TIMEOUT, output).await.map_err(io::Error::other)?;
    Ok(output.map_err(io::Error::other)??.into())
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Finished {
    /// Parses the only line of stdout as JSON.
    pub(crate) fn summary(&self) -> Result<Value, String> {
        let mut lines = self.stdout.lines();
        match (lines.next(), lines.next()) {
            (Some(line), None) => serde_json::from_str(line).map_err(|error| format!("{error}: {line}")),
            _ => Err(format!("stdout is not one line: {:?}, stderr: {}", self.stdout, self.stderr)),
        }
    }

    /// Returns the only line of stderr that begins with `error:`.
    pub(crate) fn only_error(&self) -> Result<&str, String> {
        let lines: Vec<_> = self.stderr.lines().filter(|line| line.starts_with("error:")).collect();
        match lines.as_slice() {
            [line] => Ok(line),
            _ => Err(format!("not one error line: {}", self.stderr)),
        }
    }
}

/// A running program.
#[cfg(unix)]
pub(crate) struct Running(std::process::Child, Option<BufReader<ChildStdout>>);

#[cfg(unix)]
impl Running {
    /// Sends SIGINT (Ctrl-C). A program without a handler may ignore it, because shells ignore SIGINT in background processes.
    pub(crate) fn interrupt(&self) -> io::Result<()> {
        let status = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("the program could not be interrupted")) }
    }

    /// Kills the program.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.0.kill()
    }

    /// Parses the next line of stdout as JSON.
    pub(crate) async fn next(&mut self) -> io::Result<Value> {
        let mut lines = match self.1.take() {
            Some(lines) => lines,
            None => BufReader::new(self.0.stdout.take().ok_or_else(|| io::Error::other("no stdout"))?),
        };
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            lines.read_line(&mut line).map(|_| (line, lines))
        });
        let read = tokio::time::timeout(TIMEOUT, read).await.map_err(io::Error::other)?;
        let (line, lines) = read.map_err(io::Error::other)??;
        self.1 = Some(lines);
        serde_json::from_str(&line).map_err(|error| io::Error::other(format!("{error}: {line:?}")))
    }

    /// Waits for the end of the program; lines already read are not part of stdout.
    pub(crate) async fn finish(mut self) -> io::Result<Finished> {
        let lines = self.1.take();
        let output = tokio::task::spawn_blocking(move || {
            let mut rest = Vec::new();
            if let Some(mut lines) = lines {
                lines.read_to_end(&mut rest)?;
            }
            let mut output = self.0.wait_with_output()?;
            output.stdout.extend(rest);
            Ok::<_, io::Error>(output)
        });
        let output = tokio::time::timeout(TIMEOUT, output).await.map_err(io::Error::other)?;
        Ok(output.map_err(io::Error::other)??.into())
    }
}

/// Waits until the condition holds.
#[cfg(unix)]
pub(crate) async fn wait_until(condition: impl Fn() -> bool) -> io::Result<()> {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.map_err(io::Error::other)
}

/// Returns the path of the example program. Builds the program if `cargo test` built only this test.
fn build_if_stale(example: &str) -> io::Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().map_err(|error| io::Error::other(error.to_string()))?;
    let own = std::env::current_exe()?;
    let profile = own.ancestors().nth(2).ok_or_else(|| io::Error::other("the test is not in target/PROFILE/deps"))?;
    let program = profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    if is_older_than_source(&program, example) {
        build(profile, example)?;
    }
    if program.exists() { Ok(program) } else { Err(io::Error::other(format!("{} does not exist", program.display()))) }
}

fn is_older_than_source(program: &Path, example: &str) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(built) = modified(program) else { return true };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let files = fs::read_dir(&source).into_iter().flatten().flatten().map(|entry| entry.path());
    files.chain([source.with_extension("rs")]).filter_map(|path| modified(&path)).any(|changed| changed > built)
}

fn build(profile: &Path, example: &str) -> io::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["build", "--package", env!("CARGO_PKG_NAME"), "--example", example, "--manifest-path"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    command.arg("--target-dir").arg(profile.parent().unwrap_or(profile));
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("cargo build --example {example}: {status}"))) }
}

/// Builds a minimal PDF with one page: a title and text lines.
pub(crate) fn text_pdf(title: &str, lines: &[&str]) -> Vec<u8> {
    let shown_lines = lines.iter().map(|line| format!("0 -24 Td ({line}) Tj")).collect::<Vec<_>>().join(" ");
    let content = format!("BT /F1 24 Tf 72 760 Td ({title}) Tj /F1 12 Tf {shown_lines} ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Title ({title}) >>"),
    ];
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut table = vec!["0000000000 65535 f \n".to_owned()];
    for (index, object) in objects.iter().enumerate() {
        table.push(format!("{:010} 00000 n \n", pdf.len()));
        pdf.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", index + 1).as_bytes());
    }
    let start = pdf.len();
    let (count, table) = (table.len(), table.concat());
    let trailer = format!(
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    pdf.extend_from_slice(trailer.as_bytes());
    pdf
}
