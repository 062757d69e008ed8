//! Writes the documents: `documine-documents RECONSTRUCTION.json FOLDER`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use documine_documents::cases;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let written = match arguments.as_slice() {
        [reconstruction, folder] => write(Path::new(reconstruction), Path::new(folder)),
        _ => Err(String::from("usage: documine-documents RECONSTRUCTION.json FOLDER")),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            {
                eprintln!("{reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn write(reconstruction: &Path, folder: &Path) -> Result<(), String> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(reconstruction).map_err(|error| failed(reconstruction, &error))?;
    let document = serde_json::from_str(&text).map_err(|error| failed(reconstruction, &error))?;
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    cases().iter().try_for_each(|case| case.write(&document, folder))
}
