//! The test environment: a simulator with an automatic clock, a client with the same clock, and final checks.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use documine::{
    BoxFuture, Client, ClientBuilder, Clock, Credentials, DossierFields, DossierHandle, DossierTemplateHandle,
    DossierTemplateId, DownloadFileType, FileHandle, Package, PackageRequest, Source,
    auth::{Login, TokenSet},
};
use documine_sim::{Fault, RecordedRequest, SimClock, Simulator, SimulatorBuilder};

use crate::harness::pdf_fixtures::STUDY;

/// Simulator and client of one test.
pub struct TestEnv {
    pub sim: Simulator,
    pub client: Client,
    pub time: SimulatedTime,
    /// Expected violations of the document, as parts of their messages.
    expected_violations: Vec<&'static str>,
    /// Set when the test sends requests without token or tenant.
    unauthenticated_requests: bool,
}

impl TestEnv {
    /// Creates an environment with default settings.
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// Creates an environment with modified simulator settings.
    pub async fn with(settings: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Self {
        let clock = SimClock::auto();
        let sim = settings(Simulator::builder().clock(clock.clone())).start().await.unwrap();
        let time = SimulatedTime(clock);
        let client = builder(&sim, &time).build().unwrap();
        Self { sim, client, time, expected_violations: Vec::new(), unauthenticated_requests: false }
    }

    /// Returns a client builder configured for this simulator.
    pub fn builder(&self) -> ClientBuilder {
        builder(&self.sim, &self.time)
    }

    /// Builds another client with these credentials.
    pub fn client_with(&self, credentials: Credentials) -> Client {
        self.builder().credentials(credentials).build().unwrap()
    }

    /// Starts a login of the simulator's client.
    pub fn login(&self) -> Login {
        self.builder().login(self.sim.client_id()).unwrap().client_secret(self.sim.client_secret())
    }

    /// Returns credentials of the simulator's client with these tokens.
    pub fn token_credentials(&self, tokens: TokenSet) -> Credentials {
        Credentials::tokens(self.sim.client_id(), tokens).client_secret(self.sim.client_secret())
    }

    /// Adds a fault to the simulator.
    pub fn add_fault(&self, fault: Fault) {
        self.sim.faults().add(fault);
    }

    /// Returns the built-in dossier template.
    pub fn template(&self) -> DossierTemplateHandle {
        self.client.dossier_template(self.template_id())
    }

    /// Returns the id of the built-in dossier template.
    pub fn template_id(&self) -> DossierTemplateId {
        self.sim.dossier_template_id().clone()
    }

    /// Creates a dossier.
    pub async fn dossier(&self) -> DossierHandle {
        self.template().create_dossier(DossierFields::named("Q3 filings")).await.unwrap()
    }

    /// Creates a dossier with one processed file.
    pub async fn processed_file(&self, name: &str, pdf: &[u8]) -> (DossierHandle, FileHandle) {
        let dossier = self.dossier().await;
        let file = upload_processed(&dossier, name, pdf).await;
        (dossier, file)
    }

    /// Creates a dossier with one processed file and a package of its original.
    pub async fn originals_package(&self) -> (DossierHandle, Package) {
        let (dossier, _) = self.processed_file("study.pdf", STUDY).await;
        let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
        (dossier, package)
    }

    /// Returns the requests of one operation, by operation id or by the name of an identity provider endpoint (`token`).
    pub fn requests(&self, operation: &str) -> Vec<RecordedRequest> {
        self.sim.requests().into_iter().filter(|request| request.operation.as_deref() == Some(operation)).collect()
    }

    /// Returns all requests as `operation status`.
    pub fn request_log(&self) -> Vec<String> {
        self.sim.requests().iter().map(log_line).collect()
    }

    /// Returns the requests after the first `before` ones.
    pub fn request_log_since(&self, before: usize) -> Vec<String> {
        self.request_log().split_off(before)
    }

    /// Returns the times of an operation's requests, relative to `start`.
    pub fn request_times(&self, operation: &str, start: SystemTime) -> Vec<Duration> {
        let since = |request: RecordedRequest| request.at.duration_since(start).ok();
        self.requests(operation).into_iter().filter_map(since).collect()
    }

    /// Expects one violation of the document for each of `parts`.
    pub fn expect_violations(&mut self, parts: &[&'static str]) {
        self.expected_violations = parts.to_vec();
    }

    /// Allows requests without token and tenant.
    pub fn allow_unauthenticated_requests(&mut self) {
        self.unauthenticated_requests = true;
    }

    /// Returns the violations of the document so far.
    pub fn violations(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.sim.violations().iter().map(ToString::to_string).collect();
        if !cfg!(reconstruction) {
            // Another document may require UUIDs, and tests use ids that do not exist.
            lines.retain(|line| !line.contains(" request path/"));
        }
        lines
    }

    /// Asserts that all requests and responses match the document and that every API request carries token and tenant.
    fn verify(&self) {
        let violations = self.violations();
        let fits = violations.len() == self.expected_violations.len()
            && violations.iter().zip(&self.expected_violations).all(|(line, part)| line.contains(part));
        assert!(fits, "expected violations {:?}, got {violations:#?}", self.expected_violations);
        let requests = self.sim.requests();
        let operations = || requests.iter().filter(|request| is_operation(request));
        if !self.unauthenticated_requests {
            for request in operations() {
                let request_line = format!("{} {}", request.method, request.path);
                assert_eq!(header(request, "x-tenant-id").as_deref(), Some(self.sim.workspace_id()), "{request_line}");
                let bearer = header(request, "authorization").unwrap_or_default();
                assert!(bearer.starts_with("Bearer ") && bearer.len() > "Bearer ".len(), "{request_line}: {bearer:?}");
            }
        }
        if let Some(path) = std::env::var_os("DOCUMINE_COVERAGE_FILE") {
            let mut lines = operations().map(log_line).collect::<Vec<_>>().join("\n");
            lines.push('\n');
            // A single write, so that lines of concurrent tests do not interleave.
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(lines.as_bytes()).unwrap();
        }
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.verify();
        }
    }
}

fn builder(sim: &Simulator, time: &SimulatedTime) -> ClientBuilder {
    Client::builder(sim.base_url())
        .workspace(sim.workspace_id())
        .credentials(password_credentials(sim))
        .clock(time.clone())
}

/// Returns password credentials of the simulator\'s user.
pub fn password_credentials(sim: &Simulator) -> Credentials {
    Credentials::password(sim.client_id(), sim.username(), sim.password()).client_secret(sim.client_secret())
}

/// Requests a package of original files.
pub fn originals() -> PackageRequest {
    PackageRequest::file_types([DownloadFileType::Original])
}

/// Uploads a file and waits until it is processed.
pub async fn upload_processed(dossier: &DossierHandle, name: &str, pdf: &[u8]) -> FileHandle {
    dossier.upload(Source::bytes(name, pdf.to_vec())).await.unwrap().wait_until_processed().await.unwrap()
}

/// Returns a plain HTTP client for requests that bypass the SDK.
pub fn plain_http_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Returns the path of an operation with its parameters replaced by these ids.
pub fn operation_path(operation: &str, ids: &[&str]) -> String {
    let operation = documine::api::operations::operation(operation).unwrap();
    let mut ids = ids.iter();
    let segments = operation.path.split('/');
    segments
        .map(|segment| if segment.starts_with('{') { *ids.next().unwrap() } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// Builds a query from parameters in the contract's names, spelled as in the document in use.
pub fn operation_query(operation: &str, words: &[(&'static str, &str)]) -> String {
    let word = |(name, value): &(&'static str, &str)| {
        format!("{}={value}", documine_sim::wire::query(operation, name).unwrap())
    };
    words.iter().map(word).collect::<Vec<_>>().join("&")
}

/// Returns true if the request belongs to an operation of the document.
pub fn is_operation(request: &RecordedRequest) -> bool {
    request.operation.as_deref().is_some_and(|id| documine::api::operations::operation(id).is_some())
}

/// Returns a header of a request.
pub fn header(request: &RecordedRequest, name: &str) -> Option<String> {
    request.header(name).map(str::to_owned)
}

fn log_line(request: &RecordedRequest) -> String {
    format!("{} {}", request.operation.as_deref().unwrap_or("?"), request.status)
}

/// The simulator's automatic clock, with steps in seconds.
#[derive(Clone, Debug)]
pub struct SimulatedTime(SimClock);

impl SimulatedTime {
    /// Advances the time.
    pub fn advance(&self, seconds: u64) {
        self.0.advance(Duration::from_secs(seconds));
    }

    /// Returns a clock that calls `action` at the end of sleep number `after`.
    pub fn with_event(&self, after: usize, action: impl Fn() + Send + Sync + 'static) -> ClockWithEvent {
        ClockWithEvent { time: self.clone(), after, action: Arc::new(action) }
    }

    /// Returns the sleeps of the client so far.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.0.sleeps()
    }
}

impl Clock for SimulatedTime {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.0.sleep(duration))
    }

    fn random(&self) -> f64 {
        self.0.random()
    }
}

/// A simulated clock that calls an action after a given number of sleeps.
#[derive(Clone)]
pub struct ClockWithEvent {
    time: SimulatedTime,
    after: usize,
    action: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for ClockWithEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Eventful")
    }
}

impl Clock for ClockWithEvent {
    fn now(&self) -> SystemTime {
        self.time.now()
    }

    fn monotonic(&self) -> Duration {
        self.time.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.time.sleep(duration).await;
            if self.time.sleeps().len() == self.after {
                (self.action)();
            }
        })
    }

    fn random(&self) -> f64 {
        self.time.random()
    }
}
