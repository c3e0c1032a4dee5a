//! The sentence of a report on the record, in both languages.

use chrono::TimeDelta;

use crate::domain::Language;
use crate::run::texts::duration;
use crate::text;

/// What the sentence counts.
pub(super) struct Counts {
    pub wanted: i64,
    pub right: i64,
    pub otherwise: i64,
    pub open: i64,
    pub not_known: i64,
    pub applied: i64,
    pub failed: i64,
    pub undone: i64,
}

pub(super) fn summary(language: Language, span: TimeDelta, counts: &Counts) -> String {
    let Counts { wanted, right, otherwise, open, not_known, applied, failed, undone } = counts;
    let span = duration(language, span);
    let would = match wanted {
        0 => text!(language, ja: "計画のみで未実行の変更なし", en: "planned but not applied: none"),
        _ => text!(
            language,
            ja: "計画のみで未実行の変更 {wanted} 件（その後同じ状態になった {right} 件、別の状態になった {otherwise} 件、未解決 {open} 件、不明 {not_known} 件）",
            en: "planned but not applied: {wanted} ({right} turned out right, {otherwise} turned out otherwise, {open} still open, {not_known} unknown)",
        ),
    };
    let did = match applied + failed {
        0 => text!(language, ja: "実行した変更なし", en: "applied: none"),
        _ => text!(
            language,
            ja: "実行した変更 {applied} 件（取り消し {undone} 件）、失敗 {failed} 件",
            en: "applied: {applied} ({undone} of them undone), failed: {failed}",
        ),
    };
    text!(language, ja: "過去 {span}: {would}。{did}", en: "last {span}: {would}; {did}")
}
