//! What was being done when the database failed. The code says it in English, where it is done; here it is in Japanese.

use crate::domain::Language;
use crate::text;

/// What was being done, in the reader's language; as it stands in the code, where it is not below (a test finds that).
pub(super) fn told(language: Language, doing: &str) -> String {
    let ja = JAPANESE.iter().find(|(en, _)| *en == doing).map_or(doing, |(_, ja)| *ja);
    let en = doing;
    text!(language, ja: "{ja}", en: "{en}")
}

/// In the order of the alphabet.
const JAPANESE: [(&str, &str); 115] = [
    ("acknowledging an incident", "インシデントの確認の記録"),
    ("asking for an answer", "応答の確認"),
    ("asking what a build would wait for", "インデックス作成が待つ相手の確認"),
    ("asking who we are", "接続ユーザーの確認"),
    ("beginning a check", "点検の開始"),
    ("bounding a build", "インデックス作成の時間制限の設定"),
    ("building or dropping an index", "インデックスの作成または削除"),
    ("changing the fence", "フェンスの変更"),
    ("closing a change of the worker", "ワーカー変更の記録の完了"),
    ("closing a lease", "リースの終了"),
    ("closing a ledger entry", "台帳への結果の記録"),
    ("closing an incident", "インシデントのクローズ"),
    ("closing the starts of steps that were left open", "未完了だったステップ起動の記録の完了"),
    ("confirming a lease", "リースの確定"),
    ("connecting", "接続"),
    ("counting connections and blocked sessions", "接続数とブロックされたセッションの集計"),
    ("counting errors of the last hour", "直近1時間のエラーの集計"),
    ("counting failures", "失敗の集計"),
    ("counting goals", "目標の集計"),
    ("counting processes", "処理の集計"),
    ("counting processes by status", "ステータス別の処理数の集計"),
    ("counting processes that wait for their start", "開始待ちの処理の集計"),
    ("counting the fields of invalid input", "不正な入力項目の集計"),
    ("counting what is wanted", "対応が必要な件数の集計"),
    ("counting what the worker had to do", "ワーカーの処理量の集計"),
    ("counting what was closed lately", "最近クローズした件数の集計"),
    ("deleting what is older than its retention", "保存期間を過ぎた記録の削除"),
    ("ending a check", "点検の終了"),
    ("ending a lease", "リースの終了"),
    ("ending a session", "セッションの終了"),
    ("keeping the highest progress of each attempt", "試行ごとの最大進捗の記録"),
    ("leaving the fence as it is", "フェンス変更の取りやめ"),
    ("lifting a build's bounds", "インデックス作成の時間制限の解除"),
    ("looking for INVALID indexes", "INVALID なインデックスの確認"),
    ("looking for an open incident", "未解決のインシデントの確認"),
    ("looking for pg_stat_statements", "pg_stat_statements の有無の確認"),
    ("looking for the fence", "フェンスの有無の確認"),
    ("looking for what is older than its retention", "保存期間を過ぎた記録の確認"),
    ("making a lease", "リースの作成"),
    ("measuring how long processes took", "処理時間の集計"),
    ("noting an approval", "承認の記録"),
    ("putting back a row whose execution was not started", "実行を開始できなかった行の復元"),
    ("re-opening a row for a retry", "再試行のための行の再オープン"),
    ("reading a lease", "リースの読み取り"),
    ("reading an incident", "インシデントの読み取り"),
    ("reading back what was undone", "取り消し結果の確認"),
    ("reading executions whose status is not known", "状態が不明な実行の読み取り"),
    ("reading goals and what works for them", "目標と関連する処理の読み取り"),
    ("reading how tables are read", "テーブルの参照状況の読み取り"),
    ("reading overtaken executions", "新しい実行に置き換えられた実行の読み取り"),
    ("reading pg_stat_statements", "pg_stat_statements の読み取り"),
    ("reading processes", "処理の読み取り"),
    ("reading progress", "進捗の読み取り"),
    ("reading since when it has been quiet", "アラームが OK に戻った時刻の読み取り"),
    ("reading the action to undo", "取り消す操作の読み取り"),
    ("reading the actions to undo", "取り消す操作の一覧の読み取り"),
    ("reading the candidates", "対象候補の読み取り"),
    ("reading the catalogue", "カタログの読み取り"),
    ("reading the history of the controls", "制御の変更履歴の読み取り"),
    ("reading the last probe", "先に試した 1 件の読み取り"),
    ("reading the ledger", "台帳の読み取り"),
    ("reading the limits", "上限の読み取り"),
    ("reading the open incidents", "継続中のインシデントの読み取り"),
    ("reading the open leases", "有効なリースの読み取り"),
    ("reading the plan", "計画の読み取り"),
    ("reading the prepared transactions", "準備済みトランザクションの読み取り"),
    ("reading the process of an execution", "実行に対応する処理の読み取り"),
    ("reading the processes of executions", "各実行に対応する処理の読み取り"),
    ("reading the row", "行の読み取り"),
    ("reading the runs about the process", "処理に関する実行記録の読み取り"),
    ("reading the schema's version", "スキーマのバージョンの読み取り"),
    ("reading the sessions of the database", "データベースのセッションの読み取り"),
    ("reading the table's indexes", "テーブルのインデックスの読み取り"),
    ("reading the table's size and owner", "テーブルのサイズと所有者の読み取り"),
    ("reading what a plan was asked for with", "計画の依頼内容の読み取り"),
    ("reading what became of the log's processes", "ログに現れた処理の現状の読み取り"),
    ("reading what is allowed", "許可範囲の読み取り"),
    ("reading what is known of executions", "実行の既知情報の読み取り"),
    ("reading what is to be undone", "取り消し対象の読み取り"),
    ("reading what is under way on the worker", "ワーカーで実行中の処理の読み取り"),
    ("reading what of the plan is done", "計画の実施状況の読み取り"),
    ("reading what people were told", "通知済みの内容の読み取り"),
    ("reading what the fence refused", "フェンスの拒否記録の読み取り"),
    ("reading what the plan has stopped", "計画が停止した実行の読み取り"),
    ("reading what the run has done already", "この回の実施済み操作の読み取り"),
    ("reading what the worker was throttled for", "ワーカーの抑制理由の読み取り"),
    ("reading what was done", "実施済み操作の読み取り"),
    ("reading what was done about failed processes", "失敗した処理への対応記録の読み取り"),
    ("reading what was done about the incidents", "インシデントへの対応の読み取り"),
    ("reading what was left open", "未完了の操作の読み取り"),
    ("reading what was told", "通知記録の読み取り"),
    ("reading what would have been done", "実施予定だった操作の読み取り"),
    ("reading when the steps ran", "各ステップの実行時刻の読み取り"),
    ("reading when the worker was changed last", "ワーカーの最終変更時刻の読み取り"),
    ("reading where the last run stopped", "前回の中断位置の読み取り"),
    ("reading which executions are known", "既知の実行の読み取り"),
    ("reading which statements were cancelled", "キャンセルした文の読み取り"),
    ("reading whose records there are", "記録を持つステップの読み取り"),
    ("recording that an execution is to be stopped", "実行停止の予定の記録"),
    ("recording that the worker is to be changed", "ワーカー変更の予定の記録"),
    ("recording the incident", "インシデントの記録"),
    ("recording what is about to be done", "実施予定の操作の記録"),
    ("recording what was done", "実施した操作の記録"),
    ("recording what was refused", "拒否された操作の記録"),
    ("recording who is about to be told", "通知先の記録"),
    ("remembering executions", "実行の記録"),
    ("remembering executions whose status is not known", "状態が不明な実行の記録"),
    ("setting a control", "制御の設定"),
    ("storing a plan", "計画の保存"),
    ("taking a place in a quota", "クォータの順番の確保"),
    ("undoing an action", "操作の取り消し"),
    ("writing a goal and its ledger entry", "目標と台帳の書き込み"),
    ("writing rows and their ledger entries", "行と台帳の書き込み"),
    ("writing that people were not told", "通知できなかったことの記録"),
    ("writing the run's record", "実行記録の書き込み"),
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::gather::error::Error;
    use crate::redact;

    /// What the product's sources give to `Error::database` and `Error::silence`: a text, or the name of one.
    fn given(source: &str) -> Vec<String> {
        let calls = ["Error::database(", "Error::silence("].into_iter().flat_map(|call| source.split(call).skip(1));
        let texts = calls.map(|rest| rest.trim_start().split([')', ',']).next().unwrap().trim());
        let named = |name: &str| {
            let after = [format!("let {name} = \""), format!("const {name}: &str = \"")];
            let text = after.iter().find_map(|start| source.split_once(start.as_str()));
            text.and_then(|(_, rest)| rest.split('"').next()).unwrap_or(name).to_owned()
        };
        texts.map(|text| text.strip_prefix('"').map_or_else(|| named(text), |text| text.replace('"', ""))).collect()
    }

    #[test]
    fn all_that_may_fail_in_the_database_is_told_in_japanese_and_nothing_else_is() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let (mut folders, mut all) = (vec![root.join("shared/src"), root.join("functions")], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.extend((!path.ends_with("tests")).then_some(path));
                } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
                    all.extend(given(fs::read_to_string(&path).unwrap().split("\nmod tests {").next().unwrap()));
                }
            }
        }
        all.sort();
        all.dedup();
        assert_eq!(all, JAPANESE.map(|(en, _)| en));
        for (en, ja) in JAPANESE {
            let error = Error::database(en)(sqlx::Error::PoolClosed).told(Language::Ja);
            assert_eq!(redact::text(&error), error);
            assert!(!ja.is_ascii() && told(Language::Ja, en) == ja && told(Language::En, en) == en, "{en}");
        }
    }
}
