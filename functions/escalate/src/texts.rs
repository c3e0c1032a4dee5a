//! What this step says, in Japanese (as the guide is) and in English.

use chrono::{DateTime, Utc};
use remediation::act::actions::change_worker::texts::moment;
use remediation::domain::Language;
use remediation::gather::config::escalation::Level;
use remediation::run::texts::duration;
use remediation::text;
use uuid::Uuid;

use crate::why::Why;

/// The first line: what is wrong, and since when.
#[must_use]
pub fn wrong(language: Language, level: Level, alarm: &str, since: DateTime<Utc>, age: &str) -> String {
    let (level, since) = (level.as_str(), moment(since));
    text!(
        language,
        ja: "[{level}] {alarm}: {since} から ALARM（{age}経過）",
        en: "[{level}] {alarm} has been in ALARM since {since} ({age})",
    )
}

/// CloudWatch's words.
#[must_use]
pub fn cloudwatch(language: Language, reason: &str) -> String {
    text!(language, ja: "CloudWatch: {reason}", en: "CloudWatch: {reason}")
}

/// The alarm could not be asked for.
#[must_use]
pub fn state_unread(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "アラームの現在の状態を CloudWatch から取得できないため、未解決として扱う: {why}",
        en: "The alarm's present state could not be read from CloudWatch, so it counts as not resolved: {why}",
    )
}

/// The alarm has no data just now.
#[must_use]
pub fn no_data(language: Language) -> String {
    text!(
        language,
        ja: "アラームは現在データ不足のため、未解決として扱う",
        en: "The alarm has insufficient data right now, so it counts as not resolved",
    )
}

/// Why people are told.
#[must_use]
pub fn because(language: Language, why: &str) -> String {
    text!(language, ja: "通知の理由: {why}", en: "Why you are told: {why}")
}

/// Why people are told, in a sentence.
#[must_use]
pub fn why(language: Language, why: &Why) -> String {
    match why {
        Why::Limit(step, said) => {
            text!(language, ja: "{step} が上限に達した: {said}", en: "{step} has reached a limit: {said}")
        }
        Why::Waits(step, said) => text!(
            language,
            ja: "{step} は自動では変更できず待機中: {said}",
            en: "{step} may not act by itself and is waiting: {said}",
        ),
        Why::Failed(step, said) => {
            text!(language, ja: "{step} の直近の実行が失敗: {said}", en: "the last run of {step} failed: {said}")
        }
        Why::Needs(step, said) => text!(
            language,
            ja: "{step} では解決できず、人の対応が必要: {said}",
            en: "{step} could not fix it and needs a person: {said}",
        ),
        Why::Nobody => text!(
            language,
            ja: "このアラームに対応するステップはなく、人の対応が必要",
            en: "no step handles this alarm: it needs a person",
        ),
        Why::Overdue(within) => {
            let within = duration(language, *within);
            text!(language, ja: "{within}以内に解決しなかった", en: "it was not resolved within {within}")
        }
    }
}

/// The level below was told, and nobody has answered.
#[must_use]
pub fn below_told(language: Language, below: Level, at: DateTime<Utc>) -> String {
    let (below, at) = (below.as_str(), moment(at));
    text!(
        language,
        ja: "{below} には {at} に通知済み。確認（acknowledge）した人はいない",
        en: "{below} was told at {at}; nobody has acknowledged it",
    )
}

/// The level below could not be told.
#[must_use]
pub fn below_failed(language: Language, below: Level) -> String {
    let below = below.as_str();
    text!(language, ja: "{below} への通知は失敗した", en: "The message to {below} could not be sent")
}

/// Nothing was changed.
#[must_use]
pub fn nothing_done(language: Language) -> String {
    text!(language, ja: "実施済みの変更: なし", en: "Changed so far: nothing")
}

/// What was changed, and why that was safe.
#[must_use]
pub fn done(language: Language, count: i64) -> String {
    text!(
        language,
        ja: "実施済みの変更: {count} 件（新しい順に最大 5 件）。いずれもステップの上限内で、読み取った値のままの対象だけを変更し、結果を読み直して確認している",
        en: "Changed so far: {count} (the newest five below). Each was within its step's limits, changed only what was still as it had been read, and was read back",
    )
}

/// How a change is taken back.
#[must_use]
pub fn undo(language: Language, event: &str, function: &str) -> String {
    text!(language, ja: "元に戻す: {function} に {event} を送る", en: "to undo it, send {event} to {function}")
}

/// Above what is to be done.
#[must_use]
pub fn to_do(language: Language) -> String {
    text!(language, ja: "次にすること:", en: "What to do now:")
}

/// An event that does what waits.
#[must_use]
pub fn send(language: Language, event: &str, function: &str) -> String {
    text!(
        language,
        ja: "→ 待機中の変更を承認する: {function} に {event} を送る",
        en: "→ to approve what is waiting, send {event} to {function}",
    )
}

/// The page of a step.
#[must_use]
pub fn runbook(language: Language, step: &str) -> String {
    text!(
        language,
        ja: "→ 手順: functions/{step}/RUNBOOK.md",
        en: "→ follow functions/{step}/RUNBOOK.md",
    )
}

/// The page of an alarm that no step handles.
#[must_use]
pub fn runbook_of_alarm(language: Language, alarm: &str) -> String {
    text!(
        language,
        ja: "→ 手順: functions/escalate/RUNBOOK.md の {alarm} の項",
        en: "→ follow functions/escalate/RUNBOOK.md, what to do about {alarm}",
    )
}

/// How a person takes it over.
#[must_use]
pub fn acknowledge(language: Language, event: &str, function: &str) -> String {
    text!(
        language,
        ja: "対応する人は {function} に {event} を送る（以後の通知が止まる）",
        en: "If you look after it, send {event} to {function}: nobody else is told then",
    )
}

/// Who is told next.
#[must_use]
pub fn next(language: Language, next: Level, at: DateTime<Utc>) -> String {
    let (next, at) = (next.as_str(), moment(at));
    text!(language, ja: "確認がなければ {at} に {next} へ通知する", en: "Otherwise {next} is told at {at}")
}

/// Why a level is told, for the ledger.
#[must_use]
pub fn told(language: Language, level: Level, alarm: &str, said: Option<&Why>) -> String {
    let level = level.as_str();
    match said.map(|said| why(language, said)) {
        Some(why) => text!(language, ja: "{alarm} を {level} に通知: {why}", en: "{level} is told of {alarm}: {why}"),
        None => text!(language, ja: "{alarm} を {level} に通知", en: "{level} is told of {alarm}"),
    }
}

/// An incident that is in its time.
#[must_use]
pub fn in_time(language: Language, alarm: &str, until: DateTime<Utc>) -> String {
    let until = moment(until);
    text!(
        language,
        ja: "{alarm}: 対応中。{until} までに解決しなければ L1 に通知",
        en: "{alarm} is being handled; L1 is told if it is not resolved by {until}",
    )
}

/// A level hears of it later.
#[must_use]
pub fn later(language: Language, alarm: &str, level: Level, at: DateTime<Utc>) -> String {
    let (level, at) = (level.as_str(), moment(at));
    text!(
        language,
        ja: "{alarm}: 確認待ち。{at} に {level} へ通知",
        en: "{alarm} waits for somebody to acknowledge it; {level} is told at {at}",
    )
}

/// A message is under way, or waits until it is tried again.
#[must_use]
pub fn tried_again(language: Language, alarm: &str, level: Level) -> String {
    let level = level.as_str();
    text!(
        language,
        ja: "{alarm}: {level} への通知は送信中、または再送待ち",
        en: "{alarm}: the message to {level} is under way, or is tried again later",
    )
}

/// All levels were told.
#[must_use]
pub fn all_told(language: Language, alarm: &str, at: DateTime<Utc>) -> String {
    let at = moment(at);
    text!(
        language,
        ja: "{alarm}: 全レベルに通知済み（L3 は {at}）だが、未確認かつ未解決",
        en: "{alarm}: every level was told (L3 at {at}); not acknowledged and not resolved",
    )
}

/// Its alarm is muted.
#[must_use]
pub fn held_back(language: Language, alarm: &str, by: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} のアクションは {by} により抑止中のため通知しない",
        en: "the actions of alarm {alarm} are suppressed by {by}: nobody is told",
    )
}

/// Alarms that could not be asked for; `some` of them by name, and why the first could not.
#[must_use]
pub fn unreadable(language: Language, count: usize, some: &str, why: &str) -> String {
    text!(
        language,
        ja: "{count} 件のアラームの状態を CloudWatch から取得できないため、未解決として扱う: {some}: {why}",
        en: "{count}: the state of these alarms could not be read from CloudWatch, so they count as not resolved: {some}: {why}",
    )
}

/// Incidents of which no level could be told.
#[must_use]
pub fn unheard(language: Language, count: usize, some: &str) -> String {
    text!(
        language,
        ja: "{count} 件のインシデントをどのレベルにも通知できていない。トピックと権限を確認する（ESCALATION_L1_TOPIC_ARN など）: {some}",
        en: "{count}: no level could be told of these incidents; check the topics and the permission to publish (ESCALATION_L1_TOPIC_ARN and so on): {some}",
    )
}

/// Incidents that are still open although people know of them.
#[must_use]
pub fn unsolved(language: Language, count: usize, some: &str) -> String {
    let look = "{}";
    text!(
        language,
        ja: "{count} 件のインシデントが、通知または確認の後も未解決。一覧は escalate に {look} を送る: {some}",
        en: "{count} open still, although people were told or have acknowledged; send {look} to escalate for the list: {some}",
    )
}

/// More incidents are open than one run looks at.
#[must_use]
pub fn too_many(language: Language, of: usize, looked_at: usize) -> String {
    text!(
        language,
        ja: "未解決の {of} 件のうち {looked_at} 件を確認した。残りは次回",
        en: "{looked_at} of {of} open incidents were looked at; the next run goes on",
    )
}

/// Who looks after it.
#[must_use]
pub fn is_acknowledged(language: Language, alarm: &str, by: &str, at: DateTime<Utc>) -> String {
    let at = moment(at);
    text!(
        language,
        ja: "{alarm}: {by} が {at} に確認済み（対応中）",
        en: "{alarm}: {by} acknowledged it at {at} and is looking after it",
    )
}

/// There is nothing to look after any more.
#[must_use]
pub fn is_over(language: Language, alarm: &str, at: DateTime<Utc>) -> String {
    let at = moment(at);
    text!(
        language,
        ja: "{alarm}: インシデントは {at} に終了しているため、確認は不要",
        en: "{alarm}: the incident has been over since {at}, so there is nothing to acknowledge",
    )
}

/// A person takes it over.
#[must_use]
pub fn acknowledges(language: Language, alarm: &str, by: &str) -> String {
    text!(
        language,
        ja: "{by} が {alarm} を確認した。終了までこれ以上通知しない",
        en: "{by} looks after {alarm}: nobody else is told until it is over",
    )
}

/// An acknowledgement by nobody.
#[must_use]
pub fn needs_by(language: Language) -> String {
    let example = r#"{"by": "Sato"}"#;
    text!(
        language,
        ja: "`by` がない。`acknowledge` は対応する人の名前とともに記録される（例: {example}）",
        en: "`by` is missing: `acknowledge` is recorded with the name of whoever looks after the incident, for example {example}",
    )
}

/// An incident that there is not.
#[must_use]
pub fn no_incident(language: Language, id: Uuid) -> String {
    let look = "{}";
    text!(
        language,
        ja: "`acknowledge`: インシデント {id} はない。未解決の一覧は {look} を送る（report.incidents）",
        en: "`acknowledge`: there is no incident {id}; send {look} for those that are open (report.incidents)",
    )
}

/// An event about a process.
#[must_use]
pub fn about_incidents(language: Language) -> String {
    let (look, event) = ("{}", r#"{"acknowledge": "<incident>", "by": "…"}"#);
    text!(
        language,
        ja: "escalate は処理ではなくインシデントを対象とする。現状の確認は {look}、確認済みにするには {event} を送る",
        en: "escalate is about incidents, not about processes: send {look} to see those that are open, {event} to acknowledge one",
    )
}
