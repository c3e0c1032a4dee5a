//! Takes an earlier change back: the inverse that its kind has, as a compare-and-set on what that change left behind (design, 6.6).

use serde_json::Value;

use crate::act::action::kind::Kind;
use crate::act::action::{Action, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries::UNDO;
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::text;

/// A change that is to be taken back.
#[derive(Debug, Clone)]
pub struct Undo {
    /// The change, as the ledger has it.
    pub entry: Entry,
    /// Its kind, which knows the way back.
    pub kind: Kind,
}

impl Action for Undo {
    fn kind(&self) -> &'static str {
        UNDO
    }

    fn target(&self) -> String {
        self.entry.target.clone()
    }

    fn preview(&self) -> (Value, Value) {
        let image = |image: &Option<Value>| image.clone().unwrap_or_default();
        (image(&self.entry.after), image(&self.entry.before))
    }

    fn class(&self) -> Class {
        if self.kind.is_own_record() { Class::Own } else { Class::Repair }
    }

    fn is_undo(&self) -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &[UNDO]
    }

    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        action.kind.undo(session, run, planned, &action.entry).await
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(
            language,
            ja: "取り消しは取り消せない。必要なら変更そのものをやり直す",
            en: "an undo cannot be undone; make the change itself again",
        ))
    }

    /// An undo's open entry is resolved by the kind of what it takes back.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}
