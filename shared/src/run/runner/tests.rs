use chrono::DateTime;
use harness::{APPLICATION, CountingProxy, Database, Postgres};
use patient::table::{self, GUIDE};

use super::*;
use crate::act::actions::migrate::{self, Migrate};
use crate::gather::session::Question;
use crate::run::step::{Plan, Planned};

mod marks;
mod ramp;

const MANIFEST: &str = "name = \"test-step\"";

/// Counts the open rows, and wants nothing.
struct Counts;

impl Step for Counts {
    type Evidence = i64;
    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, _: &Question) -> Result<i64, Error> {
        let table = session.table().await?;
        sqlx::query_scalar(table.sql("SELECT count(*) FROM {rows} p WHERE {status} = 'PENDING'::text{as status}"))
            .fetch_one(&mut *session.db)
            .await
            .map_err(Error::database("counting"))
    }

    fn plan(&self, counted: &i64, _: &Config, _: DateTime<Utc>) -> Plan {
        Plan { report: Some(json!(counted)), ..Plan::default() }
    }
}

async fn made(hint: &str) -> Database {
    let database = Postgres::shared().await.unwrap().database(hint).await.unwrap();
    table::create(database.pool(), &GUIDE).await.unwrap();
    let mut db = database.connect().await.unwrap();
    let action = Migrate::missing(&mut db).await.unwrap().unwrap();
    let planned = Planned::new(action.clone(), "the test needs it".into());
    migrate::apply(&mut db, &planned, &action, Language::En).await.unwrap();
    database
}

async fn function(url: String) -> Function<Counts> {
    function_of(Counts, url, "act").await
}

async fn function_of<S: Step>(step: S, url: String, mode: &str) -> Function<S> {
    let arn = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";
    let lookup = |name: &str| match name {
        "DATABASE_URL" => Some(url.clone()),
        "STATE_MACHINE_ARN" => Some(arn.to_owned()),
        "REMEDIATION_MODE" => Some(mode.to_owned()),
        "TEXT_LANGUAGE" => Some("en".to_owned()),
        _ => None,
    };
    Function::new(step, lookup).await.unwrap()
}

async fn handle(function: &Function<Counts>) -> Result<Report, Error> {
    Box::pin(function.handle(json!({ "all": true }), "request", Duration::from_secs(60))).await
}

#[tokio::test]
async fn a_table_that_was_altered_is_read_anew_by_the_next_event() {
    let database = made("altered").await;
    let function = function(database.url()).await;
    assert_eq!(handle(&function).await.unwrap().report, Some(json!(0)));

    database
        .execute(
            "CREATE TYPE status AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED');
             ALTER TABLE processing_state ALTER status DROP DEFAULT, ALTER status TYPE status USING status::status",
        )
        .await
        .unwrap();
    handle(&function).await.unwrap_err();
    assert_eq!(handle(&function).await.unwrap().report, Some(json!(0)));
    let errors: i64 =
        sqlx::query_scalar("SELECT count(error) FROM remediation.runs").fetch_one(database.pool()).await.unwrap();
    assert_eq!(errors, 1, "the failure is on record");
}

#[tokio::test]
async fn a_connection_that_was_lost_while_the_container_slept_costs_one_more_try() {
    let database = made("slept").await;
    let proxy = CountingProxy::start(database.port()).await.unwrap();
    let function = function(database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1)).await;
    handle(&function).await.unwrap();
    proxy.cut();
    handle(&function).await.unwrap();
    assert_eq!(proxy.connections(), 2);
    let runs: (i64, i64) =
        sqlx::query_as("SELECT count(*), count(error) FROM remediation.runs").fetch_one(database.pool()).await.unwrap();
    assert_eq!(runs, (2, 0));
}

#[tokio::test]
async fn while_the_database_is_down_every_event_says_so_and_the_next_one_tries_anew() {
    let database = made("down").await;
    let proxy = CountingProxy::start(database.port()).await.unwrap();
    let function = function(database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1)).await;
    proxy.refuse().await;
    let error = handle(&function).await.unwrap_err();
    assert!(error.is_connection_lost() && error.to_string().contains("check that it is up"), "{error}");
    proxy.accept().await.unwrap();
    handle(&function).await.unwrap();
}
