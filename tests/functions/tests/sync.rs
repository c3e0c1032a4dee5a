//! `sync-execution-status`, event by event.

use chrono::{SubsecRound, TimeDelta, Utc};
use functions_tests::{database, function, status_event};
use patient::table::{self, Row, Variant};
use serde_json::json;

type Tested = Result<(), Box<dyn std::error::Error>>;

#[tokio::test]
async fn an_execution_that_succeeded_completes_its_row_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let database = database(variant.name, &variant).await?;
        let sync = function("sync-execution-status", &database, &variant).start().await?;
        let started = (Utc::now() - TimeDelta::seconds(90)).trunc_subsecs(3);
        let stopped = started + TimeDelta::seconds(60);
        let row = Row::pending(started - TimeDelta::seconds(1)).became("PROCESSING", started);
        table::insert(database.pool(), &variant, std::slice::from_ref(&row)).await?;
        let output = json!({ "generationResult": { "Payload": { "goals": ["走る"] } } }).to_string();
        let event = status_event(row.id, "SUCCEEDED", started, Some(stopped), &json!({ "output": output }));

        let result = sync.invoke(&event).await?;

        let after = table::read(database.pool(), &variant, row.id).await?.ok_or("the row is gone")?;
        assert_eq!((after.status.as_str(), after.progress), ("COMPLETED", 100), "{}: {result:#}", variant.name);
        assert_eq!(after.completed_at, Some(stopped), "{}", variant.name);
        assert_eq!(after.result, Some(json!({ "goals": ["走る"] })), "{}", variant.name);
        assert_eq!(result["verification"], "verified", "{result:#}");
        assert_eq!(result["actions"][0]["outcome"], "applied", "{result:#}");
    }
    Ok(())
}
