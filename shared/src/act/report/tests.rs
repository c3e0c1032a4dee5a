use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Lambda's own limit.
const LAMBDA: usize = 6_291_556;

fn report() -> Report {
    let run = Uuid::from_u128(1);
    Report {
        summary: "3 looked at: 1 put right".to_owned(),
        step: "reconcile-processes",
        run_id: run,
        mode: Mode::Act,
        trigger: json!({ "kind": "operator", "reason": "it hangs" }),
        findings: Vec::new(),
        actions: Vec::new(),
        skipped: Vec::new(),
        verification: Verification::Verified,
        plan_id: Some(Uuid::from_u128(2)),
        told: None,
        tries: Tries::default(),
        to_do_it: Some(json!({ "all": true })),
        report: None,
        unkept: std::collections::BTreeMap::new(),
        omitted: Map::new(),
    }
}

fn done(before: Value, after: Value) -> Done {
    Done {
        id: Uuid::from_u128(3),
        kind: "set-row-status",
        target: Uuid::from_u128(4).to_string(),
        before: Some(before),
        after: Some(after),
        outcome: DoneOutcome::Applied,
        reason: "its execution ended".to_owned(),
        is_told: false,
        is_users_wish: false,
        is_undoable: false,
    }
}

fn bytes(report: &Report) -> usize {
    serde_json::to_vec(report).unwrap().len()
}

#[test]
fn an_image_is_shown_without_what_nobody_may_see() {
    let error = json!({ "code": "AI_ERROR", "message": "no answer, password=hunter2" });
    let before = json!({ "status": "FAILED", "error": error, "result": { "goal": "痩せたい" } });
    let shown = Done { reason: "a — token: abc".to_owned(), ..done(before, Value::Null) }.redacted();
    let wanted = json!({
        "status": "FAILED",
        "error": { "code": "AI_ERROR", "message": "no answer, password=[redacted]" },
        "result": redact::REDACTED,
    });
    assert_eq!((shown.before, shown.after), (Some(wanted), Some(Value::Null)));
    assert_eq!(shown.reason, "a — token: [redacted]");
}

#[test]
fn what_fits_is_told_whole() {
    let mut whole = report();
    whole.actions = vec![done(json!({ "error": { "message": "x".repeat(100_000) } }), json!({})); 40];
    let before = json!(whole);
    whole.shorten();
    assert_eq!(json!(whole), before);
}

#[test]
fn images_of_rows_with_large_errors_are_cut_where_their_texts_are_long() {
    let mut report = report();
    let image =
        |status: &str| json!({ "status": status, "error": { "code": "AI_ERROR", "message": "遅".repeat(40_000) } });
    report.actions = vec![done(image("PROCESSING"), image("FAILED")); 60];
    assert!(bytes(&report) > 2 * LAMBDA);

    report.shorten();

    assert!(bytes(&report) <= ANSWER, "{}", bytes(&report));
    assert_eq!(report.actions.len(), 60);
    let after = report.actions[59].after.as_ref().unwrap();
    assert_eq!((&after["status"], &after["error"]["code"]), (&json!("FAILED"), &json!("AI_ERROR")));
    let cut = format!("{}… [+{}]", "遅".repeat(2048), 40_000 - 2048);
    assert_eq!(after["error"]["message"], cut, "the first bound, of 16,384 characters, is not enough here");
    assert_eq!(json!(report.omitted), json!({ "characters": 120 * (40_000 - 2048) }));
}

#[test]
fn lists_within_a_document_are_cut_and_say_so() {
    let mut report = report();
    report.report = Some(json!({ "rows": vec!["x".repeat(100); 60_000], "total": 60_000 }));
    report.shorten();
    let own = report.report.unwrap();
    // `rows` is a value itself.
    assert_eq!(own["rows"].as_array().map(Vec::len), Some(9999 + 1));
    assert_eq!((&own["rows"][9999], &own["…"]), (&json!("… [+50001]"), &json!("[+1]")));
    assert_eq!(json!(report.omitted), json!({ "values": 50_002 }));
}

#[test]
fn lists_of_entries_are_cut_too_what_went_wrong_first() {
    let mut report = report();
    report.actions = vec![done(json!({}), json!({})); KEPT + 5];
    report.actions.push(Done { outcome: DoneOutcome::Failed, ..done(json!({}), json!({})) });
    report.skipped = vec![Skipped::new("x".to_owned(), "y".repeat(60_000)); KEPT + 1];
    report.shorten();
    assert_eq!((report.actions.len(), report.actions[0].outcome), (KEPT, DoneOutcome::Failed));
    assert_eq!(json!(report.omitted), json!({ "actions": 6, "skipped": 1, "characters": KEPT * (60_000 - 16_384) }));
}

#[test]
fn an_event_is_never_cut_but_left_out_where_it_is_all_of_an_answer() {
    let mut report = report();
    report.to_do_it = Some(json!({ "all": true, "x": "y".repeat(LAMBDA) }));
    report.shorten();
    assert_eq!((&report.to_do_it, json!(report.omitted)), (&None, json!({ "toDoIt": 1 })));
}

#[test]
fn with_the_last_bound_any_answer_fits() {
    let mut report = report();
    // Six bytes each.
    let text = "\u{1}".repeat(1000);
    let document: Value = (0..20).map(|at| (format!("{at}{text}"), text.clone().into())).collect::<Map<_, _>>().into();
    let done = Done { reason: text.clone(), target: text.clone(), ..done(document.clone(), document.clone()) };
    report.actions = vec![done; KEPT];
    report.findings = vec![Finding::new("x", text.clone(), text.clone(), document.clone()); KEPT];
    report.skipped = vec![Skipped::new(text.clone(), text.clone()); KEPT];
    (report.summary, report.trigger, report.report) = (text, document.clone(), Some(document));
    let [.., (characters, values)] = BOUNDS;
    let least = report.cut(characters, values);
    assert!(bytes(&least) + ANSWER / 4 <= ANSWER, "{}", bytes(&least));
}

/// A document that is large in one way or another.
fn large() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec!["x", "\u{1}", "\"", "\\", "遅", "😀"]);
    let texts = (text, 0usize..3000).prop_map(|(text, times)| Value::from(text.repeat(times)));
    prop_oneof![
        texts.clone(),
        (texts.clone(), 1usize..4).prop_map(|(text, times)| vec![text; times].into()),
        (texts, 1usize..4).prop_map(|(text, times)| {
            let name = |at: usize| format!("{}{at}", text.as_str().unwrap_or_default());
            (0..times).map(|at| (name(at), Value::Null)).collect::<Map<_, _>>().into()
        }),
        (1usize..4, 1u32..6).prop_map(|(width, depth)| {
            (0..depth).fold(json!("leaf"), |inner, _| json!(vec![json!({ "inner": inner }); width]))
        }),
        (0usize..800).prop_map(|count| json!(vec![0.125; count])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn every_answer_fits_and_says_what_is_left_out(
        documents in prop::collection::vec(large(), 4),
        entries in 0usize..120,
        text in "[a\u{1}遅]{0,40}",
        times in 0usize..400,
    ) {
        let mut report = report();
        let text = text.repeat(times);
        let finding = Finding::new("x", text.clone(), text.clone(), documents[0].clone());
        report.findings = vec![finding; entries];
        report.actions = vec![Done { reason: text.clone(), ..done(documents[1].clone(), documents[2].clone()) }; entries];
        report.skipped = vec![Skipped::new(text.clone(), text.clone()); entries];
        report.report = Some(documents[3].clone());
        report.trigger["reason"] = text.into();
        let before = report.clone();

        report.shorten();

        prop_assert!(bytes(&report) <= ANSWER, "{}", bytes(&report));
        prop_assert_eq!(report.omitted.is_empty(), bytes(&report) == bytes(&before));
        prop_assert_eq!(&report.summary, &before.summary);
        prop_assert_eq!(&report.trigger["kind"], "operator");
        prop_assert_eq!((report.run_id, report.plan_id), (before.run_id, before.plan_id));
        prop_assert_eq!(&report.to_do_it, &before.to_do_it);
        prop_assert_eq!(report.actions.len(), entries.min(KEPT));
        let mut again = before;
        again.shorten();
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&report).unwrap());
    }
}
