use crate::aws::{self, Aws};
use crate::error::{Error, FunctionError, Result};
use crate::functions;
use crate::guardian::{Guarded, Order};
use crate::postgres::Database;
use crate::runtime_api::{Answer, RuntimeApi, Start};
use crate::tools::blocking;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// What Lambda grants the init phase.
const INIT_BOUND: Duration = Duration::from_secs(10);

/// A real function binary behind the real Runtime API, warm between invocations as in Lambda.
///
/// ```no_run
/// # async fn example() -> harness::Result<()> {
/// let database = harness::Postgres::shared().await?.database("sync").await?;
/// let function = harness::Function::builder("sync-execution-status").database(&database).start().await?;
/// let result = function.invoke(&serde_json::json!({})).await?;
/// assert_eq!(result["step"], "sync-execution-status");
/// # Ok(()) }
/// ```
///
/// It is one execution environment: it handles one event at a time, and a second `invoke` waits for the first. For
/// concurrency start the function twice.
pub struct Function {
    settings: FunctionBuilder,
    program: PathBuf,
    turn: tokio::sync::Mutex<()>,
    sandbox: Mutex<Option<Arc<Sandbox>>>,
    past: Mutex<Vec<String>>,
}

/// How a function is to run.
#[derive(Clone, Debug)]
pub struct FunctionBuilder {
    name: String,
    program: Option<PathBuf>,
    environment: BTreeMap<String, String>,
    timeout: Duration,
    memory: u32,
}

impl FunctionBuilder {
    /// Sets a variable of its environment; there are no others but those that Lambda itself sets.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Several variables at once.
    #[must_use]
    pub fn envs<N: Into<String>, V: Into<String>>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        self.environment.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// `DATABASE_URL` for this database.
    #[must_use]
    pub fn database(self, database: &Database) -> Self {
        self.env("DATABASE_URL", database.url())
    }

    /// `AWS_ENDPOINT_URL` and credentials for this endpoint.
    #[must_use]
    pub fn aws(self, aws: &Aws) -> Self {
        self.envs(aws.environment())
    }

    /// After how long Lambda kills it. Default 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The configured memory in MB, as the function is told it; nothing limits it here. Default 256.
    #[must_use]
    pub fn memory(mut self, megabytes: u32) -> Self {
        self.memory = megabytes;
        self
    }

    /// Builds the binary where needed, starts it, and waits until it asks for its first event.
    ///
    /// # Errors
    /// [`Error::Function`] when it reports an init error, [`Error::Ended`] when it ends instead, [`Error::Timeout`] after the
    /// 10 s that Lambda grants.
    pub async fn start(self) -> Result<Function> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => functions::binary(&self.name).await?,
        };
        let sandbox = Mutex::new(Some(Arc::new(Sandbox::start(&self, program.clone()).await?)));
        Ok(Function { settings: self, program, turn: tokio::sync::Mutex::default(), sandbox, past: Mutex::default() })
    }

    fn environment(&self, api: &RuntimeApi) -> BTreeMap<String, String> {
        let group = format!("/aws/lambda/{}", self.name);
        let lambdas = [
            ("AWS_LAMBDA_RUNTIME_API", api.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local/[$LATEST]0".into()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("_HANDLER", "bootstrap".into()),
            ("TZ", ":UTC".into()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ];
        let mut all = aws::credentials();
        all.extend(lambdas.map(|(name, value)| (name.to_owned(), value)));
        all.extend(self.environment.clone());
        all
    }

    fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", aws::REGION, aws::ACCOUNT, self.name)
    }
}

impl Function {
    /// A program of the workspace by its name; it is built with the profile of the running program.
    pub fn builder(name: &str) -> FunctionBuilder {
        let (timeout, memory) = (Duration::from_secs(30), 256);
        FunctionBuilder { name: name.into(), program: None, environment: BTreeMap::new(), timeout, memory }
    }

    /// A program that is built already, for instance `env!("CARGO_BIN_EXE_…")` in the function's own tests.
    pub fn at(program: impl Into<PathBuf>) -> FunctionBuilder {
        let program = program.into();
        let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        FunctionBuilder { program: Some(program), ..Self::builder(&name) }
    }

    /// Lets it handle one event and returns its answer.
    ///
    /// # Errors
    /// The function's own, or Lambda's: `Sandbox.Timedout` after the timeout, `Runtime.ExitError` when the process ended. In
    /// both cases the next call starts a new process.
    pub async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        self.invoke_within(event, self.settings.timeout).await
    }

    /// As [`Self::invoke`], with another timeout for this one event.
    ///
    /// # Errors
    /// As [`Self::invoke`].
    pub async fn invoke_within(&self, event: &Value, timeout: Duration) -> Result<Value, FunctionError> {
        let _turn = self.turn.lock().await;
        let sandbox = self.running().await?;
        let id = Uuid::new_v4().to_string();
        let (error_type, what) = match sandbox.handle(&self.settings.arn(), &id, event, timeout).await {
            Outcome::Answered(answer) => return answer,
            Outcome::TimedOut => {
                let seconds = timeout.as_secs_f64();
                ("Sandbox.Timedout", format!("Task timed out after {seconds:.2} seconds"))
            }
            Outcome::Exited(code) => ("Runtime.ExitError", format!("Runtime exited with error: exit status {code}")),
        };
        drop(sandbox);
        self.retire().await?;
        Err(FunctionError { error_type: error_type.into(), error_message: format!("RequestId: {id} Error: {what}") })
    }

    /// From the execution of the program to its first request for an event.
    pub fn ready_after(&self) -> Duration {
        self.current().map(|sandbox| sandbox.ready_after).unwrap_or_default()
    }

    /// The memory that the process holds now; 0 while none runs.
    pub fn resident_bytes(&self) -> u64 {
        let status = self.process_id().and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
        let line = status.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("VmRSS:")));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).map_or(0, |kibibytes: u64| kibibytes * 1024)
    }

    /// The process id, while one runs.
    pub fn process_id(&self) -> Option<u32> {
        self.current().map(|sandbox| sandbox.process.pid())
    }

    /// All that it has logged, by earlier processes too.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.past.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lines.extend(self.current().map(|sandbox| sandbox.process.lines()).unwrap_or_default());
        lines
    }

    /// Ends the process; the next invocation is a cold start.
    ///
    /// # Errors
    /// None that a test could cause.
    pub async fn restart(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.retire().await.map_err(Error::from)
    }

    fn current(&self) -> Option<Arc<Sandbox>> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn running(&self) -> Result<Arc<Sandbox>, FunctionError> {
        match self.current() {
            Some(sandbox) if sandbox.process.exited().is_none() => return Ok(sandbox),
            Some(_) => self.retire().await?,
            None => {}
        }
        let sandbox = Arc::new(Sandbox::start(&self.settings, self.program.clone()).await.map_err(of_the_harness)?);
        *self.sandbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&sandbox));
        Ok(sandbox)
    }

    async fn retire(&self) -> Result<(), FunctionError> {
        let taken = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(sandbox) = taken else { return Ok(()) };
        let lines = blocking(move || {
            sandbox.process.stop();
            Ok(sandbox.process.lines())
        });
        let lines = lines.await.map_err(of_the_harness)?;
        self.past.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
        Ok(())
    }
}

fn of_the_harness(error: Error) -> FunctionError {
    match error {
        Error::Function(error) => error,
        other => FunctionError { error_type: "Harness".into(), error_message: other.to_string() },
    }
}

enum Outcome {
    Answered(Answer),
    TimedOut,
    Exited(i32),
}

/// One process with its Runtime API.
struct Sandbox {
    process: Guarded,
    api: RuntimeApi,
    ready_after: Duration,
}

impl Sandbox {
    async fn start(settings: &FunctionBuilder, program: PathBuf) -> Result<Self> {
        let api = RuntimeApi::start().await?;
        let order = Order {
            command: vec![program.to_string_lossy().into_owned()],
            env: settings.environment(&api),
            // A frozen or late function is not asked, in Lambda either.
            signal: "SIGKILL",
            grace: 2,
            ..Order::default()
        };
        let name = settings.name.clone();
        let process = blocking(move || Guarded::start(&name, &order)).await?;
        let ready = tokio::time::timeout(INIT_BOUND, async {
            tokio::select! {
                ready = first_request(&api) => ready,
                code = exit(&process) => Err(process.check().err().unwrap_or_else(|| Error::Usage(format!("exit code {code}")))),
            }
        });
        let what =
            || format!("{} to ask for its first event; its last words:\n{}", settings.name, process.last_words());
        let ready = ready.await.map_err(|_| Error::Timeout { what: what(), bound: INIT_BOUND })??;
        let ready_after = ready.duration_since(process.started()).unwrap_or_default();
        Ok(Self { process, api, ready_after })
    }

    async fn handle(&self, arn: &str, id: &str, event: &Value, timeout: Duration) -> Outcome {
        let answer = self.api.send(id, arn, event, timeout);
        tokio::select! {
            biased;
            answer = answer => match answer {
                Ok(answer) => Outcome::Answered(answer),
                Err(_) => Outcome::Exited(-1),
            },
            code = exit(&self.process) => Outcome::Exited(code),
            () = tokio::time::sleep(timeout) => Outcome::TimedOut,
        }
    }
}

async fn first_request(api: &RuntimeApi) -> Result<SystemTime> {
    let mut state = api.state();
    let state = state.wait_for(|start| !matches!(start, Start::Starting)).await;
    match state.as_deref() {
        Ok(Start::Ready(at)) => Ok(*at),
        Ok(Start::Failed(error)) => Err(Error::Function(error.clone())),
        Ok(Start::Starting) | Err(_) => Err(Error::Usage("the Runtime API ended".into())),
    }
}

async fn exit(process: &Guarded) -> i32 {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    loop {
        looks.tick().await;
        if let Some(code) = process.exited() {
            return code;
        }
    }
}
