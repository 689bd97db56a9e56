//! Writes the seeds of each property into a folder of its name below the given one, for a fuzzer to start from; beside
//! them, what once broke something.

use std::fs;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: isonomy-fuzz FOLDER");
        std::process::exit(2);
    };
    for (number, (property, bytes)) in isonomy_fuzz::seeds().into_iter().enumerate() {
        fs::create_dir_all(folder.join(property))?;
        fs::write(folder.join(property).join(format!("seed-{number:03}")), bytes)?;
    }
    for (property, _) in isonomy_fuzz::PROPERTIES {
        let Ok(files) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(property)) else {
            continue;
        };
        for file in files {
            let file = file?;
            fs::copy(file.path(), folder.join(property).join(file.file_name()))?;
        }
    }
    Ok(())
}
