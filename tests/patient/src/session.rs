//! A session of the database, as one of the application's functions holds it.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// One session. It ends when it is dropped.
#[derive(Debug)]
pub struct Session {
    connection: PgConnection,
    pid: i32,
}

impl Session {
    /// Opens one under an application name.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn open(url: &str, application: &str) -> Result<Self> {
        let opening = || format!("open a session of {application}");
        let mut connection = PgConnection::connect(url).await.map_err(Error::when(opening()))?;
        let sql = "SELECT pg_backend_pid(), set_config('application_name', $1, false)";
        let named = sqlx::query_as(sql).bind(application).fetch_one(&mut connection).await;
        let (pid, _): (i32, String) = named.map_err(Error::when(opening()))?;
        Ok(Self { connection, pid })
    }

    /// The process that serves it.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Runs one or more statements.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn run(&mut self, sql: &str) -> sqlx::Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await.map(drop)
    }

    /// The same, for a session that is made in one go.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn after(mut self, sql: &str) -> Result<Self> {
        self.run(sql).await.map_err(Error::when(format!("run {sql}")))?;
        Ok(self)
    }

    /// Sends statements whose end may take its time; it comes back with the session.
    pub fn send(mut self, sql: &str) -> JoinHandle<(Self, sqlx::Result<()>)> {
        let sql = sql.to_owned();
        tokio::spawn(async move {
            let ended = self.run(&sql).await;
            (self, ended)
        })
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn close(self) -> sqlx::Result<()> {
        self.connection.close().await
    }
}
