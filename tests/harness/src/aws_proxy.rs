use crate::aws;
use crate::error::{Error, Result};
use crate::operation::{Operation, Protocol};
use aws_config::SdkConfig;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header, request};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An HTTP proxy in front of an AWS endpoint: it counts calls, and fails, changes or watches them as a test says.
///
/// Operations have the names that the API gives them (`DescribeExecution`); `*` stands for all of them.
///
/// ```no_run
/// # async fn example(aws: &harness::Aws) -> harness::Result<()> {
/// use harness::{AwsProxy, Failure};
/// let proxy = AwsProxy::start(&aws.endpoint()).await?;
/// proxy.fail("StopExecution", Failure::error("ThrottlingException").times(2));
/// proxy.rewrite("DescribeExecution", |answer| answer["status"] = "TIMED_OUT".into());
/// let function = harness::Function::builder("reconcile-processes").envs(proxy.environment()).start().await?;
/// function.invoke(&serde_json::json!({"all": true})).await?;
/// assert_eq!(proxy.calls("StopExecution"), 3);
/// # Ok(()) }
/// ```
pub struct AwsProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// How a call is to fail.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: Kind,
    times: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    Answer { status: StatusCode, code: String, message: String },
    Silence,
}

impl Failure {
    /// An error of the service by its code, with status 400.
    pub fn error(code: &str) -> Self {
        let message = "scripted by the test".into();
        Self { kind: Kind::Answer { status: StatusCode::BAD_REQUEST, code: code.into(), message }, times: usize::MAX }
    }

    /// No answer at all, until the caller gives up.
    pub fn silence() -> Self {
        Self { kind: Kind::Silence, times: usize::MAX }
    }

    /// Another HTTP status than 400, for instance 429 for Lambda's `TooManyRequestsException` or 503.
    ///
    /// # Panics
    /// When it is no HTTP status.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a mistake in the test, best shown where it was made")]
    pub fn status(mut self, new: u16) -> Self {
        if let Kind::Answer { status, .. } = &mut self.kind {
            *status = StatusCode::from_u16(new).expect("an HTTP status");
        }
        self
    }

    /// What the service says about it.
    #[must_use]
    pub fn message(mut self, new: &str) -> Self {
        if let Kind::Answer { message, .. } = &mut self.kind {
            *message = new.into();
        }
        self
    }

    /// Only the next `times` calls; the SDK's own retries count.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

type Rewrite = Arc<dyn Fn(&mut Value) + Send + Sync>;
type Hook = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What a test wants of one operation.
#[derive(Clone, Default)]
struct Script {
    failures: Vec<Failure>,
    answer: Option<Value>,
    rewrite: Option<Rewrite>,
    before: Option<Hook>,
    after: Option<Hook>,
}

impl Script {
    fn failure(&mut self) -> Option<Failure> {
        self.failures.retain(|failure| failure.times > 0);
        let failure = self.failures.first_mut()?;
        failure.times -= 1;
        Some(failure.clone())
    }
}

struct Shared {
    endpoint: String,
    client: Client<HttpConnector, Body>,
    scripts: Mutex<BTreeMap<String, Script>>,
    requests: Mutex<Vec<(String, Value)>>,
}

impl AwsProxy {
    /// A proxy for the endpoint with this URL.
    ///
    /// # Errors
    /// [`Error::Io`] when no port can be listened to.
    pub async fn start(endpoint: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("listen for AWS clients"))?;
        let address = listener.local_addr().map_err(Error::io("listen for AWS clients"))?;
        let shared = Arc::new(Shared {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            scripts: Mutex::default(),
            requests: Mutex::default(),
        });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, shared, server })
    }

    /// Its URL, fit for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variables by which a child process takes it for AWS.
    pub fn environment(&self) -> BTreeMap<String, String> {
        aws::environment(&self.endpoint())
    }

    /// A configuration for SDK clients that go through it.
    pub async fn sdk_config(&self) -> SdkConfig {
        aws::config(&self.endpoint()).await
    }

    /// How often an operation was called since the start or the last reset, failed calls and the SDK's retries included.
    pub fn calls(&self, operation: &str) -> usize {
        self.requests(operation).len()
    }

    /// All operations that were called, and how often.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        lock(&self.shared.requests).iter().fold(BTreeMap::new(), |mut counts, (name, _)| {
            *counts.entry(name.clone()).or_default() += 1;
            counts
        })
    }

    /// What was asked of an operation, in order; null where the request was not JSON.
    pub fn requests(&self, operation: &str) -> Vec<Value> {
        let requests = lock(&self.shared.requests);
        let of_it = requests.iter().filter(|(name, _)| operation == "*" || name == operation);
        of_it.map(|(_, body)| body.clone()).collect()
    }

    /// Counts from zero again; what was scripted stays.
    pub fn reset(&self) {
        lock(&self.shared.requests).clear();
    }

    /// Forgets what was scripted.
    pub fn clear(&self) {
        lock(&self.shared.scripts).clear();
    }

    /// Lets an operation fail; several failures come one after the other.
    pub fn fail(&self, operation: &str, failure: Failure) {
        self.script(operation, |script| script.failures.push(failure));
    }

    /// Answers an operation with this payload; the endpoint is not asked. A text is the XML that a service like RDS answers with;
    /// what CloudWatch answers becomes CBOR, its texts in the form of a time become times, and a number with a point is a float there.
    pub fn answer(&self, operation: &str, payload: Value) {
        self.script(operation, |script| script.answer = Some(payload));
    }

    /// Changes the endpoint's good answers to an operation, for states that the endpoint does not have (`TIMED_OUT`, redrive).
    pub fn rewrite(&self, operation: &str, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.script(operation, |script| script.rewrite = Some(Arc::new(change)));
    }

    /// Runs something each time before an operation is forwarded, for instance a change of the row that is decided about.
    pub fn before<F, Fut>(&self, operation: &str, hook: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.script(operation, |script| script.before = Some(Arc::new(move || Box::pin(hook()))));
    }

    /// Runs something each time between the endpoint's answer and its delivery: what the caller then reads is out of date.
    pub fn after<F, Fut>(&self, operation: &str, hook: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.script(operation, |script| script.after = Some(Arc::new(move || Box::pin(hook()))));
    }

    fn script(&self, operation: &str, change: impl FnOnce(&mut Script)) {
        change(lock(&self.shared.scripts).entry(operation.to_owned()).or_default());
    }
}

impl Drop for AwsProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let operation = Operation::of(&head.method, head.uri.path(), &head.headers, &body);
    let asked = serde_json::from_slice(&body).unwrap_or_default();
    lock(&shared.requests).push((operation.name.clone(), asked));

    let (failure, script) = shared.script(&operation.name);
    match failure.map(|failure| failure.kind) {
        Some(Kind::Answer { status, code, message }) => return operation.protocol.error(status, &code, &message),
        Some(Kind::Silence) => std::future::pending().await,
        None => {}
    }
    if let Some(before) = script.before {
        before().await;
    }
    let answer = match script.answer {
        Some(Value::String(xml)) if operation.protocol == Protocol::Query => {
            ([(header::CONTENT_TYPE, "text/xml")], xml).into_response()
        }
        Some(payload) if operation.protocol == Protocol::Cbor => {
            let headers = [(header::CONTENT_TYPE.as_str(), "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
            (headers, crate::cbor::encode(&payload)).into_response()
        }
        Some(payload) => axum::Json(payload).into_response(),
        None => shared.forward(head, body, operation.protocol, script.rewrite).await,
    };
    if let Some(after) = script.after {
        after().await;
    }
    answer
}

impl Shared {
    /// What is wanted of an operation: what was said of it by name goes before what was said of all.
    fn script(&self, operation: &str) -> (Option<Failure>, Script) {
        let mut scripts = lock(&self.scripts);
        let mut failure = |name| scripts.get_mut(name).and_then(Script::failure);
        let failure = failure(operation).or_else(|| failure("*"));
        let wanted = |name| scripts.get(name).cloned().unwrap_or_default();
        let (script, any): (Script, Script) = (wanted(operation), wanted("*"));
        let merged = Script {
            failures: Vec::new(),
            answer: script.answer.or(any.answer),
            rewrite: script.rewrite.or(any.rewrite),
            before: script.before.or(any.before),
            after: script.after.or(any.after),
        };
        (failure, merged)
    }

    async fn forward(
        &self,
        mut head: request::Parts,
        body: Bytes,
        protocol: Protocol,
        rewrite: Option<Rewrite>,
    ) -> Response {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let gone = |error: &dyn std::fmt::Display| {
            protocol.error(StatusCode::BAD_GATEWAY, "BadGateway", &format!("the endpoint behind the proxy: {error}"))
        };
        head.uri = match format!("{}{path}", self.endpoint).parse::<Uri>() {
            Ok(uri) => uri,
            Err(error) => return gone(&error),
        };
        // The body is sent whole, so its length is known.
        head.headers.remove(header::TRANSFER_ENCODING);
        let answer = match self.client.request(Request::from_parts(head, Body::from(body))).await {
            Ok(answer) => answer,
            Err(error) => return gone(&error),
        };
        let (mut head, body) = answer.into_parts();
        let body = match to_bytes(Body::new(body), usize::MAX).await {
            Ok(body) => body,
            Err(error) => return gone(&error),
        };
        let changed = rewrite.filter(|_| head.status.is_success()).and_then(|rewrite| {
            let mut payload = serde_json::from_slice(&body).ok()?;
            rewrite(&mut payload);
            Some(Bytes::from(payload.to_string()))
        });
        for name in [header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::CONNECTION] {
            head.headers.remove(name);
        }
        // Checksums of the answer that was changed would not fit.
        if changed.is_some() {
            head.headers.remove("x-amz-crc32");
        }
        Response::from_parts(head, Body::from(changed.unwrap_or(body)))
    }
}
