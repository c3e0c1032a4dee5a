//! What it says, in Japanese (as the guide is) and in English.

use crate::domain::Language;
use crate::gather::indexes::Hindrance;
use crate::gather::indexes::InTheWay;
use crate::text;
use std::time::Duration;

/// An INVALID index bears the name.
#[must_use]
pub fn left_over_in_the_way(language: Language) -> String {
    text!(
        language,
        ja: "同じ名前の INVALID なインデックスが残っているため作成しない。先にそれを削除する（次の計画に含まれる）",
        en: "not begun: an INVALID index of this name is still there and has to go first; the next plan has it",
    )
}

/// Something else bears the name.
#[must_use]
pub fn name_taken(language: Language, definition: Option<&str>) -> String {
    let it = definition.unwrap_or("-");
    text!(
        language,
        ja: "この名前は別のものに使われているため作成できない（{it}）。名前を変えるか、手で作成する",
        en: "something else bears this name ({it}), so the index cannot be made: rename that, or make the index by hand under another name",
    )
}

/// The run's time is nearly over.
#[must_use]
pub fn too_late(language: Language, left: Duration) -> String {
    let left = left.as_secs();
    text!(
        language,
        ja: "この実行の残り時間が {left} 秒しかないため、作成を始めない。もう一度 {{\"all\": true}} を送り、新しい計画を承認する",
        en: "not begun: only {left} s of this run are left; send {{\"all\": true}} once more and approve the new plan",
    )
}

/// Something is in the way of a build.
#[must_use]
pub fn in_the_way(language: Language, all: &[InTheWay]) -> String {
    let who = hindrances(language, all);
    text!(
        language,
        ja: "作成を始めない。作成が待たされるため: {who}。終わってから（または relieve-database で終わらせてから）{{\"all\": true}} を送り、新しい計画を承認する",
        en: "not begun, because it would have to wait for: {who}. Once that is over (relieve-database may end it), send {{\"all\": true}} and approve the new plan",
    )
}

/// Something would be in the way of a build, were it approved now.
#[must_use]
pub fn would_wait(language: Language, all: &[InTheWay]) -> String {
    let who = hindrances(language, all);
    text!(
        language,
        ja: "今承認しても作成は始まらない。待つ相手: {who}",
        en: "approved now, nothing would be built, because a build would have to wait for: {who}",
    )
}

fn hindrances(language: Language, all: &[InTheWay]) -> String {
    let each = all.iter().map(|one| {
        let pid = one.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let who = one.who.as_deref().filter(|who| !who.is_empty()).unwrap_or("-");
        let seconds = one.seconds.map_or_else(|| "?".to_owned(), |seconds| format!("{seconds:.0}"));
        match one.kind {
            Hindrance::Transaction => text!(
                language,
                ja: "pid {pid}（{who}）のトランザクションが {seconds} 秒開いたまま",
                en: "pid {pid} ({who}), whose transaction has been open for {seconds} s",
            ),
            Hindrance::Prepared => text!(
                language,
                ja: "準備済みトランザクション {who} が {seconds} 秒残ったまま",
                en: "the prepared transaction {who}, {seconds} s old",
            ),
            Hindrance::Unseen => text!(
                language,
                ja: "pid {pid} のトランザクション（開始時刻を見る権限がない。GRANT pg_read_all_stats で見える）",
                en: "pid {pid}, whose transaction this user may not look into (GRANT pg_read_all_stats opens it)",
            ),
            Hindrance::Maintenance => text!(
                language,
                ja: "pid {pid}（{who}）がテーブルを変更、VACUUM、またはインデックス作成中",
                en: "pid {pid} ({who}), which alters, vacuums or indexes the table",
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
        ja: "ロックまたは古いトランザクションを {seconds} 秒待っても終わらなかった（今開いているもの: {who}）",
        en: "a lock or an older transaction did not go away within {seconds} s (open now: {who})",
    )
}

/// The server ended the build.
#[must_use]
pub fn ended_by_the_server(language: Language, statement: &str) -> String {
    text!(
        language,
        ja: "この実行の時間内に作成が終わらず、サーバーが打ち切った。psql で手で実行する: {statement}",
        en: "the build did not come to its end within this run, so the server ended it: run it by hand, from psql: {statement}",
    )
}

/// A right is missing.
#[must_use]
pub fn not_allowed(language: Language, error: &str, statement: &str) -> String {
    text!(
        language,
        ja: "{error}。インデックスはテーブルの所有者しか作れない。所有者として実行する: {statement}",
        en: "{error}. Only the table's owner may make an index: run it as the owner: {statement}",
    )
}

/// PostgreSQL refused.
#[must_use]
pub fn refused(language: Language, error: &str) -> String {
    text!(language, ja: "PostgreSQL が拒否した: {error}", en: "PostgreSQL refuses it: {error}")
}

/// What became of what a failed build left behind.
#[must_use]
pub fn cleaned_up(language: Language, dropped: bool) -> String {
    if dropped {
        text!(language, ja: "残った INVALID なインデックスは削除した", en: "the INVALID index that it left behind was dropped")
    } else {
        text!(
            language,
            ja: "INVALID なインデックスが残っている（書き込みのたびに負担になる）。次の計画がそれを削除する",
            en: "it left an INVALID index behind, which costs every write; the next plan drops it",
        )
    }
}

/// A build ended well, and the index is not there.
#[must_use]
pub fn not_there(language: Language) -> String {
    text!(
        language,
        ja: "文は成功したが、有効なインデックスが見つからない",
        en: "the statement succeeded, and there is no valid index of this name on the table afterwards",
    )
}

/// A drop ended well, and the index is there.
#[must_use]
pub fn still_there(language: Language) -> String {
    text!(language, ja: "インデックスがまだ残っている", en: "the index is still there")
}

/// A drop was refused.
#[must_use]
pub fn not_dropped(language: Language, error: &str) -> String {
    text!(
        language,
        ja: "削除できなかった: {error}。同じことをもう一度行える（残った INVALID なインデックスは次の計画にも含まれる）",
        en: "it could not be dropped: {error}. The same may be tried again; what is left INVALID is in the next plan too",
    )
}

/// The index that is to be taken away is another one by now.
#[must_use]
pub fn another_index(language: Language) -> String {
    text!(
        language,
        ja: "作成したときのインデックスはもうない（削除されたか、別の定義になっている）ため、何もしない",
        en: "the index that was made is gone or has another definition by now: it is left as it is",
    )
}

/// The run that built it ended before the build.
#[must_use]
pub fn interrupted(language: Language) -> String {
    text!(
        language,
        ja: "作成中の実行が途中で終わり、有効なインデックスはできていない",
        en: "the run that built it ended before the build did, and there is no valid index",
    )
}
