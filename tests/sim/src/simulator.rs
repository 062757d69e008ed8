//! The handle of a running simulator.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use documine_api::ids::{DossierTemplateId, InvalidId, ReportTemplateId};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock::SimClock;
use crate::control::Control;
use crate::faults::Faults;
use crate::journal::RecordedRequest;
use crate::net::{Connection, Listener};
use crate::server::router;
use crate::service::App;

/// Time that requests in progress have to finish during a shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// A running simulator. Dropping it stops the simulator.
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
    login: SimulatorLogin,
    template_id: DossierTemplateId,
    report_id: ReportTemplateId,
    task: Option<JoinHandle<io::Result<()>>>,
}

/// Credentials that a client needs to sign in.
pub(crate) struct SimulatorLogin {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Simulator {
    /// Serves on the listener until the simulator is stopped or dropped.
    pub(crate) fn serve(
        app: App,
        listener: TcpListener,
        address: SocketAddr,
        login: SimulatorLogin,
    ) -> Result<Self, InvalidId> {
        let app = Arc::new(app);
        let (template_id, report_id) = {
            let workspace = app.workspace();
            let template = workspace.templates.first();
            let report = template.and_then(|template| template.reports.keys().next());
            let id = template.map(|template| template.id.as_str()).unwrap_or_default();
            let report = report.map(String::as_str).unwrap_or_default();
            (DossierTemplateId::new(id)?, ReportTemplateId::new(report)?)
        };
        let mut stopping = app.stop.subscribe();
        let listener = Listener::new(listener, address, app.listener.clone());
        let service = router(&app).into_make_service_with_connect_info::<Connection>();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        });
        let task = Some(tokio::spawn(server.into_future()));
        let host =
            if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() };
        Ok(Self { app, address, base_url: format!("http://{host}"), login, template_id, report_id, task })
    }

    /// Returns the address that the simulator listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL for clients, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the workspace id, which clients send as `X-TENANT-ID` and which is part of the identity provider's paths.
    pub fn workspace_id(&self) -> &str {
        &self.app.settings.workspace
    }

    /// Returns the id of the OAuth client.
    pub fn client_id(&self) -> &str {
        &self.login.client_id
    }

    /// Returns the secret of the OAuth client.
    pub fn client_secret(&self) -> &str {
        &self.login.client_secret
    }

    /// Returns the name of the user.
    pub fn username(&self) -> &str {
        &self.login.username
    }

    /// Returns the password of the user.
    pub fn password(&self) -> &str {
        &self.login.password
    }

    /// Returns the id of the active dossier template.
    pub fn dossier_template_id(&self) -> &DossierTemplateId {
        &self.template_id
    }

    /// Returns the id of the report template in the active dossier template.
    pub fn report_template_id(&self) -> &ReportTemplateId {
        &self.report_id
    }

    /// Returns the environment variables that point a program of the SDK to this simulator.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DOCUMINE_BASE_URL", self.base_url.clone()),
            ("DOCUMINE_WORKSPACE_ID", self.workspace_id().to_owned()),
            ("DOCUMINE_CLIENT_ID", self.login.client_id.clone()),
            ("DOCUMINE_CLIENT_SECRET", self.login.client_secret.clone()),
            ("DOCUMINE_USERNAME", self.login.username.clone()),
            ("DOCUMINE_PASSWORD", self.login.password.clone()),
            ("DOCUMINE_DOSSIER_TEMPLATE_ID", self.template_id.to_string()),
        ]
    }

    /// Returns one variable of the [environment](Self::environment).
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment().into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Builds a client that signs in as the simulator's user and follows the simulator's clock.
    ///
    /// With a manual clock, a wait of the client ends only when the test advances the clock; [`SimClock::auto`] does so by itself.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use documine_sim::{SimClock, Simulator};
    ///
    /// let sim = Simulator::builder().clock(SimClock::auto()).start().await?;
    /// let template = sim.client()?.dossier_template(sim.dossier_template_id());
    /// # let _ = template;
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    #[cfg(feature = "client")]
    pub fn client(&self) -> documine::Result<documine::Client> {
        self.client_builder().build()
    }

    /// Returns a builder with the settings of [`client`](Self::client), to add others.
    #[cfg(feature = "client")]
    pub fn client_builder(&self) -> documine::ClientBuilder {
        let credentials = documine::Credentials::password(self.client_id(), self.username(), self.password());
        documine::Client::builder(self.base_url())
            .workspace(self.workspace_id())
            .credentials(credentials.client_secret(self.client_secret()))
            .clock(self.clock())
    }

    /// Returns the clock of the simulator.
    pub fn clock(&self) -> SimClock {
        self.app.clock.clone()
    }

    /// Returns all recorded requests in the order of their responses.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.app.journal.all()
    }

    /// Clears the recorded requests.
    pub fn clear_requests(&self) {
        self.app.journal.clear();
    }

    /// Returns the state: dossiers, files with their planned states, packages, usage, sign-ins.
    pub fn state(&self) -> Value {
        self.app.snapshot()
    }

    /// Returns the requests and responses that violate the vendored document.
    #[cfg(feature = "check")]
    pub fn violations(&self) -> Vec<crate::check::Violation> {
        self.app.violations.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Returns the fault plan.
    pub fn faults(&self) -> Faults {
        self.app.faults.clone()
    }

    /// Closes or reopens the listener at the same address, and returns when this is done.
    ///
    /// While the listener is closed, new connections are refused ("connection refused"); open connections stay open.
    /// [`Fault::refuse`](crate::Fault::refuse) does the same at the moment of a request.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let sim = documine_sim::Simulator::start().await?;
    /// sim.refuse_connections(true).await;
    /// assert!(tokio::net::TcpStream::connect(sim.address()).await.is_err());
    /// sim.refuse_connections(false).await;
    /// assert!(tokio::net::TcpStream::connect(sim.address()).await.is_ok());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub async fn refuse_connections(&self, refuse: bool) {
        self.app.listener.set_closed(refuse).await;
    }

    /// Returns the control of the service: actions of users and of time outside the API.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.app))
    }

    /// Stops the simulator and waits up to 30 s for the responses of requests in progress.
    ///
    /// The limit exists because a client may have stopped reading. Faults that delay or stall end at once.
    pub async fn shutdown(mut self) -> io::Result<()> {
        self.app.stop.send_replace(true);
        let Some(mut task) = self.task.take() else { return Ok(()) };
        match tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut task).await {
            Ok(ended) => ended.map_err(io::Error::other)??,
            Err(_) => task.abort(),
        }
        let saved = self.app.save().await;
        if let Some(file) = &self.app.state_file {
            file.close();
        }
        saved
    }

    /// Serves until `end` completes, then shuts down.
    pub async fn run_until(self, end: impl Future<Output = ()>) -> io::Result<()> {
        end.await;
        self.shutdown().await
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Connections see the signal and close. The listener closes at once.
        self.app.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            task.abort();
        }
        // Connections may hold the state a little longer. Releasing the folder now lets the next simulator start.
        if let Some(file) = &self.app.state_file {
            file.close();
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
