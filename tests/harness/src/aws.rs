//! The AWS endpoint, and how children and clients find it.

use crate::error::{Error, Result};
use crate::guardian::{Guarded, Order};
use crate::paths::{free_port, run_directory, target};
use crate::tools::{blocking, python};
use crate::wait::eventually;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

/// The region of everything here: the guide's.
pub const REGION: &str = "ap-northeast-1";
/// The endpoint's account.
pub const ACCOUNT: &str = "000000000000";

/// An AWS endpoint (MiniStack) on a loopback port: Step Functions, Lambda, EventBridge, SQS, CloudFormation and more.
///
/// It has the limits that `facts` lists; it is reached only by `AWS_ENDPOINT_URL`, so any other emulator does as well.
#[derive(Debug)]
pub struct Aws {
    process: Guarded,
    port: u16,
    config: SdkConfig,
}

impl Aws {
    /// Starts an endpoint of its own, for tests that deploy or break things.
    ///
    /// # Errors
    /// Those of [`crate::tools::python`], and the endpoint's own last words.
    pub async fn start() -> Result<Self> {
        let mut attempt = 1;
        loop {
            let (process, port) = blocking(spawn).await?;
            match wait_until_ready(&process, port).await {
                Ok(()) => {
                    let config = config(&format!("http://127.0.0.1:{port}")).await;
                    return Ok(Self { process, port, config });
                }
                // The port was free a moment ago; somebody else was quicker.
                Err(Error::Ended { output, .. }) if attempt < 5 && output.contains("in use") => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The endpoint of this test process, started by whoever asks first.
    ///
    /// # Errors
    /// See [`Aws::start`].
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Aws> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// Its loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, fit for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The variables by which a child process finds it.
    pub fn environment(&self) -> BTreeMap<String, String> {
        environment(&self.endpoint())
    }

    /// The process, for tests that look at its log or stop it.
    pub fn process(&self) -> &Guarded {
        &self.process
    }

    /// A configuration for any SDK client.
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.config
    }

    /// A Step Functions client.
    pub fn sfn(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config)
    }

    /// A Lambda client.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    /// An EventBridge client.
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    /// An SQS client.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }
}

/// A configuration for SDK clients of any endpoint, for instance a proxy's.
pub async fn config(endpoint: &str) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(60)).build();
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(aws_sdk_sfn::config::Credentials::new("test", "test", None, None, "harness"))
        .timeout_config(timeouts)
        .endpoint_url(endpoint)
        .load()
        .await
}

/// The variables by which a child process finds an endpoint.
pub fn environment(endpoint: &str) -> BTreeMap<String, String> {
    let mut all = credentials();
    // The CDK's asset publishing asks for the second; S3 by host names needs a name server.
    all.extend(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].map(|name| (name.to_owned(), endpoint.to_owned())));
    all
}

/// Credentials that are none, and the region.
pub(crate) fn credentials() -> BTreeMap<String, String> {
    let values = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
    ];
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn spawn() -> Result<(Guarded, u16)> {
    let interpreter = python()?.interpreter;
    let directory = run_directory(&target(), "aws")?;
    let (port, place) = (free_port()?, directory.to_string_lossy().into_owned());
    // Without its own URL: it would force that on every function, even on one that is to go through a proxy.
    let mut env = credentials();
    let settings = [
        ("GATEWAY_PORT", port.to_string()),
        ("BIND_HOST", "127.0.0.1".into()),
        ("MINISTACK_REGION", REGION.into()),
        ("MINISTACK_ACCOUNT_ID", ACCOUNT.into()),
        ("STATE_DIR", format!("{place}/state")),
        ("S3_DATA_DIR", format!("{place}/s3")),
        ("TMPDIR", place.clone()),
        ("HOME", place.clone()),
        // As quickly as it goes; Lambda itself waits one and two minutes.
        ("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0.05".into()),
        ("PYTHONUNBUFFERED", "1".into()),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
    ];
    env.extend(settings.map(|(name, value)| (name.to_owned(), value)));
    let order = Order {
        command: [&interpreter.to_string_lossy(), "-m", "ministack"].map(str::to_owned).into(),
        env,
        directory: Some(directory.clone()),
        uid: None,
        // Nothing of its state is wanted.
        signal: "SIGKILL",
        grace: 2,
        remove: vec![directory.clone()],
    };
    let started = Guarded::start("the AWS endpoint", &order);
    if started.is_err() {
        let _ = std::fs::remove_dir_all(&directory);
    }
    Ok((started?, port))
}

async fn wait_until_ready(process: &Guarded, port: u16) -> Result<()> {
    eventually(Duration::from_secs(30), "the AWS endpoint to answer", || async {
        if let Err(error) = process.check() {
            return Some(Err(error));
        }
        // Its own word first: somebody else's endpoint may have taken the port.
        let running = process.lines().iter().any(|line| line.contains("Running on"));
        let connected = running && TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        connected.then_some(Ok(()))
    })
    .await?
}
