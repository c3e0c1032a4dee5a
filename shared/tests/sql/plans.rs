//! Plans as documents: the same wish is the same plan, another one takes its place, none is larger than it has to be, and an approval covers
//! just what stands in it.

use chrono::{DateTime, Utc};
use remediation::act::action::Entry as LedgerEntry;
use remediation::act::actions::set_row_status::{ErrorChange, SetRowStatus};
use remediation::act::actions::undo::Undo;
use remediation::act::ledger::plans::{self, Approval, Moved, Plan, Stored, Wish};
use remediation::act::ledger::runs::Run;
use remediation::domain::{Execution, Language, Mode, Process, ProcessId, ProcessStatus};
use remediation::gather::error::Error;
use remediation::run::step::{Kind, Planned};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::support::*;

const STEP: &str = "test-step";

/// Wishes without terms, of these targets.
fn plan_of(targets: &[&str]) -> Vec<Planned> {
    let undo = |target: &&str| Undo {
        entry: LedgerEntry {
            id: Uuid::nil(),
            run_id: Uuid::nil(),
            step: STEP.to_owned(),
            kind: SetRowStatus::KIND.to_owned(),
            target: (*target).to_owned(),
            cause: None,
            before: Some(json!({})),
            after: Some(json!({})),
            undoes: None,
        },
        kind: Kind::of::<SetRowStatus>(),
    };
    targets.iter().map(|target| planned(undo(target))).collect()
}

/// The closing of the process of this number, which began so long ago.
fn close(number: usize, status: ProcessStatus, began: i64) -> SetRowStatus {
    let process = Process {
        id: ProcessId::from(Uuid::from_u128(number as u128)),
        version: 7,
        status: ProcessStatus::Processing,
        progress: 50,
        has_result: false,
        error_code: None,
        retries: Some(0),
        created_at: seconds_ago(began),
        updated_at: seconds_ago(began),
        completed_at: None,
        deadline: None,
    };
    closing(&process, None, status)
}

fn closings(numbers: std::ops::Range<usize>, status: ProcessStatus) -> Vec<Planned> {
    numbers.map(|number| planned(close(number, status, 900))).collect()
}

async fn store(world: &mut World, wanted: &[Planned]) -> Stored {
    store_in(world, &run(STEP), Mode::Propose, wanted).await
}

async fn store_in(world: &mut World, run: &Run, mode: Mode, wanted: &[Planned]) -> Stored {
    plans::store(&mut world.db, run, mode, (wanted, wanted.len()), "why").await.unwrap()
}

async fn read(world: &mut World, plan: Uuid) -> Result<Plan, Error> {
    plans::read(&mut world.db, &run(STEP), plan, Language::En).await
}

/// Why a plan is not to be approved.
async fn refusal(world: &mut World, plan: Uuid) -> String {
    match read(world, plan).await {
        Err(Error::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// A column of a plan, as text.
async fn column(world: &World, plan: Uuid, column: &str) -> Option<String> {
    let sql = format!("SELECT ({column})::text FROM remediation.plans WHERE id = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(plan).fetch_one(world.database.pool()).await.unwrap()
}

async fn count(world: &World) -> i64 {
    world.ask("SELECT count(*) FROM remediation.plans").await
}

#[tokio::test]
async fn the_same_plan_is_stored_once_as_long_as_it_waits() -> Tested {
    let mut world = World::new("proposed").await;
    let first = store(&mut world, &plan_of(&["a", "b"])).await;
    assert!(first.is_new && first.is_news);
    let again = store(&mut world, &plan_of(&["b", "a"])).await;
    assert_eq!(again, Stored { id: first.id, is_new: false, is_news: false }, "the order does not matter");
    assert_eq!(column(&world, first.id, "seen").await.as_deref(), Some("2"));
    let more = store(&mut world, &plan_of(&["a", "b", "c"])).await;
    assert!(more.is_new && more.id != first.id);
    let others = store_in(&mut world, &run("another-step"), Mode::Propose, &plan_of(&["a", "b", "c"])).await;
    assert!(others.is_new && others.id != more.id);

    plans::approved(&mut world.db, &run(STEP), more.id, true).await?;
    let next = store(&mut world, &plan_of(&["a", "b", "c"])).await;
    assert!(next.is_new && next.id != more.id, "what was approved no longer waits");
    assert_eq!(column(&world, more.id, "superseded_at").await, None, "it was done, not replaced");
    Ok(())
}

#[tokio::test]
async fn another_wish_takes_the_place_of_the_plan_that_waits_and_each_names_the_other() -> Tested {
    let mut world = World::new("superseded").await;
    let first = store(&mut world, &closings(0..3, ProcessStatus::Completed)).await;
    // The same rows, to be closed otherwise.
    let second = store(&mut world, &closings(0..3, ProcessStatus::Failed)).await;
    assert!(second.is_new && second.is_news);
    assert_eq!(column(&world, second.id, "parent").await, Some(first.id.to_string()));
    assert_eq!(column(&world, first.id, "superseded_by").await, Some(second.id.to_string()));
    assert!(column(&world, first.id, "superseded_at").await.is_some());

    let why = refusal(&mut world, first.id).await;
    assert!(why.contains(&format!("replaced by plan {} at ", second.id)), "{why}");
    assert_eq!(read(&mut world, second.id).await?.wishes.len(), 3);
    // What is wanted anew after that is no resurrection of the first.
    let third = store(&mut world, &closings(0..3, ProcessStatus::Completed)).await;
    assert!(third.is_new && third.id != first.id);
    Ok(())
}

#[tokio::test]
async fn after_a_day_the_same_wish_is_a_new_plan_and_people_hear_of_it() -> Tested {
    let mut world = World::new("after_a_day").await;
    let wanted = closings(0..3, ProcessStatus::Completed);
    let first = store(&mut world, &wanted).await;
    world.execute("UPDATE remediation.plans SET created_at = now() - interval '23 hours'").await;
    assert!(!store(&mut world, &wanted).await.is_new);
    world.execute("UPDATE remediation.plans SET created_at = now() - interval '25 hours'").await;
    let second = store(&mut world, &wanted).await;
    assert!(second.is_new && second.is_news);
    assert_eq!(column(&world, second.id, "parent").await, Some(first.id.to_string()));
    assert_eq!(column(&world, second.id, "digest").await, column(&world, first.id, "digest").await);
    Ok(())
}

#[tokio::test]
async fn a_plan_takes_the_place_of_those_alone_that_looked_at_the_same() -> Tested {
    let mut world = World::new("scopes").await;
    let asked = |trigger: Value| Run { trigger, ..run(STEP) };
    let all = store(&mut world, &closings(0..3, ProcessStatus::Completed)).await;
    let mut waiting = vec![all.id];
    for (trigger, mode) in [
        (json!({ "kind": "operator", "processId": Uuid::from_u128(1) }), Mode::Propose),
        (json!({ "kind": "operator", "processId": Uuid::from_u128(2) }), Mode::Propose),
        (json!({ "kind": "execution", "executionArn": "arn:x", "processId": Uuid::from_u128(1) }), Mode::Propose),
        (json!({ "kind": "operator", "parameters": { "cancel": true } }), Mode::Propose),
        (json!({ "kind": "operator", "undo": Uuid::from_u128(1) }), Mode::Propose),
        (json!({ "kind": "operator", "all": true }), Mode::Observe),
    ] {
        let stored = store_in(&mut world, &asked(trigger.clone()), mode, &closings(1..2, ProcessStatus::Failed)).await;
        assert!(stored.is_new, "{trigger}");
        waiting.push(stored.id);
    }
    for plan in &waiting {
        assert_eq!(column(&world, *plan, "superseded_at").await, None);
    }
    // Whoever asks for everything, and whatever rings, looks at everything.
    for trigger in [json!({ "kind": "operator", "all": true }), json!({ "kind": "alarm", "alarm": "x" })] {
        assert!(
            !store_in(&mut world, &asked(trigger), Mode::Propose, &closings(0..3, ProcessStatus::Completed))
                .await
                .is_new
        );
    }
    let next = store(&mut world, &closings(0..2, ProcessStatus::Completed)).await;
    assert_eq!(column(&world, all.id, "superseded_by").await, Some(next.id.to_string()));
    assert_eq!(count(&world).await, 8);
    Ok(())
}

#[tokio::test]
async fn people_hear_of_a_plan_again_when_it_wants_something_else_or_ten_times_as_much() -> Tested {
    use ProcessStatus::{Completed, Failed};
    let mut world = World::new("news").await;
    // (what is wanted, it is another plan, people hear of it)
    for (wanted, new, news) in [
        (closings(0..5, Completed), true, true),
        (closings(0..5, Completed), false, false),
        (closings(0..6, Completed), true, false),
        (closings(10..19, Completed), true, false),
        (closings(0..10, Completed), true, true),
        (closings(0..99, Completed), true, false),
        (closings(0..5, Failed), true, true),
        ([closings(0..5, Failed), closings(5..6, Completed)].concat(), true, true),
        ([closings(0..6, Failed), closings(6..8, Completed)].concat(), true, false),
    ] {
        let stored = store(&mut world, &wanted).await;
        assert_eq!((stored.is_new, stored.is_news), (new, news), "{}", wanted.len());
    }
    Ok(())
}

/// Closings as failed, each with words of its own that are longer than a plan keeps.
fn with_long_words(numbers: std::ops::Range<usize>) -> Vec<Planned> {
    let long = |number: usize| {
        let error =
            json!({ "code": "AI_ERROR", "message": format!("{number}: {}", "語".repeat(5000)), "at": [number] });
        SetRowStatus { error: ErrorChange::Set(error), ..close(number, ProcessStatus::Failed, 900) }
    };
    numbers.map(|number| planned(long(number))).collect()
}

#[tokio::test]
async fn a_plan_of_very_many_has_their_counts_and_a_sample_and_stays_small() -> Tested {
    const KILOBYTES: i64 = 1024;
    let mut world = World::new("bounded").await;
    // Each with a progress of its own, so with terms of its own.
    let scattered = |number: usize| SetRowStatus {
        progress: Some(i16::try_from(number % 1000).unwrap()),
        ..close(number, ProcessStatus::Processing, 900)
    };
    let scattered: Vec<Planned> = (0..5000).map(|number| planned(scattered(number))).collect();
    let alike = [with_long_words(0..4000), closings(4000..5000, ProcessStatus::Completed)].concat();
    for (wanted, kept) in [(with_long_words(0..1000), 1000), (alike, 40), (scattered, 100)] {
        let stored = store(&mut world, &wanted).await;
        let (size, wants, items, complete): (i64, i64, i64, bool) = sqlx::query_as(
            "SELECT octet_length(p::text)::int8, wanted, jsonb_array_length(actions)::int8, complete FROM remediation.plans p WHERE id = $1",
        )
        .bind(stored.id)
        .fetch_one(world.database.pool())
        .await?;
        assert_eq!((wants, items), (i64::try_from(wanted.len())?, kept), "{size}");
        assert_eq!(complete, wants <= 1000);
        assert!(complete || size < 200 * KILOBYTES, "{size} bytes for {wants}");
        assert!(size < 2000 * KILOBYTES, "{size} bytes for {wants}");
        let plan = read(&mut world, stored.id).await?;
        assert_eq!(plan.wishes.len(), usize::try_from(items)?);
        let groups: Vec<usize> = plan.groups.iter().map(|group| group.count).collect();
        assert!(groups.len() <= 100 && groups.iter().sum::<usize>() <= wanted.len(), "{groups:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_counts_are_by_kind_and_terms_and_the_sample_has_some_of_each() -> Tested {
    let mut world = World::new("groups").await;
    let wanted = [closings(0..4000, ProcessStatus::Failed), closings(4000..4007, ProcessStatus::Completed)].concat();
    let plan = store(&mut world, &wanted).await.id;
    let plan = read(&mut world, plan).await?;
    assert!(!plan.complete);
    let groups: Vec<(&str, usize)> = plan.groups.iter().map(|group| (group.kind.as_str(), group.count)).collect();
    assert_eq!(groups.len(), 2);
    assert!(groups.contains(&("set-row-status", 4000)) && groups.contains(&("set-row-status", 7)), "{groups:?}");
    for group in &plan.groups {
        let sample = plan.wishes.iter().filter(|wish| wish.terms == group.terms).count();
        assert_eq!(sample, group.count.min(20), "{group:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_backlog_that_moves_is_one_plan_as_long_as_its_size_is_of_the_same_order() -> Tested {
    use ProcessStatus::{Completed, Failed};
    let mut world = World::new("moving").await;
    let first = store(&mut world, &closings(0..5000, Failed)).await;
    // (what is wanted, it is the same plan still)
    for (wanted, same) in [
        (closings(100..5100, Failed), true),
        (closings(0..9999, Failed), true),
        (closings(0..1001, Failed), true),
        ([closings(0..5000, Failed), closings(5000..5001, Completed)].concat(), false),
        (closings(0..5000, Failed), false),
        (closings(0..10_000, Failed), false),
    ] {
        let stored = store(&mut world, &wanted).await;
        assert_eq!((stored.is_new, stored.id == first.id), (!same, same), "{}", wanted.len());
    }
    Ok(())
}

#[tokio::test]
async fn an_image_is_cut_in_a_plan_and_says_so() -> Tested {
    let mut world = World::new("cut").await;
    let plan = store(&mut world, &with_long_words(7..8)).await.id;
    let item: Value = sqlx::query_scalar("SELECT actions -> 0 FROM remediation.plans WHERE id = $1")
        .bind(plan)
        .fetch_one(world.database.pool())
        .await?;
    let message = item["after"]["error"]["message"].as_str().ok_or("no message")?;
    assert!(message.starts_with("7: 語語") && message.ends_with("語…"), "{message}");
    assert_eq!(message.chars().count(), 201);
    assert_eq!(item["after"]["error"]["at"], json!([7]));
    assert_eq!((&item["restsOn"]["row"], &item["why"]), (&json!(7), &json!("because the test wants it")));
    Ok(())
}

#[tokio::test]
async fn what_was_wanted_can_be_asked_for_change_by_change_in_every_mode() -> Tested {
    let mut world = World::new("wanted").await;
    for mode in [Mode::Observe, Mode::Propose, Mode::Act] {
        store_in(&mut world, &run(STEP), mode, &closings(0..2, ProcessStatus::Completed)).await;
    }
    type Row = (String, String, String, String, Option<Value>, Option<Value>, String, i64, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT step, mode, kind, target, before, after, why, of, waits_on FROM remediation.wanted ORDER BY created_at, target",
    )
    .fetch_all(world.database.pool())
    .await?;
    assert_eq!(rows.len(), 6);
    for (at, (step, mode, kind, target, before, after, why, of, waits_on)) in rows.into_iter().enumerate() {
        assert_eq!((step.as_str(), kind.as_str()), (STEP, "set-row-status"));
        assert_eq!(mode, [Mode::Observe, Mode::Propose, Mode::Act][at / 2].as_str());
        assert_eq!(target, Uuid::from_u128((at % 2) as u128).to_string());
        assert_eq!(before.map(|image| image["status"].clone()), Some(json!("PROCESSING")));
        assert_eq!(after.map(|image| image["status"].clone()), Some(json!("COMPLETED")));
        assert_eq!((why.as_str(), of, waits_on.as_str()), ("because the test wants it", 2, "why"));
    }
    Ok(())
}

#[tokio::test]
async fn a_plan_remembers_with_which_parameters_it_was_asked_for() -> Tested {
    let mut world = World::new("parameters").await;
    let mut plans = Vec::new();
    for trigger in [json!({}), json!({ "parameters": { "cancel": true } })] {
        let run = Run { trigger: trigger.clone(), ..run(STEP) };
        let stored = store_in(&mut world, &run, Mode::Propose, &plan_of(&["a"])).await;
        assert!(stored.is_new, "the same actions for the sake of another wish are another plan");
        sqlx::query("INSERT INTO remediation.runs (id, step, trigger) VALUES ($1, $2, $3)")
            .bind(run.id)
            .bind(STEP)
            .bind(&trigger)
            .execute(&mut world.db)
            .await?;
        let again = Run { id: Uuid::now_v7(), ..run };
        let again = store_in(&mut world, &again, Mode::Propose, &plan_of(&["a"])).await;
        assert_eq!((again.id, again.is_new), (stored.id, false), "{trigger}");
        plans.push(stored.id);
    }
    assert!(plans::parameters(&mut world.db, plans[0]).await?.is_empty());
    assert_eq!(json!(plans::parameters(&mut world.db, plans[1]).await?), json!({ "cancel": true }));
    assert!(plans::parameters(&mut world.db, Uuid::new_v4()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_plan_is_approved_until_it_is_done_and_by_its_own_step() -> Tested {
    let mut world = World::new("approved").await;
    let plan = store(&mut world, &plan_of(&["b", "a"])).await.id;

    let error = plans::read(&mut world.db, &run("another-step"), plan, Language::En).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(why) if why.contains("the plan belongs to test-step")), "{error}");

    let mut wishes = read(&mut world, plan).await?.wishes;
    wishes.sort();
    let undo = |target: &str| Wish { kind: "undo".to_owned(), target: target.to_owned(), terms: None };
    assert_eq!(wishes, [undo("a"), undo("b")]);

    // A part of it: it waits for the next.
    let (first, second) = (run(STEP), run(STEP));
    plans::approved(&mut world.db, &first, plan, false).await?;
    let at = column(&world, plan, "approved_at").await;
    assert!(at.is_some() && column(&world, plan, "done_at").await.is_none());
    assert_eq!(column(&world, plan, "approved_by").await, Some(first.id.to_string()));
    assert_eq!(read(&mut world, plan).await?.wishes.len(), 2);
    assert!(!store(&mut world, &plan_of(&["a", "b"])).await.is_new, "it waits still");

    plans::approved(&mut world.db, &second, plan, true).await?;
    assert_eq!(column(&world, plan, "approved_at").await, at, "when it was approved first");
    assert_eq!(column(&world, plan, "approved_by").await, Some(second.id.to_string()));
    let again = plans::read(&mut world.db, &second, plan, Language::En).await?;
    assert_eq!(again.wishes.len(), 2, "the same run begins again where its connection was lost");

    let why = refusal(&mut world, plan).await;
    assert!(why.contains("already approved, and completed at "), "{why}");
    let unknown = Uuid::new_v4();
    let why = refusal(&mut world, unknown).await;
    assert!(why.contains("no such plan") && why.contains(&unknown.to_string()), "{why}");
    Ok(())
}

#[tokio::test]
async fn of_two_who_approve_at_once_the_later_one_does_not_bring_back_what_is_done() -> Tested {
    let mut world = World::new("approved_twice").await;
    let plan = store(&mut world, &plan_of(&["a", "b"])).await.id;
    plans::approved(&mut world.db, &run(STEP), plan, true).await?;
    store(&mut world, &plan_of(&["c"])).await;
    plans::approved(&mut world.db, &run(STEP), plan, false).await?;
    assert!(column(&world, plan, "done_at").await.is_some());
    Ok(())
}

#[tokio::test]
async fn what_was_only_observed_is_not_approved() -> Tested {
    let mut world = World::new("observed").await;
    let plan = store_in(&mut world, &run(STEP), Mode::Observe, &plan_of(&["a"])).await.id;
    let why = refusal(&mut world, plan).await;
    assert!(why.contains("observe mode") && why.contains("raise the mode"), "{why}");
    let plan = store_in(&mut world, &run(STEP), Mode::Act, &plan_of(&["a"])).await.id;
    assert!(read(&mut world, plan).await.is_ok(), "what was over a limit may be");
    Ok(())
}

/// What a person approves who approves these closings.
async fn approval(world: &mut World, wanted: &[Planned]) -> Approval {
    let plan = store(world, wanted).await.id;
    Approval::of(read(world, plan).await.unwrap())
}

#[tokio::test]
async fn an_approval_covers_the_very_values_and_what_moved_is_named() -> Tested {
    use ProcessStatus::{Completed, Failed};
    let mut world = World::new("covers").await;
    let approval = approval(&mut world, &closings(0..3, Completed)).await;
    let plan = approval.plan().id;
    let approved = close(0, Completed, 900);
    let error = |code: &str| ErrorChange::Set(json!({ "code": code, "timestamp": code }));
    for (covered, now) in [
        (true, approved.clone()),
        // When, in which words and on which version of the row: all that may be another one.
        (true, SetRowStatus { completed_at: Some(seconds_ago(1)), ..approved.clone() }),
        (true, SetRowStatus { process: Process { version: 8, ..approved.process.clone() }, ..approved.clone() }),
        (false, SetRowStatus { status: Failed, progress: None, ..approved.clone() }),
        (false, SetRowStatus { progress: Some(99), ..approved.clone() }),
        (false, SetRowStatus { error: error("AI_ERROR"), ..approved.clone() }),
        (false, SetRowStatus { cause: "another", ..approved.clone() }),
        (false, close(3, Completed, 900)),
    ] {
        assert_eq!(approval.covers(&now), covered, "{now:?}");
    }

    let now = [planned(close(0, Completed, 900)), planned(close(1, Failed, 900)), planned(close(9, Completed, 900))];
    let moved = approval.moved(&now);
    assert_eq!(moved.len(), 2, "{moved:?}");
    let id = |number: u128| Uuid::from_u128(number).to_string();
    let Some((target, Moved::Otherwise { approved: Some(approved), now: Some(now) })) = moved.first() else {
        return Err(format!("{moved:?}").into());
    };
    assert_eq!(*target, id(1));
    assert!(approved.contains("COMPLETED") && now.contains("FAILED"), "{approved}, {now}");
    assert_eq!(moved[1], (id(2), Moved::Gone));
    assert!(approval.moved(&closings(0..3, Completed)).is_empty());

    // By the words of an error nobody decides; by its code they do.
    let failed = |code: &str, words: &str| {
        let error = ErrorChange::Set(json!({ "code": code, "message": words }));
        SetRowStatus { error, ..close(0, Failed, 900) }
    };
    let wanted = [planned(failed("AI_ERROR", "one"))];
    let second = store(&mut world, &wanted).await.id;
    assert_ne!(second, plan);
    let approval = Approval::of(read(&mut world, second).await?);
    assert!(approval.covers(&failed("AI_ERROR", "two")) && !approval.covers(&failed("DATABASE_ERROR", "one")));
    Ok(())
}

#[tokio::test]
async fn an_approval_of_very_many_covers_all_of_the_same_terms_that_were_there_when_it_was_made() -> Tested {
    use ProcessStatus::{Completed, Failed};
    let mut world = World::new("covers_many").await;
    let approval = approval(&mut world, &closings(0..1500, Completed)).await;
    let attempt = |redriven_at: Option<DateTime<Utc>>| {
        let began = execution(Uuid::from_u128(1), Succeeded, seconds_ago(900), Some(seconds_ago(60))).execution;
        Some(Execution { redriven_at, ..began })
    };
    let later = Some(Utc::now() + chrono::TimeDelta::seconds(60));
    for (covered, now, why) in [
        (true, close(0, Completed, 900), "it is of the sample"),
        (true, close(1499, Completed, 900), "it is not of the sample"),
        (true, close(7_000_000, Completed, 900), "it was there, as far as anybody can tell"),
        (false, close(0, Failed, 900), "it is to be something else"),
        (false, close(7_000_000, Completed, -60), "it came later"),
        (true, SetRowStatus { basis: attempt(None), ..close(0, Completed, 900) }, "its attempt was there"),
        (false, SetRowStatus { basis: attempt(later), ..close(0, Completed, 900) }, "its attempt began later"),
    ] {
        assert_eq!(approval.covers(&now), covered, "{why}");
    }
    assert!(approval.moved(&closings(0..3, Failed)).is_empty(), "nobody has read each of them");
    Ok(())
}

/// How often plans have been looked up in this session: by reading the whole table, and by an index.
async fn scans(db: &mut PgConnection) -> (i64, i64) {
    let sql = "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relid = 'remediation.plans'::regclass";
    sqlx::query_as(sql).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn among_twenty_thousand_plans_every_one_is_found_by_an_index() -> Tested {
    let mut world = World::new("many_plans").await;
    let waiting = store(&mut world, &closings(0..2, ProcessStatus::Failed)).await.id;
    world
        .execute(
            "INSERT INTO remediation.plans (id, run_id, step, actions, reason, mode, scope, digest, shape, superseded_at)
             SELECT gen_random_uuid(), gen_random_uuid(), 'test-step', '[]', 'x', 'propose', 'all', gen_random_uuid(),
                    gen_random_uuid(), now() FROM generate_series(1, 20000);
             INSERT INTO remediation.plans (id, run_id, step, actions, reason, scope)
             SELECT gen_random_uuid(), gen_random_uuid(), 'test-step', '[]', 'x', n::text FROM generate_series(1, 2000) n;
             ANALYZE remediation.plans",
        )
        .await;
    let mut transaction = world.db.begin().await?;
    let run = run(STEP);
    let (language, mode) = (Language::En, Mode::Propose);
    let mut before = scans(&mut transaction).await;
    for what in ["seen again", "superseded", "read", "parameters", "approved"] {
        let db = &mut *transaction;
        match what {
            "seen again" => {
                assert!(!plans::store(db, &run, mode, (&closings(0..2, ProcessStatus::Failed), 2), "x").await?.is_new)
            }
            "superseded" => {
                assert!(plans::store(db, &run, mode, (&closings(0..3, ProcessStatus::Failed), 3), "x").await?.is_new)
            }
            "read" => assert!(plans::read(db, &run, waiting, language).await.is_err()),
            "parameters" => assert!(plans::parameters(db, waiting).await?.is_empty()),
            _ => plans::approved(db, &run, waiting, true).await?,
        }
        let after = scans(&mut transaction).await;
        assert!(after.0 == before.0 && after.1 > before.1, "{what}: {before:?}, {after:?}");
        before = after;
    }
    Ok(())
}
