//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// From a PDF to its components and its result package: every step of the DocuMine guide, done for real.
///
/// Without DOCUMINE_BASE_URL a simulated service is started inside this program. With it, the service there is used, with the settings of
/// the other DOCUMINE_ variables, and what was created at it is deleted at the end.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The PDFs to upload. Default: three samples that are built in (a study report, an invoice, a scan)
    #[arg(value_name = "FILE.pdf")]
    pub(crate) files: Vec<PathBuf>,

    /// Print one JSON object as the only line of stdout; everything for people goes to stderr
    #[arg(long)]
    pub(crate) json: bool,

    /// Output folder for components and packages
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub(crate) out: PathBuf,

    /// Leave the dossier and its files at the service
    #[arg(long)]
    pub(crate) keep: bool,
}

const AFTER_HELP: &str = "\
Environment (a real service):
  DOCUMINE_BASE_URL, DOCUMINE_WORKSPACE_ID
  DOCUMINE_CLIENT_ID, DOCUMINE_CLIENT_SECRET (confidential clients only), DOCUMINE_USERNAME, DOCUMINE_PASSWORD
  or DOCUMINE_ACCESS_TOKEN in place of these four
  DOCUMINE_DOSSIER_TEMPLATE_ID (default: the first active template)

Exit codes:
  0  done
  1  something else went wrong
  2  wrong arguments or settings
  3  some files failed, the others are done
  4  login needed
  5  temporary failure, try again later
  130  interrupted (143: terminated)";
