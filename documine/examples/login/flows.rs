//! The login flows, as calls of the SDK.

use std::io;

use documine::{
    Credentials,
    auth::{FileStore, Login, TokenSet},
};

use crate::args::{Args, Flow};
use crate::events::{Event, Teller};
use crate::failure::{Failure, Result};
use crate::target::Target;

/// Logs in, and gives what a client keeps fresh from then on.
pub(crate) async fn credentials(
    flow: Option<Flow>,
    args: &Args,
    target: &Target,
    teller: Teller,
) -> Result<Credentials> {
    let id = target.client_id.as_str();
    let store = args.store.as_ref().map(FileStore::new);
    let credentials = match (flow, store) {
        (Some(Flow::Password), store) => {
            let credentials = Credentials::password(id, target.username()?, target.password()?);
            let credentials = args.scope.iter().fold(credentials, Credentials::scope);
            store.into_iter().fold(credentials, Credentials::store)
        }
        // The login puts its tokens into the store, and the client finds them there.
        (Some(flow), Some(store)) => {
            log_in(flow, target.login(args)?.store(store.clone()), args, teller).await?;
            Credentials::stored(id, store)
        }
        (Some(flow), None) => Credentials::tokens(id, log_in(flow, target.login(args)?, args, teller).await?),
        (None, Some(store)) => Credentials::stored(id, store),
        (None, None) => {
            return Err(Failure::usage("which login? name the file that keeps it with --store, or log in with --flow"));
        }
    };
    Ok(target.client_secret.iter().cloned().fold(credentials, Credentials::client_secret))
}

async fn log_in(flow: Flow, login: Login, args: &Args, teller: Teller) -> Result<TokenSet> {
    let tokens = match flow {
        Flow::Device => login.device(|code| teller.tell(&Event::device_code(code))).await?,
        Flow::Code => {
            let show = |page: &str| {
                teller.tell(&Event::OpenUrl { url: page.to_owned() });
                // Where it can't be opened there is still the address.
                if args.opens_browser() && webbrowser::open(page).is_err() {
                    teller.say("No browser could be opened here; open the page yourself.");
                }
            };
            login.browser(args.loopback(), show).await?
        }
        Flow::Password => return Err(Failure::usage("a password needs no person")),
        Flow::Paste => {
            let login = login.authorization(&args.pasted_redirect_uri())?;
            teller.tell(&Event::OpenUrl { url: login.url().to_owned() });
            teller.say("Then paste the address that the browser ends at; that it shows no page is all right:");
            login.finish_with_pasted(&line().await?).await?
        }
    };
    Ok(tokens)
}

/// A line that a person types or pastes.
async fn line() -> Result<String> {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = read.await.map_err(io::Error::other).flatten();
    line.map_err(|error| Failure::other(format!("nothing can be read from the terminal: {error}")))
}
