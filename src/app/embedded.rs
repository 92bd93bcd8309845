//! The contracts and the demo's messages that were built into the binary, and contracts from a folder on disk.

use std::path::Path;

use crate::domain::Files;

mod built {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// The compiled-in contract set.
#[must_use]
pub fn contracts() -> Files {
    let mut files = Files::default();
    for (path, bytes) in built::CONTRACTS {
        files.insert(*path, String::from_utf8_lossy(bytes));
    }
    files
}

/// The demo's files, by name.
#[must_use]
pub fn demo() -> &'static [(&'static str, &'static [u8])] {
    built::DEMO
}

/// A contract set from a folder.
///
/// # Errors
/// Where a file cannot be read.
pub fn contracts_from(folder: &Path) -> std::io::Result<Files> {
    let mut files = Files::default();
    collect(folder, folder, &mut files)?;
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Files) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let wanted = [".json", ".toml", ".xsd"].iter().any(|extension| relative.ends_with(extension));
        if wanted {
            // Whatever is not UTF-8 is told with its name, by the error's own words.
            let text = std::fs::read_to_string(&path)
                .map_err(|error| std::io::Error::new(error.kind(), format!("{relative}: {error}")))?;
            files.insert(relative, text);
        }
    }
    Ok(())
}
