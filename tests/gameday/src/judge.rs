//! When a row is as it should be, and how that is said.

use serde_json::Value;

use crate::application::{Kept, Says};
use crate::beside::Also;
use crate::expected::Expected;
use crate::fault::Broken;
use crate::image::Image;
use crate::ledger::Action;
use crate::mode::Mode;

/// What was really done.
pub fn applied(actions: &[Action]) -> impl DoubleEndedIterator<Item = &Action> {
    actions.iter().filter(|action| action.outcome == "applied")
}

/// What is wrong with a row that should have been put right.
pub fn repaired(expected: &Expected, wanted: &Says, row: &Says, actions: &[Action]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut compare = |what: &str, seen: String, wanted: String| {
        if seen != wanted {
            problems.push(format!("{what} is {seen}, should be {wanted}"));
        }
    };
    let kinds: Vec<_> = applied(actions).map(|action| action.kind.as_str()).collect();
    compare("status", row.status.clone(), wanted.status.clone());
    compare("error", row.error.to_string(), wanted.error.to_string());
    compare("result there", row.result.to_string(), wanted.result.to_string());
    compare("the time of its end there", row.ended.to_string(), wanted.ended.to_string());
    compare("what is beside it", row.other.to_string(), wanted.other.to_string());
    compare("the ledger", format!("{kinds:?}"), format!("{:?}", expected.actions));
    if let (Some(seen), Some(progress)) = (row.progress, wanted.progress) {
        compare("progress", seen.to_string(), progress.to_string());
    }
    for action in applied(actions) {
        if !expected.steps.contains(&action.step.as_str()) {
            problems.push(format!("{} has acted instead of {}", action.step, expected.steps.join(" or ")));
        }
        // A row that was failed while its execution still ran: the ledger's order and images tell.
        if action.kind == "stop-execution" && action.after.as_ref().is_none_or(|after| after["status"] != "ABORTED") {
            problems.push(format!("the execution was not seen to be over: {}", image(action.after.as_ref())));
        }
    }
    problems
}

/// What is wrong with a row that should have stayed as it was closed, although it was written to afterwards.
pub fn kept_closed(row: &Image, actions: &[Action], refused: Option<&Value>) -> Vec<String> {
    let left = applied(actions).next_back().and_then(|action| action.after.as_ref()).map(Image::of_json);
    let moved = (left.as_ref() != Some(row)).then(|| "the row is no longer as it was closed".to_owned());
    moved.into_iter().chain(refused.is_none().then(|| "the fence has refused nothing".to_owned())).collect()
}

/// What is wrong with a row that should not have been touched.
pub fn untouched(broken: &Broken, row: &Kept, actions: &[Action]) -> Vec<String> {
    let changed = (*row != broken.left).then(|| format!("the row has changed to {}", row.image));
    let acted = applied(actions).map(|action| format!("{} has acted: {}", action.step, action.kind));
    changed.into_iter().chain(acted).collect()
}

/// What is wrong with what was broken beside the row.
pub fn beside(also: &Also, answer: Option<&str>, mode: Mode) -> Option<String> {
    let wanted = match mode {
        Mode::Act => also.right,
        Mode::Observe => also.broken,
    };
    let seen = answer.unwrap_or("gone");
    (seen != wanted).then(|| format!("{} beside it is {seen}, should be {wanted}", also.target))
}

/// An action in words.
pub fn words(action: &Action, seconds: Option<f64>) -> String {
    let Action { step, kind, before, after, outcome, reason, .. } = action;
    let took = seconds.map(|seconds| format!(" after {seconds:.1} s")).unwrap_or_default();
    let what = match outcome.as_str() {
        "applied" | "wanted" => format!("{} → {}", image(before.as_ref()), image(after.as_ref())),
        other => other.to_owned(),
    };
    format!("{step} {kind}: {what}{took} ({reason})")
}

/// An image of a row, the status of an execution or a goal, the settings of the worker, or what a session does, in words.
pub fn image(image: Option<&Value>) -> String {
    let Some(image) = image else { return "as it was".to_owned() };
    match image.get("progress") {
        None if image.get("timeoutSeconds").is_some() => {
            format!("{} s, {} MB", image["timeoutSeconds"], image["memoryMb"])
        }
        None => {
            let said = ["status", "session", "state"].iter().find_map(|part| image[part].as_str());
            said.unwrap_or_default().to_owned()
        }
        Some(_) => Image::of_json(image).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};
    use patient::table::Row;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::beside::Question;
    use crate::expected::{COMPLETED, failed};

    fn action(step: &str, kind: &str, outcome: &str, after: Value) -> Action {
        let (step, kind, outcome) = (step.to_owned(), kind.to_owned(), outcome.to_owned());
        let (id, started_at, closed_at) = (Uuid::new_v4(), Utc::now(), Some(Utc::now()));
        Action {
            id,
            step,
            kind,
            target: String::new(),
            before: None,
            after: Some(after),
            outcome,
            reason: String::new(),
            closed_at,
            started_at,
            trigger: json!({}),
        }
    }

    fn completed() -> Row {
        let row = Row::pending(Utc::now() - TimeDelta::minutes(1)).became("COMPLETED", Utc::now());
        Row { progress: 100, result: Some(json!({})), ..row }
    }

    #[test]
    fn a_repair_is_right_only_with_its_row_its_ledger_and_its_step() {
        let set = |step: &str| action(step, "set-row-status", "applied", json!({"status": "COMPLETED"}));
        let sync = || set("sync-execution-status");
        let superseded = action("sync-execution-status", "set-row-status", "superseded", json!({}));
        let problems = |row: &Row, actions: &[Action]| {
            repaired(&COMPLETED, &Says::of_guide(&COMPLETED), &Kept::from(row).says, actions).len()
        };
        assert_eq!(problems(&completed(), &[sync(), superseded]), 0);
        assert_eq!(problems(&completed(), &[]), 1, "nothing in the ledger");
        assert_eq!(problems(&completed(), &[sync(), sync()]), 1, "twice");
        assert_eq!(problems(&completed(), &[set("migrate")]), 1, "by another step");
        assert_eq!(problems(&Row { result: None, ..completed() }, &[sync()]), 1, "without the result");
        assert_eq!(problems(&Row { progress: 90, ..completed() }, &[sync()]), 1, "progress");
        assert_eq!(problems(&Row::pending(Utc::now()), &[sync()]), 4, "status, result, end, progress");
    }

    #[test]
    fn a_row_that_was_written_after_its_closing_is_found() {
        let closing =
            action("reconcile-processes", "set-row-status", "applied", json!({"status": "COMPLETED", "progress": 100}));
        let late = Row { status: "PROCESSING".into(), progress: 90, ..completed() };
        let refused = json!({"status": "PROCESSING", "progress": 90});
        let problems =
            |row: &Row, refused| kept_closed(&Kept::from(row).image, std::slice::from_ref(&closing), refused).len();
        assert_eq!(problems(&completed(), Some(&refused)), 0);
        assert_eq!(problems(&late, None), 2);
        assert_eq!(problems(&completed(), None), 1, "nothing was tried");
        assert_eq!(problems(&late, Some(&refused)), 1, "refused, and still there");
    }

    #[test]
    fn what_is_broken_beside_a_row_is_right_when_it_says_so_and_untouched_where_hands_are_off() {
        let question = Question::Sql("");
        let also = Also { target: "a goal".into(), question, broken: "COMPLETED", right: "ACTIVE" };
        for (answer, acting, observing) in [
            (Some("ACTIVE"), true, false),
            (Some("COMPLETED"), false, true),
            (Some("PAUSED"), false, false),
            (None, false, false),
        ] {
            assert_eq!(beside(&also, answer, Mode::Act).is_none(), acting, "{answer:?}");
            assert_eq!(beside(&also, answer, Mode::Observe).is_none(), observing, "{answer:?}");
        }
    }

    #[test]
    fn a_row_that_was_failed_before_its_execution_was_over_is_found() {
        let expected = Expected { actions: &["stop-execution", "set-row-status"], ..failed("TIMEOUT_ERROR") };
        let row = Row::pending(Utc::now()).became("FAILED", Utc::now());
        let row = Kept::from(&Row { error: Some(json!({"code": "TIMEOUT_ERROR"})), ..row }).says;
        let repaired = |actions: &[Action]| repaired(&expected, &Says::of_guide(&expected), &row, actions);
        let stop =
            |status: &str| action("sync-execution-status", "stop-execution", "applied", json!({"status": status}));
        let set = || action("sync-execution-status", "set-row-status", "applied", json!({"status": "FAILED"}));
        assert!(repaired(&[stop("ABORTED"), set()]).is_empty());
        assert_eq!(repaired(&[stop("RUNNING"), set()]).len(), 1);
        assert_eq!(repaired(&[set(), stop("ABORTED")]).len(), 1);
    }
}
