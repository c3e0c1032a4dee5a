//! What it says, in Japanese (as the guide is) and in English.

use crate::act::texts::duration;
use crate::domain::Language;
use crate::gather::indexes::Hindrance;
use crate::gather::indexes::InTheWay;
use crate::text;
use chrono::TimeDelta;
use std::time::Duration;

/// An INVALID index bears the name.
#[must_use]
pub fn left_over_in_the_way(language: Language) -> String {
    text!(
        language,
        ja: "同名の INVALID なインデックスが残っているため作成を開始しない。先に削除が必要（次の計画に含まれる）",
        en: "not started: an INVALID index of this name still exists and has to be dropped first; the next plan includes that",
    )
}

/// Something else bears the name.
#[must_use]
pub fn name_taken(language: Language, definition: Option<&str>) -> String {
    let it = definition.unwrap_or("-");
    text!(
        language,
        ja: "この名前は別のオブジェクト（{it}）が使用中のため作成できない。そちらの名前を変えるか、別名で手動作成する",
        en: "the name is already used by something else ({it}), so the index cannot be created: rename that, or create the index by hand under another name",
    )
}

/// The run's time is nearly over.
#[must_use]
pub fn too_late(language: Language, left: Duration) -> String {
    let left = duration(language, TimeDelta::from_std(left).unwrap_or_default());
    text!(
        language,
        ja: "この回の残り時間が {left}しかないため作成を開始しない。もう一度 {{\"all\": true}} を送り、新しい計画を承認する",
        en: "not started: this run has only {left} left; send {{\"all\": true}} again and approve the new plan",
    )
}

/// Something is in the way of a build.
#[must_use]
pub fn in_the_way(language: Language, all: &[InTheWay]) -> String {
    let who = hindrances(language, all);
    text!(
        language,
        ja: "作成を開始しない。先に終了を待つ必要があるもの: {who}。その終了後（relieve-database で終了させてもよい）に {{\"all\": true}} を送り、新しい計画を承認する",
        en: "not started, because it would have to wait for: {who}. Once that is over (relieve-database can end it), send {{\"all\": true}} and approve the new plan",
    )
}

/// Something would be in the way of a build, were it approved now.
#[must_use]
pub fn would_wait(language: Language, all: &[InTheWay]) -> String {
    let who = hindrances(language, all);
    text!(
        language,
        ja: "今承認しても作成は開始されない。先に終了を待つ必要があるもの: {who}",
        en: "if approved now, the build would not start, because it would have to wait for: {who}",
    )
}

fn hindrances(language: Language, all: &[InTheWay]) -> String {
    let each = all.iter().map(|one| {
        let pid = one.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let who = one.who.as_deref().filter(|who| !who.is_empty()).unwrap_or("-");
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are enough")]
        let open = one
            .seconds
            .map_or_else(|| "?".to_owned(), |seconds| duration(language, TimeDelta::seconds(seconds as i64)));
        match one.kind {
            Hindrance::Transaction => text!(
                language,
                ja: "pid {pid}（{who}）のトランザクション（開始から {open}）",
                en: "pid {pid} ({who}), transaction open for {open}",
            ),
            Hindrance::Prepared => text!(
                language,
                ja: "準備済みトランザクション {who}（開始から {open}）",
                en: "prepared transaction {who}, open for {open}",
            ),
            Hindrance::Unseen => text!(
                language,
                ja: "pid {pid} のトランザクション（開始時刻の参照権限なし。GRANT pg_read_all_stats で参照可能）",
                en: "pid {pid}, whose transaction this user may not see (fix: GRANT pg_read_all_stats)",
            ),
            Hindrance::Maintenance => text!(
                language,
                ja: "pid {pid}（{who}）によるテーブル変更、VACUUM、またはインデックス作成",
                en: "pid {pid} ({who}), which is altering, vacuuming or indexing the table",
            ),
        }
    });
    each.collect::<Vec<_>>().join("; ")
}

/// A lock or an older transaction was waited for in vain.
#[must_use]
pub fn waited(language: Language, lock: Duration, now: &[InTheWay]) -> String {
    let (seconds, who) = (lock.as_secs_f64(), hindrances(language, now));
    let who = if who.is_empty() { "-".to_owned() } else { who };
    text!(
        language,
        ja: "ロックまたは古いトランザクションを {seconds} 秒待っても終わらず（現在のもの: {who}）",
        en: "timed out after waiting {seconds} s for a lock or an older transaction (open now: {who})",
    )
}

/// The server ended the build.
#[must_use]
pub fn ended_by_the_server(language: Language, statement: &str) -> String {
    text!(
        language,
        ja: "この回の時間内に作成が終わらず、サーバーが打ち切った。psql で手動実行する: {statement}",
        en: "the build did not finish within this run, so the server ended it; run it by hand in psql: {statement}",
    )
}

/// A right is missing.
#[must_use]
pub fn not_allowed(language: Language, error: &str, statement: &str) -> String {
    text!(
        language,
        ja: "{error}。インデックスを作成できるのはテーブルの所有者のみ。所有者として実行する: {statement}",
        en: "{error}. Only the table's owner may create an index; run as the owner: {statement}",
    )
}

/// PostgreSQL refused.
#[must_use]
pub fn refused(language: Language, error: &str) -> String {
    text!(language, ja: "PostgreSQL が拒否: {error}", en: "PostgreSQL refused: {error}")
}

/// What became of what a failed build left behind.
#[must_use]
pub fn cleaned_up(language: Language, dropped: bool) -> String {
    if dropped {
        text!(language, ja: "残った INVALID なインデックスは削除済み", en: "the INVALID index it left behind was dropped")
    } else {
        text!(
            language,
            ja: "INVALID なインデックスが残っている（書き込みのたびに負荷となる）。次の計画で削除",
            en: "it left an INVALID index behind, which slows down every write; the next plan drops it",
        )
    }
}

/// A build ended well, and the index is not there.
#[must_use]
pub fn not_there(language: Language) -> String {
    text!(
        language,
        ja: "文は成功したが、有効なインデックスが見つからない",
        en: "the statement succeeded, but the table has no valid index of this name",
    )
}

/// A drop ended well, and the index is there.
#[must_use]
pub fn still_there(language: Language) -> String {
    text!(language, ja: "インデックスがまだ残っている", en: "the index still exists")
}

/// A drop was refused.
#[must_use]
pub fn not_dropped(language: Language, error: &str) -> String {
    text!(
        language,
        ja: "削除できず: {error}。再試行可能（残った INVALID なインデックスは次の計画にも含まれる）",
        en: "could not be dropped: {error}. It can be retried; an INVALID leftover is also in the next plan",
    )
}

/// The index that is to be taken away is another one by now.
#[must_use]
pub fn another_index(language: Language) -> String {
    text!(
        language,
        ja: "作成したインデックスは既にない（削除済みか、定義が異なる）ため、何もしない",
        en: "the index that was created is gone or has a different definition by now: left unchanged",
    )
}

/// The run that built it ended before the build.
#[must_use]
pub fn interrupted(language: Language) -> String {
    text!(
        language,
        ja: "作成中の回が途中で終了し、有効なインデックスはできていない",
        en: "the run that was building it ended before the build did, and there is no valid index",
    )
}
