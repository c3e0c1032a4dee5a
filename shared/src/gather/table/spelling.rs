//! How a `.sql` file speaks of the application's table.

use sqlx::AssertSqlSafe;

use crate::domain::{IdKind, Process, ProcessStatus};
use crate::gather::profile::ErrorShape;
use crate::gather::table::Table;
use crate::gather::table::column::{Column, literal, quoted};

impl Table {
    /// A `.sql` file in this table's spelling. Of a column `x` of the row `p`, `{x}` is its value (a time as
    /// `timestamptz`), `{set x}` its bare name, `{as x}` after an expression the cast to its type. `{table}` is the
    /// relation, `{rows}` those of its rows that are ours, `{ours}` whether row `p` is one. `{id text}` is the id as text, `{id type}` what a
    /// text is cast to, `{as id x}` the text x as an id, or NULL. `{image}` is what an action can change of the row, `{attempt image}` what a
    /// retry changes besides, `{superseded}` whether the user has asked for the same
    /// anew, `{read created_at}` a time that can be read (NULL where it is none of the next millennia), `{odd times}` what is wrong with a
    /// row's times, `{is cancelled}`, `{has failed}` … what it means by what it says ([`super::meaning::Meaning`]), `{status name}` its status in
    /// our words, `{deadline}` how long it may take where that is its own, in seconds, `{took}` how long it took, `{unknown}` whether nobody
    /// knows its status, `{open}`, `{failed}`, `{completed}` … the statuses as literals of the column's own type, so that an index on
    /// it stays usable, `{pending word}` what is written, `{speaks}` whether the execution
    /// `e` is the row's, `{is linked}` whether the row itself says so.
    ///
    /// A line that sets a column stands alone, and is left out where there is no such column.
    #[must_use]
    pub fn sql(&self, template: &str) -> AssertSqlSafe<String> {
        let comparable = ["user_id", "type", "target_id"].iter().all(|column| self.has(column));
        let superseded = if comparable { SUPERSEDED } else { "false" };
        let mut sql = self.assigned(template);
        sql = self.meaning.spelt(&sql).replace("{image}", IMAGE).replace("{superseded}", superseded);
        // The row's own column has the word.
        let speaks = if self.has("arn") { "e.execution_arn = {arn}" } else { "e.process_id = {id text}" };
        let is_linked = if self.has("arn") { "true" } else { "false" };
        sql = sql.replace("{speaks}", speaks).replace("{is linked}", is_linked);
        sql = sql.replace("{attempt image}", if self.has("arn") { ATTEMPT_AND_ARN } else { ATTEMPT });
        sql = sql.replace("{code key}", &literal(self.words().error_code));
        sql = sql.replace("{took}", TOOK).replace("{unknown}", UNKNOWN).replace("{odd times}", &self.odd_times());
        sql = sql.replace("{status name}", &self.status_name()).replace("{deadline}", &self.deadline());
        for time in ["created_at", "updated_at", "completed_at"] {
            let value = format!("{{{time}}}");
            let read = format!("CASE WHEN {value} BETWEEN {SANE} THEN {value} END");
            sql = sql.replace(&format!("{{read {time}}}"), &read);
        }
        let (ours, rows) = (self.ours("p"), self.rows());
        sql = sql.replace("{rows}", &rows).replace("{table}", &self.relation()).replace("{ours}", &ours);
        sql = self.ids(sql);
        let words = &self.words().statuses;
        let statuses: [(&str, &[&[&str]]); 10] = [
            (
                "{known}",
                &[
                    words.pending,
                    words.processing,
                    words.waiting,
                    words.completed,
                    words.failed,
                    words.timed_out,
                    words.cancelled,
                    words.ignored,
                ],
            ),
            ("{open}", &[words.pending, words.processing, words.waiting]),
            ("{failed}", &[words.failed, words.timed_out]),
            ("{timed out}", &[words.timed_out]),
            ("{pending}", &[words.pending]),
            ("{processing}", &[words.processing]),
            ("{waiting}", &[words.waiting]),
            ("{completed}", &[words.completed]),
            ("{cancelled}", &[words.cancelled]),
            ("{pending word}", &[&[words.written(ProcessStatus::Pending)]]),
        ];
        for (placeholder, words) in statuses {
            sql = sql.replace(placeholder, &self.literals(&words.concat()));
        }
        AssertSqlSafe(self.columns(sql))
    }

    fn ids(&self, sql: String) -> String {
        let (cast, is) = match self.ids {
            IdKind::Uuid => ("uuid", Some("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")),
            IdKind::Integer => ("int8", Some("^-?[0-9]{1,18}$")),
            IdKind::Text => ("text", None),
        };
        let mut sql = sql.replace("{id text}", "{id}::text COLLATE \"C\"").replace("{id type}", cast);
        // What was remembered under another profile is no id of this one.
        while let Some((before, rest)) = sql.split_once("{as id ")
            && let Some((text, after)) = rest.split_once('}')
        {
            let id = match is {
                Some(is) => format!("CASE WHEN {text} ~ '{is}' THEN {text}::{cast} END"),
                None => text.to_owned(),
            };
            sql = format!("{before}{id}{after}");
        }
        sql
    }

    /// What stands in each column, and where there is none.
    fn columns(&self, mut sql: String) -> String {
        for (placeholder, value) in self.derived() {
            sql = sql.replace(placeholder, &value);
        }
        let zone = literal(&self.profile.columns.zone);
        for (column, Column { name, type_name, local_time, .. }) in &self.columns {
            let (value, cast) = if *local_time {
                (format!("(p.{name} AT TIME ZONE {zone})"), format!(" AT TIME ZONE {zone}"))
            } else {
                (format!("p.{name}"), format!("::{type_name}"))
            };
            sql = sql.replace(&format!("{{{column}}}"), &value).replace(&format!("{{raw {column}}}"), &value);
            sql = sql.replace(&format!("{{set {column}}}"), name);
            sql = sql.replace(&format!("{{as {column}}}"), &cast);
        }
        for (missing, null) in MISSING {
            sql = sql.replace(missing, null);
        }
        sql
    }

    /// What is not the plain value of one column; each may be made of those behind it.
    fn derived(&self) -> Vec<(&'static str, String)> {
        let mut derived = Vec::new();
        if let Some(key) = &self.profile.columns.status_key {
            derived.push(("{status}", format!("(p.{{set status}} ->> {})", literal(key))));
            derived.push(("{as status}", String::new()));
        }
        let [code, message] = self.error_parts();
        derived.extend([("{error code}", code), ("{error message}", message)]);
        match &self.profile.error {
            ErrorShape::Absent => {}
            ErrorShape::One { none, .. } => {
                let column = self.json("error");
                let value = match (none, column) {
                    (None, value) => value,
                    (Some(none), value) => format!("nullif({value}, {})", self.json_literal("error", none)),
                };
                derived.push(("{error}", value));
            }
            ErrorShape::Two { .. } => derived.push((
                "{error}",
                "CASE WHEN num_nonnulls({error_code}, {error_message}) > 0 \
                      THEN jsonb_build_object('code', {error_code}::text, 'message', {error_message}::text) END"
                    .to_owned(),
            )),
        }
        derived.push(("{result}", self.json("result")));
        if self.profile.is_anothers() {
            let raw = |columns: &[&'static str]| -> Vec<String> {
                columns.iter().filter(|of| self.has(of)).map(|of| format!("{{raw {of}}}")).collect()
            };
            let mut created = raw(&["created_at", "started_at"]);
            if !self.has("created_at") {
                // Whoever is not started yet is as if he had just come.
                created.push("now()".to_owned());
            }
            let created = format!("coalesce({})", created.join(", "));
            let mut updated = raw(&["updated_at", "completed_at"]);
            updated.push(created.clone());
            derived.push(("{created_at}", created));
            derived.push(("{updated_at}", format!("coalesce({})", updated.join(", "))));
        }
        derived
    }

    /// A column's value as `jsonb`: of a text, that text.
    fn json(&self, column: &str) -> String {
        match self.columns.get(column) {
            None => "NULL::jsonb".to_owned(),
            Some(Column { name, family, .. }) => match family.as_str() {
                "jsonb" => format!("p.{name}"),
                "json" => format!("p.{name}::jsonb"),
                _ => format!("to_jsonb(p.{name}::text)"),
            },
        }
    }

    /// What a profile's text stands for in a column, as `jsonb`.
    fn json_literal(&self, column: &str, text: &str) -> String {
        if self.is_json(column) {
            format!("{}::jsonb", literal(text))
        } else {
            format!("to_jsonb({}::text)", literal(text))
        }
    }

    /// The code and the message of a row's error.
    fn error_parts(&self) -> [String; 2] {
        match &self.profile.error {
            ErrorShape::Absent => ["NULL::text", "NULL::text"].map(str::to_owned),
            ErrorShape::One { keys, .. } if self.is_json("error") => {
                [&keys.code, &keys.message].map(|key| format!("({{error}} ->> {})", literal(key)))
            }
            // As we write it.
            ErrorShape::One { .. } => {
                ["substring(p.{set error}::text FROM '^([A-Z][A-Z0-9_]{1,63}):')", "p.{set error}::text"]
                    .map(str::to_owned)
            }
            ErrorShape::Two { .. } => ["{error_code}::text", "{error_message}::text"].map(str::to_owned),
        }
    }

    fn is_json(&self, column: &str) -> bool {
        self.columns.get(column).is_some_and(Column::is_json)
    }

    /// The lines that set a column, each as the column wants it, without those whose column is not there.
    fn assigned(&self, template: &str) -> String {
        if !template.contains("{set status} =") && !template.contains("{set updated_at} =") {
            return template.to_owned();
        }
        let mut lines: Vec<String> = Vec::new();
        for line in template.lines() {
            let text = line.trim_start();
            let set = text.strip_prefix("SET ").unwrap_or(text);
            let Some((column, value)) = set.strip_prefix("{set ").and_then(|rest| rest.split_once("} = ")) else {
                lines.push(line.to_owned());
                continue;
            };
            let indent = &line[..line.len() - set.len()];
            let (value, comma) = value.strip_suffix(',').map_or((value, ""), |value| (value, ","));
            match self.assignment(column, value) {
                Some(assignment) => lines.push(format!("{indent}{assignment}{comma}")),
                // It was the last one.
                None if comma.is_empty() => {
                    if let Some(last) = lines.last_mut().filter(|last| last.ends_with(',')) {
                        last.pop();
                    }
                }
                None => {}
            }
        }
        lines.join("\n")
    }

    /// `{set x} = value`, in the column's own shape; `None` where there is no such column.
    fn assignment(&self, column: &str, value: &str) -> Option<String> {
        let plain = || format!("{{set {column}}} = {value}");
        match column {
            "status" => Some(match &self.profile.columns.status_key {
                Some(key) => format!(
                    "{{set status}} = jsonb_set(coalesce(p.{{set status}}, '{{}}'), ARRAY[{}], to_jsonb(({value})::text))",
                    literal(key)
                ),
                None => plain(),
            }),
            "error" => match &self.profile.error {
                ErrorShape::Absent => None,
                ErrorShape::One { none, .. } => {
                    let value = match none {
                        None => value.to_owned(),
                        Some(none) => format!("coalesce({value}, {})", self.json_literal("error", none)),
                    };
                    self.of_json("error", &value)
                }
                ErrorShape::Two { .. } => Some(format!(
                    "{{set error_code}} = ({value}) ->> 'code', {{set error_message}} = ({value}) ->> 'message'"
                )),
            },
            "result" => self.of_json("result", value),
            _ => self.has(column).then(plain),
        }
    }

    /// `{set x} = value`, of a value that is `jsonb`.
    fn of_json(&self, column: &str, value: &str) -> Option<String> {
        let family = self.columns.get(column)?.family.as_str();
        Some(match family {
            "jsonb" => format!("{{set {column}}} = {value}"),
            "json" => format!("{{set {column}}} = ({value})::json"),
            _ => format!("{{set {column}}} = ({value}) #>> '{{}}'"),
        })
    }

    /// Those of its rows that are ours. Their version does not come with `*`.
    fn rows(&self) -> String {
        if self.profile.filter.is_empty() {
            return self.relation();
        }
        format!("(SELECT t.xmin, t.* FROM {} t WHERE {})", self.relation(), self.ours("t"))
    }

    /// Whether a row is ours. Constants are of the column's own type.
    fn ours(&self, row: &str) -> String {
        let equal = |(column, value): &(String, String)| format!("{row}.{} = {}", quoted(column), literal(value));
        let all: Vec<String> = self.profile.filter.iter().map(equal).collect();
        if all.is_empty() { "true".to_owned() } else { all.join(" AND ") }
    }

    /// Its status in our words; one that nobody knows as it stands there.
    fn status_name(&self) -> String {
        let words = &self.words().statuses;
        let is_ours = |status: &ProcessStatus| words.of(*status).iter().all(|word| *word == status.as_str());
        if words.waiting.is_empty() && ProcessStatus::ALL.iter().all(is_ours) {
            return "{status}::text".to_owned();
        }
        let mut names = String::from("CASE");
        for status in ProcessStatus::ALL {
            let mut of = words.of(status).to_vec();
            if status == ProcessStatus::Processing {
                of.extend(words.waiting);
            }
            if !of.is_empty() {
                names += &format!(" WHEN {{status}} IN ({}) THEN '{status}'", self.literals(&of));
            }
        }
        names + " ELSE {status}::text END"
    }

    /// In seconds; NULL: as for all.
    fn deadline(&self) -> String {
        let profile = &self.profile;
        let mut cases = String::new();
        if !profile.words.statuses.waiting.is_empty() {
            cases += &format!(" WHEN {{status}} IN ({{waiting}}) THEN {}", Process::NO_DEADLINE.num_seconds());
        }
        for (kind, deadline) in &profile.deadlines {
            cases += &format!(" WHEN {{type}}::text = {} THEN {}", literal(kind), deadline.num_seconds());
        }
        if cases.is_empty() { "NULL::int8".to_owned() } else { format!("(CASE{cases} END)::int8") }
    }

    /// What is wrong with a row's times, in SQL: the columns and what stands there; empty where nothing is.
    fn odd_times(&self) -> String {
        let odd = |column: &str, null: &str| {
            let name =
                self.columns.get(column).map_or(column, |column| column.name.trim_matches('"')).replace('\'', "''");
            format!(
                "CASE WHEN coalesce({{{column}}} NOT BETWEEN {SANE}, {null}) \
                      THEN '{name} is ' || coalesce({{{column}}}::text, 'NULL') END"
            )
        };
        let updated = if self.profile.is_anothers() { "false" } else { "true" };
        let (created, updated) = (odd("created_at", "true"), odd("updated_at", updated));
        format!("concat_ws(', ', {created}, {updated}, {})", odd("completed_at", "false"))
    }

    /// Words that the column knows, as literals of its own type: an index on it stays usable. A column that knows none
    /// of them is compared with no value at all.
    fn literals(&self, words: &[&str]) -> String {
        let knows =
            |word: &&&str| self.statuses.as_ref().is_none_or(|labels| labels.iter().any(|label| label == **word));
        let known: Vec<String> = words.iter().filter(knows).map(|word| literal(word)).collect();
        if known.is_empty() { "NULL".to_owned() } else { known.join(", ") }
    }
}

/// What stands for a column that is not there.
const MISSING: [(&str, &str); 8] = [
    ("{progress}", "NULL::int4"),
    ("{retry_count}", "NULL::int4"),
    ("{user_id}", "NULL::text"),
    ("{type}", "NULL::text"),
    ("{target_id}", "NULL::uuid"),
    ("{arn}", "NULL::text"),
    ("{completed_at}", "NULL::timestamptz"),
    ("{error}", "NULL::jsonb"),
];

/// What an action can change of a row `p`, as jsonb. Times are in UTC; a result is told by its digest: it may be large, and it
/// is nobody's business but the user's.
const IMAGE: &str = "jsonb_build_object('status', {status}::text, 'progress', {progress}, 'error', {error}, \
     'result', 'md5:' || md5(nullif({result}, 'null')::text), \
     'completedAt', to_jsonb({completed_at} AT TIME ZONE 'UTC'), \
     'updatedAt', to_jsonb({updated_at} AT TIME ZONE 'UTC'))";

/// What a retry changes besides.
const ATTEMPT: &str = "jsonb_build_object('retryCount', {retry_count})";
const ATTEMPT_AND_ARN: &str = "jsonb_build_object('retryCount', {retry_count}, 'arn', {arn})";

/// Times that a program can read: PostgreSQL also has `infinity`, and years that no calendar of ours reaches.
const SANE: &str = "'0001-01-02 00:00Z'::timestamptz AND '9999-12-30 00:00Z'::timestamptz";

/// How long row `p` took until it was closed; NULL where its times do not tell.
const TOOK: &str = "(coalesce({read completed_at}, {read updated_at}) - {read created_at})";

/// Whether nobody knows the status of row `p`. No status at all is nobody's business.
const UNKNOWN: &str = "coalesce({status} NOT IN ({known}), false)";

/// Whether a newer row asks for the same as row `p`: the same user, type and target. Without a target nothing is the same.
const SUPERSEDED: &str = "EXISTS (SELECT FROM {rows} n \
     WHERE n.{set user_id} = {user_id} AND n.{set type} = {type} AND n.{set target_id} = {target_id} \
       AND n.{set created_at} > p.{set created_at})";
