//! Every step's manifest: so the steps are known by name, with what binds them where nothing else is set, and there is no list to keep.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let own = env::var("CARGO_MANIFEST_DIR")?;
    let functions = Path::new(&own).parent().ok_or("this folder has no parent")?;
    println!("cargo::rerun-if-changed={}", functions.display());
    let mut manifests: Vec<PathBuf> = Vec::new();
    for folder in fs::read_dir(functions)? {
        let manifest = folder?.path().join("manifest.toml");
        if manifest.is_file() {
            manifests.push(manifest);
        }
    }
    manifests.sort();
    let list: String = manifests.iter().map(|manifest| format!("include_str!({manifest:?}),\n")).collect();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("manifests.rs"), format!("&[{list}]"))?;
    Ok(())
}
