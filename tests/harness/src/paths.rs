//! Where things are: all that the harness keeps lies in cargo's target folder.

use crate::error::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// The root of the repository.
pub fn workspace() -> PathBuf {
    // At run time first: the tree may have been moved since the build.
    let start = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    start
        .iter()
        .chain([&built])
        .flat_map(|path| path.ancestors())
        .find(|path| path.join("tests/harness/requirements.txt").is_file())
        .map_or(built.clone(), Path::to_path_buf)
}

/// The product's Rust sources, its unit tests among them, for tests that read them: each file's path in the repository, and its text.
///
/// # Errors
/// What the file system says.
pub fn sources() -> io::Result<Vec<(String, String)>> {
    let root = workspace();
    let mut folders = vec![root.join("shared/decide/src"), root.join("shared/src")];
    for function in fs::read_dir(root.join("functions"))? {
        folders.push(function?.path().join("src"));
    }
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files)
}

/// Cargo's target folder: the one that the running program was built into.
pub fn target() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|exe| {
            let of_cargo = |path: &&Path| path.join("CACHEDIR.TAG").is_file();
            exe.ancestors().find(of_cargo).map(Path::to_path_buf)
        })
        .unwrap_or_else(|| workspace().join("target"))
}

/// The cargo profile that the running program was built with.
pub(crate) fn profile() -> String {
    let exe = std::env::current_exe().unwrap_or_default();
    let folder =
        exe.ancestors().skip(1).filter_map(Path::file_name).find(|name| *name != "deps" && *name != "examples");
    match folder.map(|name| name.to_string_lossy().into_owned()).as_deref() {
        None | Some("debug") => "dev".into(),
        Some(other) => other.into(),
    }
}

/// A short stable name for some content.
pub(crate) fn hash(content: &[u8]) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, content).simple().to_string()[..12].to_owned()
}

/// A new directory for one running part; the guardian of that part removes it.
pub(crate) fn run_directory(base: &Path, kind: &str) -> Result<PathBuf> {
    let run = base.join("run");
    fs::create_dir_all(&run).map_err(Error::path("create", &run))?;
    remove_abandoned(&run);
    let path = run.join(format!("{kind}-{}-{}", std::process::id(), unique()));
    fs::create_dir(&path).map_err(Error::path("create", &path))?;
    Ok(path)
}

/// Guardians remove their directories; this is for those that were killed themselves, or had the power cut.
fn remove_abandoned(run: &Path) {
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.rsplit('-').nth(1).and_then(|pid| pid.parse::<u32>().ok());
        let old = entry
            .metadata()
            .and_then(|data| data.modified())
            .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > Duration::from_secs(600)));
        if old && owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Runs `work` while holding a lock that other processes respect too.
pub(crate) fn locked<T>(lock: &Path, purpose: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if let Some(parent) = lock.parent() {
        fs::create_dir_all(parent).map_err(Error::path("create", parent))?;
    }
    let file = File::options().create(true).append(true).open(lock).map_err(Error::path("open", lock))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(&format!("waiting for another process ({purpose})"));
            file.lock().map_err(Error::path("lock", lock))?;
        }
        Err(TryLockError::Error(source)) => return Err(Error::path("lock", lock)(source)),
    }
    work()
}

/// One line on stderr that the test runner does not swallow: the first run takes a minute and should say why.
pub(crate) fn progress(line: &str) {
    let _ = writeln!(io::stderr(), "harness: {line}");
}

/// A number that no other call of this process gets.
pub(crate) fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A loopback port that is free now. Below the range that outgoing connections take theirs from, so it likely stays free.
pub(crate) fn free_port() -> Result<u16> {
    (0..200)
        .map(|_| 10_000 + (Uuid::new_v4().as_u128() % 22_000) as u16)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| Error::Usage("no free loopback port between 10000 and 32000".into()))
}
