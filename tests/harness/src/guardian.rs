use crate::error::{Error, Result};
use crate::tools::{system_python, tail};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

/// How many lines of a process are kept; an endpoint that runs for a whole game day must not fill the memory.
const KEPT_LINES: usize = 20_000;

/// What the guardian is to run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Order {
    /// Program and arguments.
    pub command: Vec<String>,
    /// The whole environment.
    pub env: std::collections::BTreeMap<String, String>,
    /// Where to run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Under which user and group, when started as root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The signal that asks it to end.
    pub signal: &'static str,
    /// How many seconds it then has.
    pub grace: u32,
    /// What to remove afterwards.
    pub remove: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Started {
    Running { pid: u32, started: u64 },
    Failed { error: String },
}

/// A process that ends, with all that it started, when this is dropped or when this process ends in whatever way.
///
/// A guardian script stands between: it notices the end of this process by the closing of a pipe, which the kernel does
/// even for SIGKILL.
#[derive(Debug)]
pub struct Guarded {
    name: String,
    guardian: Mutex<Child>,
    stdin: Mutex<Option<ChildStdin>>,
    lines: Arc<Mutex<VecDeque<String>>>,
    readers: Mutex<Vec<JoinHandle<()>>>,
    pid: u32,
    started: SystemTime,
}

impl Guarded {
    pub(crate) fn start(name: &str, order: &Order) -> Result<Self> {
        let doing = || format!("start {name}");
        let text = serde_json::to_string(order).map_err(|error| Error::Usage(error.to_string()))?;
        let mut guardian = Command::new(system_python_once()?)
            .args(["-I", "-S", "-c", include_str!("guardian.py"), &text])
            // Its own process group: Ctrl-C is for the harness alone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io(doing()))?;
        let stdin = guardian.stdin.take();
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let mut stdout = guardian.stdout.take().map(BufReader::new);
        let mut first = String::new();
        if let Some(stdout) = &mut stdout {
            stdout.read_line(&mut first).map_err(Error::io(doing()))?;
        }
        let stderr = guardian.stderr.take();
        let readers = stdout.map(|from| keep(from, &lines)).into_iter().chain(stderr.map(|from| keep(from, &lines)));
        let readers = Mutex::new(readers.collect());
        let name = name.to_owned();
        match serde_json::from_str(&first) {
            Ok(Started::Running { pid, started }) => Ok(Self {
                name,
                guardian: Mutex::new(guardian),
                stdin: Mutex::new(stdin),
                lines,
                readers,
                pid,
                started: SystemTime::UNIX_EPOCH + Duration::from_nanos(started),
            }),
            Ok(Started::Failed { error }) => {
                let _ = guardian.wait();
                Err(Error::Ended { name, code: 127, output: error })
            }
            Err(_) => {
                drop(stdin);
                let code = guardian.wait().ok().and_then(|status| status.code()).unwrap_or(-1);
                Err(Error::Ended { name, code, output: format!("{first}{}", joined(&lines)) })
            }
        }
    }

    /// The process id of the command (not of its guardian).
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The process id of the guardian, under which everything hangs.
    pub fn guardian_pid(&self) -> u32 {
        self.guardian.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// The moment before the command was executed.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// The lines it printed so far, stdout and stderr as they came.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The end of what it printed, for error messages.
    pub fn last_words(&self) -> String {
        tail(&joined(&self.lines), 4000)
    }

    /// Its exit code, once it has ended by itself; 128 + n for signal n.
    pub fn exited(&self) -> Option<i32> {
        let mut guardian = self.guardian.lock().unwrap_or_else(PoisonError::into_inner);
        let code = guardian.try_wait().ok().flatten().map(|status| status.code().unwrap_or(-1))?;
        self.read_to_the_end();
        Some(code)
    }

    /// An error with its last words when it has ended by itself.
    pub(crate) fn check(&self) -> Result<()> {
        match self.exited() {
            None => Ok(()),
            Some(code) => Err(Error::Ended { name: self.name.clone(), code, output: self.last_words() }),
        }
    }

    /// Ends it now, and waits until nothing of it is left.
    pub fn stop(&self) {
        drop(self.stdin.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.guardian.lock().unwrap_or_else(PoisonError::into_inner).wait();
        self.read_to_the_end();
    }

    /// Nobody holds the pipes any more: what is still in them arrives now.
    fn read_to_the_end(&self) {
        for reader in self.readers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = reader.join();
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop();
    }
}

fn system_python_once() -> Result<PathBuf> {
    static FOUND: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(python) = &*found {
        return Ok(python.clone());
    }
    Ok(found.insert(system_python()?).clone())
}

fn keep(source: impl Read + Send + 'static, lines: &Arc<Mutex<VecDeque<String>>>) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    // A thread, not a task: the process outlives the runtime of the test that started it.
    thread::spawn(move || {
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        while source.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(text);
            line.clear();
        }
    })
}

fn joined(lines: &Mutex<VecDeque<String>>) -> String {
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
}
