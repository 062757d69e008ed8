//! `cargo run --example web_service`: a web service whose users log in at the identity provider, upload a document by a browser form, and get
//! the result package.
//!
//! One client is built at the start; each user gets a client that shares its connections. Documents and packages are streamed, never kept. Without
//! `DOCUMINE_BASE_URL` it runs against the embedded simulator. `cargo test --example web_service` drives it as a browser does.

use std::collections::HashMap;
use std::env;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use documine::auth::{Login, Secret};
use documine::models::DownloadId;
use documine::wait::WaitError;
use documine::{
    Client, ClientBuilder, Credentials, DossierFields, DossierTemplateId, DownloadFileType, PackageRequest, Source,
};
use documine_sim::Simulator;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const FORM: &str = "<form method=post enctype=multipart/form-data action=/upload><input type=file name=file><button>Upload</button></form>";

/// The service. `sessions` stands for a database that all replicas share; there, keep tokens in place of clients, and encrypt both.
struct App {
    service: Client,
    client_id: String,
    client_secret: Secret,
    template: DossierTemplateId,
    redirect_uri: String,
    sessions: Mutex<HashMap<String, Session>>,
}

enum Session {
    /// The user is at the provider's page.
    LoggingIn(Secret),
    LoggedIn(Client),
}

impl App {
    /// Reads the `DOCUMINE_` variables. The service has no account of its own.
    fn new(variable: impl Fn(&str) -> Option<String>, public_url: &str) -> Result<Self, BoxError> {
        let require = |name: &str| variable(name).ok_or_else(|| format!("{name} is not set"));
        Ok(Self {
            service: ClientBuilder::from_variables(&variable)?.credentials(Credentials::none()).build()?,
            client_id: require("DOCUMINE_CLIENT_ID")?,
            client_secret: require("DOCUMINE_CLIENT_SECRET")?.into(),
            template: require("DOCUMINE_DOSSIER_TEMPLATE_ID")?.parse()?,
            redirect_uri: format!("{public_url}/callback"),
            sessions: Mutex::default(),
        })
    }

    fn router(self) -> Router {
        Router::new()
            .route("/", get(form))
            .route("/login", get(login))
            .route("/callback", get(callback))
            .route("/upload", post(upload))
            .route("/package/{id}", get(package))
            .with_state(Arc::new(self))
    }

    fn login(&self) -> documine::Result<Login> {
        Ok(self.service.login(&self.client_id)?.client_secret(self.client_secret.clone()))
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a session with a random id, and redirects the browser.
    fn redirect_with_session(&self, session: Session, to: &str) -> Result<Response, Failure> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let id = format!("{:032x}", u128::from_ne_bytes(random));
        // Add `Secure` behind https.
        let cookie = format!("session={id}; HttpOnly; SameSite=Lax; Path=/");
        self.sessions().insert(id, session);
        Ok(([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response())
    }

    /// Returns the client of the logged-in user.
    fn client(&self, headers: &HeaderMap) -> Result<Client, Failure> {
        match self.sessions().get(session_id(headers)) {
            Some(Session::LoggedIn(client)) => Ok(client.clone()),
            _ => Err(Failure::LoginNeeded),
        }
    }
}

fn session_id(headers: &HeaderMap) -> &str {
    text(headers, &header::COOKIE).split("; ").find_map(|cookie| cookie.strip_prefix("session=")).unwrap_or_default()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn form(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Html<&'static str>, Failure> {
    app.client(&headers)?;
    Ok(Html(FORM))
}

/// Redirects the browser to the provider's page.
async fn login(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let authorization = app.login()?.authorization(&app.redirect_uri)?;
    app.redirect_with_session(Session::LoggingIn(authorization.to_json()), authorization.url())
}

/// Finishes the login, on the replica that the load balancer chose.
async fn callback(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    // A login accepts one response, so its session ends here; the logged-in user gets a new id.
    let session = app.sessions().remove(session_id(&headers));
    let Some(Session::LoggingIn(stored)) = session else { return Err(Failure::LoginNeeded) };
    let authorization = app.login()?.resume_authorization(stored.expose())?;
    let tokens = authorization.finish_with_redirect(&query.unwrap_or_default()).await?;
    let credentials = Credentials::tokens(&app.client_id, tokens).client_secret(app.client_secret.clone());
    app.redirect_with_session(Session::LoggedIn(app.service.with_credentials(credentials)?), "/")
}

/// Streams the file of the form to the service, waits for the analysis, and requests a package.
async fn upload(State(app): State<Arc<App>>, request: Request) -> Result<Redirect, Failure> {
    let client = app.client(request.headers())?;
    let boundary = multer::parse_boundary(text(request.headers(), &header::CONTENT_TYPE))?;
    let mut form = multer::Multipart::new(request.into_body().into_data_stream(), boundary);
    let file = form.next_field().await?.ok_or("the form has no file")?;
    let name = file.file_name().unwrap_or("document.pdf").to_owned();
    let dossier = client.dossier_template(app.template.clone()).create_dossier(DossierFields::named(&name)).await?;
    let source = Source::from_stream(name, None, file);
    dossier.upload(source).await?.wait_until_processed().await?;
    let job = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    Ok(Redirect::to(&format!("/package/{}", job.id())))
}

/// Waits for a package and streams it to the browser.
async fn package(State(app): State<Arc<App>>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    let client = app.client(&headers)?;
    let stream = client.download(id.parse::<DownloadId>()?).job().wait().await?.stream().await?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"package.zip\""),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

enum Failure {
    LoginNeeded,
    Other(BoxError),
}

impl<E: Into<BoxError>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error =
            error.into().downcast::<WaitError>().map_or_else(|error| error, |wait| documine::Error::from(*wait).into());
        let login_needed = documine::Error::find(&*error).is_some_and(documine::Error::needs_login);
        if login_needed { Self::LoginNeeded } else { Self::Other(error) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::LoginNeeded => Redirect::to("/login").into_response(),
            Self::Other(error) => {
                // The text may name ids and files, so it stays in the log.
                eprintln!("{error:#}");
                let status = documine::Error::find(&*error).map(documine::Error::suggested_status);
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut out = io::stdout();
    let (app, _simulator) = if env::var_os("DOCUMINE_BASE_URL").is_some() {
        (App::new(|name| env::var(name).ok(), &url)?, None)
    } else {
        let simulator = Simulator::start().await?;
        writeln!(out, "Log in as {} with password {}", simulator.username(), simulator.password())?;
        (App::new(variables(&simulator), &url)?, Some(simulator))
    };
    writeln!(out, "Open {url}")?;
    axum::serve(listener, app.router()).await?;
    Ok(())
}

/// Returns the variables that point to the simulator.
fn variables(simulator: &Simulator) -> impl Fn(&str) -> Option<String> + use<> {
    let variables = simulator.environment();
    move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A browser with the cookie of the service.
    struct Browser {
        http: reqwest::Client,
        cookie: String,
    }

    impl Browser {
        async fn send(&mut self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, BoxError> {
            let response = request.header("cookie", &self.cookie).send().await?;
            if let Some(cookie) = response.headers().get("set-cookie") {
                self.cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
            }
            Ok(response)
        }

        /// Returns the target of a redirect.
        async fn redirect(&mut self, request: reqwest::RequestBuilder) -> Result<String, BoxError> {
            let response = self.send(request).await?;
            let Some(location) = response.headers().get("location") else {
                return Err(format!("{}: {}", response.status(), response.text().await?).into());
            };
            Ok(location.to_str()?.to_owned())
        }
    }

    #[tokio::test]
    async fn a_user_logs_in_uploads_and_gets_the_package() -> Result<(), BoxError> {
        let simulator = Simulator::builder().speed(100.0).start().await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = App::new(variables(&simulator), &url)?.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let mut browser = Browser { http: http.clone(), cookie: String::new() };

        assert_eq!(browser.redirect(http.get(&url)).await?, "/login");
        let page = browser.redirect(http.get(format!("{url}/login"))).await?;
        let form = browser.http.get(page).send().await?.text().await?;
        let action = form.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).ok_or("no form")?;
        let person = [("username", simulator.username()), ("password", simulator.password())];
        let person = reqwest::Url::parse_with_params("form:", person)?.query().unwrap_or_default().to_owned();
        let request =
            http.post(action.replace("&amp;", "&")).header("content-type", "application/x-www-form-urlencoded");
        let callback = request.body(person).send().await?.headers()["location"].to_str()?.to_owned();
        let login_cookie = browser.cookie.clone();
        assert_eq!(browser.redirect(http.get(&callback)).await?, "/");
        assert_ne!(browser.cookie, login_cookie);
        // The response of the provider is accepted once.
        let mut again = Browser { http: http.clone(), cookie: login_cookie };
        assert_eq!(again.redirect(http.get(&callback)).await?, "/login");

        let pdf = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"));
        let part = reqwest::multipart::Part::bytes(pdf.as_slice()).file_name("invoice.pdf");
        let form = reqwest::multipart::Form::new().part("file", part);
        let package = browser.redirect(http.post(format!("{url}/upload")).multipart(form)).await?;
        let zip = browser.send(http.get(format!("{url}{package}"))).await?.error_for_status()?.bytes().await?;
        let unknown = browser.send(http.get(format!("{url}/package/unknown"))).await?;
        assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
        let archive = zip::ZipArchive::new(io::Cursor::new(zip))?;
        assert!(archive.file_names().any(|name| name.is_ok_and(|name| name.ends_with("invoice.pdf"))));
        Ok(())
    }
}
