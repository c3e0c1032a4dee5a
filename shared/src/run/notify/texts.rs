//! What only messages to people say, in both languages.

use crate::act::ledger::told::Due;
use crate::domain::Language;
use crate::text;

/// What came of a kind since it was told last.
pub(super) fn more_like_this(language: Language, due: &Due) -> String {
    let Due { step, kind, more } = due;
    text!(
        language,
        ja: "… {step} {kind}: 直近 1 時間に同様のもの他 {more} 件",
        en: "… {step} {kind}: and {more} more like this in the last hour",
    )
}

/// What was only counted, where nothing else is to be told.
pub(super) fn waited(language: Language, due: &[Due]) -> String {
    let query = "SELECT * FROM remediation.runs WHERE NOT told AND started_at > now() - interval '2 hours'";
    let head = text!(language, ja: "通知をまとめたもの（1 種類につき 1 時間に 1 通）", en: "counted since the last message (each kind is reported once an hour)");
    let lines = due.iter().map(|due| more_like_this(language, due));
    let last = text!(language, ja: "→ 詳細: {query}", en: "→ details: {query}");
    [head, String::new()].into_iter().chain(lines).chain([last]).collect::<Vec<_>>().join("\n")
}

/// What would have been done in a day of mode observe.
pub(super) fn would_have(language: Language, count: i64) -> String {
    text!(
        language,
        ja: "observe のため未実行の変更: 過去 24 時間に {count} 件（何も変更していない）",
        en: "changes that mode observe held back in the last 24 h: {count} (nothing was changed)",
    )
}

/// How one gets to have it done.
pub(super) fn to_have_it_done(language: Language) -> String {
    let query = "SELECT * FROM remediation.wanted WHERE mode = 'observe' AND seen_at > now() - interval '1 day'";
    text!(
        language,
        ja: "→ 詳細と理由: {query}。実行させるには REMEDIATION_MODE（または control でステップのモード）を propose か act にする",
        en: "→ each of them, with its reason: {query}. To have them made, set REMEDIATION_MODE (or, with control, the step's mode) to propose or act",
    )
}
