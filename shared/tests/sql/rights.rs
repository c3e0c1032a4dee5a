//! What this database user may see and write: what it lacks is told at once, with the statement that helps.

use remediation::act::action::ActionResult;
use remediation::domain::ProcessStatus::Failed as RowFailed;
use remediation::gather::table::Table;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::support::*;

/// A role of this test alone, with what it needs beside the table, and its connection.
async fn user(world: &World, grants: &str) -> (String, PgConnection) {
    let user = format!("odd_{}", Uuid::new_v4().simple());
    let sql = format!(
        "CREATE ROLE {user} LOGIN PASSWORD 'secret';
         GRANT USAGE ON SCHEMA remediation, public TO {user};
         GRANT ALL ON ALL TABLES IN SCHEMA remediation TO {user};
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA remediation TO {user}; {grants}"
    );
    world.database.execute_as_superuser(&world.variant.spell(&sql.replace("{user}", &user))).await.unwrap();
    let url = world.database.url_as(&user, "secret");
    (user, PgConnection::connect(&url).await.unwrap())
}

#[tokio::test]
async fn a_row_that_a_policy_lets_be_read_and_not_written_is_told_as_that() -> Tested {
    let mut world = World::new("policy").await;
    let row = processing(2000);
    world.insert(std::slice::from_ref(&row)).await;
    let wanted = closing(&world.process(row.id).await, None, RowFailed);
    let (_, db) = user(
        &world,
        "ALTER TABLE {processes} ENABLE ROW LEVEL SECURITY; GRANT SELECT, UPDATE ON {processes} TO {user};
         CREATE POLICY reads ON {processes} FOR SELECT TO {user} USING (true)",
    )
    .await;
    world.db = db;
    world.table = Table::read(&world.config.table, world.config.language, &mut world.db).await?.into();
    let action = planned(wanted.clone());
    let outcome = world.set_as(&action, &wanted).await?;
    assert!(matches!(&outcome.result, ActionResult::Failed(why) if why.contains("row level security")), "{outcome:?}");
    let entry = world.entry(action.id).await.ok_or("no entry")?;
    assert_eq!((entry.outcome.as_str(), outcome.again), ("failed", None));
    // One that somebody is writing is not taken for it.
    let mut other = world.database.connect().await?;
    let mut writing = other.begin().await?;
    sqlx::query("UPDATE processing_state SET progress = 5").execute(&mut *writing).await?;
    Ok(())
}

#[tokio::test]
async fn what_a_database_user_lacks_is_told_at_once_with_what_helps() -> Tested {
    const READS: &str = "GRANT SELECT ON {processes} TO {user};";
    const ALL: &str = "GRANT SELECT, UPDATE ON {processes} TO {user};";
    const RLS: &str = "ALTER TABLE {processes} ENABLE ROW LEVEL SECURITY;";
    // (what it has, the codes of what is told, what helps)
    let cases: [(String, &[&str], &str); 8] = [
        (ALL.into(), &[], ""),
        (READS.into(), &["table_not_writable"], "GRANT UPDATE ON"),
        (
            format!("{READS} GRANT UPDATE (status, progress, result, error) ON {{processes}} TO {{user}}"),
            &["table_not_writable"],
            "\"updated_at\"",
        ),
        (format!("{ALL} {RLS}"), &["rows_hidden"], "CREATE POLICY remediation"),
        (
            format!("{ALL} {RLS} CREATE POLICY own ON {{processes}} USING (user_id IS NULL)"),
            &["rows_hidden"],
            "is not known",
        ),
        (
            format!("{ALL} {RLS} CREATE POLICY reads ON {{processes}} FOR SELECT USING (true)"),
            &["rows_not_writable"],
            "FOR UPDATE TO",
        ),
        (format!("{ALL} {RLS} CREATE POLICY all_rows ON {{processes}} USING (true)"), &[], ""),
        (
            format!(
                "{ALL} {RLS} CREATE POLICY all_rows ON {{processes}} USING (true);
                 CREATE POLICY never ON {{processes}} AS RESTRICTIVE USING (user_id IS NULL)"
            ),
            &["rows_hidden"],
            "may hide rows",
        ),
    ];
    for (grants, expected, helps) in cases {
        let world = World::new("rights").await;
        let (_, mut db) = user(&world, &grants).await;
        let table = Table::read(&world.config.table, world.config.language, &mut db).await?;
        let concerns = table.concerns();
        assert_eq!(concerns.iter().map(|concern| concern.code).collect::<Vec<_>>(), expected, "{grants}");
        assert!(concerns.iter().all(|concern| concern.message.contains(helps)), "{grants}: {concerns:?}");
    }
    let world = World::new("no_rights").await;
    let (name, mut db) = user(&world, "SELECT").await;
    let refused = Table::read(&world.config.table, world.config.language, &mut db).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("GRANT SELECT ON \"public\".\"processing_state\" TO \"{name}\"")), "{refused}");
    Ok(())
}

#[tokio::test]
async fn all_faults_of_a_table_are_told_at_once() -> Tested {
    let world = World::new("faults").await;
    world
        .execute(
            "ALTER TABLE {processes} DROP progress, ALTER error TYPE text, ADD closed_at timestamptz, DROP completed_at;
             ALTER TABLE {processes} ADD completed_at timestamptz GENERATED ALWAYS AS (closed_at) STORED",
        )
        .await;
    let mut db = world.database.connect().await?;
    let refused = Table::read(&world.config.table, world.config.language, &mut db).await.unwrap_err().to_string();
    for told in ["no column `progress`", "column `error`", "column `completed_at` of table", "DROP EXPRESSION"] {
        assert!(refused.contains(told), "{told}: {refused}");
    }
    world
        .execute("ALTER TABLE {processes} RENAME TO really; CREATE VIEW processing_state AS SELECT * FROM really")
        .await;
    let refused = Table::read(&world.config.table, world.config.language, &mut db).await.unwrap_err().to_string();
    assert!(refused.contains("is a view"), "{refused}");
    Ok(())
}
