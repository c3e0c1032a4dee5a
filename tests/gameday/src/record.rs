//! The record of what would have been done, view `remediation.wanted`, and what may be wrong with it: where the product only looks, it is
//! all that there is to judge by.

use serde_json::Value;

use crate::expected::Expected;
use crate::fault::Broken;
use crate::image::Image;
use crate::ledger::Action;

/// The kinds that a fault wants while nobody acts: those of act mode, up to a stop, since how the execution ends decides what follows.
pub fn kinds(expected: &Expected) -> &'static [&'static str] {
    expected.actions.split_inclusive(|kind| *kind == "stop-execution").next().unwrap_or_default()
}

/// Whether a change would still be made where hands have to stay off. Every write is a compare-and-set: what was wanted of a row that
/// somebody else has written since is refused, in act mode as well.
pub fn stands(broken: &Broken, wanted: &Action) -> bool {
    wanted.target != broken.process
        || wanted.before.as_ref().map(Image::of_json).as_ref() == Some(&broken.left.understood)
}

/// What is wrong with the record about a fault.
pub fn wrong(expected: &Expected, broken: &Broken, record: &[Action]) -> Vec<String> {
    let is_told =
        |kind: &str| record.iter().any(|wanted| wanted.kind == kind && expected.steps.contains(&wanted.step.as_str()));
    let lacks = kinds(expected).iter().filter(|kind| !is_told(kind));
    let lacks = lacks.map(|kind| format!("the record lacks the {kind} of {}", expected.steps.join(" or ")));
    lacks.chain(record.iter().flat_map(|wanted| differs(expected, broken, wanted))).collect()
}

/// How a change in the record differs from what act mode makes.
fn differs(expected: &Expected, broken: &Broken, wanted: &Action) -> Vec<String> {
    let Action { step, kind, target, before, after, reason, .. } = wanted;
    if !kinds(expected).iter().chain(expected.unmended).any(|called_for| called_for == kind) {
        return vec![format!("the record has a {kind} of {step} that nothing calls for: {reason}")];
    }
    let mut problems = Vec::new();
    let mut compare = |what: &str, is: bool, seen: String| {
        if !is {
            problems.push(format!("the record's {kind} of {step} is wrong about its {what}: {seen}"));
        }
    };
    let (before, after) = (before.clone().unwrap_or_default(), after.clone().unwrap_or_default());
    let (on, from, to) = match (kind.as_str(), &broken.also) {
        ("set-row-status" | "retry-process", _) => (
            *target == broken.process,
            Image::of_json(&before) == broken.left.understood,
            match kind.as_str() {
                "retry-process" => after["status"] == "PENDING" && after["error"].is_null(),
                _ => {
                    after["status"] == expected.status
                        && after["error"]["code"].as_str() == expected.code
                        && (expected.status != "COMPLETED" || after["progress"] == 100)
                }
            },
        ),
        ("stop-execution", _) => (broken.has(target), before["status"] == "RUNNING", after["status"] == "ABORTED"),
        (_, Some(also)) => (*target == also.target, says(&before, also.broken), says(&after, also.right)),
        (_, None) => (false, true, true),
    };
    compare("target", on, target.clone());
    compare("before", from, before.to_string());
    compare("after", to, after.to_string());
    compare("why", !reason.is_empty(), "nothing".to_owned());
    problems
}

/// Whether one of an image's values is this; a state of several words may be spelt as one.
fn says(image: &Value, value: &str) -> bool {
    let is = |field: &Value| match field.as_str() {
        Some(text) => text.replace('-', " ") == value,
        None => field.as_i64().is_some_and(|number| value.parse() == Ok(number)),
    };
    image.as_object().is_some_and(|image| image.values().any(is))
}

/// What would have been done, in a few words.
pub fn words(record: &[Action]) -> String {
    let words = record.first().map(|Action { kind, target, .. }| format!("{kind} {}", short(target)));
    format!("would have: {}", words.as_deref().unwrap_or("nothing"))
}

/// An ARN's last part says all.
fn short(target: &str) -> &str {
    if target.starts_with("arn:") { target.rsplit(':').next().unwrap_or(target) } else { target }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use patient::table::Row;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::application::Kept;
    use crate::beside::{Also, Question};
    use crate::expected::{COMPLETED, failed};

    fn wanted(step: &str, kind: &str, target: &str, before: Value, after: Value) -> Action {
        Action {
            id: Uuid::new_v4(),
            step: step.to_owned(),
            kind: kind.to_owned(),
            target: target.to_owned(),
            before: Some(before),
            after: Some(after),
            outcome: "wanted".to_owned(),
            reason: "it is over".to_owned(),
            closed_at: Some(Utc::now()),
            started_at: Utc::now(),
            trigger: json!({}),
        }
    }

    fn broken() -> Broken {
        let row = Row::pending(Utc::now());
        let kept = Kept::from(&row);
        let (process, before, left, what) = (row.id.to_string(), kept.clone(), kept, String::new());
        Broken { process, execution: None, at: Utc::now(), what, before, left, looks: Vec::new(), also: None }
    }

    fn closing(broken: &Broken, step: &str, after: Value) -> Action {
        let before = json!({"status": "PENDING", "progress": 0, "error": null});
        wanted(step, "set-row-status", &broken.process, before, after)
    }

    #[test]
    fn a_record_is_right_only_with_the_step_the_kind_the_target_both_images_and_the_reason() {
        let (broken, expected) = (broken(), failed("AI_ERROR"));
        let after = || json!({"status": "FAILED", "progress": 0, "error": {"code": "AI_ERROR"}});
        let right = || closing(&broken, "sync-execution-status", after());
        let sweep = || closing(&broken, "reconcile-processes", after());
        let problems = |record: &[Action]| wrong(&expected, &broken, record).len();
        assert_eq!(problems(&[right()]), 0);
        assert_eq!(problems(&[right(), sweep()]), 0, "another step sees the same later");
        assert_eq!(problems(&[]), 1, "nothing in the record");
        assert_eq!(problems(&[sweep()]), 1, "by another step only");
        assert_eq!(problems(&[Action { kind: "retry-process".into(), ..right() }]), 2, "another kind, and not its own");
        assert_eq!(problems(&[Action { target: Uuid::new_v4().to_string(), ..right() }]), 1, "another row");
        assert_eq!(problems(&[Action { before: Some(json!({"status": "FAILED"})), ..right() }]), 1, "before");
        assert_eq!(problems(&[Action { after: None, ..right() }]), 1, "without what it would become");
        assert_eq!(problems(&[right(), closing(&broken, "reconcile-processes", json!({"status": "COMPLETED"}))]), 1);
        assert_eq!(problems(&[Action { reason: String::new(), ..right() }]), 1, "without a reason");
    }

    #[test]
    fn a_row_is_completed_only_at_100_percent() {
        let broken = broken();
        let to = |progress: i64| {
            closing(
                &broken,
                "sync-execution-status",
                json!({"status": "COMPLETED", "progress": progress, "error": null}),
            )
        };
        assert!(wrong(&COMPLETED, &broken, &[to(100)]).is_empty());
        assert_eq!(wrong(&COMPLETED, &broken, &[to(90)]).len(), 1);
    }

    #[test]
    fn where_hands_stay_off_the_record_must_hold_nothing() {
        let (broken, expected) = (broken(), Expected { actions: &[], steps: &[], ..COMPLETED });
        let closing = closing(&broken, "reconcile-processes", json!({"status": "COMPLETED"}));
        assert!(wrong(&expected, &broken, &[]).is_empty());
        assert_eq!(wrong(&expected, &broken, std::slice::from_ref(&closing)).len(), 1);
        assert!(stands(&broken, &closing));
        let left = Kept::from(&Row { status: "CANCELLED".into(), ..Row::pending(Utc::now()) });
        assert!(!stands(&Broken { left, ..broken }, &closing), "it was wanted before somebody else wrote");
    }

    #[test]
    fn a_running_execution_is_to_be_stopped_and_its_row_waits_for_how_it_ends() {
        let broken = broken();
        let steps = &["fail-timed-out-processes"];
        let expected = Expected { actions: &["stop-execution", "set-row-status"], steps, ..failed("TIMEOUT_ERROR") };
        let arn = format!("arn:aws:states:x:0:execution:m:{}-1", broken.process);
        let stop = wanted(steps[0], "stop-execution", &arn, json!({"status": "RUNNING"}), json!({"status": "ABORTED"}));
        let early = closing(&broken, steps[0], json!({"status": "FAILED", "error": {"code": "TIMEOUT_ERROR"}}));
        assert!(wrong(&expected, &broken, std::slice::from_ref(&stop)).is_empty());
        assert_eq!(words(std::slice::from_ref(&stop)), format!("would have: stop-execution {}-1", broken.process));
        assert_eq!(
            wrong(&expected, &broken, &[stop, early]).len(),
            1,
            "a row is never failed while its execution runs"
        );
    }

    #[test]
    fn what_is_broken_beside_a_row_is_recorded_as_it_is_and_as_it_should_be() {
        let also = Also { target: "function w".into(), question: Question::WorkerTimeout, broken: "240", right: "300" };
        let broken = Broken { also: Some(also), ..broken() };
        let expected = Expected { actions: &["set-worker-timeout"], steps: &["extend-worker-timeout"], ..COMPLETED };
        let change = |to: i64| {
            let image = |timeout| json!({"timeoutSeconds": timeout, "memoryMb": 4096});
            wanted("extend-worker-timeout", "set-worker-timeout", "function w", image(240), image(to))
        };
        assert!(wrong(&expected, &broken, &[change(300)]).is_empty());
        assert_eq!(wrong(&expected, &broken, &[change(600)]).len(), 1);
        let arn = format!("arn:aws:states:x:0:execution:m:{}-1", broken.process);
        let steps = &["reconcile-processes"];
        let stop = wanted(steps[0], "stop-execution", &arn, json!({"status": "RUNNING"}), json!({"status": "ABORTED"}));
        assert_eq!(wrong(&expected, &broken, &[change(300), stop.clone()]).len(), 1, "nothing calls for it");
        let expected = Expected { unmended: &["stop-execution"], ..expected };
        assert!(wrong(&expected, &broken, &[change(300), stop.clone()]).is_empty());
        assert_eq!(wrong(&expected, &broken, &[stop]).len(), 1, "it is no way to mend it");
    }
}
