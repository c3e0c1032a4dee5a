//! What is said of an alarm and its incident, in both languages.

use chrono::{DateTime, Utc};

use crate::act::actions::change_worker::texts::moment;
use crate::domain::Language;
use crate::text;

/// The alarm is OK, and no event told so.
#[must_use]
pub fn ok(language: Language, alarm: &str, since: Option<DateTime<Utc>>) -> String {
    match since.map(moment) {
        Some(since) => text!(
            language,
            ja: "アラーム {alarm} は {since} から OK のため、インシデントを終了",
            en: "alarm {alarm} has been OK since {since}: incident closed",
        ),
        None => text!(
            language,
            ja: "アラーム {alarm} は OK のため、インシデントを終了",
            en: "alarm {alarm} is OK: incident closed",
        ),
    }
}

/// There is no such alarm any more.
#[must_use]
pub fn gone(language: Language, alarm: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} は存在しない（削除済み）ため、インシデントを終了",
        en: "alarm {alarm} no longer exists: incident closed",
    )
}

/// It has had no data for longer than it judges by.
#[must_use]
pub fn silent(language: Language, alarm: &str, since: DateTime<Utc>) -> String {
    let since = moment(since);
    text!(
        language,
        ja: "アラーム {alarm} は {since} からデータなしのため、インシデントを終了",
        en: "alarm {alarm} has had no data since {since}: incident closed",
    )
}

/// It has no data just now.
#[must_use]
pub fn waiting(language: Language, alarm: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} は現在データ不足のため、測定されるまで変更しない",
        en: "alarm {alarm} has insufficient data right now: nothing is changed until something is measured",
    )
}

/// A mute rule, or a suppressor, holds its actions back.
#[must_use]
pub fn held_back(language: Language, alarm: &str, by: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} のアクションは {by} により抑止中のため変更しない",
        en: "the actions of alarm {alarm} are suppressed by {by}: nothing is changed",
    )
}

/// How it stands cannot be known.
#[must_use]
pub fn unreadable(language: Language, alarm: &str, why: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} の状態を CloudWatch から取得できないため変更しない: {why}",
        en: "the state of alarm {alarm} could not be read from CloudWatch, so nothing is changed: {why}",
    )
}

/// The installation's own alarm cannot be known.
#[must_use]
pub fn own_name(language: Language, own: &str) -> String {
    text!(
        language,
        ja: "この関数の名前が <prefix>{own} ではないため、対応するアラームの名前が不明",
        en: "this function is not named <prefix>{own}, so the name of its alarm is unknown",
    )
}
