//! A function's container: the real binary, warm from call to call.

use std::fs;
use std::path::Path;
use std::time::Duration;

use harness::{Error, Function, FunctionBuilder, FunctionError, eventually, paths};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// How long a line that was logged before the answer may take to reach us after it.
const LINE_BOUND: Duration = Duration::from_secs(5);

/// A running function.
pub(crate) struct Container {
    function: Function,
    /// The process that it started with.
    first: Option<u32>,
    /// The most memory that was seen, in bytes.
    peak: u64,
}

/// What a function's `manifest.toml` says, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    pub timeout_seconds: u32,
    pub memory_mb: u32,
    #[serde(default)]
    pub alarms: Vec<Alarm>,
}

/// An alarm as its manifest has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Alarm {
    pub name: String,
    pub metric: String,
    pub threshold: f64,
    pub comparison: String,
}

impl Manifest {
    /// That of a function.
    pub fn read(function: &str) -> Result<Self, Failure> {
        let path = paths::workspace().join("functions").join(function).join("manifest.toml");
        let text = fs::read_to_string(&path).map_err(|error| Failure::of(&path.display(), &error))?;
        toml::from_str(&text).map_err(|error| Failure::of(&path.display(), &error))
    }
}

impl Container {
    /// Starts it. An error of the function's own start is one of its answers, as in Lambda.
    pub async fn start(builder: FunctionBuilder) -> Result<Result<Self, FunctionError>, Failure> {
        match builder.start().await {
            Ok(function) => {
                let first = function.process_id();
                Ok(Ok(Self { function, first, peak: 0 }))
            }
            Err(Error::Function(error)) => Ok(Err(error)),
            Err(other) => Err(other.into()),
        }
    }

    /// Hands it an event. What it measured and how much memory it took is known when this returns.
    pub async fn invoke(&mut self, event: &Value, deadline: Duration) -> Result<Value, FunctionError> {
        let before = self.measured().len();
        let answer = self.function.invoke_within(event, deadline).await;
        let peak = self.function.process_id().map_or(0, peak);
        self.peak = self.peak.max(peak);
        if answer.is_ok() {
            // A run that answers has written its metrics before; the pipe may be a little behind. A function that wrote none is no fault.
            let _ = eventually(LINE_BOUND, "the metrics of the run", || async {
                (self.measured().len() > before).then_some(())
            })
            .await;
        }
        answer
    }

    /// The lines of metrics that it has logged, oldest first.
    pub fn measured(&self) -> Vec<Value> {
        let lines = self.function.lines().into_iter().filter(|line| line.contains("\"_aws\""));
        lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }

    /// The most memory that its process held, in bytes.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// Whether the process that it was started with still runs.
    pub fn is_alive(&self) -> bool {
        let now = self.function.process_id();
        now == self.first && now.is_some_and(|pid| status(pid, "State:").is_some_and(|state| !state.starts_with('Z')))
    }

    /// The end of its log, for a message.
    pub fn last_words(&self) -> String {
        let lines = self.function.lines();
        let skipped = lines.len().saturating_sub(5);
        lines[skipped..].join("\n")
    }
}

fn peak(pid: u32) -> u64 {
    let kibibytes = status(pid, "VmHWM:").and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes * 1024)
}

fn status(pid: u32, field: &str) -> Option<String> {
    let text = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(field)?.trim().to_owned()))
}
