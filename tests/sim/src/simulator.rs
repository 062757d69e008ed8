//! The simulator as a library: one line in a test of your own.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::SimClock;
use crate::analysis::{Readers, Rules};
use crate::control::Control;
use crate::faults::Faults;
use crate::idp::{AuthMode, IdpConfig, Provider};
use crate::journal::{Journal, RecordedRequest};
use crate::paging::Paging;
use crate::server::{App, Routes, Settings, Store, router};
use crate::state::{Blobs, Timing, World};
use crate::time::Stamp;

/// A running simulator. Dropping it stops it.
///
/// ```
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let sim = documine_sim::Simulator::start().await?;
/// println!("{} {}", sim.base_url(), sim.workspace_id());
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
pub struct Simulator {
    app: Arc<App>,
    address: SocketAddr,
    base_url: String,
    login: Login,
    template_id: String,
    report_id: String,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<io::Result<()>>>,
}

struct Login {
    client_id: String,
    client_secret: String,
    username: String,
    password: String,
}

/// Why a simulator could not start: one line.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// Settings of a [`Simulator`]; each has a usual value.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until start() is called"]
pub struct SimulatorBuilder {
    seed: u64,
    clock: Option<SimClock>,
    timing: Timing,
    paging: Paging,
    ranges: bool,
    rules: Rules,
    token_ttl: Duration,
    refresh_ttl: Duration,
    rotate_refresh: bool,
    auth: AuthMode,
    data_dir: Option<PathBuf>,
    listen: String,
    workspace: String,
    username: String,
    password: String,
}

impl Simulator {
    /// Starts with the usual settings: seed 1, built-in rules, real clock, a free port of 127.0.0.1.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Begins with the usual settings and changes some.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder {
            seed: 1,
            clock: None,
            timing: Timing::default(),
            paging: Paging::None,
            ranges: true,
            rules: Rules::built_in(),
            token_ttl: Duration::from_secs(300),
            refresh_ttl: Duration::from_secs(1800),
            rotate_refresh: false,
            auth: AuthMode::Own,
            data_dir: None,
            listen: "127.0.0.1:0".to_owned(),
            workspace: "acme".to_owned(),
            username: "analyst".to_owned(),
            password: "analyst-password".to_owned(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for clients, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The workspace, which clients send as `X-TENANT-ID` and find in the paths of the identity provider.
    pub fn workspace_id(&self) -> &str {
        &self.app.settings.workspace
    }

    /// The id of the OAuth client.
    pub fn client_id(&self) -> &str {
        &self.login.client_id
    }

    /// The secret of the OAuth client.
    pub fn client_secret(&self) -> &str {
        &self.login.client_secret
    }

    /// The user to sign in as.
    pub fn username(&self) -> &str {
        &self.login.username
    }

    /// The password of that user.
    pub fn password(&self) -> &str {
        &self.login.password
    }

    /// The dossier template to work with.
    pub fn dossier_template_id(&self) -> &str {
        &self.template_id
    }

    /// The report template of that dossier template.
    pub fn report_template_id(&self) -> &str {
        &self.report_id
    }

    /// The environment variables that aim a program of the SDK at this simulator.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DOCUMINE_BASE_URL", self.base_url.clone()),
            ("DOCUMINE_WORKSPACE_ID", self.workspace_id().to_owned()),
            ("DOCUMINE_CLIENT_ID", self.login.client_id.clone()),
            ("DOCUMINE_CLIENT_SECRET", self.login.client_secret.clone()),
            ("DOCUMINE_USERNAME", self.login.username.clone()),
            ("DOCUMINE_PASSWORD", self.login.password.clone()),
            ("DOCUMINE_DOSSIER_TEMPLATE_ID", self.template_id.clone()),
        ]
    }

    /// The clock of the simulator.
    pub fn clock(&self) -> SimClock {
        self.app.clock.clone()
    }

    /// Every request that was answered so far, in the order of the answers.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.app.journal.all()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.app.journal.clear();
    }

    /// Dossiers, files with their planned states, packages, usage, sign-ins.
    pub fn state(&self) -> Value {
        self.app.snapshot()
    }

    /// Requests and answers that do not fit the vendored document.
    #[cfg(feature = "check")]
    pub fn violations(&self) -> Vec<crate::check::Violation> {
        self.app.violations.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The faults that are planned.
    pub fn faults(&self) -> Faults {
        self.app.faults.clone()
    }

    /// What people and time do to the service from outside the API.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.app))
    }

    /// Stops it and waits until requests that are under way have their answers.
    pub async fn shutdown(mut self) -> io::Result<()> {
        self.stop.send_replace(true);
        let Some(task) = self.task.take() else { return Ok(()) };
        task.await.map_err(io::Error::other)??;
        match &self.app.store {
            Some(store) => store.save(&self.app).await,
            None => Ok(()),
        }
    }

    /// Serves until `end` is over, then shuts down.
    pub async fn run_until(self, end: impl Future<Output = ()>) -> io::Result<()> {
        end.await;
        self.shutdown().await
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Connections hear of it and close; the listener goes at once.
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("base_url", &self.base_url)
            .field("workspace", &self.app.settings.workspace)
            .finish_non_exhaustive()
    }
}

impl SimulatorBuilder {
    /// Ids, codes and keys follow from this number. Usual: 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The clock. Usual: the real time.
    pub fn clock(mut self, clock: SimClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How many times faster than usual the service works on files and packages. The clock, and with it the life of tokens, packages and trash,
    /// is not touched.
    pub fn speed(mut self, speed: f64) -> Self {
        self.timing.speed = speed;
        self
    }

    /// How long work takes in detail.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// How lists page. Usual: not at all.
    pub fn paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// Whether packages have an ETag and can be fetched in parts. Usual: yes.
    pub fn ranges(mut self, ranges: bool) -> Self {
        self.ranges = ranges;
        self
    }

    /// The extraction rules. Usual: the built-in ones.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// How long access tokens live. Usual: 300 s.
    pub fn token_ttl(mut self, ttl: Duration) -> Self {
        self.token_ttl = ttl;
        self
    }

    /// How long refresh tokens live; zero: without a fixed end. Usual: 1800 s.
    pub fn refresh_ttl(mut self, ttl: Duration) -> Self {
        self.refresh_ttl = ttl;
        self
    }

    /// Whether a refresh token is good for one use only. Usual: no.
    pub fn rotate_refresh(mut self, rotate: bool) -> Self {
        self.rotate_refresh = rotate;
        self
    }

    /// Which tokens open the API. Usual: those of the simulator's own identity provider.
    pub fn auth(mut self, auth: AuthMode) -> Self {
        self.auth = auth;
        self
    }

    /// The name of the workspace. Usual: `acme`.
    pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
        self.workspace = workspace.into();
        self
    }

    /// The user that can sign in. Usual: `analyst` with `analyst-password`.
    pub fn user(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.username = username.into();
        self.password = password.into();
        self
    }

    /// A folder that keeps the state over a restart. Usual: none; everything goes away with the simulator.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Where to listen. Usual: `127.0.0.1:0`, a free port.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Starts the simulator on the current tokio runtime.
    pub async fn start(self) -> Result<Simulator, StartError> {
        let listener = TcpListener::bind(&self.listen)
            .await
            .map_err(|error| StartError(format!("can't listen on {}: {error}", self.listen)))?;
        let address =
            listener.local_addr().map_err(|error| StartError(format!("can't listen on {}: {error}", self.listen)))?;
        let app = Arc::new(self.app()?);
        let (template_id, report_id) = {
            let world = app.world();
            let template = world.templates.first();
            let report = template.and_then(|template| template.reports.keys().next().cloned());
            (template.map(|template| template.id.clone()).unwrap_or_default(), report.unwrap_or_default())
        };
        let (stop, mut stopping) = watch::channel(false);
        let service = router(&app);
        // Small answers should not wait for more to send.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            // The sender is gone when the simulator is: that is an end too.
            let _ = stopping.wait_for(|stop| *stop).await;
        });
        let task = tokio::spawn(server.into_future());
        let config = IdpConfig::new("", app.clock.clone());
        let login = Login {
            client_id: config.client_id,
            client_secret: config.client_secret.unwrap_or_default(),
            username: self.username,
            password: self.password,
        };
        let host =
            if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() };
        Ok(Simulator {
            app,
            address,
            base_url: format!("http://{host}"),
            login,
            template_id,
            report_id,
            stop,
            task: Some(task),
        })
    }

    fn app(&self) -> Result<App, StartError> {
        #[cfg(feature = "check")]
        crate::check::Checker::vendored()
            .map_err(|error| StartError(format!("the vendored document can't be checked against: {error}")))?;
        let clock = self.clock.clone().unwrap_or_default();
        let mut config = IdpConfig::new(&self.workspace, clock.clone());
        config.seed = self.seed;
        config.token_ttl = self.token_ttl;
        config.refresh_ttl = self.refresh_ttl;
        config.rotate_refresh = self.rotate_refresh;
        config.username.clone_from(&self.username);
        config.password.clone_from(&self.password);
        let provider = Provider::new(config);
        let folder = |error: &dyn fmt::Display| {
            let place = self.data_dir.as_ref().map_or_else(
                || "the temporary folder".to_owned(),
                |folder| format!("the data folder {}", folder.display()),
            );
            StartError(format!("can't use {place}: {error}"))
        };
        let (store, saved) = match &self.data_dir {
            Some(path) => {
                Store::open(path).map(|(store, saved)| (Some(store), saved)).map_err(|error| folder(&error))?
            }
            None => (None, None),
        };
        let world = match saved {
            Some(saved) => {
                provider.load_json(&saved.provider).map_err(|error| folder(&error))?;
                saved.world
            }
            None => World::new(
                self.seed,
                Stamp::from(clock.now()),
                &self.workspace,
                (&provider.user_id(&self.username), &self.username),
                &self.rules,
            ),
        };
        let operations = documine_api::operations::OPERATIONS.iter();
        Ok(App {
            settings: Settings {
                workspace: self.workspace.clone(),
                auth: self.auth.clone(),
                paging: self.paging,
                ranges: self.ranges,
                timing: self.timing.clone(),
            },
            routes: Routes::new(
                operations.map(|operation| (operation.id, operation.method.to_owned(), operation.path)),
            ),
            provider,
            clock,
            journal: Journal::default(),
            faults: Faults::default(),
            blobs: Blobs::open(self.data_dir.as_deref()).map_err(|error| folder(&error))?,
            readers: Readers::new(),
            store,
            packing: tokio::sync::Mutex::new(()),
            world: Mutex::new(world),
            rules: Mutex::new(Arc::new(self.rules.clone())),
            #[cfg(feature = "check")]
            violations: Mutex::new(Vec::new()),
        })
    }
}
