//! The application's two Lambda functions: the one that does the work, and the one that writes its status.
//!
//! Like the real ones they write rows without looking at what stands there, and log a line of JSON for each step.

use std::time::{Duration, Instant};

use chrono::Utc;
use harness::eventually;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::behaviour::Behaviour;
use crate::error::Error;
use crate::table::{self, Variant};

/// Longer than any workflow of the patient runs.
const LONGEST: Duration = Duration::from_secs(900);

/// What a function is called with.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    process_id: Uuid,
    user_id: Uuid,
    #[serde(rename = "type")]
    kind: String,
    params: Params,
    /// Of the status updater: what to write.
    status: Option<String>,
    result: Option<Value>,
    error: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
struct Params {
    #[serde(default)]
    behaviour: Behaviour,
}

/// What both functions need.
#[derive(Debug, Clone)]
pub struct Worker {
    pool: PgPool,
    variant: Variant,
    started: Instant,
}

impl Worker {
    /// Reads `DATABASE_URL` and `TABLE_VARIANT`; connects when it has something to say.
    ///
    /// # Errors
    /// Where one of them is missing or makes no sense.
    pub fn from_environment() -> Result<Self, lambda_runtime::Error> {
        let variable = |name| std::env::var(name).map_err(|error| format!("{name}: {error}"));
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy(&variable("DATABASE_URL")?)?;
        let variant = Variant::named(&variable("TABLE_VARIANT")?).ok_or("TABLE_VARIANT is the name of no variant")?;
        Ok(Self { pool, variant, started: Instant::now() })
    }

    /// `ai-generation-worker`: does the work and returns its result, or ends as the behaviour says.
    ///
    /// # Errors
    /// The application's error.
    pub async fn generate(&self, task: &Task) -> Result<Value, Diagnostic> {
        let worker = Self { started: Instant::now(), ..self.clone() };
        worker.log(task, "INFO", "AI生成を開始しました", None);
        worker.advance(task, 10).await?;
        worker.advance(task, 50).await?;
        match &task.params.behaviour {
            Behaviour::Succeed | Behaviour::LoseLastUpdate => worker.succeed(task).await,
            Behaviour::Fail { code, recorded } => worker.fail(task, code, *recorded).await,
            Behaviour::FailFirst { code } => match worker.is_first_attempt(task).await? {
                true => worker.fail(task, code, true).await,
                false => worker.succeed(task).await,
            },
            Behaviour::FailInHandler { code } => worker.fail(task, code, false).await,
            Behaviour::ReturnFailure { code } => {
                let error = failure(code);
                worker.log(task, "ERROR", explanation(code), Some(&error));
                Ok(json!({"status": "FAILED", "error": error}))
            }
            Behaviour::Die => std::process::exit(1),
            Behaviour::Hang => std::future::pending().await,
            Behaviour::WriteLate => {
                worker.closed_by_somebody(task).await?;
                worker.advance(task, 90).await?;
                worker.log(task, "WARN", "状態が変わった後に進捗を書き込みました", None);
                std::future::pending().await
            }
        }
    }

    async fn succeed(&self, task: &Task) -> Result<Value, Diagnostic> {
        self.advance(task, 90).await?;
        self.log(task, "INFO", "AI生成が完了しました", None);
        let titles = (1..=8).map(|n| json!({"title": format!("サブ目標 {n}"), "position": n}));
        Ok(json!({"items": titles.collect::<Vec<_>>()}))
    }

    async fn fail(&self, task: &Task, code: &str, recorded: bool) -> Result<Value, Diagnostic> {
        let error = failure(code);
        self.log(task, "ERROR", explanation(code), Some(&error));
        if recorded {
            self.write(task, "FAILED", None, Some(&error)).await?;
        }
        Err(Diagnostic { error_type: code.into(), error_message: explanation(code).into() })
    }

    async fn is_first_attempt(&self, task: &Task) -> Result<bool, Diagnostic> {
        let row = table::read(&self.pool, &self.variant, task.process_id).await;
        let row =
            row.map_err(|error| Diagnostic { error_type: "DATABASE_ERROR".into(), error_message: error.to_string() })?;
        Ok(row.is_some_and(|row| row.retry_count == 0))
    }

    /// The status updater: writes the status that the workflow's state asks for.
    ///
    /// # Errors
    /// `DATABASE_ERROR`, `VALIDATION_ERROR`.
    pub async fn update_status(&self, task: &Task) -> Result<Value, Diagnostic> {
        let worker = Self { started: Instant::now(), ..self.clone() };
        let status = task.status.as_deref().ok_or_else(|| Diagnostic {
            error_type: "VALIDATION_ERROR".into(),
            error_message: "status is missing".into(),
        })?;
        if status != "PROCESSING" && task.params.behaviour.loses_last_update() {
            // The real one catches what its database client throws, logs it and carries on.
            let error = json!({"code": "DATABASE_ERROR"});
            worker.log(task, "ERROR", "処理状態の更新に失敗しました", Some(&error));
            return Ok(json!({"updated": false}));
        }
        let error = task.error.as_ref().map(|caught| {
            let code = match status {
                "TIMEOUT" => "TIMEOUT_ERROR",
                _ => caught["Error"].as_str().unwrap_or("INTERNAL_ERROR"),
            };
            json!({"code": code, "message": explanation(code), "timestamp": Utc::now()})
        });
        worker.write(task, status, task.result.as_ref(), error.as_ref()).await?;
        worker.log(task, "INFO", "処理状態を更新しました", error.as_ref());
        Ok(json!({"updated": true}))
    }

    /// The progress of a process under way. It is not asked whether it is still under way.
    async fn advance(&self, task: &Task, progress: i16) -> Result<(), Diagnostic> {
        let sql = include_str!("../sql/advance.sql");
        let update = sqlx::query(AssertSqlSafe(self.variant.spell(sql))).bind(task.process_id).bind(progress);
        update.execute(&self.pool).await.map(drop).map_err(database_error)
    }

    async fn write(
        &self,
        task: &Task,
        status: &str,
        result: Option<&Value>,
        error: Option<&Value>,
    ) -> Result<(), Diagnostic> {
        let sql = include_str!("../sql/update-status.sql");
        let update = sqlx::query(AssertSqlSafe(self.variant.spell(sql))).bind(task.process_id).bind(status);
        update.bind(result).bind(error).execute(&self.pool).await.map(drop).map_err(database_error)
    }

    async fn closed_by_somebody(&self, task: &Task) -> Result<(), Diagnostic> {
        let seen = eventually(LONGEST, "the row to be closed", || async {
            let row = table::read(&self.pool, &self.variant, task.process_id).await.ok()??;
            row.completed_at.map(drop)
        });
        seen.await.map_err(|error| Diagnostic { error_type: "TIMEOUT_ERROR".into(), error_message: error.to_string() })
    }

    fn log(&self, task: &Task, level: &str, message: &str, error: Option<&Value>) {
        let mut line = json!({
            "timestamp": Utc::now(),
            "level": level,
            "processId": task.process_id,
            "userId": task.user_id,
            "type": task.kind,
            "status": task.status.as_deref().unwrap_or("PROCESSING"),
            "message": message,
            "duration": u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        if let Some(error) = error {
            line["error"] = error.clone();
        }
        println!("{line}");
    }
}

fn database_error(error: sqlx::Error) -> Diagnostic {
    Diagnostic { error_type: "DATABASE_ERROR".into(), error_message: Error::when("write the row")(error).to_string() }
}

/// The error that the application writes.
fn failure(code: &str) -> Value {
    json!({"code": code, "message": explanation(code), "timestamp": Utc::now()})
}

fn explanation(code: &str) -> &'static str {
    match code {
        "VALIDATION_ERROR" => "入力値が不正です",
        "AI_ERROR" => "Bedrock APIでエラーが発生しました",
        "AI_THROTTLING" => "Bedrock APIのリクエスト数が上限を超えました",
        "DATABASE_ERROR" => "データベース操作でエラーが発生しました",
        "TIMEOUT_ERROR" => "処理時間が制限を超えました",
        _ => "処理に失敗しました",
    }
}
