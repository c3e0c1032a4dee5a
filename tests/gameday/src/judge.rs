//! When a row is as it should be, and how that is said.

use patient::table::Row;
use serde_json::{Value, json};

use crate::beside::Also;
use crate::fault::{Broken, Expected};
use crate::ledger::Action;
use crate::mode::Mode;

/// What a row says, shortened.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Image {
    pub status: String,
    pub progress: i64,
    pub code: Option<String>,
}

impl Image {
    pub fn of_row(row: &Row) -> Self {
        Self::of_json(&json!({"status": row.status, "progress": row.progress, "error": row.error}))
    }

    /// As a row is understood: the code of its error, or of a result that says that the work failed.
    pub fn as_understood(row: &Row) -> Self {
        let of_result = row.result.as_ref().filter(|result| result["status"] == "FAILED");
        let code = of_result.and_then(|result| result["error"]["code"].as_str()).map(str::to_owned);
        let image = Self::of_row(row);
        Self { code: image.code.or(code), ..image }
    }

    /// Of the ledger's images.
    pub fn of_json(image: &Value) -> Self {
        Self {
            status: image["status"].as_str().unwrap_or_default().to_owned(),
            progress: image["progress"].as_i64().unwrap_or_default(),
            code: image["error"]["code"].as_str().map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} %", self.status, self.progress)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " {code}"))
    }
}

/// What was really done.
pub fn applied(actions: &[Action]) -> impl DoubleEndedIterator<Item = &Action> {
    actions.iter().filter(|action| action.outcome == "applied")
}

/// What is wrong with a row that should have been put right.
pub fn repaired(expected: &Expected, row: &Row, actions: &[Action]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut compare = |what: &str, seen: String, wanted: String| {
        if seen != wanted {
            problems.push(format!("{what} is {seen}, should be {wanted}"));
        }
    };
    let code = row.error.as_ref().and_then(|error| error["code"].as_str());
    let kinds: Vec<_> = applied(actions).map(|action| action.kind.as_str()).collect();
    compare("status", row.status.clone(), expected.status.to_owned());
    compare("error code", code.unwrap_or("none").to_owned(), expected.code.unwrap_or("none").to_owned());
    compare("result there", row.result.is_some().to_string(), expected.result.to_string());
    let closed = !["PENDING", "PROCESSING"].contains(&expected.status);
    compare("completed_at there", row.completed_at.is_some().to_string(), closed.to_string());
    compare("the ledger", format!("{kinds:?}"), format!("{:?}", expected.actions));
    if expected.status == "COMPLETED" {
        compare("progress", row.progress.to_string(), 100.to_string());
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
pub fn kept_closed(row: &Row, actions: &[Action], refused: Option<&Value>) -> Vec<String> {
    let left = applied(actions).next_back().and_then(|action| action.after.as_ref()).map(Image::of_json);
    let moved = (left != Some(Image::of_row(row))).then(|| "the row is no longer as it was closed".to_owned());
    moved.into_iter().chain(refused.is_none().then(|| "the fence has refused nothing".to_owned())).collect()
}

/// What is wrong with a row that should not have been touched.
pub fn untouched(broken: &Broken, row: &Row, actions: &[Action]) -> Vec<String> {
    let changed = (*row != broken.left).then(|| format!("the row has changed to {}", Image::of_row(row)));
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
    match &image["progress"] {
        Value::Null if image.get("timeoutSeconds").is_some() => {
            format!("{} s, {} MB", image["timeoutSeconds"], image["memoryMb"])
        }
        Value::Null => {
            let said = ["status", "session", "state"].iter().find_map(|part| image[part].as_str());
            said.unwrap_or_default().to_owned()
        }
        _ => Image::of_json(image).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::beside::Question;
    use crate::fault::{COMPLETED, failed};

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
        let problems = |row: &Row, actions: &[Action]| repaired(&COMPLETED, row, actions).len();
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
        let problems = |row: &Row, refused| kept_closed(row, std::slice::from_ref(&closing), refused).len();
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
        let row = Row { error: Some(json!({"code": "TIMEOUT_ERROR"})), ..row };
        let stop =
            |status: &str| action("sync-execution-status", "stop-execution", "applied", json!({"status": status}));
        let set = || action("sync-execution-status", "set-row-status", "applied", json!({"status": "FAILED"}));
        assert!(repaired(&expected, &row, &[stop("ABORTED"), set()]).is_empty());
        assert_eq!(repaired(&expected, &row, &[stop("RUNNING"), set()]).len(), 1);
        assert_eq!(repaired(&expected, &row, &[set(), stop("ABORTED")]).len(), 1);
    }
}
