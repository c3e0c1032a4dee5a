//! The sentences of a table that does not serve, in both languages.

use crate::domain::Language;
use crate::gather::table_name::TableName;
use crate::text;

/// A table that is not there, or not seen.
#[must_use]
pub fn no_table(language: Language, name: &TableName) -> String {
    text!(
        language,
        ja: "テーブル {name} が存在しないか、このユーザーからスキーマが見えない。PROCESSING_STATE_TABLE に <スキーマ>.<テーブル> を設定するか、USAGE と SELECT を付与する",
        en: "table {name} does not exist, or its schema is not visible to this user: set PROCESSING_STATE_TABLE to <schema>.<table>, or grant USAGE and SELECT",
    )
}

/// A column that `where` names and that is not there.
#[must_use]
pub fn no_such_column(language: Language, table: &TableName, column: &str) -> String {
    text!(language, ja: "テーブル {table} に列 `{column}` がない", en: "table {table} has no column `{column}`")
}

/// Two rows may have the same id.
#[must_use]
pub fn id_not_unique(language: Language, table: &TableName, id: &str) -> String {
    text!(
        language,
        ja: "テーブル {table} の列 `{id}` は一意でない。一意インデックスのある列を指定するか、`where` で行を絞り込む（一意インデックスの残りの列に定数を指定する）",
        en: "column `{id}` of table {table} is not unique: name a column with a unique index, or give the other columns of that index a constant in `where`",
    )
}

/// A column that is missing. `names` are its spellings, `types` those that it may have.
#[must_use]
pub fn no_column(language: Language, table: &TableName, names: &str, types: &[&str]) -> String {
    let types = either(language, types);
    text!(
        language,
        ja: "テーブル {table} に列 {names}（型は {types}）がない",
        en: "table {table} has no column {names}, which must be {types}",
    )
}

/// A column of another type than it may have.
#[must_use]
pub fn column_type(language: Language, table: &TableName, column: &str, is: &str, types: &[&str]) -> String {
    let types = either(language, types);
    text!(
        language,
        ja: "テーブル {table} の列 `{column}` の型が {is} になっている（必要な型は {types}）",
        en: "column `{column}` of table {table} is of type {is}, but must be {types}",
    )
}

fn either(language: Language, types: &[&str]) -> String {
    types.join(&text!(language, ja: " または ", en: " or "))
}

/// A status column whose enum lacks a value.
#[must_use]
pub fn no_status(language: Language, table: &TableName, status: &str, labels: &[String]) -> String {
    let labels = labels.join(", ");
    text!(
        language,
        ja: "テーブル {table} の列 `status` に値 {status} がない（現在の値: {labels}）",
        en: "column `status` of table {table} has no value {status}; it has {labels}",
    )
}

/// A column that the database computes.
#[must_use]
pub fn generated_column(language: Language, table: &TableName, column: &str) -> String {
    text!(
        language,
        ja: "テーブル {table} の列 `{column}` は生成列のため書き込めない。通常の列にすること（ALTER TABLE … ALTER COLUMN … DROP EXPRESSION、ID 列は DROP IDENTITY）",
        en: "column `{column}` of table {table} is generated, so nobody can write it: make it a plain column (ALTER TABLE … ALTER COLUMN … DROP EXPRESSION, or DROP IDENTITY)",
    )
}

/// A view, or a table of another server.
#[must_use]
pub fn no_plain_table(language: Language, table: &TableName) -> String {
    text!(
        language,
        ja: "{table} はビューまたは外部テーブル。行のバージョンを比較できないため、PROCESSING_STATE_TABLE には元のテーブルを設定すること",
        en: "{table} is a view or a foreign table, whose rows have no version to compare: set PROCESSING_STATE_TABLE to the table behind it",
    )
}

/// A schema that this user may not look into.
#[must_use]
pub fn schema_not_granted(language: Language, schema: &str, quoted: &str, user: &str) -> String {
    text!(
        language,
        ja: "データベースユーザーにスキーマ {schema} の USAGE 権限がない: GRANT USAGE ON SCHEMA {quoted} TO \"{user}\"",
        en: "the database user may not use schema {schema}: GRANT USAGE ON SCHEMA {quoted} TO \"{user}\"",
    )
}

/// Row level security may hide rows.
#[must_use]
pub fn rows_hidden(language: Language, table: &TableName, relation: &str, user: &str) -> String {
    text!(
        language,
        ja: "テーブル {table} の行レベルセキュリティにより、見えない行がある可能性がある。見えない行の状態は不明であり、件数は少なめに出る: CREATE POLICY remediation ON {relation} TO \"{user}\" USING (true) WITH CHECK (true)",
        en: "row level security on table {table} may hide rows from this database user; what it hides is not known, and every count may be too low: CREATE POLICY remediation ON {relation} TO \"{user}\" USING (true) WITH CHECK (true)",
    )
}

/// Row level security may keep rows from being written.
#[must_use]
pub fn rows_kept(language: Language, table: &TableName, relation: &str, user: &str) -> String {
    text!(
        language,
        ja: "テーブル {table} の行レベルセキュリティにより、行は読めるが更新できない可能性がある: CREATE POLICY remediation ON {relation} FOR UPDATE TO \"{user}\" USING (true) WITH CHECK (true)",
        en: "row level security on table {table} lets rows be read, but may keep them from being updated: CREATE POLICY remediation ON {relation} FOR UPDATE TO \"{user}\" USING (true) WITH CHECK (true)",
    )
}

/// A grant that is missing. `relation` is the table as SQL has it.
#[must_use]
pub fn not_granted(language: Language, privilege: &str, name: &TableName, relation: &str, user: &str) -> String {
    text!(
        language,
        ja: "データベースユーザーに {name} の {privilege} 権限がない: GRANT {privilege} ON {relation} TO \"{user}\"",
        en: "the database user may not {privilege} {name}: GRANT {privilege} ON {relation} TO \"{user}\"",
    )
}
