//! The profile as it is understood: each meaning, its column, its words.

use serde_json::{Map, Value, json};

use crate::gather::profile::{OnCompleted, Retry};
use crate::gather::table::Table;
use crate::gather::table::wanted::wanted;

impl Table {
    /// The profile as it is understood, for whoever wrote it: by its keys.
    #[must_use]
    pub fn understood(&self) -> Value {
        let (profile, words) = (&self.profile, self.words());
        let columns: Map<String, Value> = wanted(profile)
            .iter()
            .filter_map(|wanted| {
                let column = self.columns.get(wanted.meaning)?;
                let told = format!("{} {}", column.name.trim_matches('"'), column.type_name);
                Some((wanted.key.to_owned(), told.into()))
            })
            .collect();
        let filter: Map<String, Value> = profile.filter.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
        let statuses = &words.statuses;
        let off: Map<String, Value> =
            profile.steps_off().into_iter().map(|(step, key)| (step.to_owned(), key.into())).collect();
        json!({
            "table": self.name.to_string(),
            "where": filter,
            "columns": columns,
            "status": {
                "pending": statuses.pending,
                "processing": statuses.processing,
                "waiting": statuses.waiting,
                "completed": statuses.completed,
                "failed": statuses.failed,
                "timed_out": statuses.timed_out,
                "cancelled": statuses.cancelled,
                "ignored": statuses.ignored,
            },
            "codes": { "cancelled": words.cancelled, "transient": words.transient, "permanent": words.permanent },
            "execution": {
                "input": words.owner.input.map(|path| format!("$.{}", path.join("."))),
                "name": words.owner.name.map(|name| {
                    format!("{}{{id}}{}{}", name.before, name.behind, if name.digits { "<digits>" } else { "" })
                }),
                "machines": profile.machines,
            },
            "on": { "completed": match profile.on_completed { OnCompleted::Write => "write", OnCompleted::Tell => "tell" } },
            "retry": match profile.retry { Retry::Reopen => "reopen", Retry::Off => "off" },
            "stepsOff": off,
        })
    }
}
