//! What this step says, in Japanese (as the guide is) and in English.

use remediation::act::actions::fence::{Change, State};
use remediation::act::actions::migrate::Migrate;
use remediation::domain::Language;
use remediation::gather::config::Retention;
use remediation::text;

/// Why the fence is to be changed.
#[must_use]
pub fn fence(language: Language, change: Change) -> String {
    match change {
        Change::Install => {
            text!(language, ja: "運用者がフェンスの設置を指示", en: "an operator asked for the fence to be installed")
        }
        Change::Remove => {
            text!(language, ja: "運用者がフェンスの撤去を指示", en: "an operator asked for the fence to be removed")
        }
    }
}

/// The fence is as it was asked for.
#[must_use]
pub fn fence_already_so(language: Language, state: State) -> String {
    match state {
        State::Absent => text!(language, ja: "フェンスは既に撤去済み", en: "already removed: there is no fence"),
        State::Installed | State::Outdated => {
            text!(language, ja: "フェンスは既に設置済み（最新）", en: "already installed: the fence is up to date")
        }
    }
}

/// The fence is not as this build makes it.
#[must_use]
pub fn fence_outdated(language: Language) -> String {
    let event = r#"{"fence": "install"}"#;
    text!(
        language,
        ja: "フェンスが別ビルドのもの、別テーブルのもの、または無効。migrate に {event} を送って更新する",
        en: "the fence is from another build, on another table, or disabled: send {event} to migrate to renew it",
    )
}

/// An event about one process.
#[must_use]
pub fn about_the_whole(language: Language) -> String {
    text!(
        language,
        ja: "migrate はスキーマ全体を扱う。{{\"all\": true}}、または不足を確認するだけなら {{}} を送ること。フェンスには {{\"fence\": \"install\"}} か {{\"fence\": \"remove\"}} だけ、保存期間を過ぎた記録の削除には {{\"forget\": true}} を送る",
        en: "migrate works on the whole schema: send {{\"all\": true}}, or {{}} to see what is missing; for the fence, {{\"fence\": \"install\"}} or {{\"fence\": \"remove\"}} alone; {{\"forget\": true}} deletes what is older than its retention",
    )
}

/// Why the schema is brought up to date.
#[must_use]
pub fn schema_behind(language: Language, from: i64, to: i64) -> String {
    text!(
        language,
        ja: "スキーマ remediation はバージョン {from} だが、このビルドには {to} が必要",
        en: "schema remediation is at version {from}, this build needs {to}",
    )
}

/// Why records are deleted.
#[must_use]
pub fn older(language: Language, retention: &Retention) -> String {
    let Retention { actions, runs, executions, refused_writes } = retention;
    let [actions, runs, executions, refused] = [actions, runs, executions, refused_writes].map(|kept| kept.num_days());
    text!(
        language,
        ja: "保存期間を過ぎた記録を削除する（対応の記録 {actions} 日、何もしなかった起動と未承認の計画 {runs} 日、終了した実行 {executions} 日、フェンスが拒否した書き込み {refused} 日）",
        en: "older than its retention: {actions} days for what was done, {runs} for runs that did nothing and plans that nobody approved, {executions} for executions that are over, {refused} for writes that the fence refused",
    )
}

/// Nothing is old enough to be deleted.
#[must_use]
pub fn nothing_older(language: Language) -> String {
    text!(language, ja: "保存期間を過ぎた記録はない", en: "nothing is older than its retention")
}

/// The schema is another build's.
#[must_use]
pub fn outdated(language: Language, missing: &Migrate) -> String {
    let Migrate { from, to } = missing;
    let event = r#"{"all": true}"#;
    text!(
        language,
        ja: "スキーマのバージョンが {from} で、このビルドには {to} が必要なため何も削除しない。先に {event} を送ること",
        en: "nothing is deleted: the schema is at version {from} and this build needs {to}; send {event} first",
    )
}

/// What may be asked of the fence.
#[must_use]
pub fn fence_may_be(language: Language) -> String {
    text!(language, ja: "\"install\" または \"remove\"", en: "\"install\" or \"remove\"")
}

/// A word that stands in the status column and in no list of the profile.
#[must_use]
pub fn word_unknown(language: Language, word: &str, rows: i64) -> String {
    text!(
        language,
        ja: "ステータス `{word}`（{rows} 行）がプロファイルのどのリストにもない。status の waiting、ignored など該当するリストに加えること",
        en: "status `{word}` in {rows} rows is in no list: add it to the right one of the profile's `status`, such as `waiting` or `ignored`",
    )
}

/// A code that no list knows.
#[must_use]
pub fn code_unknown(language: Language, code: &str, rows: i64) -> String {
    text!(
        language,
        ja: "エラーコード `{code}`（失敗 {rows} 行）がどのリストにもない。再試行してよければ codes.transient、無駄なら codes.permanent、キャンセルなら codes.cancelled に加えること",
        en: "error code `{code}` of {rows} failed rows is in no list: add it to `codes.transient` if it may pass, to `codes.permanent` if it never does, to `codes.cancelled` if it means a cancel",
    )
}

/// Rows that nothing counts from.
#[must_use]
pub fn rows_without_time(language: Language, rows: i64) -> String {
    text!(
        language,
        ja: "{rows} 行に開始時刻も作成時刻もない（`times.created`、`times.started` を確認）",
        en: "{rows} rows have neither a time of creation nor of start: check `times.created` and `times.started`",
    )
}

/// No row bears an execution.
#[must_use]
pub fn no_row_linked(language: Language, rows: i64) -> String {
    text!(
        language,
        ja: "{rows} 行のいずれにも実行の ARN がない。`execution.arn` の列は正しいか",
        en: "none of {rows} rows bears the ARN of an execution: is the column of `execution.arn` right?",
    )
}

/// No execution leads to a row.
#[must_use]
pub fn no_execution_leads_to_a_row(language: Language, executions: usize, key: &str) -> String {
    text!(
        language,
        ja: "実行 {executions} 件のうち行につながるものが 0 件。`{key}` は正しいか",
        en: "0 of {executions} executions lead to a row: is `{key}` right?",
    )
}

/// A path that is in no output.
#[must_use]
pub fn path_matches_nothing(language: Language, successes: usize, key: &str) -> String {
    text!(
        language,
        ja: "成功した実行 {successes} 件の出力のいずれにも `{key}` のパスの値がない",
        en: "the path of `{key}` is in none of the outputs of {successes} executions that succeeded",
    )
}

/// No failed row has a code.
#[must_use]
pub fn no_code(language: Language, failed: i64) -> String {
    text!(
        language,
        ja: "失敗した {failed} 行のいずれにもエラーコードがない。`error` の列とキーは正しいか",
        en: "none of {failed} failed rows has an error code: are the column and keys of `error` right?",
    )
}

/// What the sample showed.
#[must_use]
pub fn explained(language: Language, rows: i64, executions: usize, unfit: usize) -> String {
    match unfit {
        0 => text!(
            language,
            ja: "プロファイルは合っている（{rows} 行と実行 {executions} 件を確認）",
            en: "the profile fits the {rows} rows and {executions} executions that were looked at",
        ),
        _ => text!(
            language,
            ja: "プロファイルに合わない点 {unfit} 件（{rows} 行と実行 {executions} 件を確認）",
            en: "{unfit} things in the profile do not fit the {rows} rows and {executions} executions that were looked at",
        ),
    }
}
