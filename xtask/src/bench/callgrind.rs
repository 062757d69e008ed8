//! Instructions and allocations of a program, counted by valgrind's callgrind.
//!
//! Allocations are counted as calls of the allocator's functions, so that no counting allocator adds instructions.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::figures::NotMeasured;
use super::program::output;
use crate::process::first_line;

/// A program under callgrind runs about fifty times slower.
const LIMIT: Duration = Duration::from_secs(1200);

/// Functions that allocate memory.
const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"];

const HELP: &str = "needs valgrind (Debian: apt install valgrind)";

/// Counts of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Counted {
    pub(super) instructions: u64,
    pub(super) allocations: u64,
}

/// Checks that valgrind is installed.
pub(super) fn check_installed() -> Result<(), NotMeasured> {
    first_line(Command::new("valgrind").arg("--version")).map(|_| ()).ok_or_else(|| HELP.to_owned())
}

/// Runs `command` under callgrind. The profile is kept in `folder` as `callgrind.NAME`, for callgrind_annotate.
pub(super) fn count(command: &Command, name: &str, folder: &Path) -> Result<Counted, NotMeasured> {
    check_installed()?;
    let profile = folder.join(format!("callgrind.{name}"));
    let mut wrapped = Command::new("valgrind");
    wrapped.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", profile.display()));
    wrapped.arg(command.get_program()).args(command.get_args());
    output(&mut wrapped, &format!("callgrind-{name}"), folder, LIMIT)?;
    let text = std::fs::read_to_string(&profile).map_err(|error| format!("{}: {error}", profile.display()))?;
    read(&text).ok_or_else(|| format!("{}: invalid profile", profile.display()))
}

/// Reads a profile. A function has its full name once, and later its number alone: `cfn=(7) malloc`, then `cfn=(7)`.
fn read(text: &str) -> Option<Counted> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut called = "";
    let mut instructions = None;
    let mut allocations = 0;
    for line in text.lines() {
        if let Some(function) = line.strip_prefix("cfn=").or_else(|| line.strip_prefix("fn=")) {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            if !name.is_empty() {
                names.insert(number, name);
            }
            if line.starts_with("cfn=") {
                called = names.get(number).copied().unwrap_or_default();
            }
        } else if let Some(calls) = line.strip_prefix("calls=").filter(|_| ALLOCATORS.contains(&called)) {
            allocations += calls.split(' ').next()?.parse::<u64>().ok()?;
        } else if let Some(sum) = line.strip_prefix("summary:").or_else(|| line.strip_prefix("totals:")) {
            instructions = sum.trim().parse().ok();
        }
    }
    Some(Counted { instructions: instructions?, allocations })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_allocator_calls_by_name_and_by_number() {
        let profile = "events: Ir\nsummary: 1234\n\nfn=(1) main\n5 10\ncob=(2) libc\ncfn=(7) malloc\ncalls=3 0\n6 30\n\
                       cfn=(8) free\ncalls=9 0\n6 30\n\nfn=(9) realloc\n1 2\n\nfn=(2) other\n8 1\ncfn=(7)\ncalls=2 0\n9 20\n\
                       cfn=(9)\ncalls=1 0\n9 5\ntotals: 1234\n";
        assert_eq!(read(profile), Some(Counted { instructions: 1234, allocations: 6 }));
        assert_eq!(read("cfn=(7) malloc\ncalls=3 0\n"), None, "truncated profile");
    }
}
