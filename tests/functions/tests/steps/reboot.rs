//! `reboot-database`: the last resort is described, refused where something forbids it, and left to a person.
//!
//! What RDS says is scripted in the form that it documents: the local endpoint has no instance that is sick, and no hour behind it.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html>,
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html>,
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeEvents.html>

use chrono::{DateTime, Utc};
use functions_tests::{Bench, NOWHERE, STATE_MACHINE_ARN, Tested, ago, findings, logged, sample, scripted, texts};
use harness::{APPLICATION, AwsProxy, CountingProxy, Failure, Function, FunctionBuilder, Postgres};
use serde_json::{Value, json};

const ID: &str = "app-1";
const REBOOT: &str = "aws rds reboot-db-instance --db-instance-identifier app-1";

/// An answer of RDS's query protocol.
fn answer(operation: &str, result: &str) -> Value {
    format!(
        "<{operation}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>01b2685a-b978-11d3-f272-7cd6cce12cc5</RequestId></ResponseMetadata></{operation}Response>"
    )
    .into()
}

fn instance(id: &str, status: &str, more: &str) -> String {
    format!(
        "<DBInstance><DBInstanceIdentifier>{id}</DBInstanceIdentifier><DBInstanceStatus>{status}</DBInstanceStatus>\
         <Engine>postgres</Engine><EngineVersion>17.4</EngineVersion><MultiAZ>false</MultiAZ>\
         <LatestRestorableTime>2026-11-24T00:55:00Z</LatestRestorableTime>{more}</DBInstance>"
    )
}

fn event(at: DateTime<Utc>, category: &str, message: &str) -> String {
    format!(
        "<Event><SourceType>db-instance</SourceType><SourceIdentifier>{ID}</SourceIdentifier><Date>{}</Date>\
         <EventCategories><EventCategory>{category}</EventCategory></EventCategories><Message>{message}</Message></Event>",
        at.format("%Y-%m-%dT%H:%M:%S%.3fZ")
    )
}

/// RDS, with this instance and these events.
async fn rds(instances: &str, events: &str) -> Tested<AwsProxy> {
    let aws = scripted().await?;
    aws.answer(
        "DescribeDBInstances",
        answer("DescribeDBInstances", &format!("<DBInstances>{instances}</DBInstances>")),
    );
    aws.answer("DescribeEvents", answer("DescribeEvents", &format!("<Events>{events}</Events>")));
    Ok(aws)
}

/// The function on its own: it needs no table and no ledger.
fn step(url: String, aws: &AwsProxy) -> FunctionBuilder {
    Function::builder("reboot-database")
        .env("DATABASE_URL", url)
        .env("STATE_MACHINE_ARN", STATE_MACHINE_ARN)
        .env("TEXT_LANGUAGE", "en")
        .env("DATABASE_INSTANCE_ID", ID)
        .envs(aws.environment())
}

fn down() -> String {
    "postgres://u:p@127.0.0.1:1/d?sslmode=disable".to_owned()
}

fn message(result: &Value) -> &str {
    result["findings"][0]["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn while_the_database_is_down_the_command_is_told_and_nothing_is_rebooted() -> Tested {
    let aws = rds(
        &instance(ID, "available", "<PendingModifiedValues/>"),
        &event(ago(3000), "backup", "Finished DB Instance backup"),
    )
    .await?;
    let function = step(down(), &aws).start().await?;
    for sample_event in ["operator-look", "operator-all"] {
        let result = function.invoke(&sample("reboot-database", sample_event)?).await?;
        assert_eq!((findings(&result), &result["actions"]), (vec!["reboot_proposed"], &json!([])), "{result:#}");
        assert_eq!(result["findings"][0]["evidence"]["command"], REBOOT);
        assert!(message(&result).contains("cannot be reached") && message(&result).contains(REBOOT), "{result:#}");
        assert_eq!(
            texts(&result["skipped"], "why"),
            ["this step does not reboot anything: a person runs the command in `findings`"]
        );
        assert_eq!(result["report"]["instance"]["status"], "available");
        assert_eq!(result["report"]["database"]["state"], "silent", "{result:#}");
    }
    assert_eq!(
        aws.counts().into_keys().collect::<Vec<_>>(),
        ["DescribeDBInstances", "DescribeEvents"],
        "it only describes"
    );
    logged(&function, |line| line.contains("ledger entry")).await?;
    Ok(())
}

#[tokio::test]
async fn what_rds_is_doing_with_the_instance_is_a_refusal_and_so_is_what_it_does_not_say() -> Tested {
    let pending = "<PendingModifiedValues><DBInstanceClass>db.m6g.large</DBInstanceClass><MasterUserPassword>hunter2</MasterUserPassword></PendingModifiedValues>";
    for (instances, events, said) in [
        (instance(ID, "backing-up", ""), String::new(), "app-1 is backing-up"),
        (instance(ID, "modifying", ""), String::new(), "app-1 is modifying"),
        (
            instance(ID, "available", pending),
            String::new(),
            "modifications are pending that a reboot may apply: DBInstanceClass, MasterUserPassword",
        ),
        (instance(ID, "available", ""), event(ago(60), "backup", "Backing up DB instance"), "a backup is running"),
        (
            instance(ID, "available", ""),
            event(ago(300), "failover", "Multi-AZ instance failover completed"),
            "it failed over 5 min ago",
        ),
        (
            instance(ID, "available", ""),
            event(ago(600), "availability", "DB instance restarted"),
            "it restarted or shut down 10 min ago",
        ),
        (String::new(), String::new(), "RDS has no instance `app-1`: check DATABASE_INSTANCE_ID"),
    ] {
        let aws = rds(&instances, &events).await?;
        let function = step(down(), &aws).start().await?;
        let result = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(findings(&result), ["reboot_refused"], "{said}: {result:#}");
        assert!(message(&result).contains(said), "{result:#}");
        assert_eq!(texts(&result["skipped"], "why"), [message(&result)]);
        assert!(!result.to_string().contains("hunter2") && !function.lines().join("\n").contains("hunter2"));
    }
    for (operation, failure, said) in [
        ("DescribeDBInstances", Failure::error("AccessDenied"), "The function's role lacks this permission"),
        (
            "DescribeDBInstances",
            Failure::error("DBInstanceNotFound").status(404),
            "DescribeDBInstances: DBInstanceNotFound",
        ),
        ("DescribeEvents", Failure::error("Throttling"), "DescribeEvents: Throttling"),
    ] {
        let aws = rds(&instance(ID, "available", ""), "").await?;
        aws.fail(operation, failure);
        let result = step(down(), &aws).start().await?.invoke(&json!({})).await?;
        assert_eq!(findings(&result), ["reboot_refused"], "{said}: {result:#}");
        assert!(message(&result).contains(said), "{result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_writer_with_a_healthy_reader_is_to_fail_over() -> Tested {
    let in_cluster = "<DBClusterIdentifier>app</DBClusterIdentifier>";
    let members = |own: bool| {
        let member = |id: &str, writer: bool| {
            format!(
                "<DBClusterMember><DBInstanceIdentifier>{id}</DBInstanceIdentifier><IsClusterWriter>{writer}</IsClusterWriter></DBClusterMember>"
            )
        };
        let members = format!("{}{}", member(ID, own), member("app-2", !own));
        answer(
            "DescribeDBClusters",
            &format!(
                "<DBClusters><DBCluster><DBClusterIdentifier>app</DBClusterIdentifier><Status>available</Status><DBClusterMembers>{members}</DBClusterMembers></DBCluster></DBClusters>"
            ),
        )
    };
    let fail_over = "aws rds failover-db-cluster --db-cluster-identifier app --target-db-instance-identifier app-2";
    for (own, reader, code, command) in [
        (true, "available", "failover_instead", fail_over),
        (true, "rebooting", "reboot_proposed", REBOOT),
        (false, "available", "reboot_proposed", REBOOT),
    ] {
        let both = instance(ID, "available", in_cluster) + &instance("app-2", reader, in_cluster);
        let aws = rds(&both, "").await?;
        aws.answer("DescribeDBClusters", members(own));
        let result = step(down(), &aws).start().await?.invoke(&json!({})).await?;
        assert_eq!(findings(&result), [code], "{own} {reader}: {result:#}");
        assert_eq!(result["findings"][0]["evidence"]["command"], command);
        let cluster = json!({ "id": "app", "status": "available", "writer": own,
                              "others": [{ "id": "app-2", "writer": !own, "status": reader }] });
        assert_eq!(result["report"]["instance"]["cluster"], cluster);
        // Of the instance, and of its cluster.
        assert_eq!((aws.calls("DescribeEvents"), aws.calls("DescribeDBClusters")), (2, 1));
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_answers_is_not_rebooted_unless_a_person_asks_all_the_same() -> Tested {
    // No schema of ours: it needs none.
    let database = Postgres::shared().await?.database("answers").await?;
    let aws = rds(&instance(ID, "available", ""), "").await?;
    let function = step(database.url(), &aws).start().await?;
    let looked = function.invoke(&json!({})).await?;
    assert_eq!(findings(&looked), ["reboot_refused"], "{looked:#}");
    assert!(message(&looked).contains("use relieve-database"), "{looked:#}");
    let asked = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(findings(&asked), ["reboot_proposed"], "{asked:#}");
    assert_eq!((&asked["mode"], &asked["actions"], &asked["planId"]), (&json!("propose"), &json!([]), &Value::Null));

    let refused =
        function.invoke(&json!({ "processId": uuid::Uuid::new_v4() })).await.err().ok_or("it was answered")?;
    assert!(refused.error_message.contains("looks at the one configured instance"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn how_the_database_refuses_decides_whether_a_reboot_is_a_remedy() -> Tested {
    let postgres = Postgres::builder()
        .setting("max_connections", "6")
        .setting("superuser_reserved_connections", "1")
        .start()
        .await?;
    let database = postgres.database("refuses").await?;
    let aws = rds(&instance(ID, "available", ""), "").await?;
    let wrong = step(database.url_as(APPLICATION.0, "wrong"), &aws).start().await?;
    let result = wrong.invoke(&json!({})).await?;
    assert_eq!(
        (findings(&result), &result["report"]["database"]["state"]),
        (vec!["reboot_refused"], &json!("refuses"))
    );
    assert!(message(&result).contains("refuses the connection"), "{result:#}");

    let function = step(database.url(), &aws).start().await?;
    let mut taken = Vec::new();
    while let Ok(connection) = database.connect().await {
        taken.push(connection);
    }
    let result = function.invoke(&json!({})).await?;
    assert_eq!(
        (findings(&result), &result["report"]["database"]["state"]),
        (vec!["reboot_proposed"], &json!("full")),
        "{result:#}"
    );
    assert!(message(&result).contains("no connection left"), "{result:#}");
    drop(taken);

    // A connection that says nothing any more.
    let proxy = CountingProxy::start(database.port()).await?;
    let through = database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1);
    proxy.refuse().await;
    let result = step(through, &aws).start().await?.invoke(&json!({})).await?;
    assert_eq!(
        (findings(&result), &result["report"]["database"]["state"]),
        (vec!["reboot_proposed"], &json!("silent")),
        "{result:#}"
    );

    let secret = Function::builder("reboot-database")
        .env("DATABASE_SECRET_ARN", "arn:aws:secretsmanager:ap-northeast-1:000000000000:secret:db-abcdef")
        .env("STATE_MACHINE_ARN", STATE_MACHINE_ARN)
        .env("TEXT_LANGUAGE", "en")
        .env("DATABASE_INSTANCE_ID", ID)
        .envs(aws.environment());
    aws.fail("GetSecretValue", Failure::error("AccessDeniedException"));
    let result = secret.start().await?.invoke(&json!({})).await?;
    assert_eq!(
        (findings(&result), &result["report"]["database"]["state"]),
        (vec!["reboot_refused"], &json!("untried")),
        "{result:#}"
    );
    Ok(())
}

#[tokio::test]
async fn without_the_instances_name_it_refuses_and_says_which_setting_is_missing() -> Tested {
    let bench = Bench::new("unnamed").await?;
    let function = bench.function("reboot-database").start().await?;
    let refused = function.invoke(&json!({})).await.err().ok_or("it was answered")?;
    assert_eq!(refused.error_type, "Refused");
    assert!(
        refused.error_message.contains("set DATABASE_INSTANCE_ID (databaseInstanceId in the CDK app)"),
        "{refused}"
    );
    let down = bench.function("reboot-database").env("DATABASE_URL", down()).env("AWS_ENDPOINT_URL", NOWHERE);
    let result = down.start().await?.invoke(&json!({})).await?;
    assert_eq!(findings(&result), ["reboot_refused"], "{result:#}");
    assert!(message(&result).contains("set DATABASE_INSTANCE_ID"), "{result:#}");
    Ok(())
}
