//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use documine::auth::Loopback;

/// Logs in at DocuMine's identity provider, keeps the login, and makes a call with it.
///
/// Without DOCUMINE_BASE_URL a simulated service is started inside this program.
#[expect(clippy::struct_excessive_bools, reason = "the switches of a command line")]
#[derive(Debug, Parser)]
#[command(name = "login", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The login flow. Default: device code; with --store, --whoami or --logout the stored login
    #[arg(long, value_enum)]
    flow: Option<Flow>,

    /// The port of the redirect URI, for `code` and `paste`; 0: any that is free
    #[arg(long, value_name = "N", default_value_t = 0)]
    redirect_port: u16,

    /// The path of the redirect URI, for `code` and `paste`
    #[arg(long, value_name = "PATH", default_value = "/callback")]
    redirect_path: String,

    /// The whole redirect URI as it is registered, for `code` and `paste`, for example http://localhost:8400/callback
    #[arg(long, value_name = "URI", conflicts_with_all = ["redirect_port", "redirect_path"])]
    redirect_uri: Option<String>,

    /// Seconds to wait for the browser
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    time_limit: u64,

    /// Request this scope; may be given several times
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,

    /// Keep the login in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,

    /// Say everything as JSON, one object a line, on stdout; open no browser
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the page's address only, and open no browser
    #[arg(long)]
    no_open: bool,

    /// Log out at the end; without --flow, out of the login that is kept
    #[arg(long)]
    pub(crate) logout: bool,

    /// Say whose login it is; without --flow, that of the login that is kept, and no call is made
    #[arg(long)]
    pub(crate) whoami: bool,

    /// Make no call
    #[arg(long)]
    pub(crate) no_call: bool,

    /// Keep calling once a second for this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) keep: Option<u64>,
}

/// The grants of RFC 6749 and RFC 8628.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flow {
    /// The provider's page in the browser of this machine
    Code,
    /// The provider's page in a browser anywhere; you paste the address at which it ends
    Paste,
    /// A code that you confirm on any device
    Device,
    /// DOCUMINE_USERNAME and DOCUMINE_PASSWORD, for accounts that programs use
    Password,
}

impl Flow {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Paste => "paste",
            Self::Device => "device",
            Self::Password => "password",
        }
    }
}

impl Args {
    /// The login flow; `None` if a login is stored already.
    pub(crate) fn flow(&self) -> Option<Flow> {
        let kept = self.store.is_some() || self.whoami || self.logout;
        self.flow.or((!kept).then_some(Flow::Device))
    }

    pub(crate) fn loopback(&self) -> Loopback {
        let place = match &self.redirect_uri {
            Some(uri) => Loopback::default().redirect_uri(uri),
            None => Loopback::default().port(self.redirect_port).path(&self.redirect_path),
        };
        place.time_limit(Duration::from_secs(self.time_limit))
    }

    /// Returns the redirect URI at which the browser ends when its address is pasted.
    pub(crate) fn pasted_redirect_uri(&self) -> String {
        let port = Some(self.redirect_port).filter(|port| *port != 0).map(|port| format!(":{port}"));
        let usual = || format!("http://127.0.0.1{}{}", port.unwrap_or_default(), self.redirect_path);
        self.redirect_uri.clone().unwrap_or_else(usual)
    }

    pub(crate) fn opens_browser(&self) -> bool {
        !self.json && !self.no_open
    }
}

const AFTER_HELP: &str = "\
Environment (a real service):
  DOCUMINE_BASE_URL, DOCUMINE_WORKSPACE_ID
  DOCUMINE_CLIENT_ID, DOCUMINE_CLIENT_SECRET (confidential clients only)
  DOCUMINE_USERNAME, DOCUMINE_PASSWORD (--flow password)
  DOCUMINE_AUTH_PATH, DOCUMINE_TOKEN_PATH, DOCUMINE_DEVICE_PATH (a path or a whole URL each; default: Keycloak's)

Exit codes:
  0  done
  1  something else went wrong
  2  wrong arguments or settings
  4  login needed or refused
  5  temporary failure, try again later";
