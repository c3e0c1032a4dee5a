//! Lets time go by.

use crate::failure::Failure;
use crate::world::World;

/// So many seconds: every time in the application's tables, in schema `remediation` and in AWS becomes so much longer ago.
pub(crate) async fn advance(world: &World, seconds: i64) -> Result<(), Failure> {
    let sql = include_str!("../sql/advance.sql").replace("{seconds}", &seconds.to_string());
    world.sql(&sql, None, None).await?;
    world.aws.state().age(seconds);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Case, Said};
    use crate::world;
    use serde_json::json;

    #[tokio::test]
    async fn every_time_becomes_so_much_longer_ago() -> Result<(), Failure> {
        let said: Said = serde_json::from_value(json!({
            "must": "", "steps": [],
            "aws": { "executions": [{ "name": "one", "startDate": 1_764_000_000.5 }] },
        }))?;
        let setup = "INSERT INTO processing_state (id, created_at, updated_at, result)
                     VALUES (gen_random_uuid(), '2026-01-01 10:00:00+00', 'infinity', '{\"at\": \"2026-01-01T10:00:00Z\"}');
                     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
                     CREATE TRIGGER refuse BEFORE UPDATE ON processing_state FOR EACH ROW EXECUTE FUNCTION refuse();
                     INSERT INTO remediation.runs (id, step, trigger, started_at)
                     VALUES (gen_random_uuid(), 's', '{\"at\": [\"2026-01-01T10:00:00.25+09:00\", \"since 2026-01-01T10:00:00Z\", 7]}',
                             '2026-01-01 10:00:00+00')";
        let case = Case { said, setup: Some(setup.to_owned()), table: None };
        let world = World::new(&case, world::database("advance").await?).await?;
        advance(&world, 3600).await?;
        let rows = "SELECT created_at AT TIME ZONE 'UTC', updated_at, result->>'at' FROM processing_state";
        assert_eq!(world.sql(rows, None, None).await?, "2026-01-01 09:00:00|infinity|2026-01-01T10:00:00Z");
        let runs = "SELECT started_at AT TIME ZONE 'UTC', trigger->'at' FROM remediation.runs WHERE step = 's'";
        let aged = "2026-01-01 09:00:00|[\"2026-01-01T09:00:00.25+09:00\", \"since 2026-01-01T10:00:00Z\", 7]";
        assert_eq!(world.sql(runs, None, None).await?, aged);
        let execution =
            json!({ "executionArn": "arn:aws:states:ap-northeast-1:123456789012:execution:ai-processing:one" });
        let told = world.aws.state().answer("DescribeExecution", &execution);
        assert_eq!(told.map(|told| told["startDate"].clone()).ok(), Some(json!(1_763_996_400.5)));
        Ok(())
    }
}
