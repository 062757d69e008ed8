//! What the tests of the simulator share: a plain HTTP caller that is signed in, and documents made on the spot.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::print_stdout, reason = "why a test did nothing")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

use std::fmt::Write as _;
use std::time::Duration;

use documine_sim::{SimClock, Simulator, SimulatorBuilder};
use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// These tests speak HTTP in the names of our document. Where another one is in its place they say so and end; the stories run everywhere.
pub(crate) fn other_document() -> bool {
    let other = !documine_api::document::IS_RECONSTRUCTION;
    if other {
        println!("not run: the simulator serves another document, and this test speaks the names of ours");
    }
    other
}

/// A simulator whose clock stands still, with somebody signed in.
pub(crate) struct Desk {
    pub(crate) sim: Simulator,
    pub(crate) http: Client,
    pub(crate) token: String,
}

/// Status, headers and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
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

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(Self::builder()).await
    }

    /// A clock that stands still, and tokens that outlive every jump of it.
    pub(crate) fn builder() -> SimulatorBuilder {
        Simulator::builder().clock(SimClock::manual()).token_ttl(Duration::from_secs(365 * 86_400))
    }

    pub(crate) async fn with(builder: SimulatorBuilder) -> Self {
        Self::at(builder.start().await.expect("the simulator starts")).await
    }

    pub(crate) async fn at(sim: Simulator) -> Self {
        let http = Client::builder().no_proxy().build().expect("a client");
        let token = sign_in(&http, &sim).await;
        Self { sim, http, token }
    }

    /// A request with everything it needs.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sim.base_url());
        self.http.request(method, url).bearer_auth(&self.token).header("X-TENANT-ID", self.sim.workspace_id())
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.expect("a body").to_vec() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// The path of the dossiers of the usual template.
    pub(crate) fn dossiers(&self) -> String {
        format!("/api/dossier-templates/{}/dossiers", self.sim.dossier_template_id())
    }

    /// Creates a dossier and gives its path.
    pub(crate) async fn dossier(&self, name: &str) -> String {
        let answer = self.post(&self.dossiers(), json!({"name": name})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        format!("{}/{}", self.dossiers(), answer.json()["id"].as_str().expect("an id"))
    }

    pub(crate) async fn upload(&self, dossier: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        let part = Part::bytes(bytes.into()).file_name(name.to_owned());
        self.send(self.request(Method::POST, &format!("{dossier}/files")).multipart(Form::new().part("file", part)))
            .await
    }

    /// Uploads a document that is accepted and gives its id.
    pub(crate) async fn file(&self, dossier: &str, name: &str, bytes: impl Into<Vec<u8>>) -> String {
        let answer = self.upload(dossier, name, bytes).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["fileIds"][0].as_str().expect("an id").to_owned()
    }

    /// Lets simulated time pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.sim.clock().advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn state(&self, dossier: &str, file: &str) -> String {
        let answer = self.get(&format!("{dossier}/files/{file}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["processingStatus"].as_str().expect("a state").to_owned()
    }

    /// Asks for a package, waits for it and gives its path.
    pub(crate) async fn package(&self, path: &str, body: Value) -> String {
        let answer = self.post(&format!("{path}/create-download"), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.wait(600);
        format!("/api/downloads/{}", answer.json()["downloadId"].as_str().expect("an id"))
    }
}

/// Signs in with the password of the usual user.
pub(crate) async fn sign_in(http: &Client, sim: &Simulator) -> String {
    let url = format!("{}/auth/realms/{}/protocol/openid-connect/token", sim.base_url(), sim.workspace_id());
    let fields = [
        ("grant_type", "password"),
        ("client_id", sim.client_id()),
        ("client_secret", sim.client_secret()),
        ("username", sim.username()),
        ("password", sim.password()),
    ];
    let body = fields.map(|(name, value)| format!("{name}={value}")).join("&");
    let request = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer: Value = request.send().await.expect("an answer").json().await.expect("json");
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// A small PDF with the given lines on each page; a page without lines holds a picture instead.
pub(crate) fn pdf(pages: &[&[&str]]) -> Vec<u8> {
    document(pages, None, "")
}

/// The same with a title of its own.
pub(crate) fn titled_pdf(title: &str, pages: &[&[&str]]) -> Vec<u8> {
    document(pages, Some(title), "")
}

/// A PDF that says it is encrypted.
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
    objects.push(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec());
    let mut picture = b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\n".to_vec();
    picture.extend_from_slice(b"\x80\nendstream");
    objects.push(picture);
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
        let place = objects.len() + 2;
        let resources = "<< /Font << /F1 3 0 R >> /XObject << /Im0 4 0 R >> >>";
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources {resources} /Contents {place} 0 R >>"
        );
        objects.push(page.into_bytes());
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()).into_bytes());
    }
    let mut info = String::new();
    if let Some(title) = title {
        objects.push(format!("<< /Title ({title}) >>").into_bytes());
        info = format!("/Info {} 0 R", objects.len());
    }
    assemble(&objects, &format!("{info} {trailer}"))
}

/// A PDF of the given objects, numbered from 1; the first is its root.
pub(crate) fn raw_pdf(objects: &[&str]) -> Vec<u8> {
    let objects: Vec<Vec<u8>> = objects.iter().map(|object| object.as_bytes().to_vec()).collect();
    assemble(&objects, "")
}

fn assemble(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend_from_slice(format!("{} 0 obj\n", number + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let table = file.len();
    file.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).as_bytes());
    for place in &places {
        file.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    let size = places.len() + 1;
    file.extend_from_slice(
        format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF\n").as_bytes(),
    );
    file
}

/// One of the sample documents of the repository.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../documine/examples/samples").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The entries of a ZIP, with their bytes.
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

/// A ZIP of the given entries.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
        std::io::Write::write_all(&mut zip, bytes).expect("its bytes");
    }
    zip.finish().expect("a ZIP").into_inner()
}

/// Waits until it is so. The limit only guards against hanging.
pub(crate) async fn until(so: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(120), "it never came to be so");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// With the feature `check`: everything that was said fits the document.
pub(crate) fn assert_clean(sim: &Simulator) {
    #[cfg(feature = "check")]
    assert_eq!(sim.violations(), []);
    let _ = sim;
}
