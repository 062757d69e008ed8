//! Logging a person in: what a program does once, before it has tokens.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::endpoint::{ClientIdentity, TokenEndpoint};
use super::flow::code::{Authorization, ExpectedIssuer};
use super::flow::device::{DEFAULT_TIME_LIMIT, DeviceCode, DeviceLogin};
use super::flow::keep;
use super::loopback::Loopback;
use super::store::{Keeper, TokenStore};
use super::token::{Secret, TokenSet};
use crate::clock::Clock;
use crate::error::{Error, Result};

/// A login of a person, made by [`ClientBuilder::login`](crate::ClientBuilder::login). What it gives are tokens; put them into a client with
/// [`Credentials::tokens`](crate::Credentials::tokens), which keeps them fresh.
///
/// ```
/// # async fn f() -> documine::Result<()> {
/// use documine::{Client, Credentials};
///
/// let builder = Client::builder("https://acme.example").workspace("acme");
/// let tokens = builder
///     .login("my-program")?
///     .device(|code| println!("Open {} and type {}", code.verification_uri, code.user_code))
///     .await?;
/// let client = builder.credentials(Credentials::tokens("my-program", tokens)).build()?;
/// # Ok(()) }
/// ```
#[must_use = "nobody is logged in before a flow is awaited"]
pub struct Login {
    client: ClientIdentity,
    scopes: Vec<String>,
    page: Url,
    issuer: ExpectedIssuer,
    time_limit: Duration,
    token: TokenEndpoint,
    device: (Url, reqwest::Client),
    store: Option<Arc<dyn TokenStore>>,
    clock: Arc<dyn Clock>,
}

impl Login {
    pub(crate) fn new(
        client_id: String,
        page: Url,
        token: TokenEndpoint,
        device: (Url, reqwest::Client),
        issuer: ExpectedIssuer,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if client_id.trim().is_empty() {
            return Err(Error::config("the client id is empty; give the one that the identity provider knows"));
        }
        let issuer = ExpectedIssuer { name: issuer.name.or_else(|| issuer_of(&page)), ..issuer };
        let (client, time_limit) = (ClientIdentity::new(client_id), DEFAULT_TIME_LIMIT);
        Ok(Self { client, scopes: Vec::new(), page, issuer, time_limit, token, device, store: None, clock })
    }

    /// The secret of a confidential client (RFC 6749 section 2.1). A public client has none.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client.secret = Some(secret.into());
        self
    }

    /// Asks for a scope, for example `openid` or `offline_access`. None is asked for by default.
    ///
    /// With `openid`, [`authorization`](Self::authorization) and [`browser`](Self::browser) send a `nonce` and hold the ID token against it (OpenID
    /// Connect Core section 3.1.2.1).
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Keeps the tokens where clients find them with [`Credentials::stored`](crate::Credentials::stored), in place of an earlier login, before they are
    /// given back.
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// use documine::{Client, Credentials, FileStore};
    ///
    /// let store = FileStore::new("login.json");
    /// let builder = Client::builder("https://acme.example").workspace("acme");
    /// let login = builder.login("my-program")?.store(store.clone());
    /// login.device(|code| println!("Open {} and type {}", code.verification_uri, code.user_code)).await?;
    /// // Now, or in another program:
    /// let client = builder.credentials(Credentials::stored("my-program", store)).build()?;
    /// # Ok(()) }
    /// ```
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the longest time that [`device`](Self::device) takes, from its first request on. Default: one hour. The login ends earlier with the
    /// life of its code, which the provider sets. For [`browser`](Self::browser) see [`Loopback::time_limit`].
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Logs in by device code (RFC 8628), which the guide recommends: `show` tells the person which page to open, on any device, and which code to
    /// type there. It is called once; then this waits until the person has confirmed, at most until the code expires or the
    /// [`time_limit`](Self::time_limit) is over. Dropping the future ends the login.
    ///
    /// # Errors
    /// The person refused, or did not confirm in time ([`Error::needs_login`]); the identity provider does not offer this flow to the client.
    /// A provider that can't be reached for a while is asked again.
    pub async fn device(self, show: impl FnOnce(&DeviceCode) + Send) -> Result<TokenSet> {
        let keeper = self.keeper();
        if let Some(keeper) = &keeper {
            keeper.check().await?;
        }
        let login = DeviceLogin {
            endpoint: &self.token,
            start: (&self.device.0, &self.device.1),
            client: &self.client,
            scopes: &self.scopes,
            limit: self.time_limit,
            clock: self.clock.as_ref(),
        };
        let tokens = login.run(show).await?;
        keep(keeper.as_ref(), &self.token, &self.client, tokens).await
    }

    /// Logs in by the provider's own page in the browser of this machine (authorization code with PKCE, RFC 8252): `show` is given the page's
    /// address, to open it and to print it; then this listens on the loopback address until the browser is sent there with the answer. Where the
    /// provider knows another redirect URI than `http://127.0.0.1/callback`, give it with [`Loopback::redirect_uri`]. Where the browser is on
    /// another machine, take [`device`](Self::device) or [`authorization`](Self::authorization).
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// use documine::{Client, Loopback};
    /// let login = Client::builder("https://acme.example").workspace("acme").login("my-program")?;
    /// let tokens = login.browser(Loopback::default(), |page| println!("Open {page}")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The port is taken; the redirect URI is none of this machine; nobody logged in in time; as [`Authorization::redirected`].
    pub async fn browser(self, place: Loopback, show: impl FnOnce(&str) + Send) -> Result<TokenSet> {
        if let Some(keeper) = self.keeper() {
            keeper.check().await?;
        }
        let listening = place.open().await?;
        let clock = Arc::clone(&self.clock);
        let login = self.authorization(listening.redirect_uri())?;
        show(login.url());
        listening.tokens(login, clock.as_ref()).await
    }

    /// Logs in by the provider's own page in a browser (authorization code, RFC 6749 section 4.1, with PKCE): opens nothing, but gives the page's
    /// address. `redirect_uri` is where the provider sends the browser back to with the answer, as it is registered for this client: the
    /// callback of a web application, or any address from whose line in the browser a person can copy the answer.
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// let builder = documine::Client::builder("https://acme.example").workspace("acme");
    /// let login = builder.login("my-program")?.authorization("http://127.0.0.1/callback")?;
    /// println!("Open {}\nThen paste the address that the browser ends at:", login.url());
    /// let mut answer = String::new();
    /// std::io::stdin().read_line(&mut answer).expect("a terminal");
    /// let tokens = login.pasted(&answer).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `redirect_uri` is no absolute address, or has a fragment (RFC 6749 section 3.1.2).
    pub fn authorization(self, redirect_uri: &str) -> Result<Authorization> {
        if !Url::parse(redirect_uri).is_ok_and(|url| url.fragment().is_none()) {
            return Err(Error::config("the redirect URI is no absolute address, or has a fragment"));
        }
        let keeper = self.keeper();
        Ok(Authorization::new(
            &self.page,
            redirect_uri.to_owned(),
            &self.scopes,
            self.client,
            self.token,
            self.issuer,
            keeper,
        ))
    }

    fn keeper(&self) -> Option<Keeper> {
        self.store.as_ref().map(|store| Keeper::new(Arc::clone(store), &self.client.id, self.token.url(), None))
    }
}

/// Who answers for a page, where its address tells: Keycloak's does.
fn issuer_of(page: &Url) -> Option<String> {
    let path = page.path().strip_suffix("/protocol/openid-connect/auth")?;
    let mut issuer = page.clone();
    issuer.set_path(path);
    issuer.set_query(None);
    Some(issuer.into())
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("client", &self.client).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
