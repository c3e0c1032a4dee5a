use crate::aws;
use crate::error::{Error, Result};
use crate::guardian::{Guarded, Order};
use crate::paths::{locked, run_directory, target};
use crate::tools::{blocking, node_modules};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The real CDK with the app in `infra/`, against an endpoint.
///
/// ```no_run
/// # async fn example(aws: &harness::Aws, database: harness::Database) -> harness::Result<()> {
/// use harness::{Cdk, functions};
/// let machine = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";
/// functions::stage(&functions::folder(), &functions::names()?).await?;
/// let cdk = Cdk::new(&aws.endpoint()).await?;
/// cdk.bootstrap().await?;
/// let outputs = cdk.deploy("Remediation", &[("stateMachineArn", machine), ("databaseUrl", &database.url())]).await?;
/// println!("{}", outputs["DeadLetterQueueUrl"]);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Cdk {
    place: Arc<Place>,
    environment: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Place {
    infra: PathBuf,
    work: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.work);
    }
}

impl Cdk {
    /// For this endpoint; the CDK is installed where it is not.
    ///
    /// # Errors
    /// Those of [`node_modules`].
    pub async fn new(endpoint: &str) -> Result<Self> {
        let place = blocking(|| Ok(Place { infra: node_modules()?, work: run_directory(&target(), "cdk")? })).await?;
        let mut environment = aws::environment(endpoint);
        let variables = [
            // Its caches are as short-lived as the endpoint.
            ("HOME", text(&place.work)),
            ("TMPDIR", text(&place.work)),
            ("CDK_DISABLE_CLI_TELEMETRY", "true".into()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("CI", "true".into()),
            ("NO_COLOR", "1".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ];
        environment.extend(variables.map(|(name, value)| (name.to_owned(), value)));
        Ok(Self { place: Arc::new(place), environment })
    }

    /// Makes the templates with these settings (see `infra/README.md`) and returns the folder that holds them.
    ///
    /// # Errors
    /// [`Error::Command`] with the app's own words about its settings.
    pub async fn synth(&self, context: &[(&str, &str)]) -> Result<PathBuf> {
        let output = self.place.work.join(format!("assembly-{}", crate::paths::unique()));
        let mut arguments = words(&["synth", "--quiet", "--no-notices", "--no-version-reporting", "--output"]);
        arguments.push(text(&output));
        for (name, value) in context {
            arguments.extend(["--context".to_owned(), format!("{name}={value}")]);
        }
        // The app is compiled into one folder, which another process may be running it from.
        self.cdk(arguments, Some("it compiles the CDK app")).await?;
        Ok(output)
    }

    /// Prepares the account for deployments, once for each endpoint.
    ///
    /// # Errors
    /// [`Error::Command`] with the CDK's last words.
    pub async fn bootstrap(&self) -> Result<()> {
        let account = format!("aws://{}/{}", aws::ACCOUNT, aws::REGION);
        self.cdk(words(&["bootstrap", &account, "--no-notices"]), None).await.map(drop)
    }

    /// Deploys a stack with these settings and returns its outputs.
    ///
    /// # Errors
    /// [`Error::Command`] with the CDK's last words.
    pub async fn deploy(&self, stack: &str, context: &[(&str, &str)]) -> Result<BTreeMap<String, String>> {
        let assembly = self.synth(context).await?;
        self.deploy_assembly(stack, &assembly).await
    }

    /// Deploys a stack of an assembly that [`Self::synth`] made.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub async fn deploy_assembly(&self, stack: &str, assembly: &Path) -> Result<BTreeMap<String, String>> {
        let outputs = assembly.with_extension("outputs.json");
        let mut arguments =
            words(&["deploy", stack, "--no-notices", "--require-approval=never", "--progress=events", "--app"]);
        arguments.extend([text(assembly), "--outputs-file".into(), text(&outputs)]);
        self.cdk(arguments, None).await?;
        let content = fs::read(&outputs).map_err(Error::path("read", &outputs))?;
        let mut stacks: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_slice(&content)
            .map_err(|error| Error::Usage(format!("{}: {error}", outputs.display())))?;
        Ok(stacks.remove(stack).unwrap_or_default())
    }

    /// Removes a stack.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub async fn destroy(&self, stack: &str, assembly: &Path) -> Result<()> {
        let mut arguments = words(&["destroy", stack, "--no-notices", "--force", "--app"]);
        arguments.push(text(assembly));
        self.cdk(arguments, None).await.map(drop)
    }

    /// Runs the tests of `infra/` and returns what they said.
    ///
    /// # Errors
    /// [`Error::Command`] with the last words of the tests.
    pub async fn npm_test(&self) -> Result<String> {
        self.run(words(&["npm", "test"]), &self.place.infra, Some("it tests the CDK app")).await
    }

    async fn cdk(&self, arguments: Vec<String>, exclusive: Option<&'static str>) -> Result<String> {
        let program = self.place.infra.join("node_modules/aws-cdk/bin/cdk");
        let command = ["node".to_owned(), text(&program)].into_iter().chain(arguments).collect();
        // With an assembly there is nothing to compile: away from cdk.json it is not tried.
        let directory = if exclusive.is_some() { &self.place.infra } else { &self.place.work };
        self.run(command, directory, exclusive).await
    }

    async fn run(&self, command: Vec<String>, directory: &Path, exclusive: Option<&'static str>) -> Result<String> {
        let line = command.iter().filter(|word| !word.starts_with('/')).cloned().collect::<Vec<_>>().join(" ");
        let order = Order {
            command,
            env: self.environment.clone(),
            directory: Some(directory.to_owned()),
            signal: "SIGTERM",
            grace: 2,
            ..Order::default()
        };
        blocking(move || match exclusive {
            Some(purpose) => locked(&target().join("tools/cdk.lock"), purpose, || to_the_end(&line, &order)),
            None => to_the_end(&line, &order),
        })
        .await
    }
}

/// Under a guardian too: a test that is killed must not leave a deployment running.
fn to_the_end(line: &str, order: &Order) -> Result<String> {
    let process = Guarded::start(line, order)?;
    let code = loop {
        match process.exited() {
            Some(code) => break code,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    match code {
        0 => Ok(process.lines().join("\n")),
        code => Err(Error::Command {
            command: line.chars().take(160).collect(),
            status: format!("exit code {code}"),
            output: process.last_words(),
        }),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
