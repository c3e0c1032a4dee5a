//! The four applications.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::shape::{Keeps, Shape, Words};

/// A file of a profile's folder.
macro_rules! file {
    ($application:literal, $name:literal) => {
        include_str!(concat!("../../../profiles/", $application, "/", $name))
    };
}

impl Shape {
    /// All four.
    pub const ALL: [Self; 4] = [ARCHIVE_INGEST, TRANSFER_CHECKS, GENOMICS, SATELLITE_JOBS];

    /// The one of that name or letter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name == name || shape.letter == name)
    }
}

const ARCHIVE_INGEST: Shape = Shape {
    name: "archive-ingest",
    letter: "A",
    profile: file!("archive-ingest", "application.toml"),
    ddl: file!("archive-ingest", "table.sql"),
    machine: file!("archive-ingest", "machine.json"),
    table: ("executions", "cumulus_id"),
    insert: "INSERT INTO executions (cumulus_id, status, arn, created_at, updated_at)
             VALUES ($1::int8, $2, $3, now() - make_interval(secs => $4), now() - make_interval(secs => $4))",
    read: "SELECT jsonb_build_object('status', status, 'error', error, 'result', final_payload, 'row', to_jsonb(executions))
             FROM executions WHERE cumulus_id = $1::int8",
    cancel: Some(
        r#"UPDATE executions SET status = 'failed', error = '{"Error": "CANCELLED", "Cause": "by its user"}', updated_at = now()
            WHERE cumulus_id = $1::int8"#,
    ),
    words: Words {
        pending: "running",
        processing: "running",
        completed: "completed",
        failed: "failed",
        timed_out: "failed",
        cancelled: "failed",
    },
    id: || (Uuid::new_v4().as_u128() % 1_000_000_007).to_string(),
    input: |_| json!({ "collection": "MOD09GQ" }),
    called: |_| Uuid::new_v4().to_string(),
    error: |error| error.map_or(json!({}), |(code, message)| json!({ "Error": code, "Cause": message })),
    error_code: Some("Error"),
    cause: "the archive did not answer",
    keeps: Keeps { result: true, end: false },
    completes_itself: true,
    other: None,
};

const TRANSFER_CHECKS: Shape = Shape {
    name: "transfer-checks",
    letter: "B",
    profile: file!("transfer-checks", "application.toml"),
    ddl: file!("transfer-checks", "table.sql"),
    machine: file!("transfer-checks", "machine.json"),
    table: (r#""ConsignmentStatus""#, r#""ConsignmentId""#),
    insert: r#"WITH other AS (INSERT INTO "ConsignmentStatus" ("ConsignmentId", "StatusType", "Value", "CreatedDatetime")
                              VALUES ($1::uuid, 'ServerFFID', 'InProgress', now() - make_interval(secs => $4)))
               INSERT INTO "ConsignmentStatus" ("ConsignmentId", "StatusType", "Value", "CreatedDatetime")
               SELECT $1::uuid, 'ServerChecksum', $2, now() - make_interval(secs => $4) WHERE coalesce($3, '') <> 'x'"#,
    read: r#"SELECT jsonb_build_object('status', "Value", 'error', NULL, 'row', to_jsonb("ConsignmentStatus"),
                    'other', (SELECT o."Value" FROM "ConsignmentStatus" o
                               WHERE o."ConsignmentId" = $1::uuid AND o."StatusType" = 'ServerFFID'))
               FROM "ConsignmentStatus" WHERE "ConsignmentId" = $1::uuid AND "StatusType" = 'ServerChecksum'"#,
    cancel: None,
    words: Words {
        pending: "InProgress",
        processing: "InProgress",
        completed: "Completed",
        failed: "Failed",
        timed_out: "Failed",
        cancelled: "Failed",
    },
    id: || Uuid::new_v4().to_string(),
    // As an input may spell it, and the column does not.
    input: |id| json!({ "consignmentId": id.to_uppercase() }),
    called: |_| format!("TDR-2026-{}-{}", &Uuid::new_v4().simple().to_string()[..4], Utc::now().timestamp_millis()),
    error: |_| Value::Null,
    error_code: None,
    cause: "a file does not match",
    keeps: Keeps { result: false, end: false },
    completes_itself: false,
    other: Some("InProgress"),
};

const GENOMICS: Shape = Shape {
    name: "genomics",
    letter: "C",
    profile: file!("genomics", "application.toml"),
    ddl: file!("genomics", "table.sql"),
    machine: file!("genomics", "machine.json"),
    table: ("workflow_run", "id"),
    insert: "INSERT INTO workflow_run (id, status, execution_id, started_at)
             VALUES ($1::uuid, $2, $3, now() - make_interval(secs => $4))",
    read: "SELECT jsonb_build_object('status', status, 'result', outputs_json, 'ended', ended_at, 'row', to_jsonb(workflow_run),
                    'error', CASE WHEN error_label IS NOT NULL THEN jsonb_build_object('label', error_label, 'message', error_message) END)
             FROM workflow_run WHERE id = $1::uuid",
    cancel: Some("UPDATE workflow_run SET status = 'ABORTED', ended_at = now() WHERE id = $1::uuid"),
    words: Words {
        pending: "CREATED",
        processing: "RUNNING",
        completed: "SUCCEEDED",
        failed: "FAILED",
        timed_out: "TIMED_OUT",
        cancelled: "ABORTED",
    },
    id: || Uuid::new_v4().to_string(),
    input: |_| json!({ "sample": "NA12878" }),
    called: |_| Uuid::new_v4().to_string(),
    error: |error| error.map_or(Value::Null, |(code, message)| json!({ "label": code, "message": message })),
    error_code: Some("label"),
    cause: "too few reads",
    keeps: Keeps { result: true, end: true },
    completes_itself: false,
    other: None,
};

const SATELLITE_JOBS: Shape = Shape {
    name: "satellite-jobs",
    letter: "D",
    profile: file!("satellite-jobs", "application.toml"),
    ddl: file!("satellite-jobs", "table.sql"),
    machine: file!("satellite-jobs", "machine.json"),
    table: ("jobs", "job_id"),
    insert: "INSERT INTO jobs (job_id, status_code, execution_started, request_time)
             VALUES ($1, $2, coalesce($3, '') <> 'x', now() - make_interval(secs => $4))",
    read: "SELECT jsonb_build_object('status', status_code, 'error', NULL, 'row', to_jsonb(jobs)) FROM jobs WHERE job_id = $1",
    cancel: None,
    words: Words {
        pending: "PENDING",
        processing: "RUNNING",
        completed: "SUCCEEDED",
        failed: "FAILED",
        timed_out: "FAILED",
        cancelled: "FAILED",
    },
    id: || Uuid::new_v4().to_string().to_uppercase(),
    input: |id| json!({ "job_id": id }),
    called: str::to_owned,
    error: |_| Value::Null,
    error_code: None,
    cause: "the scene is cloudy",
    keeps: Keeps { result: false, end: false },
    completes_itself: false,
    other: None,
};
