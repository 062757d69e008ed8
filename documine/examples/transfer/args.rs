//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Uploads documents to DocuMine and downloads result packages. After a kill, the same command resumes.
#[derive(Debug, Parser)]
#[command(name = "transfer", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Say everything as JSON, one object a line, on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Upload documents; those that are in the dossier already are left out
    Upload {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Into this dossier. Default: a new one, whose id is noted down
        #[arg(long, value_name = "ID")]
        dossier: Option<String>,
        /// File that stores the id of a new dossier
        #[arg(long, value_name = "FILE", default_value = "transfer.json")]
        note: PathBuf,
    },
    /// Have a package of a dossier's originals prepared, wait for it, and fetch it
    Package {
        #[arg(long, value_name = "ID")]
        dossier: String,
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Fetch a package that is prepared, or being prepared
    Download {
        #[arg(value_name = "DOWNLOAD_ID")]
        id: String,
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Wait for a package
    Wait {
        #[arg(value_name = "DOWNLOAD_ID")]
        id: String,
    },
}

const AFTER_HELP: &str = "\
Environment (a real service): the DOCUMINE_ variables of the README
  DOCUMINE_DOSSIER_TEMPLATE_ID (default: the first active template)

Exit codes:
  0  done
  1  something else went wrong
  2  wrong arguments or settings
  3  some files failed, the others are done
  4  login needed
  5  temporary failure: run the same command again to resume";
