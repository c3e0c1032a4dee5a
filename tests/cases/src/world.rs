//! What a case plays in: a database, AWS, and the functions' containers.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::{APPLICATION, Database, Function, FunctionError, Postgres, SUPERUSER, functions};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::sync::OnceCell;

use crate::aws::{Aws, NOTIFY_TOPIC_ARN, SECRET_ARN, STATE_MACHINE_ARN};
use crate::case::Case;
use crate::container::{Container, Manifest};
use crate::failure::Failure;
use crate::pooler::Pooler;

/// The table of a case that has none of its own.
const TABLE: &str = include_str!("../sql/table.sql");

/// A case's world.
pub(crate) struct World {
    pub database: Database,
    pub aws: Aws,
    /// What the functions answered, in the order of the calls.
    pub answers: Vec<Answer>,
    containers: BTreeMap<Key, Container>,
    pooler: Option<Pooler>,
    env: BTreeMap<String, String>,
    has_secret: bool,
}

/// What a call of a function came to.
pub(crate) type Answer = Result<Value, FunctionError>;

/// What makes a container another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub function: String,
    pub container: Option<String>,
    pub url: Option<String>,
    pub env: BTreeMap<String, String>,
}

/// A database of its own on the server that all cases share; it listens on IPv6 too, where the machine has that.
pub(crate) async fn database(name: &str) -> Result<Database, Failure> {
    static SHARED: OnceCell<Postgres> = OnceCell::const_new();
    let start = || Postgres::builder().setting("listen_addresses", "127.0.0.1,::1").start();
    Ok(SHARED.get_or_try_init(start).await?.database(name).await?)
}

impl World {
    /// All that is there before the first step.
    pub async fn new(case: &Case, database: Database) -> Result<Self, Failure> {
        static BUILT: OnceCell<()> = OnceCell::const_new();
        BUILT.get_or_try_init(async || functions::binaries(&functions::names()?).await.map(drop)).await?;

        let aws = Aws::start().await?;
        aws.state().add(&case.said.aws)?;
        let mut world = Self {
            pooler: None,
            env: case.said.env.clone(),
            has_secret: case.said.aws.contains_key("secret"),
            containers: BTreeMap::new(),
            answers: Vec::new(),
            aws,
            database,
        };
        world.sql(case.table.as_deref().unwrap_or(TABLE), Some(APPLICATION.0), None).await?;
        world.migrate().await?;
        if let Some(setup) = &case.setup {
            world.sql(setup, None, None).await?;
        }
        if case.said.pooler {
            world.pooler = Some(Pooler::start(world.database.port()).await?);
        }
        Ok(world)
    }

    /// `migrate` with all. What it may refuse is the case's to find: it calls `migrate` again and looks at the answer.
    async fn migrate(&mut self) -> Result<(), Failure> {
        // By the URL alone, whatever the case's functions are given: two ways to the database are refused.
        let url = self.database.url();
        let builder =
            Function::builder("migrate").envs(self.environment("migrate", Some(&url))).env("DATABASE_URL", url);
        if let Err(refused) = builder.start().await?.invoke(&json!({ "all": true })).await {
            println!("before the first step, migrate answered {refused}");
        }
        self.aws.state().forget_calls();
        Ok(())
    }

    /// Calls a function.
    pub async fn call(&mut self, key: Key, event: &Value, deadline: Option<f64>) -> Result<&Answer, Failure> {
        let manifest = Manifest::read(&key.function)?;
        let deadline = deadline.map_or(Duration::from_secs(manifest.timeout_seconds.into()), Duration::from_secs_f64);
        let answer = match self.container(&key, manifest.memory_mb).await? {
            Ok(container) => container.invoke(event, deadline).await,
            Err(at_start) => Err(at_start),
        };
        self.answers.push(answer);
        self.answers.last().ok_or_else(|| Failure::new("no answer"))
    }

    async fn container(&mut self, key: &Key, memory: u32) -> Result<Result<&mut Container, FunctionError>, Failure> {
        if !self.containers.contains_key(key) {
            let mut builder = Function::builder(&key.function)
                .memory(memory)
                .envs(self.environment(&key.function, key.url.as_deref()));
            builder = builder.envs(key.env.clone());
            match Container::start(builder).await? {
                Ok(container) => self.containers.insert(key.clone(), container),
                Err(error) => return Ok(Err(error)),
            };
        }
        self.containers.get_mut(key).map(Ok).ok_or_else(|| Failure::new("no container"))
    }

    fn environment(&self, function: &str, url: Option<&str>) -> BTreeMap<String, String> {
        let mut all = self.aws.environment();
        all.extend(
            [
                ("AWS_LAMBDA_FUNCTION_NAME", format!("remediation-{function}")),
                ("STATE_MACHINE_ARN", STATE_MACHINE_ARN.to_owned()),
                ("NOTIFY_TOPIC_ARN", NOTIFY_TOPIC_ARN.to_owned()),
                ("TEXT_LANGUAGE", "en".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let (name, value) = match (url, &self.pooler) {
            (Some(url), _) => ("DATABASE_URL", url.to_owned()),
            (None, Some(pooler)) => {
                ("DATABASE_URL", self.database.url_through(pooler.port(), APPLICATION.0, APPLICATION.1))
            }
            (None, None) if self.has_secret => ("DATABASE_SECRET_ARN", SECRET_ARN.to_owned()),
            (None, None) => ("DATABASE_URL", self.database.url()),
        };
        all.insert(name.to_owned(), value);
        all.extend(self.env.clone());
        all
    }

    /// Runs statements, as the superuser where nobody is named, and answers with the rows of the last one that has any: columns by `|`.
    pub async fn sql(&self, sql: &str, user: Option<&str>, database: Option<&str>) -> Result<String, Failure> {
        let (user, password) = match user {
            None => SUPERUSER,
            Some(user) if user == APPLICATION.0 => APPLICATION,
            Some(other) => return Err(Failure::new(format!("no user `{other}`"))),
        };
        let (port, database) = (self.database.port(), database.unwrap_or(self.database.name()));
        let url = format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=disable");
        let doing = || format!("the SQL `{}` as {user}", crate::words::short(sql));
        let mut connection = PgConnection::connect(&url).await.map_err(|error| Failure::of(&doing(), &error))?;
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
        let rows = rows.map_err(|error| Failure::of(&doing(), &error))?;
        let _ = connection.close().await;
        let mut lines = Vec::new();
        for row in rows {
            let columns: Result<Vec<_>, _> = (0..row.len())
                .map(|at| row.try_get_raw(at).map(|value| value.as_str().unwrap_or_default().to_owned()))
                .collect();
            lines.push(columns?.join("|"));
        }
        Ok(lines.join("\n"))
    }

    /// The containers of a function; of all functions where none is named.
    pub fn containers(&self, function: Option<&str>) -> impl Iterator<Item = &Container> {
        let of_it = move |key: &Key| function.is_none_or(|function| key.function == function);
        self.containers.iter().filter(move |(key, _)| of_it(key)).map(|(_, container)| container)
    }

    /// The end of each container's log, for a message.
    pub fn last_words(&self) -> String {
        let words = |(key, container): (&Key, &Container)| format!("{}:\n{}", key.function, container.last_words());
        self.containers.iter().map(words).collect::<Vec<_>>().join("\n")
    }
}
