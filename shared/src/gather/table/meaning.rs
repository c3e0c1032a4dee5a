//! What a row means by what it says ([`crate::domain::Words`]), in SQL.

use crate::domain::{FailedOutput, Words};
use crate::failure::UNKNOWN;
use crate::gather::profile::Profile;
use crate::gather::table::column::literal;
use crate::gather::trigger::result_path::ResultPath;

/// What rows mean, where their results are what stands at some path of an execution's output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    /// Where a result says that the work failed; `None` where that is no part of the result.
    status: Option<&'static [&'static str]>,
    /// Where its error stands.
    error: Option<&'static [&'static str]>,
    words: &'static Words,
}

/// Of a row `p`; each may be made of those behind it.
const MEANINGS: [(&str, &str); 6] = [
    // It is closed as failed, or it is COMPLETED and has nothing to show but a failure.
    (
        "{has failed}",
        "({is failed} OR {status} IN ({completed}) AND coalesce({code} NOT IN ({cancel codes}), false) AND NOT {has result})",
    ),
    ("{is failed}", "({status} IN ({failed}) AND coalesce({error code} NOT IN ({cancel codes}), true))"),
    (
        "{is cancelled}",
        "({status} IN ({cancelled}) OR {status} IN ({failed}) AND coalesce({error code} IN ({cancel codes}), false))",
    ),
    // One that does not say that the work failed.
    ("{has result}", "(coalesce(jsonb_typeof({result}), 'null') <> 'null' AND NOT {result fails})"),
    // Those of its error, or of a result that says that the work failed.
    ("{code}", "coalesce({error code}, {code in result})"),
    ("{message}", "coalesce({error message}, {message in result})"),
];

impl Meaning {
    /// Of rows whose results are what stands there.
    pub(super) fn of(profile: &Profile, path: &ResultPath) -> Self {
        let (words, has_results) = (profile.words, profile.columns.result.is_some());
        let within = |of| FailedOutput::within(of, path.names()).filter(|_| has_results);
        Self { status: within(words.failed_output.status), error: within(words.failed_output.error), words }
    }

    /// A template with its meanings spelt in columns and statuses.
    pub(super) fn spelt(self, template: &str) -> String {
        let mut sql = template.to_owned();
        for (placeholder, meaning) in MEANINGS {
            sql = sql.replace(placeholder, meaning);
        }
        let at = |path: &[&str]| format!("{{result}} #>> ARRAY[{}]", literals(path));
        // In whatever case, as in an output.
        let failed = literals(&[&self.words.failed_output.failed.to_uppercase()]);
        let fails = self
            .status
            .map_or("false".to_owned(), |status| format!("coalesce(upper({}) = {failed}, false)", at(status)));
        let of_error = |part| self.error.map_or("NULL".to_owned(), |error| at(&[error, &[part]].concat()));
        let code = format!("CASE WHEN {fails} THEN coalesce({}, '{UNKNOWN}') END", of_error("code"));
        let message = format!("CASE WHEN {fails} THEN {} END", of_error("message"));
        sql.replace("{code in result}", &code)
            .replace("{message in result}", &message)
            .replace("{result fails}", &fails)
            .replace("{cancel codes}", &literals(self.words.cancelled))
    }
}

/// Texts as literals; none is like the empty one.
fn literals(texts: &[&str]) -> String {
    let texts = if texts.is_empty() { &[""] } else { texts };
    texts.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", ")
}
