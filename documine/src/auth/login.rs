//! The login of a person, which a program does once before it has tokens.

use std::sync::Arc;
use std::time::Duration;

use oauth2::RedirectUrl;

use super::client_auth::ClientIdentity;
use super::flow::code::Authorization;
use super::flow::device::{DEFAULT_TIME_LIMIT, DeviceCode, DeviceLogin};
use super::flow::save_login;
use super::identity_provider::IdentityProvider;
use super::loopback::Loopback;
use super::secret::Secret;
use super::store::{LoginStore, TokenStore};
use super::token::TokenSet;
use crate::error::{Error, Result};

/// A login of a person, created by [`ClientBuilder::login`](crate::ClientBuilder::login), or by [`Client::login`](crate::Client::login) in a program
/// with many users.
///
/// The login returns tokens. A client with [`Credentials::tokens`](crate::Credentials::tokens) uses and refreshes them.
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
#[must_use = "a login starts only when one of its flows is awaited"]
pub struct Login {
    client: ClientIdentity,
    scopes: Vec<String>,
    time_limit: Duration,
    provider: Arc<IdentityProvider>,
    store: Option<Arc<dyn TokenStore>>,
}

impl Login {
    pub(crate) fn new(
        client_id: String,
        provider: Arc<IdentityProvider>,
        store: Option<Arc<dyn TokenStore>>,
    ) -> Result<Self> {
        if client_id.trim().is_empty() {
            return Err(Error::config(
                "the client id is empty; give the one that is registered with the identity provider",
            ));
        }
        let client = ClientIdentity::new(client_id);
        Ok(Self { client, scopes: Vec::new(), time_limit: DEFAULT_TIME_LIMIT, provider, store })
    }

    /// Sets the secret of a confidential client (RFC 6749 section 2.1). A public client has none.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client.secret = Some(secret.into());
        self
    }

    /// Requests a scope, for example `openid` or `offline_access`. Default: no scope.
    ///
    /// With `openid`, [`authorization`](Self::authorization) and [`browser`](Self::browser) send a `nonce` and check that the ID token repeats it
    /// (OpenID Connect Core section 3.1.2.1).
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Saves the tokens in a store before they are returned, in place of an earlier login. Clients read the store with
    /// [`Credentials::stored`](crate::Credentials::stored).
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// use documine::{Client, Credentials, auth::FileStore};
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

    /// Sets the longest time that [`device`](Self::device) takes, from its first request on, and the time after which a stored
    /// [`Authorization`] can't be resumed. Default: one hour.
    ///
    /// The login ends earlier if its code expires; the provider sets the lifetime of the code. For [`browser`](Self::browser) see
    /// [`Loopback::time_limit`].
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Logs in by device code (RFC 8628), which the guide recommends.
    ///
    /// `show` is called once. It shows the person the page to open, on any device, and the code to type there. The future then polls until the person
    /// has confirmed, at most until the code expires or the [`time_limit`](Self::time_limit) is over. Dropping the future ends the login.
    ///
    /// # Errors
    /// The person refused, or did not confirm in time ([`Error::needs_login`]); the identity provider does not offer this flow to the client.
    /// Polling continues while the provider is temporarily unreachable.
    pub async fn device(self, show: impl FnOnce(&DeviceCode) + Send) -> Result<TokenSet> {
        let store = self.login_store();
        if let Some(store) = &store {
            store.check_writable().await?;
        }
        let login = DeviceLogin {
            endpoint: &self.provider.token,
            device: &self.provider.device,
            client: &self.client,
            scopes: &self.scopes,
            limit: self.time_limit,
            clock: self.provider.clock.as_ref(),
        };
        let tokens = login.run(show).await?;
        save_login(store.as_ref(), &self.provider.token, &self.client, tokens).await
    }

    /// Logs in by the provider's own page in the browser of this machine (authorization code with PKCE, RFC 8252).
    ///
    /// `show` receives the URL of the page, to open it and to print it. The future then listens on the loopback address until the provider redirects
    /// the browser there. If another redirect URI than `http://127.0.0.1/callback` is registered, set it with [`Loopback::redirect_uri`]. For a
    /// browser on another machine, use [`device`](Self::device) or [`authorization`](Self::authorization).
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// use documine::{Client, auth::Loopback};
    /// let login = Client::builder("https://acme.example").workspace("acme").login("my-program")?;
    /// let tokens = login.browser(Loopback::default(), |page| println!("Open {page}")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The port is in use; the redirect URI is not on this machine; the time limit was exceeded; as [`Authorization::finish_with_redirect`].
    pub async fn browser(self, loopback: Loopback, show: impl FnOnce(&str) + Send) -> Result<TokenSet> {
        if let Some(store) = self.login_store() {
            store.check_writable().await?;
        }
        let listener = loopback.listen().await?;
        let clock = Arc::clone(&self.provider.clock);
        let login = self.authorization(listener.redirect_uri())?;
        show(login.url());
        listener.complete(login, clock.as_ref()).await
    }

    /// Returns the URL of the provider's own page (authorization code, RFC 6749 section 4.1, with PKCE), without opening or listening to anything.
    ///
    /// `redirect_uri` is the URL to which the provider redirects the browser with the response, as registered for this client: the callback of a
    /// web application, or any URL that a person can copy from the browser's address bar.
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// let builder = documine::Client::builder("https://acme.example").workspace("acme");
    /// let login = builder.login("my-program")?.authorization("http://127.0.0.1/callback")?;
    /// println!("Open {}\nThen paste the URL that the browser ends at:", login.url());
    /// let mut response = String::new();
    /// std::io::stdin().read_line(&mut response).expect("a terminal");
    /// let tokens = login.finish_with_pasted(&response).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `redirect_uri` is not an absolute URL, or has a fragment (RFC 6749 section 3.1.2).
    pub fn authorization(self, redirect_uri: &str) -> Result<Authorization> {
        let redirect_uri = RedirectUrl::new(redirect_uri.to_owned())
            .ok()
            .filter(|uri| uri.url().fragment().is_none())
            .ok_or_else(|| Error::config("the redirect URI is not an absolute URL, or has a fragment"))?;
        let store = self.login_store();
        let expires_at = self.provider.clock.now().checked_add(self.time_limit);
        Ok(Authorization::new(redirect_uri, expires_at, &self.scopes, self.client, self.provider, store))
    }

    /// Resumes an authorization that this program or another replica of it started and stored with
    /// [`Authorization::to_json`]: a callback may reach another replica than the one that started the login.
    ///
    /// The resuming login provides the client secret and the token store. Delete the stored JSON when the callback arrives: a login accepts one
    /// response.
    ///
    /// ```
    /// # async fn f(service: documine::Client, query: &str) -> documine::Result<()> {
    /// let authorization = service.login("my-service")?.authorization("https://app.example/callback")?;
    /// // Keep this in the person's own session, encrypted or on the server, and redirect the browser to `authorization.url()`.
    /// let stored = authorization.to_json();
    ///
    /// // In the handler of https://app.example/callback, on any replica:
    /// let authorization = service.login("my-service")?.resume_authorization(stored.expose())?;
    /// let tokens = authorization.finish_with_redirect(query).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The JSON is not an authorization, or was written by a newer version of this library; it belongs to another client or token endpoint; or the
    /// [`time_limit`](Self::time_limit) of the login that started it is over ([`Error::needs_login`]).
    pub fn resume_authorization(self, json: &str) -> Result<Authorization> {
        let store = self.login_store();
        Authorization::resume(json, self.client, self.provider, store)
    }

    fn login_store(&self) -> Option<LoginStore> {
        self.store
            .as_ref()
            .map(|store| LoginStore::new(Arc::clone(store), &self.client.id, self.provider.token.url(), None))
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("client", &self.client).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
