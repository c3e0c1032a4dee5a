//! The report: who holds the connections, who waits for whom, what runs for long. For people as lines, for machines as JSON.

use std::collections::BTreeMap;

use crate::texts;
use remediation::domain::Language;
use remediation::gather::config::sessions::SessionPolicy;
use remediation::gather::sessions::{Backend, State};
use serde_json::{Value, json};

use crate::chains::{Chains, PREPARED};
use crate::evidence::{Evidence, named};

/// How many entries of each part are listed.
const LISTED: usize = 50;

fn states(evidence: &Evidence, application: &str, language: Language) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let of_it = |backend: &&Backend| backend.is_client && backend.application == application;
    for backend in evidence.backends.iter().filter(of_it) {
        *counts.entry(texts::state(language, backend.state)).or_default() += 1;
    }
    counts.into_iter().collect()
}

pub fn of(evidence: &Evidence, chains: &Chains<'_>, policy: &SessionPolicy, language: Language) -> Value {
    let overview = &evidence.overview;
    let [connections, waits, long] = texts::headings(language, policy.long_query.num_seconds());
    let at = evidence.at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let percent = overview.percent().unwrap_or(100.0);
    let mut text = vec![texts::title(language, &at, overview.used, overview.available, percent, overview.blocked)];
    let mut part = |title: String, lines: Vec<String>| {
        text.push(title);
        if lines.is_empty() {
            text.push(format!("     {}", texts::none(language)));
        }
        text.extend(lines.into_iter().take(LISTED).map(|line| format!("     {line}")));
    };

    let held = evidence.holders();
    let by_state = |(application, count): &(&str, usize)| {
        let states = states(evidence, application, language);
        let list = states.iter().map(|(state, count)| format!("{state} {count}")).collect::<Vec<_>>().join(", ");
        format!("{} {count}: {list}", named(application))
    };
    part(connections, held.iter().map(by_state).collect());

    let roots = chains.roots();
    let (mut lines, mut trees) = (Vec::new(), Vec::new());
    for root in roots.iter().take(LISTED) {
        lines.push(line(evidence, root.backend, language));
        lines.extend(waiters(evidence, chains, root.backend.pid, language));
        let mut told = image(evidence, root.backend);
        told["blocked"] = root.blocked.into();
        told["waiters"] = chains
            .tree(root.backend.pid)
            .iter()
            .take(LISTED)
            .map(|(depth, waiter)| {
                let mut told = image(evidence, waiter);
                told["depth"] = (*depth).into();
                told["waitsForSeconds"] = evidence.seconds(waiter.blocked_since).into();
                told
            })
            .collect();
        trees.push(told);
    }
    let behind_prepared = waiters(evidence, chains, PREPARED, language);
    if !behind_prepared.is_empty() {
        lines.push(texts::prepared_root(language));
        lines.extend(behind_prepared);
    }
    part(waits, lines);

    let running: Vec<&Backend> =
        evidence.backends.iter().filter(|backend| evidence.is_long(backend, policy.long_query)).take(LISTED).collect();
    part(long, running.iter().map(|backend| line(evidence, backend, language)).collect());
    json!({
        "text": text,
        "connections": {
            "used": overview.used,
            "available": overview.available,
            "usedPercent": overview.percent(),
            "unseen": overview.unseen,
            "byApplication": held.iter().map(|(application, count)| json!({
                "application": application,
                "count": count,
                "states": states(evidence, application, Language::En).into_iter().collect::<BTreeMap<_, _>>(),
            })).collect::<Vec<_>>(),
        },
        "chains": trees,
        "longStatements": running.iter().map(|backend| image(evidence, backend)).collect::<Vec<_>>(),
    })
}

/// Whoever waits for this one, directly or for one that does, each below whom it waits for.
fn waiters(evidence: &Evidence, chains: &Chains<'_>, pid: i32, language: Language) -> Vec<String> {
    let line = |(depth, waiter): &(usize, &Backend)| {
        let seconds = evidence.seconds(waiter.blocked_since);
        let told = texts::waiting(language, waiter.pid, named(&waiter.application), seconds, &waiter.statement);
        format!("{}└ {told}", "  ".repeat(*depth))
    };
    chains.tree(pid).iter().take(LISTED).map(line).collect()
}

/// How long it has been doing what it does: its statement, or nothing.
fn age(evidence: &Evidence, backend: &Backend) -> i64 {
    evidence.seconds(if backend.state == State::Active { backend.statement_since } else { backend.state_since })
}

fn line(evidence: &Evidence, backend: &Backend, language: Language) -> String {
    let state = texts::state(language, backend.state);
    texts::session(
        language,
        backend.pid,
        named(&backend.application),
        &state,
        age(evidence, backend),
        &backend.statement,
    )
}

fn image(evidence: &Evidence, backend: &Backend) -> Value {
    json!({
        "pid": backend.pid,
        "application": backend.application,
        "user": backend.user,
        "state": backend.state,
        "seconds": age(evidence, backend),
        "waitsFor": backend.waits_for,
        "statement": backend.statement,
        "statementId": backend.statement_id,
        "protection": backend.protection,
    })
}
