//! One of the application's functions with an ORM: SQLAlchemy, which takes it for a fault when an UPDATE of one object reaches no row.

use std::process::Stdio;

use harness::{paths, tools};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::table::Variant;

/// A function that is at work on a process. It ends when it is dropped.
#[derive(Debug)]
pub struct Orm {
    _program: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Orm {
    /// What comes of a write that was taken for made.
    pub const WRITTEN: &str = "written";

    /// Starts one, which reads the process and knows no more of it from then on.
    ///
    /// # Errors
    /// Where its program cannot be run, or cannot read the process.
    pub async fn reads(url: &str, variant: &Variant, id: Uuid) -> Result<Self> {
        let python = tools::python().map_err(Error::when("find SQLAlchemy"))?;
        let mut program = Command::new(python.interpreter)
            .arg(paths::workspace().join("tests/patient/orm/application.py"))
            .args([url, variant.schema, variant.table, &id.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::when("start the ORM's program"))?;
        let (Some(orders), Some(answers)) = (program.stdin.take(), program.stdout.take()) else {
            return Err(Error::new("speak to the ORM's program", "it has no stdin or stdout"));
        };
        let mut orm = Self { _program: program, orders, answers: BufReader::new(answers).lines() };
        match orm.answer().await?.as_str() {
            "read" => Ok(orm),
            other => Err(Error::new(format!("read process {id} with the ORM"), other)),
        }
    }

    /// Has it write its `progress`, that the work is `complete`, or a `cancel`. Answers with what comes of that: [`Self::WRITTEN`], or the
    /// ORM's error.
    ///
    /// # Errors
    /// Where its program has ended.
    pub async fn writes(&mut self, what: &str) -> Result<String> {
        let order = self.orders.write_all(format!("{what}\n").as_bytes()).await;
        order.map_err(Error::when("speak to the ORM's program"))?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<String> {
        let answer = self.answers.next_line().await.map_err(Error::when("hear the ORM's program"))?;
        answer.ok_or_else(|| Error::new("hear the ORM's program", "it has ended"))
    }
}
