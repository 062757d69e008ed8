//! Makes the documents: `documine-documents OURS.json FOLDER` writes all of them, and `cases.json`, which says how each shall end.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use documine_documents::cases;
use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let made = match arguments.as_slice() {
        [ours, folder] => make(Path::new(ours), Path::new(folder)),
        _ => Err(String::from("usage: documine-documents OURS.json FOLDER")),
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            #[expect(clippy::print_stderr, reason = "the program's complaint")]
            {
                eprintln!("{reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn make(ours: &Path, folder: &Path) -> Result<(), String> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(ours).map_err(|error| failed(ours, &error))?;
    let ours: Value = serde_json::from_str(&text).map_err(|error| failed(ours, &error))?;
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let cases = cases();
    for case in &cases {
        files.extend(case.files(&ours));
    }
    let table = Value::Array(cases.iter().map(documine_documents::Case::row).collect());
    files.push((String::from("cases.json"), format!("{table:#}\n").into_bytes()));
    for (name, bytes) in files {
        let path = folder.join(name);
        // What is there already keeps its time, so that cargo builds nothing anew.
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            continue;
        }
        fs::write(&path, bytes).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}
