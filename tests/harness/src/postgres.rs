use crate::error::{Error, Result};
use crate::guardian::{Guarded, Order};
use crate::paths::{free_port, hash, locked, run_directory, target};
use crate::tools::{Python, blocking, is_root, open_to_others, python, run};
use crate::wait::eventually;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The role that owns the databases: it may what the master user of RDS may, and is no superuser.
pub const APPLICATION: (&str, &str) = ("application", "application-password");
/// The superuser, for what only the harness itself does.
pub const SUPERUSER: (&str, &str) = ("postgres", "postgres-password");

/// PostgreSQL refuses to run as root; this is `nobody` everywhere.
const UNPRIVILEGED: u32 = 65_534;
const INITDB: &[&str] = &[
    "--username=postgres",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--auth=scram-sha-256",
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
    // A test connects often; the price of one password check is not what is tested.
    "-cscram_iterations=1",
];
/// What every new database holds, as it would on RDS.
const TEMPLATE: &str = include_str!("../sql/template.sql");

/// A PostgreSQL server of its own on a loopback port, with its data in the target folder.
///
/// Nothing of it remains when it is dropped, when the test process panics, or when it is killed.
///
/// ```no_run
/// # async fn example() -> harness::Result<()> {
/// let database = harness::Postgres::shared().await?.database("my-test").await?;
/// let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(database.pool()).await.expect("an answer");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Postgres {
    process: Guarded,
    port: u16,
    tools: Python,
}

/// What a server is to be like, where the default does not do.
#[derive(Clone, Debug)]
pub struct PostgresBuilder {
    settings: BTreeMap<String, String>,
}

impl PostgresBuilder {
    /// Sets a server parameter, for instance `("max_connections", "12")`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// The server's time zone. Default Asia/Tokyo: a local time that is taken for UTC shows at once.
    #[must_use]
    pub fn timezone(self, zone: &str) -> Self {
        self.setting("timezone", zone)
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// Those of [`crate::tools::python`], and the server's own last words.
    pub async fn start(self) -> Result<Postgres> {
        let mut attempt = 1;
        loop {
            let settings = self.settings.clone();
            let postgres = blocking(move || Postgres::spawn(&settings)).await?;
            match postgres.wait_until_ready().await {
                Ok(()) => return Ok(postgres),
                // The port was free a moment ago; somebody else was quicker.
                Err(Error::Ended { output, .. }) if attempt < 5 && output.contains("Address already in use") => {
                    attempt += 1
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Postgres {
    /// The server of this test process, started by whoever asks first.
    ///
    /// # Errors
    /// See [`PostgresBuilder::start`].
    pub async fn shared() -> Result<&'static Self> {
        // Statics are never dropped; the guardian cleans up when the process ends.
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_try_init(|| Self::builder().start()).await
    }

    /// A server with the default settings, for a test that stops it or counts its connections.
    ///
    /// # Errors
    /// See [`PostgresBuilder::start`].
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// A server with settings of one's own.
    pub fn builder() -> PostgresBuilder {
        let settings = [
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            ("max_connections", "100"),
            ("shared_buffers", "32MB"),
            ("shared_preload_libraries", "pg_stat_statements"),
            ("timezone", "Asia/Tokyo"),
            ("log_timezone", "UTC"),
            // The data lives as long as the test.
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
            ("max_wal_size", "1GB"),
            ("min_wal_size", "32MB"),
            ("autovacuum_naptime", "1h"),
            ("jit", "off"),
        ];
        PostgresBuilder { settings: settings.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    fn spawn(settings: &BTreeMap<String, String>) -> Result<Self> {
        let tools = python()?;
        let place = Place::find(&tools)?;
        let template = place.template()?;
        let directory = run_directory(&place.base, "postgres")?;
        let data = directory.join("data");
        let prepared = place
            .own(&directory)
            .and_then(|()| run(place.command("cp").args(["-R", "-p"]).arg(&template).arg(&data)).map(drop));
        let started = prepared.and_then(|()| {
            let port = free_port()?;
            let mut command =
                vec![text(&place.bin.join("postgres")), "-D".into(), text(&data), "-p".into(), port.to_string()];
            command.extend(settings.iter().map(|(name, value)| format!("-c{name}={value}")));
            let process = Guarded::start(
                "PostgreSQL",
                &Order {
                    command,
                    env: environment(),
                    directory: Some(directory.clone()),
                    uid: place.uid,
                    // "Immediate shutdown": nothing of the data is wanted.
                    signal: "SIGQUIT",
                    grace: 5,
                    remove: vec![directory.clone()],
                },
            )?;
            Ok(Self { process, port, tools })
        });
        if started.is_err() {
            let _ = fs::remove_dir_all(&directory);
        }
        started
    }

    async fn wait_until_ready(&self) -> Result<()> {
        eventually(Duration::from_secs(30), "PostgreSQL to answer", || async {
            if let Err(error) = self.process.check() {
                return Some(Err(error));
            }
            let _ = self.administrator("postgres").connect().await.ok()?.close().await;
            Some(Ok(()))
        })
        .await?
    }

    /// Its loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with `psql`, `pg_dump` and the like, of the server's version.
    pub fn programs(&self) -> &Path {
        &self.tools.postgres
    }

    /// The process, for tests that look at its log or stop it.
    pub fn process(&self) -> &Guarded {
        &self.process
    }

    /// Ends the server at once, as a failed instance does.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// A fresh database, owned by [`APPLICATION`]; the hint makes it recognisable.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn database(&self, hint: &str) -> Result<Database> {
        let hint: String =
            hint.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        let id = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("{}_{}", &hint[..hint.len().min(40)], &id[..8]);
        let doing = || format!("create the database {name}");
        let mut connection = self.administrator("postgres").connect().await.map_err(Error::database(doing()))?;
        let create = format!("CREATE DATABASE {name} OWNER {} TEMPLATE template1", APPLICATION.0);
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.map_err(Error::database(doing()))?;
        let _ = connection.close().await;
        Ok(Database::new(name, self.port))
    }

    /// Connection options of the superuser.
    pub fn administrator(&self, database: &str) -> PgConnectOptions {
        options(self.port, database, SUPERUSER)
    }
}

/// A database of one test.
#[derive(Clone, Debug)]
pub struct Database {
    name: String,
    port: u16,
    pool: PgPool,
}

impl Database {
    fn new(name: String, port: u16) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(options(port, &name, APPLICATION));
        Self { name, port, pool }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection URL of [`APPLICATION`], fit for `DATABASE_URL`.
    pub fn url(&self) -> String {
        self.url_as(APPLICATION.0, APPLICATION.1)
    }

    /// A connection URL with other credentials, right or wrong: passwords are really checked.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        self.url_through(self.port, user, password)
    }

    /// A connection URL through another port, for instance that of a [`crate::CountingProxy`].
    pub fn url_through(&self, port: u16, user: &str, password: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{}?sslmode=disable", self.name)
    }

    /// A connection URL of the superuser.
    pub fn administrator_url(&self) -> String {
        self.url_as(SUPERUSER.0, SUPERUSER.1)
    }

    /// The port of its server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A small pool as [`APPLICATION`], of the runtime that asked for the database.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection of its own as [`APPLICATION`], for locks, sessions and transactions that a test holds open.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn connect(&self) -> Result<PgConnection> {
        let connection = options(self.port, &self.name, APPLICATION).connect().await;
        connection.map_err(Error::database(format!("connect to {}", self.name)))
    }

    /// Runs one or more statements.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.pool).await;
        done.map(drop).map_err(Error::database(format!("run {:?}", sql.chars().take(120).collect::<String>())))
    }

    /// Runs one or more statements as the superuser, for instance to take a right away.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn execute_as_superuser(&self, sql: &str) -> Result<()> {
        let doing = || format!("run as superuser {:?}", sql.chars().take(120).collect::<String>());
        let mut connection =
            options(self.port, &self.name, SUPERUSER).connect().await.map_err(Error::database(doing()))?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map_err(Error::database(doing()))?;
        let _ = connection.close().await;
        Ok(())
    }
}

fn options(port: u16, database: &str, (user, password): (&str, &str)) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .database(database)
        .username(user)
        .password(password)
        .ssl_mode(PgSslMode::Disable)
        .application_name("harness")
}

/// Where the server can run: which files, which user.
struct Place {
    bin: PathBuf,
    base: PathBuf,
    uid: Option<u32>,
}

impl Place {
    fn find(tools: &Python) -> Result<Self> {
        if !is_root()? {
            return Ok(Self { bin: tools.postgres.clone(), base: target(), uid: None });
        }
        let uid = Some(UNPRIVILEGED);
        if open_to_others(&tools.postgres) {
            return Ok(Self { bin: tools.postgres.clone(), base: target(), uid });
        }
        // A checkout below /root: the unprivileged user cannot enter it, so the server runs from a copy elsewhere.
        let name = format!("remediation-postgres-{}", hash(tools.postgres.as_os_str().as_encoded_bytes()));
        let base = std::env::temp_dir().join(name);
        let home = base.join("pginstall");
        locked(&target().join("tools/postgres.lock"), "it copies PostgreSQL", || {
            if !base.is_dir() {
                fs::create_dir(&base).map_err(Error::path("create", &base))?;
            }
            let data = fs::symlink_metadata(&base).map_err(Error::path("look at", &base))?;
            if !data.is_dir() || data.uid() != 0 {
                return Err(Error::Usage(format!(
                    "{} does not belong to root: remove it and run again",
                    base.display()
                )));
            }
            fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).map_err(Error::path("open", &base))?;
            if !home.is_dir() {
                let making = base.join("pginstall-making");
                let _ = fs::remove_dir_all(&making);
                let installed = tools.postgres.parent().unwrap_or(&tools.postgres);
                run(Command::new("cp").args(["-R", "-p"]).arg(installed).arg(&making))?;
                fs::rename(&making, &home).map_err(Error::path("move PostgreSQL to", &home))?;
            }
            Ok(())
        })?;
        Ok(Self { bin: home.join("bin"), base, uid })
    }

    /// A command under the server's user.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(environment()).current_dir("/");
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        command
    }

    fn own(&self, path: &Path) -> Result<()> {
        match self.uid {
            Some(uid) => chown(path, Some(uid), Some(uid)).map_err(Error::path("hand over", path)),
            None => Ok(()),
        }
    }

    /// A cluster that was initialised once; copying it takes a tenth of the time.
    fn template(&self) -> Result<PathBuf> {
        let content = format!("{} {INITDB:?} {TEMPLATE} {:?}", self.bin.display(), self.uid);
        let tools = self.base.join("tools");
        let template = tools.join(format!("postgres-{}", hash(content.as_bytes())));
        if template.is_dir() {
            return Ok(template.join("data"));
        }
        locked(&target().join("tools/postgres.lock"), "it initialises PostgreSQL", || {
            if template.is_dir() {
                return Ok(());
            }
            fs::create_dir_all(&tools).map_err(Error::path("create", &tools))?;
            let making = tools.join("postgres-making");
            let _ = fs::remove_dir_all(&making);
            fs::create_dir(&making).map_err(Error::path("create", &making))?;
            self.own(&making)?;
            let made = self.initialise(&making);
            let moved = made.and_then(|()| fs::rename(&making, &template).map_err(Error::path("move to", &template)));
            if moved.is_err() {
                let _ = fs::remove_dir_all(&making);
            }
            moved
        })?;
        Ok(template.join("data"))
    }

    fn initialise(&self, home: &Path) -> Result<()> {
        let (data, password, sql) = (home.join("data"), home.join("password"), home.join("template.sql"));
        fs::write(&password, SUPERUSER.1).map_err(Error::path("write", &password))?;
        self.own(&password)?;
        run(self.command(self.bin.join("initdb")).args(INITDB).arg("--pwfile").arg(&password).arg("-D").arg(&data))?;
        // A server without network, for one client on its standard input: it reads a statement a line.
        let statements: String =
            TEMPLATE.lines().filter(|line| !line.starts_with("--")).map(|line| format!("{line}\n")).collect();
        fs::write(&sql, statements).map_err(Error::path("write", &sql))?;
        let input = fs::File::open(&sql).map_err(Error::path("read", &sql))?;
        let output = self
            .command(self.bin.join("postgres"))
            .args(["--single", "-D"])
            .arg(&data)
            .args(["-cexit_on_error=true", "-cfsync=off", "-cshared_preload_libraries=pg_stat_statements", "template1"])
            .stdin(input)
            .output()
            .map_err(Error::io("prepare the template database"))?;
        let words = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || words.contains("ERROR:") {
            return Err(Error::Command {
                command: "postgres --single".into(),
                status: output.status.to_string(),
                output: words.into_owned(),
            });
        }
        Ok(())
    }
}

/// The server's environment: nothing of ours, but where ICU and time zones are found by themselves.
fn environment() -> BTreeMap<String, String> {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into());
    [("PATH", path), ("LC_ALL", "C".into()), ("TZ", "UTC".into())].map(|(name, value)| (name.into(), value)).into()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
