//! One call before it is sent: its parameters and options. Each operation has a named builder around it.

use std::time::Duration;

use super::handle::Client;
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::transport::{CallOptions, RequestOptions, RetryAfterHint};

/// The function that runs a call with its parameters; each operation has one.
pub(crate) type RunCall<P, T> = fn(Client, P, CallOptions) -> BoxFuture<'static, Result<T>>;

/// A call of one operation.
pub(crate) struct Call<P, T> {
    client: Client,
    pub(crate) params: P,
    pub(crate) options: RequestOptions,
    run: RunCall<P, T>,
}

impl<P, T> Call<P, T> {
    pub(crate) fn new(client: &Client, params: P, run: RunCall<P, T>) -> Self {
        Self { client: client.clone(), params, options: client.default_options(), run }
    }

    /// Configures the call as one poll of a wait. Longer retry pauses are left to the wait, which knows its own deadline.
    pub(crate) fn for_poll(mut self, hint: &RetryAfterHint) -> Self {
        const MAX_ELAPSED: Duration = Duration::from_secs(20);
        let options = &mut self.options.call;
        options.deadline = None;
        let policy = options.retry_policy.as_deref().unwrap_or_else(|| &self.client.pipeline().retry_policy);
        let limit = policy.elapsed_limit().min(MAX_ELAPSED);
        options.retry_policy = Some(Box::new(policy.clone().max_elapsed(limit)));
        options.retry_after_hint = Some(hint.clone());
        self
    }

    /// Sends the request.
    pub(crate) fn send(self) -> BoxFuture<'static, Result<T>>
    where
        T: Send + 'static,
    {
        let run = self.run;
        match self.into_parts() {
            Ok((client, params, options)) => run(client, params, options),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    pub(crate) fn run(&self) -> RunCall<P, T> {
        self.run
    }

    pub(crate) fn into_parts(self) -> Result<(Client, P, CallOptions)> {
        Ok((self.client, self.params, self.options.into_call()?))
    }
}

/// Defines the named builder of an operation around its [`Call`].
///
/// ```text
/// named_call! {
///     /// Fetches a dossier (`getDossier`).
///     GetDossier(DossierPath) -> Dossier
/// }
/// ```
macro_rules! named_call {
    ($(#[$meta:meta])* $name:ident $(<$generic:ident>)? ($params:ty) -> $output:ty) => {
        $(#[$meta])*
        ///
        /// # Sending
        /// The request is sent when the builder is awaited, or by [`send`](Self::send). Dropping the future cancels the call; the service may have
        /// processed it by then.
        #[must_use = "a request is sent only when awaited"]
        pub struct $name $(<$generic>)? {
            pub(crate) call: $crate::client::Call<$params, $output>,
        }

        $crate::client::request_options!($name $(<$generic>)?, call.options);

        impl $(<$generic: Send + 'static>)? $name $(<$generic>)? {
            pub(crate) fn new(
                client: &$crate::client::Client,
                params: $params,
                run: $crate::client::RunCall<$params, $output>,
            ) -> Self {
                Self { call: $crate::client::Call::new(client, params, run) }
            }

            /// Sends the request. Like `.await`, for code that spawns, joins or stores the future.
            pub fn send(self) -> $crate::clock::BoxFuture<'static, $crate::error::Result<$output>> {
                self.call.send()
            }
        }

        impl $(<$generic: Send + 'static>)? ::std::future::IntoFuture for $name $(<$generic>)? {
            type Output = $crate::error::Result<$output>;
            type IntoFuture = $crate::clock::BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                self.call.send()
            }
        }

        impl $(<$generic>)? ::std::fmt::Debug for $name $(<$generic>)? {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).field("options", &self.call.options).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use named_call;
