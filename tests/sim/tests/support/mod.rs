//! Test support: a signed-in HTTP client, the program, and generated documents.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use documine_sim::{SimClock, Simulator, SimulatorBuilder};
use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// A simulator with a manual clock, and a signed-in client.
pub(crate) struct TestClient {
    pub(crate) sim: Simulator,
    pub(crate) http: Client,
    pub(crate) token: String,
}

/// Status, headers and body of a response.
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl TestResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn message(&self) -> String {
        let body = self.json();
        assert!(body["timestamp"].is_string(), "an error body has a timestamp: {body}");
        body["message"].as_str().expect("an error body has a message").to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text"))
    }
}

impl TestClient {
    pub(crate) async fn new() -> Self {
        Self::with(Self::builder()).await
    }

    /// Starts a simulator of the vendored document. `None` with another document, whose names these tests do not use.
    pub(crate) async fn vendored() -> Option<Self> {
        Self::vendored_with(Self::builder()).await
    }

    /// Starts a simulator of the vendored document with other settings. `None` with another document.
    pub(crate) async fn vendored_with(builder: SimulatorBuilder) -> Option<Self> {
        if !documine_api::document::IS_RECONSTRUCTION {
            println!(
                "skipped: the simulator serves another document, and this test uses the names of the vendored one"
            );
            return None;
        }
        Some(Self::with(builder).await)
    }

    /// Returns settings with a manual clock, and tokens that outlive every step of the clock.
    pub(crate) fn builder() -> SimulatorBuilder {
        Simulator::builder().clock(SimClock::manual()).token_ttl(Duration::from_secs(365 * 86_400))
    }

    pub(crate) async fn with(builder: SimulatorBuilder) -> Self {
        Self::at(builder.start().await.expect("the simulator starts")).await
    }

    pub(crate) async fn at(sim: Simulator) -> Self {
        let http = Client::builder().no_proxy().build().expect("a client");
        let token = sign_in(&http, &sim).await["access_token"].as_str().expect("a token").to_owned();
        Self { sim, http, token }
    }

    /// Returns a request with token and workspace.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sim.base_url());
        self.http.request(method, url).bearer_auth(&self.token).header("X-TENANT-ID", self.sim.workspace_id())
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> TestResponse {
        receive(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> TestResponse {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Returns the path of the dossiers of the active template.
    pub(crate) fn dossiers(&self) -> String {
        format!("/api/dossier-templates/{}/dossiers", self.sim.dossier_template_id())
    }

    /// Creates a dossier and returns its path.
    pub(crate) async fn dossier(&self, name: &str) -> String {
        let response = self.post(&self.dossiers(), json!({"name": name})).await;
        assert_eq!(response.status, 201, "{}", response.text());
        format!("{}/{}", self.dossiers(), response.json()["id"].as_str().expect("an id"))
    }

    pub(crate) async fn upload(&self, dossier: &str, name: &str, bytes: impl Into<Vec<u8>>) -> TestResponse {
        let part = Part::bytes(bytes.into()).file_name(name.to_owned());
        self.send(self.request(Method::POST, &format!("{dossier}/files")).multipart(Form::new().part("file", part)))
            .await
    }

    /// Uploads a valid document and returns its id.
    pub(crate) async fn file(&self, dossier: &str, name: &str, bytes: impl Into<Vec<u8>>) -> String {
        let response = self.upload(dossier, name, bytes).await;
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()["fileIds"][0].as_str().expect("an id").to_owned()
    }

    /// Advances the simulated time.
    pub(crate) fn advance(&self, seconds: u64) {
        self.sim.clock().advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn state(&self, dossier: &str, file: &str) -> String {
        let response = self.get(&format!("{dossier}/files/{file}")).await;
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["processingStatus"].as_str().expect("a state").to_owned()
    }

    /// Uploads a document into a new dossier and returns its components.
    pub(crate) async fn components(&self, bytes: impl Into<Vec<u8>>) -> Value {
        let dossier = self.dossier("d").await;
        let file = self.file(&dossier, "x.pdf", bytes).await;
        self.advance(60);
        self.get(&format!("{dossier}/files/{file}/components")).await.json()["components"].clone()
    }

    /// Requests a package, waits until it is ready and returns its path.
    pub(crate) async fn package(&self, path: &str, body: Value) -> String {
        let response = self.post(&format!("{path}/create-download"), body).await;
        assert_eq!(response.status, 200, "{}", response.text());
        self.advance(600);
        format!("/api/downloads/{}", response.json()["downloadId"].as_str().expect("an id"))
    }
}

/// Requests tokens with the credentials of the simulator's client.
pub(crate) async fn request_tokens(http: &Client, sim: &Simulator, fields: &[(&str, &str)]) -> TestResponse {
    let url = format!("{}/auth/realms/{}/protocol/openid-connect/token", sim.base_url(), sim.workspace_id());
    let credentials = [("client_id", sim.client_id()), ("client_secret", sim.client_secret())];
    let fields = credentials.iter().chain(fields).map(|(name, value)| format!("{name}={value}"));
    let body = fields.collect::<Vec<_>>().join("&");
    receive(http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

/// Signs in with the password of the default user and returns the tokens.
pub(crate) async fn sign_in(http: &Client, sim: &Simulator) -> Value {
    let password = [("grant_type", "password"), ("username", sim.username()), ("password", sim.password())];
    request_tokens(http, sim, &password).await.json()
}

/// Sends a request and reads the whole response.
async fn receive(request: RequestBuilder) -> TestResponse {
    let response = request.send().await.expect("a response");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    TestResponse { status, headers, body: response.bytes().await.expect("a body").to_vec() }
}

/// Returns the program with these arguments.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_documine-sim"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the first line of the program's output. Empty if the program ended without one.
pub(crate) fn ready_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    line
}

/// Returns a small PDF with the given lines on each page. A page without lines has an image.
pub(crate) fn pdf(pages: &[&[&str]]) -> Vec<u8> {
    document(pages, None, "")
}

/// Returns a small PDF with a title.
pub(crate) fn titled_pdf(title: &str, pages: &[&[&str]]) -> Vec<u8> {
    document(pages, Some(title), "")
}

/// Returns a PDF that declares an encryption.
pub(crate) fn encrypted_pdf() -> Vec<u8> {
    let key = "00".repeat(32);
    let encrypt =
        format!("/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <{key}> /U <{key}> >> /ID [<00> <00>]");
    document(&[&["secret"]], None, &encrypt)
}

fn document(pages: &[&[&str]], title: Option<&str>, trailer: &str) -> Vec<u8> {
    let mut objects: Vec<Vec<u8>> = Vec::new();
    let kids: Vec<String> = (0..pages.len()).map(|index| format!("{} 0 R", 5 + 2 * index)).collect();
    objects.push(b"<< /Type /Catalog /Pages 2 0 R >>".to_vec());
    objects.push(format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()).into_bytes());
    objects.push(HELVETICA.as_bytes().to_vec());
    let mut image = b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\n".to_vec();
    image.extend_from_slice(b"\x80\nendstream");
    objects.push(image);
    for lines in pages {
        let mut content = String::new();
        if lines.is_empty() {
            content.push_str("q 500 0 0 700 50 50 cm /Im0 Do Q");
        }
        for (number, line) in lines.iter().enumerate() {
            let size = if number == 0 { 18 } else { 11 };
            let line = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
            writeln!(content, "BT /F1 {size} Tf 72 {} Td ({line}) Tj ET", 760 - 20 * number).expect("a text");
        }
        let content_number = objects.len() + 2;
        let resources = "<< /Font << /F1 3 0 R >> /XObject << /Im0 4 0 R >> >>";
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources {resources} /Contents {content_number} 0 R >>"
        );
        objects.push(page.into_bytes());
        objects.push(stream("", &content).into_bytes());
    }
    let mut info = String::new();
    if let Some(title) = title {
        objects.push(format!("<< /Title ({title}) >>").into_bytes());
        info = format!("/Info {} 0 R", objects.len());
    }
    assemble(&objects, &format!("{info} {trailer}"))
}

/// Returns a PDF with one page: its content, further entries of its fonts and resources, and further objects (from number 6). Helvetica is F1.
pub(crate) fn page_pdf(content: &str, fonts: &str, resources: &str, objects: &[&str]) -> Vec<u8> {
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R {fonts} >> {resources} >> /Contents 5 0 R >>"
    );
    let content = stream("", content);
    let first =
        ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", &page, HELVETICA, &content];
    raw_pdf(&first.iter().chain(objects).copied().collect::<Vec<_>>())
}

/// Returns a stream object.
pub(crate) fn stream(dictionary: &str, content: &str) -> String {
    format!("<< {dictionary} /Length {} >>\nstream\n{content}\nendstream", content.len())
}

pub(crate) const HELVETICA: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

/// Returns a PDF of the given objects, numbered from 1. The first object is the root.
pub(crate) fn raw_pdf(objects: &[&str]) -> Vec<u8> {
    let objects: Vec<Vec<u8>> = objects.iter().map(|object| object.as_bytes().to_vec()).collect();
    assemble(&objects, "")
}

fn assemble(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend_from_slice(format!("{} 0 obj\n", number + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let table = file.len();
    file.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).as_bytes());
    for offset in &offsets {
        file.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let size = offsets.len() + 1;
    file.extend_from_slice(
        format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF\n").as_bytes(),
    );
    file
}

/// Returns a sample document of the repository.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../documine/examples/samples").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the entries of a ZIP archive.
pub(crate) fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a ZIP");
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).expect("an entry");
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).expect("its bytes");
            (entry.name().expect("its name").into_owned(), content)
        })
        .collect()
}

/// Returns a ZIP archive of the given entries.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
        std::io::Write::write_all(&mut zip, bytes).expect("its bytes");
    }
    zip.finish().expect("a ZIP").into_inner()
}

/// Waits until the condition holds. The limit only prevents a hanging test.
pub(crate) async fn wait_until(condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(120), "the condition never held");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Asserts that there are no violations (feature `check`).
pub(crate) fn assert_clean(sim: &Simulator) {
    #[cfg(feature = "check")]
    assert_eq!(sim.violations(), []);
    let _ = sim;
}
