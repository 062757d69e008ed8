//! Builder of a simulator: settings, defaults, start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::analysis::{PdfReaders, Rules};
use crate::clock::SimClock;
use crate::faults::Faults;
use crate::idp::{AuthMode, ClientAuth, IdpConfig, Provider};
use crate::journal::Journal;
use crate::net::ListenerSwitch;
use crate::paging::Paging;
use crate::patches::Patches;
use crate::service::{App, OwnHosts, Routes, Settings, StateFile};
use crate::simulator::{Simulator, SimulatorLogin};
use crate::state::{BlobStore, Timing, Workspace};
use crate::timestamp::Timestamp;

/// A failed start of a simulator, described in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// Settings of a [`Simulator`]. Every setting has a default.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until start() is called"]
pub struct SimulatorBuilder {
    seed: u64,
    clock: Option<SimClock>,
    timing: Timing,
    paging: Paging,
    ranges: bool,
    rules: Option<Rules>,
    token_ttl: Duration,
    refresh_ttl: Duration,
    rotate_refresh: bool,
    require_nonce: bool,
    client_auth: ClientAuth,
    auth: AuthMode,
    faults: Faults,
    fault_seed: Option<u64>,
    data_dir: Option<PathBuf>,
    listen: String,
    workspace: String,
    username: String,
    password: String,
}

impl Simulator {
    /// Starts a simulator with the default settings: seed 1, built-in rules, real clock, a free port of 127.0.0.1.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::new()
    }
}

impl SimulatorBuilder {
    fn new() -> Self {
        Self {
            seed: 1,
            clock: None,
            timing: Timing::default(),
            paging: Paging::None,
            ranges: true,
            rules: None,
            token_ttl: Duration::from_secs(300),
            refresh_ttl: Duration::from_secs(1800),
            rotate_refresh: false,
            require_nonce: false,
            client_auth: ClientAuth::Any,
            auth: AuthMode::Own,
            faults: Faults::default(),
            fault_seed: None,
            data_dir: None,
            listen: "127.0.0.1:0".to_owned(),
            workspace: "acme".to_owned(),
            username: "analyst".to_owned(),
            password: "analyst-password".to_owned(),
        }
    }

    /// Sets the seed of ids, codes and keys. Default: 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the clock. Default: the real time.
    pub fn clock(mut self, clock: SimClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets how many times faster the service processes files and packages. Default: 1.
    /// The clock keeps its speed, and so do the lifetimes of tokens, packages and trash.
    pub fn speed(mut self, speed: f64) -> Self {
        self.timing.speed = speed;
        self
    }

    /// Sets the duration of each kind of work.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets the paging of lists. Default: no paging.
    pub fn paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// Sets whether packages have an ETag and support range requests. Default: yes.
    pub fn ranges(mut self, ranges: bool) -> Self {
        self.ranges = ranges;
        self
    }

    /// Sets the extraction rules. Default: the built-in rules.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Sets the lifetime of access tokens. Default: 300 s.
    pub fn token_ttl(mut self, ttl: Duration) -> Self {
        self.token_ttl = ttl;
        self
    }

    /// Sets the lifetime of refresh tokens; zero means no fixed end. Default: 1800 s.
    pub fn refresh_ttl(mut self, ttl: Duration) -> Self {
        self.refresh_ttl = ttl;
        self
    }

    /// Sets whether a refresh token can be used only once. Default: no.
    pub fn rotate_refresh(mut self, rotate: bool) -> Self {
        self.rotate_refresh = rotate;
        self
    }

    /// Sets whether a login with the scope `openid` on the login page needs a `nonce`. Default: no.
    pub fn require_nonce(mut self, require: bool) -> Self {
        self.require_nonce = require;
        self
    }

    /// Sets where clients may send their secret. Default: in the header or in the form.
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// Sets which tokens the API accepts. Default: tokens of the simulator's own identity provider.
    pub fn auth(mut self, auth: AuthMode) -> Self {
        self.auth = auth;
        self
    }

    /// Sets the name of the workspace. Default: `acme`.
    pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
        self.workspace = workspace.into();
        self
    }

    /// Sets the user that can sign in. Default: `analyst` with `analyst-password`.
    pub fn user(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.username = username.into();
        self.password = password.into();
        self
    }

    /// Sets the fault plan. The simulator shares the plan, so later additions take effect. Default: no faults.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use documine_sim::{Faults, Simulator};
    ///
    /// let sim = Simulator::builder().faults(Faults::preset("flaky")?).fault_seed(42).start().await?;
    /// assert!(sim.faults().list().len() > 3);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets the seed of faults with a probability. Default: the seed of the plan, else the seed of the simulator.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.fault_seed = Some(seed);
        self
    }

    /// Sets a folder that keeps the state over a restart. Default: none; the state is lost when the simulator stops.
    ///
    /// The folder is locked while the simulator runs. Another simulator, of this or another process, fails to start with an error that names the
    /// process.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Sets the address to listen on. Default: `127.0.0.1:0`, a free port.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Starts the simulator on the current tokio runtime.
    pub async fn start(self) -> Result<Simulator, StartError> {
        let listener = TcpListener::bind(&self.listen)
            .await
            .map_err(|error| StartError(format!("cannot listen on {}: {error}", self.listen)))?;
        let address =
            listener.local_addr().map_err(|error| StartError(format!("cannot listen on {}: {error}", self.listen)))?;
        let config = self.identity();
        let login = SimulatorLogin {
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone().unwrap_or_default(),
            username: config.username.clone(),
            password: config.password.clone(),
        };
        let app = self.app(config.clock.clone(), Provider::new(config), address)?;
        Simulator::serve(app, listener, address, login)
            .map_err(|error| StartError(format!("the workspace has no usable template: {error}")))
    }

    fn identity(&self) -> IdpConfig {
        let mut config = IdpConfig::new(&self.workspace, self.clock.clone().unwrap_or_default());
        config.seed = self.seed;
        config.token_ttl = self.token_ttl;
        config.refresh_ttl = self.refresh_ttl;
        config.rotate_refresh = self.rotate_refresh;
        config.require_nonce = self.require_nonce;
        config.client_auth = self.client_auth;
        config.username.clone_from(&self.username);
        config.password.clone_from(&self.password);
        config
    }

    fn app(&self, clock: SimClock, provider: Provider, address: SocketAddr) -> Result<App, StartError> {
        if let Some(error) = crate::wire::mapping_error() {
            return Err(StartError(error.to_owned()));
        }
        #[cfg(feature = "check")]
        crate::check::Checker::vendored()
            .map_err(|error| StartError(format!("the document cannot be compiled for the check: {error}")))?;
        let folder_error = |error: &dyn fmt::Display| {
            let folder = self.data_dir.as_ref().map_or_else(
                || "the temporary folder".to_owned(),
                |folder| format!("the data folder {}", folder.display()),
            );
            StartError(format!("cannot use {folder}: {error}"))
        };
        let (state_file, saved) = match &self.data_dir {
            Some(path) => {
                StateFile::open(path).map(|(file, saved)| (Some(file), saved)).map_err(|error| folder_error(&error))?
            }
            None => (None, None),
        };
        let rules = self.rules.clone().unwrap_or_else(Rules::built_in);
        let workspace = match saved {
            Some(saved) => {
                provider.load_json(&saved.provider).map_err(|error| folder_error(&error))?;
                saved.workspace
            }
            None => Workspace::new(
                self.seed,
                Timestamp::from(clock.now()),
                &self.workspace,
                (&provider.user_id(&self.username), &self.username),
                &rules,
            ),
        };
        let faults = self.faults.clone();
        match self.fault_seed {
            Some(seed) => faults.seed(seed),
            None => faults.set_default_seed(self.seed),
        }
        Ok(App {
            settings: Settings {
                workspace: self.workspace.clone(),
                own_hosts: OwnHosts::new(&self.listen, address),
                auth: self.auth.clone(),
                paging: self.paging,
                ranges: self.ranges,
            },
            routes: Routes::of_document(),
            provider,
            clock,
            journal: Journal::default(),
            faults,
            listener: ListenerSwitch::new(),
            stop: watch::Sender::new(false),
            blobs: BlobStore::open(state_file.as_ref().map(StateFile::folder)).map_err(|error| folder_error(&error))?,
            readers: PdfReaders::new(),
            state_file,
            packing: tokio::sync::Mutex::new(()),
            workspace: Mutex::new(workspace),
            rules: Mutex::new(Arc::new(rules)),
            timing: Mutex::new(self.timing.clone()),
            patches: Patches::default(),
            #[cfg(feature = "check")]
            violations: Mutex::new(Vec::new()),
        })
    }
}
