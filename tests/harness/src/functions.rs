//! The workspace's own programs, built like the running one and laid out as cargo-lambda does.

use crate::error::{Error, Result};
use crate::paths::{locked, profile, progress, target, workspace};
use crate::tools::{blocking, run};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The functions of the workspace: the folders in `functions/`, whose names are their packages' and their programs' too.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn names() -> Result<Vec<String>> {
    let folder = workspace().join("functions");
    let entries = fs::read_dir(&folder).map_err(Error::path("read", &folder))?;
    let functions = entries.flatten().filter(|entry| entry.path().join("Cargo.toml").is_file());
    let mut names: Vec<_> = functions.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Builds one program of the workspace, a function or any other, with the profile of the running one; once per process.
///
/// # Errors
/// [`Error::Command`] with the compiler's last words.
pub async fn binary(name: &str) -> Result<PathBuf> {
    let built = binaries(&[name]).await?;
    built.into_values().next().ok_or_else(|| Error::Usage(format!("cargo built no program {name}")))
}

/// Builds several programs with one run of cargo, which is quicker than one run for each.
///
/// # Errors
/// As [`binary`].
pub async fn binaries(names: &[impl AsRef<str>]) -> Result<BTreeMap<String, PathBuf>> {
    let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    blocking(move || build(&names)).await
}

/// Lays programs out as `<folder>/<name>/bootstrap`, stripped, as `cargo lambda build` does and `infra/` expects.
///
/// # Errors
/// As [`binary`], and [`Error::Io`] when the folder cannot be written.
pub async fn stage(folder: &Path, names: &[impl AsRef<str>]) -> Result<()> {
    let (built, folder) = (binaries(names).await?, folder.to_owned());
    blocking(move || built.iter().try_for_each(|(name, program)| lay_out(program, &folder.join(name)))).await
}

/// Where `infra/` looks for the functions' code by default: `lambda` in the target folder.
pub fn folder() -> PathBuf {
    target().join("lambda")
}

static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

fn build(names: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let missing: Vec<_> = names.iter().filter(|name| !built.contains_key(*name)).collect();
    if !missing.is_empty() {
        // The whole workspace is named, so that dependencies have the same features whichever programs are asked for.
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--quiet", "--workspace", "--message-format=json-render-diagnostics"]);
        command.args(["--profile", &profile(), "--target-dir"]).arg(target()).current_dir(workspace());
        for name in &missing {
            command.args(["--bin", name]);
        }
        let folder = target().join(if profile() == "dev" { "debug".into() } else { profile() });
        if missing.iter().any(|name| !folder.join(name).is_file()) {
            progress("building functions for the first time, which may take minutes");
        }
        // What cargo tells the running test about itself would tell the build scripts that something has changed.
        for (name, _) in std::env::vars().filter(|(name, _)| of_the_running_package(name)) {
            command.env_remove(name);
        }
        let messages = locked(&target().join("tools/build.lock"), "it builds the functions", || run(&mut command))?;
        built.extend(messages.lines().filter_map(executable));
    }
    let found = |name: &String| Some((name.clone(), built.get(name)?.clone()));
    Ok(names.iter().filter_map(found).collect())
}

fn of_the_running_package(variable: &str) -> bool {
    const ITS: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
    ITS.iter().any(|prefix| variable.starts_with(prefix)) || variable == "LD_LIBRARY_PATH"
}

#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn executable(message: &str) -> Option<(String, PathBuf)> {
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    Some((artifact.target.name, artifact.executable?))
}

pub(crate) fn lay_out(program: &Path, folder: &Path) -> Result<()> {
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let bootstrap = folder.join("bootstrap");
    if modified(&bootstrap).is_some_and(|staged| modified(program).is_some_and(|built| built < staged)) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(Error::path("create", folder))?;
    let making = folder.join(format!(".bootstrap-{}", std::process::id()));
    // A program built for debugging is ten times as large, and the endpoint takes it through memory as base64.
    if run(Command::new("strip").arg("-o").arg(&making).arg(program)).is_err() {
        fs::copy(program, &making).map_err(Error::path("copy", program))?;
    }
    fs::rename(&making, &bootstrap).map_err(Error::path("write", &bootstrap))
}
