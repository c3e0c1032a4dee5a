//! What is measured: the functions built for release, and what their start is compared with.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::paths::{target, workspace};

use crate::measured::{Measured, say};

/// Builds every function for release, where they are not to be taken as they are, and returns their programs by name.
///
/// Only their own packages are named: what the tests need of a dependency does not get into what is deployed.
pub fn functions(built: bool) -> Measured<BTreeMap<String, PathBuf>> {
    let names = harness::functions::names()?;
    let folder = target().join("release");
    let programs = names.iter().map(|name| (name.clone(), folder.join(name))).collect();
    if built {
        return Ok(programs);
    }
    say("building the functions for release (the first time takes minutes)");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--target-dir"]).arg(target()).current_dir(workspace());
    for name in &names {
        command.args(["--package", name]);
    }
    // What `cargo run` tells about this program would tell build scripts that something has changed.
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        command.env_remove(name);
    }
    // Cargo shows its own progress, and says what is wrong.
    if !command.stdin(Stdio::null()).status()?.success() {
        return Err("the functions do not build for release; cargo said why above".into());
    }
    Ok(programs)
}

/// The Node function, with its packages as the lock file has them; `None` where there is no Node.
pub fn node() -> Measured<PathBuf> {
    let interpreter = Command::new("node").args(["--print", "process.execPath"]).output();
    let interpreter = interpreter.ok().filter(|output| output.status.success());
    let interpreter = interpreter.ok_or("`node` does not run: install Node.js 20 or newer, with npm")?;
    let interpreter = String::from_utf8(interpreter.stdout)?.trim().to_owned();
    let (source, home) = (workspace().join("tests/speed/node"), target().join("tools/speed-node"));
    fs::create_dir_all(&home)?;
    let lock = File::create(home.join(".lock"))?;
    lock.lock()?;
    install(&source, &home)?;
    // Executed itself, as Lambda executes a bootstrap: no shell in between.
    let bootstrap = home.join("bootstrap");
    let program = fs::read_to_string(source.join("bootstrap.js"))?;
    fs::write(&bootstrap, format!("#!{interpreter}\n{program}"))?;
    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
    Ok(bootstrap)
}

fn install(source: &Path, home: &Path) -> Measured<()> {
    let lock = fs::read(source.join("package-lock.json"))?;
    let stamp = home.join("node_modules/.installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    say("installing the Node function's packages into the target folder (once)");
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), home.join(file))?;
    }
    let mut command = Command::new("npm");
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(home);
    let done = command.stdin(Stdio::null()).output().map_err(|error| format!("`npm` does not run: {error}"))?;
    if !done.status.success() {
        return Err(format!("`npm ci` failed: {}", String::from_utf8_lossy(&done.stderr).trim()).into());
    }
    fs::write(stamp, lock)?;
    Ok(())
}
