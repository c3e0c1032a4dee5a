//! The HTTP interface through which Lambda hands events to a runtime, for one process.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use crate::error::{Error, FunctionError, Result};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// The most that a synchronous invocation may answer.
const RESPONSE_LIMIT: usize = 6_291_556;

pub(crate) type Answer = Result<Value, FunctionError>;

/// How far the process has come with its start.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    Starting,
    Ready(SystemTime),
    Failed(FunctionError),
}

struct Invocation {
    id: String,
    event: Value,
    deadline: SystemTime,
    arn: String,
}

struct Shared {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    open: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    start: watch::Sender<Start>,
}

pub(crate) struct RuntimeApi {
    pub address: SocketAddr,
    queue: mpsc::UnboundedSender<Invocation>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("listen for the Runtime API"))?;
        let address = listener.local_addr().map_err(Error::io("listen for the Runtime API"))?;
        let (queue, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            waiting: tokio::sync::Mutex::new(waiting),
            open: Mutex::default(),
            start: watch::Sender::new(Start::Starting),
        });
        let runtime = Router::new()
            .route("/invocation/next", get(next))
            .route("/invocation/{id}/response", post(response))
            .route("/invocation/{id}/error", post(error))
            .route("/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let router = Router::new().nest("/2018-06-01/runtime", runtime);
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, queue, shared, server })
    }

    pub fn state(&self) -> watch::Receiver<Start> {
        self.shared.start.subscribe()
    }

    /// Hands an event to the process; the answer comes through the channel.
    pub fn send(&self, id: &str, arn: &str, event: &Value, timeout: Duration) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), answer);
        let deadline = SystemTime::now() + timeout;
        // The receiver lives as long as `shared`, which lives as long as this.
        let _ = self.queue.send(Invocation { id: id.into(), event: event.clone(), deadline, arn: arn.into() });
        answered
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn answer(&self, id: &str, answer: Answer) -> Response {
        match self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
            Some(waiting) => {
                let _ = waiting.send(answer);
                accepted()
            }
            None => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        }
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.start.send_if_modified(|start| {
        let first = matches!(start, Start::Starting);
        if first {
            *start = Start::Ready(SystemTime::now());
        }
        first
    });
    let Some(invocation) = shared.waiting.lock().await.recv().await else {
        return refused(StatusCode::GONE, "Gone", "the environment is being shut down");
    };
    let deadline = invocation.deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let random = invocation.id.replace('-', "");
    let trace = format!("Root=1-{:08x}-{};Parent={};Sampled=0", deadline / 1000, &random[..24], &random[16..]);
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", invocation.arn),
        ("lambda-runtime-trace-id", trace),
    ];
    (headers, Json(invocation.event)).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    if body.len() > RESPONSE_LIMIT {
        let error_type = "Function.ResponseSizeTooLarge".to_owned();
        let error_message =
            format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).");
        shared.answer(&id, Err(FunctionError { error_type: error_type.clone(), error_message: error_message.clone() }));
        return refused(StatusCode::PAYLOAD_TOO_LARGE, &error_type, &error_message);
    }
    let not_json = |error: serde_json::Error| FunctionError {
        error_type: "Runtime.InvalidResponse".into(),
        error_message: format!("the function answered something that is not JSON: {error}"),
    };
    shared.answer(&id, serde_json::from_slice(&body).map_err(not_json))
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    shared.answer(&id, Err(told(&body)))
}

async fn init_error(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    shared.start.send_replace(Start::Failed(told(&body)));
    accepted()
}

fn told(body: &[u8]) -> FunctionError {
    serde_json::from_slice(body).unwrap_or_else(|_| FunctionError {
        error_type: "Runtime.UnknownReason".into(),
        error_message: String::from_utf8_lossy(body).into_owned(),
    })
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn refused(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({"errorType": error, "errorMessage": message}))).into_response()
}
