//! What a plan says: its changes one by one, or where they are many, their kinds, terms and counts, and a sample.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::act::action::{Action, Planned};
use crate::redact;

/// So many changes stand in a plan one by one.
pub const AT_MOST: usize = 1000;
/// Where they are more, so many stand for all, shared by the kinds and terms that there are, of which it has the largest so many.
const SAMPLE: usize = 100;
/// So many of each at the most.
const SAMPLE_OF_EACH: usize = 20;
/// Characters of a text in an image: the ledger has the whole of what is done.
const CHARACTERS: usize = 200;

/// What a person agrees to: the same one is known again when it is planned anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wish {
    /// Its kind.
    pub kind: String,
    /// What it changes.
    pub target: String,
    /// What else a person has to have agreed to ([`Action::terms`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

impl Wish {
    /// Of an action.
    #[must_use]
    pub fn of(action: &dyn Action) -> Self {
        Self { kind: action.kind().to_owned(), target: action.target(), terms: action.terms() }
    }
}

/// How many changes of one kind and terms are wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// Their kind.
    pub kind: String,
    /// Their terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// How many.
    pub count: usize,
}

/// What is to be stored of a plan.
pub(super) struct Document {
    pub(super) actions: Vec<Value>,
    pub(super) groups: Vec<Group>,
    pub(super) complete: bool,
    pub(super) digest: Uuid,
    pub(super) shape: Uuid,
}

impl Document {
    pub(super) fn of(wanted: &[Planned], in_all: usize) -> Self {
        let complete = in_all <= AT_MOST;
        let mut groups = groups(wanted);
        let mut each = AT_MOST;
        if !complete {
            groups.sort_by_key(|group| Reverse(group.count));
            groups.truncate(SAMPLE);
            groups.sort();
            each = (SAMPLE / groups.len()).min(SAMPLE_OF_EACH);
        }
        let mut room = vec![each; groups.len()];
        let (mut actions, mut wishes) = (Vec::new(), Vec::new());
        for planned in wanted {
            let wish = Wish::of(planned.action.as_ref());
            let of = |group: &Group| (&group.kind, &group.terms).cmp(&(&wish.kind, &wish.terms));
            let Ok(group) = groups.binary_search_by(of) else { continue };
            if room[group] > 0 {
                room[group] -= 1;
                actions.push(item(planned, &wish));
                wishes.push(wish);
            }
        }
        wishes.sort_unstable();
        let mut shape: Vec<Value> =
            groups.iter().map(|group| json!([group.kind, group.terms, group.count.ilog10()])).collect();
        if in_all > wanted.len() {
            shape.push(in_all.ilog10().into());
        }
        let shape = digest(&json!(shape));
        let digest = if complete { digest(&json!(wishes)) } else { shape };
        Self { actions, groups, complete, digest, shape }
    }
}

/// How many of each kind and terms there are, in their order.
fn groups(wanted: &[Planned]) -> Vec<Group> {
    let mut counts: BTreeMap<(&str, Option<String>), usize> = BTreeMap::new();
    for planned in wanted {
        *counts.entry((planned.action.kind(), planned.action.terms())).or_default() += 1;
    }
    counts.into_iter().map(|((kind, terms), count)| Group { kind: kind.to_owned(), terms, count }).collect()
}

/// A name-based UUID: SHA-1 of the text, which is enough to know a text again.
fn digest(of: &Value) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, of.to_string().as_bytes())
}

fn item(planned: &Planned, wish: &Wish) -> Value {
    let (before, after) = planned.action.preview();
    json!({
        "kind": wish.kind,
        "target": wish.target,
        "terms": wish.terms,
        "before": brief(redact::json(&before)),
        "after": brief(redact::json(&after)),
        "why": planned.reason,
        "restsOn": planned.action.rests_on(),
    })
}

/// An image with its texts cut.
fn brief(image: Value) -> Value {
    match image {
        Value::String(text) if text.chars().nth(CHARACTERS).is_some() => {
            format!("{}…", text.chars().take(CHARACTERS).collect::<String>()).into()
        }
        Value::Array(items) => items.into_iter().map(brief).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, brief(value))).collect(),
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => value,
    }
}
