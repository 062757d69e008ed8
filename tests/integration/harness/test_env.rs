//! The stage: a simulator with a clock that stands still, a client whose waits move that clock, and the checks at the end of every story.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use documine::{
    BoxFuture, Client, ClientBuilder, Clock, Credentials, DossierHandle, DossierTemplateHandle, DossierTemplateId,
    FileHandle, NewDossier, Source,
};
use documine_sim::{RecordedRequest, SimClock, Simulator, SimulatorBuilder};

/// One story's simulator and client.
pub struct TestEnv {
    pub sim: Simulator,
    pub client: Client,
    pub time: SimulatedTime,
    /// What the story is allowed to break in the document's eyes: parts of the violations' lines, one each.
    expected_violations: Vec<&'static str>,
    /// Whether the story itself asks without token or tenant.
    unauthenticated_requests: bool,
}

impl TestEnv {
    /// The usual one.
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// One with other settings of the simulator.
    pub async fn with(settings: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Self {
        let clock = SimClock::manual();
        let sim = settings(Simulator::builder().clock(clock.clone())).start().await.unwrap();
        let time = SimulatedTime::new(clock);
        let client = builder(&sim, &time).build().unwrap();
        Self { sim, client, time, expected_violations: Vec::new(), unauthenticated_requests: false }
    }

    /// A builder with everything set for this world's simulator.
    pub fn builder(&self) -> ClientBuilder {
        builder(&self.sim, &self.time)
    }

    /// Another client of the same simulator.
    pub fn client_with(&self, credentials: Credentials) -> Client {
        self.builder().credentials(credentials).build().unwrap()
    }

    /// The built-in dossier template.
    pub fn template(&self) -> DossierTemplateHandle {
        self.client.dossier_template(self.template_id())
    }

    /// Its id.
    pub fn template_id(&self) -> DossierTemplateId {
        self.sim.dossier_template_id().parse().unwrap()
    }

    /// A new dossier.
    pub async fn dossier(&self) -> DossierHandle {
        self.template().create_dossier(NewDossier::named("Q3 filings")).await.unwrap()
    }

    /// A new dossier with one file that is processed.
    pub async fn processed_file(&self, name: &str, pdf: &[u8]) -> (DossierHandle, FileHandle) {
        let dossier = self.dossier().await;
        let file = upload_processed(&dossier, name, pdf).await;
        (dossier, file)
    }

    /// The requests of one operation so far, by the document's id of it, or by the identity provider's own word (`token`).
    pub fn requests(&self, operation: &str) -> Vec<RecordedRequest> {
        self.sim.requests().into_iter().filter(|request| request.operation.as_deref() == Some(operation)).collect()
    }

    /// All requests so far, each as `operation status`.
    pub fn request_log(&self) -> Vec<String> {
        self.sim.requests().iter().map(log_line).collect()
    }

    /// What was asked since `before`, a length of the journal.
    pub fn request_log_since(&self, before: usize) -> Vec<String> {
        self.request_log().split_off(before)
    }

    /// When the requests of an operation came, from `start` on.
    pub fn request_times(&self, operation: &str, start: SystemTime) -> Vec<Duration> {
        let since = |request: RecordedRequest| request.at.duration_since(start).ok();
        self.requests(operation).into_iter().filter_map(since).collect()
    }

    /// This story does what the document does not know: one such violation is expected for each of `parts`.
    pub fn expect_violations(&mut self, parts: &[&'static str]) {
        self.expected_violations = parts.to_vec();
    }

    /// This story asks on its own, without what the client adds to every request.
    pub fn allow_unauthenticated_requests(&mut self) {
        self.unauthenticated_requests = true;
    }

    /// What did not fit the document so far, a line each.
    pub fn violations(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.sim.violations().iter().map(ToString::to_string).collect();
        if !cfg!(reconstruction) {
            // Another document may ask for UUIDs, and stories ask for things by ids that nothing has.
            lines.retain(|log_line| !log_line.contains(" request path/"));
        }
        lines
    }

    /// The checking layer: requests and answers fit the document, and every request of an operation was made in the workspace's name.
    fn verify(&self) {
        let violations = self.violations();
        let fits = violations.len() == self.expected_violations.len()
            && violations.iter().zip(&self.expected_violations).all(|(log_line, part)| log_line.contains(part));
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
            // One write: the lines of stories that end at the same time do not mix.
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
    Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(credentials(sim)).clock(time.clone())
}

fn credentials(sim: &Simulator) -> Credentials {
    Credentials::password(sim.client_id(), sim.username(), sim.password()).client_secret(sim.client_secret())
}

/// Uploads a file and waits for it.
pub async fn upload_processed(dossier: &DossierHandle, name: &str, pdf: &[u8]) -> FileHandle {
    dossier.upload(Source::bytes(name, pdf.to_vec())).await.unwrap().processed().await.unwrap()
}

/// HTTP without anything of ours, for what a story does behind the client's back.
pub fn plain_http_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The path of an operation as it goes over the wire, with these ids in the place of its parameters.
pub fn operation_path(operation: &str, ids: &[&str]) -> String {
    let operation = documine::api::operations::operation(operation).unwrap();
    let mut ids = ids.iter();
    let segments = operation.path.split('/');
    segments
        .map(|segment| if segment.starts_with('{') { *ids.next().unwrap() } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// A query in the contract's names, `name=value` each, as the document in use spells it.
pub fn operation_query(operation: &str, words: &[(&'static str, &str)]) -> String {
    let word = |(name, value): &(&'static str, &str)| {
        format!("{}={value}", documine_sim::wire::query(operation, name).unwrap())
    };
    words.iter().map(word).collect::<Vec<_>>().join("&")
}

/// Whether a request is one of the document's operations.
pub fn is_operation(request: &RecordedRequest) -> bool {
    request.operation.as_deref().is_some_and(|id| documine::api::operations::operation(id).is_some())
}

/// A request's header.
pub fn header(request: &RecordedRequest, name: &str) -> Option<String> {
    request.header(name).map(str::to_owned)
}

fn log_line(request: &RecordedRequest) -> String {
    format!("{} {}", request.operation.as_deref().unwrap_or("?"), request.status)
}

/// The simulator's clock as the client's: a sleep moves the time and is over at once.
#[derive(Clone)]
pub struct SimulatedTime {
    clock: SimClock,
    start: SystemTime,
    sleeps: Arc<Mutex<Vec<Duration>>>,
}

impl SimulatedTime {
    fn new(clock: SimClock) -> Self {
        Self { start: clock.now(), clock, sleeps: Arc::default() }
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The same time, for a client in whose pause number `after` something happens, at its end.
    pub fn with_event(&self, after: usize, action: impl Fn() + Send + Sync + 'static) -> ClockWithEvent {
        ClockWithEvent { time: self.clone(), after, action: Arc::new(action) }
    }

    /// What the client has slept so far, sleep by sleep.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().unwrap().clone()
    }
}

impl fmt::Debug for SimulatedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedTime")
    }
}

impl Clock for SimulatedTime {
    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.now().duration_since(self.start).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.sleeps.lock().unwrap().push(duration);
            self.clock.advance(duration);
            tokio::task::yield_now().await;
        })
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// Simulated time in which something happens.
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
