use remediation::act::actions::set_control::Wanted;
use remediation::act::ledger::controls::Allowance;
use remediation::domain::{Language, Mode};
use remediation::gather::parameters::Parameters;
use serde_json::{Value, json};

use crate::ask::read;
use crate::change::{Ask, Verb};

fn asked(parameters: &Value, by: Option<&str>, reason: Option<&str>) -> Result<Option<Ask>, String> {
    let steps = ["reconcile-processes", "migrate"].map(str::to_owned);
    let map = parameters.as_object().cloned().unwrap_or_default();
    read(Parameters(&map), &steps, by, reason, Language::En).map_err(|error| error.to_string())
}

#[test]
fn an_event_that_changes_nothing_asks_for_nothing() {
    assert_eq!(asked(&json!({}), None, None), Ok(None));
    assert_eq!(asked(&json!({ "step": "migrate" }), None, None), Ok(None));
}

#[test]
fn a_row_comes_to_what_is_asked_for_and_the_rest_of_it_stays() {
    let now =
        Allowance { mode: Some(Mode::Propose), actions_per_run: Some(7), actions_per_hour: None, share: Some(0.1) };
    let step = |mut event: Value| {
        event["step"] = "migrate".into();
        asked(&event, Some("Sato"), Some("why")).unwrap().unwrap()
    };
    assert_eq!(step(json!({ "stop": true })).verb.of(&now), Wanted::Stop);
    assert_eq!(Wanted::Stop.of(&now), Allowance { mode: Some(Mode::Observe), ..now.clone() });
    for (event, to) in [
        (json!({ "resume": true }), Allowance { mode: None, ..now.clone() }),
        (json!({ "reset": true }), Allowance::default()),
        (json!({ "allow": "act" }), Allowance { mode: Some(Mode::Act), ..now.clone() }),
        (
            json!({ "actionsPerRun": 0, "actionsPerHour": 5, "share": 1 }),
            Allowance { actions_per_run: Some(0), actions_per_hour: Some(5), share: Some(1.0), ..now.clone() },
        ),
    ] {
        assert_eq!(step(event.clone()).verb.of(&now), Wanted::Exactly(to), "{event}");
    }
    let everywhere = asked(&json!({ "resume": true }), Some("Sato"), None).unwrap().unwrap();
    assert_eq!((everywhere.step.as_str(), everywhere.verb), ("*", Verb::Resume));
}

#[test]
fn what_cannot_be_done_is_refused_and_says_what_is_missing() {
    let (by, why) = (Some("Sato"), Some("why"));
    for (event, by, reason, refused) in [
        (json!({ "stop": true }), None, why, "`by` is missing"),
        (json!({ "resume": true }), None, why, "`by` is missing"),
        (json!({ "stop": true }), by, None, "`reason` is missing"),
        (json!({ "step": "migrate", "stop": true }), by, None, "`reason` is missing"),
        (json!({ "stop": false }), by, why, "`stop` is false; it must be true, or left out"),
        (
            json!({ "step": "reconcile", "stop": true }),
            by,
            why,
            "`step` is \"reconcile\"; it must be one of reconcile-processes, migrate",
        ),
        (json!({ "step": "*", "stop": true }), by, why, "`step` is \"*\"; it must be one of"),
        (json!({ "allow": "propose" }), by, why, "`allow` needs `step`"),
        (json!({ "reset": true }), by, why, "`reset` needs `step`"),
        (json!({ "actionsPerRun": 1 }), by, why, "`actionsPerRun` needs `step`"),
        (json!({ "stop": true, "resume": true }), by, why, "`stop` and `resume` exclude each other"),
        (json!({ "step": "migrate", "stop": true, "share": 0.5 }), by, why, "`stop` and `share` exclude each other"),
        (json!({ "step": "migrate", "allow": "never" }), by, why, "one of observe, propose, act"),
        (json!({ "step": "migrate", "share": 2 }), by, why, "`share` is 2; it must be a number from 0 to 1"),
        (json!({ "step": "migrate", "actionsPerHour": -1 }), by, why, "`actionsPerHour` is -1"),
        (json!({ "step": "migrate", "actionsPerHour": null }), by, why, "`actionsPerHour` is null"),
    ] {
        let error = asked(&event, by, reason).expect_err(&event.to_string());
        assert!(error.contains(refused), "{event}: {error}");
    }
}
