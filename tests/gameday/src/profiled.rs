//! An application that a profile describes.

use chrono::{DateTime, Utc};
use harness::Deployment;
use patient::Process;
use patient::profiled::{Goes, Profiled, Shape};
use serde_json::{Value, json};

use crate::application::{Application, End, Kept, Says};
use crate::events::Execution;
use crate::expected::{COMPLETED, Expected, failed};
use crate::ground::{Ground, tell};
use crate::image::Image;
use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::world::World;

/// How many processes were completed before, one an hour.
const COMPLETED_BEFORE: u16 = 300;

/// What its state machine is called, and a function of its: every installation names one to look after.
const MACHINE: &str = "ingest-of-the-game";
const WORKER: &str = "worker-of-the-game";

impl World<Profiled> {
    /// An application that a profile describes, and some processes that it has completed.
    pub async fn of_profile(mode: Mode, shape: Shape) -> Outcome<Self> {
        let ground = Ground::start().await?;
        let patient = Profiled::deploy(&ground.aws, ground.database.pool(), shape, MACHINE).await?;
        for hours in 1..=COMPLETED_BEFORE {
            let (id, ..) = patient.planned();
            patient.insert(&id, shape.words.completed, None, f64::from(hours) * 3600.0).await?;
        }
        ground.done(&format!("{} is deployed, {COMPLETED_BEFORE} processes of it are completed", shape.name));
        let profile = shape.profile_path();
        let settings = [
            ("stateMachineArn", patient.state_machine_arn()),
            ("applicationProfile", &profile.to_string_lossy()),
            ("workerFunctionName", WORKER),
            ("applicationFunctionNames", WORKER),
            ("textLanguage", "en"),
        ];
        let patient = async |ground: &Ground| {
            Deployment::new(WORKER, "patient-worker").deploy(&ground.aws).await?;
            Ok(patient.clone())
        };
        let began = ground.began;
        let world = ground.deploy(mode, &settings, patient).await?;
        if mode == Mode::Act {
            // No column of its counts them, so nothing else would keep what became of a fault.
            let (by, reason) = ("game day", "each fault is played once");
            let stop = json!({"step": "retry-failed-processes", "stop": true, "by": by, "reason": reason});
            world.ask_for("control", &stop).await?;
            tell(began, "an operator has stopped the retries");
        }
        Ok(world)
    }
}

impl Application for Profiled {
    async fn begin(&self, goes: Goes) -> Outcome<Process<String>> {
        Ok(self.start(self.shape().words.processing, 0.0, goes).await?)
    }

    async fn accept_only(&self) -> Outcome<String> {
        let (id, ..) = self.planned();
        self.insert(&id, self.shape().words.pending, None, 0.0).await?;
        Ok(id)
    }

    async fn leave(&self, started_at: DateTime<Utc>) -> Outcome<(String, Execution)> {
        let (id, arn, input) = self.planned();
        let age = (Utc::now() - started_at).as_seconds_f64();
        self.insert(&id, self.shape().words.processing, Some(&arn), age).await?;
        Ok((id, Execution { arn, started_at, input: input.to_string() }))
    }

    async fn read(&self, process: &str) -> Outcome<Kept> {
        Ok(kept(self.shape(), self.row(process).await?))
    }

    /// Its rows say so from the beginning.
    fn is_at_work(_: &Kept) -> bool {
        true
    }

    async fn fingerprint(&self, but: &[String]) -> Outcome<(i64, Option<String>)> {
        Ok(Self::fingerprint(self, but).await?)
    }

    fn expects(&self, end: End) -> Expected {
        let shape = self.shape();
        match end {
            End::Succeeded if shape.completes_itself => {
                let open = Expected { status: "PROCESSING", result: false, actions: &[], steps: &[], ..COMPLETED };
                Expected { finding: Some("not_completed"), ..open }
            }
            End::Succeeded => COMPLETED,
            End::Failed => Expected { message: shape.cause, ..failed("STEP_FUNCTIONS_ERROR") },
            End::TimedOut => Expected {
                status: if shape.words.timed_out == shape.words.failed { "FAILED" } else { "TIMEOUT" },
                message: "The processing took longer than allowed",
                ..failed("TIMEOUT_ERROR")
            },
            // Where accepted and under way are one word, a row without an execution is one that has lost it.
            End::NeverStarted if shape.words.pending == shape.words.processing => self.expects(End::TimedOut),
            End::NeverStarted => {
                Expected { message: "The processing was never started", ..failed("STEP_FUNCTIONS_ERROR") }
            }
            // Where it has no word for that, a code tells it from a failure.
            End::Aborted if shape.words.cancelled == shape.words.failed => {
                Expected { status: "CANCELLED", message: "The processing was cancelled", ..failed("CANCELLED") }
            }
            End::Aborted => Expected { status: "CANCELLED", result: false, ..COMPLETED },
        }
    }

    fn says(&self, expected: &Expected) -> Says {
        let shape = self.shape();
        let status = match expected.status {
            "PROCESSING" => shape.words.processing,
            "COMPLETED" => shape.words.completed,
            "TIMEOUT" => shape.words.timed_out,
            "CANCELLED" => shape.words.cancelled,
            _ => shape.words.failed,
        };
        Says {
            status: status.to_owned(),
            error: (shape.error)(expected.code.map(|code| (code, expected.message))),
            result: expected.result && shape.keeps.result,
            ended: shape.keeps.end && expected.status != "PROCESSING",
            progress: None,
            other: json!(shape.other),
        }
    }
}

/// What a row says.
fn kept(shape: &Shape, all: Value) -> Kept {
    let status = all["status"].as_str().unwrap_or_default();
    let code = shape.error_code.and_then(|key| all["error"][key].as_str()).map(str::to_owned);
    let words = &shape.words;
    let meaning = match status {
        word if word == words.completed => "COMPLETED",
        word if word == words.cancelled && (word != words.failed || code.as_deref() == Some("CANCELLED")) => {
            "CANCELLED"
        }
        word if word == words.failed => "FAILED",
        word if word == words.timed_out => "TIMEOUT",
        word if word == words.pending && word != words.processing => "PENDING",
        _ => "PROCESSING",
    };
    let says = Says {
        status: status.to_owned(),
        error: all["error"].clone(),
        result: !all["result"].is_null(),
        ended: !all["ended"].is_null(),
        progress: None,
        other: all["other"].clone(),
    };
    Kept {
        says,
        image: Image { status: status.to_owned(), progress: None, code: code.clone() },
        understood: Image { status: meaning.to_owned(), progress: Some(0), code },
        all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_understood_by_the_words_and_the_codes_of_its_application() {
        let by_error = |code: &str| json!({"Error": code, "Cause": "…"});
        for (application, status, error, meaning) in [
            ("archive-ingest", "running", json!({}), "PROCESSING"),
            ("archive-ingest", "failed", by_error("STEP_FUNCTIONS_ERROR"), "FAILED"),
            ("archive-ingest", "failed", by_error("CANCELLED"), "CANCELLED"),
            ("transfer-checks", "Failed", Value::Null, "FAILED"),
            ("genomics", "CREATED", Value::Null, "PENDING"),
            ("genomics", "ABORTED", Value::Null, "CANCELLED"),
            ("genomics", "TIMED_OUT", json!({"label": "TIMEOUT_ERROR"}), "TIMEOUT"),
            ("satellite-jobs", "PENDING", Value::Null, "PENDING"),
            ("satellite-jobs", "SUCCEEDED", Value::Null, "COMPLETED"),
        ] {
            let row = json!({"status": status, "error": error});
            let understood = Shape::named(application).map(|shape| kept(&shape, row).understood.status);
            assert_eq!(understood.as_deref(), Some(meaning), "{application}: {status} {error}");
        }
    }
}
