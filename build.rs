//! Puts the repository's contracts and demo messages into the binary, so that `brygga demo` needs nothing else.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[expect(clippy::format_push_string, reason = "a build script may be plain")]
fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut code = String::new();
    for (name, folder) in [("CONTRACTS", "contracts"), ("DEMO", "fixtures/demo")] {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(&root.join(folder), &mut files)?;
        files.sort();
        code.push_str(&format!("/// Files below `{folder}/` as they were when this binary was built.\n"));
        code.push_str(&format!("pub(super) static {name}: &[(&str, &[u8])] = &[\n"));
        for file in files {
            let relative = file.strip_prefix(root.join(folder)).map_err(io::Error::other)?;
            let relative = relative.to_string_lossy().replace('\\', "/");
            code.push_str(&format!("    ({relative:?}, include_bytes!({:?})),\n", file.display().to_string()));
        }
        code.push_str("];\n");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), code)
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else {
            into.push(path);
        }
    }
    Ok(())
}
