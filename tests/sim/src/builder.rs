//! The settings of a simulator, and its start.

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
use crate::service::{App, OwnHosts, Routes, Settings, StateFile};
use crate::simulator::{Simulator, SimulatorLogin};
use crate::state::{Blobs, Timing, Workspace};
use crate::timestamp::Timestamp;

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
    /// Starts with the usual settings: seed 1, built-in rules, real clock, a free port of 127.0.0.1.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Begins with the usual settings and changes some.
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
        self.rules = Some(rules);
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

    /// The faults to begin with. The simulator shares the plan: what is added to it later takes effect. Usual: none.
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

    /// Which requests are hit by faults with a probability follows from this number. Usual: the seed of the plan, else that of the simulator.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.fault_seed = Some(seed);
        self
    }

    /// Sets a folder that keeps the state over a restart. Default: none; the state goes away with the simulator.
    ///
    /// The folder is locked while the simulator runs: a second one, of this or another process, fails to start and names the process.
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
        let config = self.identity();
        let login = SimulatorLogin {
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone().unwrap_or_default(),
            username: config.username.clone(),
            password: config.password.clone(),
        };
        let app = self.app(config.clock.clone(), Provider::new(config), address)?;
        Ok(Simulator::serve(app, listener, address, login))
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
            .map_err(|error| StartError(format!("the document can't be checked against: {error}")))?;
        let folder = |error: &dyn fmt::Display| {
            let place = self.data_dir.as_ref().map_or_else(
                || "the temporary folder".to_owned(),
                |folder| format!("the data folder {}", folder.display()),
            );
            StartError(format!("can't use {place}: {error}"))
        };
        let (state_file, saved) = match &self.data_dir {
            Some(path) => {
                StateFile::open(path).map(|(file, saved)| (Some(file), saved)).map_err(|error| folder(&error))?
            }
            None => (None, None),
        };
        let rules = self.rules.clone().unwrap_or_else(Rules::built_in);
        let workspace = match saved {
            Some(saved) => {
                provider.load_json(&saved.provider).map_err(|error| folder(&error))?;
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
        let operations = documine_api::operations::OPERATIONS.iter().filter(|operation| !operation.missing);
        Ok(App {
            settings: Settings {
                workspace: self.workspace.clone(),
                own_hosts: OwnHosts::new(&self.listen, address),
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
            faults,
            listener: ListenerSwitch::new(),
            stop: watch::Sender::new(false),
            blobs: Blobs::open(state_file.as_ref().map(StateFile::folder)).map_err(|error| folder(&error))?,
            readers: PdfReaders::new(),
            state_file,
            packing: tokio::sync::Mutex::new(()),
            workspace: Mutex::new(workspace),
            rules: Mutex::new(Arc::new(rules)),
            #[cfg(feature = "check")]
            violations: Mutex::new(Vec::new()),
        })
    }
}
