//! AWS, as far as the functions ask it: an endpoint whose answers are built from the documented payloads, and whose state their calls
//! really change. A stopped execution is ABORTED, an updated function is as it was updated.
//!
//! A call that is not known here is answered with an error that names it, and is named again where a case fails.

mod cbor;
mod cloudwatch;
mod lambda;
mod logs;
mod pattern;
mod query;
mod state;
mod step_functions;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State as Extracted};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use harness::Operation;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::failure::Failure;
pub(crate) use state::State;

/// The state machine of all cases.
pub(crate) const STATE_MACHINE_ARN: &str = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai-processing";
/// The topic of all cases.
pub(crate) const NOTIFY_TOPIC_ARN: &str = "arn:aws:sns:ap-northeast-1:123456789012:remediation";
/// The secret of a case that has one.
pub(crate) const SECRET_ARN: &str = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:database-AbCdEf";

/// A running endpoint.
pub(crate) struct Aws {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

/// An error as a service answers it.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Fault {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }
}

/// What a service answers.
pub(crate) type Answered = Result<Value, Fault>;

impl Aws {
    /// With nothing but what every case has.
    pub async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::new()));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&state));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, state, server })
    }

    /// The variables by which a function takes it for AWS.
    pub fn environment(&self) -> BTreeMap<String, String> {
        harness::aws::environment(&format!("http://{}", self.address))
    }

    /// What it knows.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(Extracted(state): Extracted<Arc<Mutex<State>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let operation = Operation::of(&head.method, head.uri.path(), &head.headers, &body);
    let answered = match wire::asked(&operation, &head, &body) {
        Ok(asked) => state.lock().unwrap_or_else(PoisonError::into_inner).answer(&operation.name, &asked),
        Err(unreadable) => Err(Fault::new(400, "SerializationException", unreadable)),
    };
    wire::answer(&operation, answered)
}
