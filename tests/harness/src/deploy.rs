use crate::aws::{self, Aws};
use crate::error::{Error, Result};
use crate::functions;
use crate::paths::{target, unique};
use crate::tools::{blocking, python, run};
use crate::wait::eventually;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture, DeadLetterConfig, Environment, FunctionCode, Runtime, State};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A program of the workspace that is to become a Lambda function of the endpoint, without the CDK.
#[derive(Clone, Debug)]
pub struct Deployment {
    name: String,
    program: Program,
    environment: HashMap<String, String>,
    timeout: i32,
    memory: i32,
    dead_letters: Option<String>,
}

#[derive(Clone, Debug)]
enum Program {
    Named(String),
    At(PathBuf),
}

impl Deployment {
    /// The function `name`, run by the workspace's program `program`.
    pub fn new(name: &str, program: &str) -> Self {
        Self::of(name, Program::Named(program.into()))
    }

    /// The function `name`, run by a program that is built already.
    pub fn at(name: &str, program: impl Into<PathBuf>) -> Self {
        Self::of(name, Program::At(program.into()))
    }

    fn of(name: &str, program: Program) -> Self {
        let (environment, dead_letters) = (HashMap::new(), None);
        Self { name: name.into(), program, environment, timeout: 30, memory: 256, dead_letters }
    }

    /// Sets variables of its environment; `AWS_ENDPOINT_URL` is the endpoint's where none is given.
    #[must_use]
    pub fn envs<N: Into<String>, V: Into<String>>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        self.environment.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Its timeout in seconds. Default 30.
    #[must_use]
    pub fn timeout(mut self, seconds: i32) -> Self {
        self.timeout = seconds;
        self
    }

    /// Its memory in MB. Default 256.
    #[must_use]
    pub fn memory(mut self, megabytes: i32) -> Self {
        self.memory = megabytes;
        self
    }

    /// The queue (its ARN) for events that failed for good.
    #[must_use]
    pub fn dead_letters(mut self, queue: &str) -> Self {
        self.dead_letters = Some(queue.into());
        self
    }

    /// Creates the function, waits until it is active, and returns its ARN.
    ///
    /// # Errors
    /// The compiler's last words, and what the endpoint answers.
    pub async fn deploy(self, aws: &Aws) -> Result<String> {
        let program = match self.program {
            Program::At(program) => program,
            Program::Named(name) => functions::binary(&name).await?,
        };
        let zip = blocking(move || zip(&program)).await?;
        let mut environment = self.environment;
        environment.entry("AWS_ENDPOINT_URL".into()).or_insert_with(|| aws.endpoint());
        let lambda = aws.lambda();
        let created = lambda
            .create_function()
            .function_name(&self.name)
            .runtime(Runtime::Providedal2023)
            .architectures(Architecture::X8664)
            .handler("bootstrap")
            .role(format!("arn:aws:iam::{}:role/{}", aws::ACCOUNT, self.name))
            .code(FunctionCode::builder().zip_file(Blob::new(zip)).build())
            .environment(Environment::builder().set_variables(Some(environment)).build())
            .timeout(self.timeout)
            .memory_size(self.memory)
            .set_dead_letter_config(
                self.dead_letters.map(|queue| DeadLetterConfig::builder().target_arn(queue).build()),
            )
            .send()
            .await
            .map_err(Error::aws(format!("create the function {}", self.name)))?;
        eventually(Duration::from_secs(30), format!("{} to be active", self.name), || async {
            let seen = lambda.get_function_configuration().function_name(&self.name).send().await.ok()?;
            (seen.state() == Some(&State::Active)).then_some(())
        })
        .await?;
        created.function_arn.ok_or_else(|| Error::Usage(format!("the endpoint gave {} no ARN", self.name)))
    }
}

fn zip(program: &Path) -> Result<Vec<u8>> {
    let folder = target().join("tools").join(format!("zip-{}-{}", std::process::id(), unique()));
    let made = functions::lay_out(program, &folder).and_then(|()| {
        let archive = folder.join("code.zip");
        let python = python()?.interpreter;
        run(Command::new(python)
            .args(["-m", "zipfile", "--create"])
            .arg(&archive)
            .arg("bootstrap")
            .current_dir(&folder))?;
        fs::read(&archive).map_err(Error::path("read", &archive))
    });
    let _ = fs::remove_dir_all(&folder);
    made
}
