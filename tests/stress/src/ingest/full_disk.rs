//! Runs on a disk that is full during the journal, and full again during the outputs.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::documents::Documents;
use super::process::{OUTPUTS, Process};
use super::{check, is_stored_upload, simulator};
use crate::{Failure, print};

/// Size of the disk.
const DISK: &str = "size=256m";
const FILLER: &str = "filler";
/// Free bytes at first: enough for a part of the journal.
const FREE: u64 = 600_000;

/// A small file system in memory. Unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path).ok()?;
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(path).output().ok()?;
        mount.status.success().then(|| Self(path.to_owned()))
    }

    /// Fills the disk until `free` bytes are left.
    fn fill(&self, free: u64) -> Result<(), Failure> {
        let mut filler = File::create(self.0.join(FILLER))?;
        let chunk = vec![0; 64 * 1024];
        while filler.write_all(&chunk).is_ok() {}
        let length = filler.metadata()?.len();
        filler.set_len(length.saturating_sub(free))?;
        Ok(())
    }

    fn empty(&self) -> Result<(), Failure> {
        Ok(std::fs::remove_file(self.0.join(FILLER))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

pub(crate) async fn run(
    documents: &Documents,
    reference: &Path,
    folder: &Path,
    seed: u64,
) -> Result<Vec<String>, Failure> {
    let Some(disk) = Disk::mount(&folder.join("disk")) else {
        print("full disk: not run: a file system in memory cannot be mounted; run as root");
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    // The folder of the run is checked for files, so that the filler is beside it.
    let work = disk.0.join("work");
    std::fs::create_dir(&work)?;
    let sim = simulator(seed + 2).await?;
    disk.fill(FREE)?;
    findings.extend(expect_full(&sim, documents, &work, "journal: ").await?);
    disk.empty()?;

    let (_, ended) = Process::start(&sim, documents, &work)?.run_to_end().await?;
    if ended.code() != Some(0) {
        findings.push(format!("after space was freed, the process ended with {ended}"));
    }
    // Enough for the journal, and less than the outputs need.
    let free = std::fs::metadata(work.join("values.jsonl"))?.len() * 2 / 3;
    for name in OUTPUTS {
        std::fs::remove_file(work.join(name))?;
    }
    disk.fill(free)?;
    findings.extend(expect_full(&sim, documents, &work, "cannot be written").await?);
    disk.empty()?;
    let (_, ended) = Process::start(&sim, documents, &work)?.run_to_end().await?;
    if ended.code() != Some(0) {
        findings.push(format!("after space was freed again, the process ended with {ended}"));
    }
    let uploads = sim.requests().iter().filter(|request| is_stored_upload(request)).count();
    if uploads != documents.count {
        findings.push(format!("full disk: {uploads} uploads were stored for {} documents", documents.count));
    }
    findings.extend(check(&sim, documents, (reference, &work)).await?);
    sim.shutdown().await?;
    print(&format!("  full disk twice: {uploads} uploads for {} documents", documents.count));
    Ok(findings)
}

/// Runs on the full disk, and checks that the run ends with one line.
async fn expect_full(
    sim: &documine_sim::Simulator,
    documents: &Documents,
    work: &Path,
    text: &str,
) -> Result<Vec<String>, Failure> {
    let (error, ended) = Process::start(sim, documents, work)?.run_to_error().await?;
    let is_clear = error.as_ref().is_some_and(|line| line.contains(text) && line.contains("free space"));
    if ended.code() == Some(1) && is_clear {
        return Ok(Vec::new());
    }
    Ok(vec![format!("full disk: the process ended with {ended} and said {error:?}")])
}
