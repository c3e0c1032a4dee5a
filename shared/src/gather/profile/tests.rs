//! Profiles, read: the five of `tests/profiles`, and every fault.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use super::*;

fn read(text: &str) -> Profile {
    Profile::parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:#?}"))
}

#[test]
fn the_guides_profile_says_what_holds_without_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/profiles/guide");
    let said = read(&std::fs::read_to_string(folder.join("application.toml")).unwrap());
    let guide = Profile::guide();
    let own = |name: &Option<Name>| name.as_ref().map(|name| name.spellings()[0].to_owned());
    for (said, guide) in [
        (&said.columns.created, &guide.columns.created),
        (&said.columns.updated, &guide.columns.updated),
        (&said.columns.finished, &guide.columns.finished),
        (&said.columns.progress, &guide.columns.progress),
        (&said.columns.attempts, &guide.columns.attempts),
        (&said.columns.result, &guide.columns.result),
        (&said.columns.kind, &guide.columns.kind),
        (&said.columns.user, &guide.columns.user),
        (&said.columns.target, &guide.columns.target),
    ] {
        assert_eq!(own(said), own(guide));
    }
    let timed_out = crate::domain::Statuses { timed_out: &[], ..guide.words.statuses };
    assert_eq!(
        said.words,
        &Words { statuses: timed_out, ..*guide.words },
        "TIMEOUT is not in every installation's enum"
    );
    assert_eq!((said.retry, said.on_completed), (guide.retry, guide.on_completed));
    assert_eq!(said.result_path, guide.result_path);
    assert_eq!(read(""), guide);
}

#[test]
fn what_is_different_from_the_guides_is_said_alone() {
    let profile = read(
        "[codes]\ncancelled = \"ABANDONED\"\ntransient = [\"PROCESSING_ERROR\"]\npermanent = [\"UNKNOWN_ERROR\"]\n[status]\nwaiting = \"PAUSED\"\nignored = [\"QUEUED\", \"DRAFT\"]",
    );
    let words = profile.words;
    assert_eq!(words.cancelled, ["ABANDONED"]);
    assert_eq!((words.statuses.completed, words.statuses.waiting), (["COMPLETED"].as_slice(), ["PAUSED"].as_slice()));
    assert_eq!(words.statuses.timed_out, ["TIMEOUT"]);
    assert_eq!(profile.columns, Profile::guide().columns);
    assert!(profile.steps_off().is_empty());
}

#[test]
fn a_profile_has_at_most_40_lines_and_its_steps_are_off_by_the_key_that_is_missing() {
    for (name, off) in [
        ("guide", [].as_slice()),
        ("archive-ingest", &["progress", "target"]),
        ("transfer-checks", &["progress", "target"]),
        ("genomics", &["progress", "target", "retry"]),
        ("satellite-jobs", &["progress", "target"]),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/profiles").join(name);
        let text = std::fs::read_to_string(folder.join("application.toml")).unwrap();
        assert!(text.lines().filter(|line| !line.is_empty()).count() <= 40 && text.len() < 3000, "{name}");
        let keys: Vec<&str> = read(&text).steps_off().into_iter().map(|(_, key)| key).collect();
        assert_eq!(keys, off, "{name}");
    }
}

/// A whole profile, into which a fault is put.
const SOUND: &str = "table = \"jobs\"\n[times]\ncreated = \"at\"\n[execution]\ninput = \"$.id\"\n";

#[test]
fn every_fault_names_its_key_and_what_it_may_be() {
    read(SOUND);
    #[rustfmt::skip]
    let faults = [
        ("table", "not TOML", "it is no TOML"),
        ("tabel = \"x\"", "", "`tabel` is no key of a profile: it may be `table`, `where`"),
        ("table = 7", "", "`table` is `7`: it must be a text"),
        ("table = \"a.b.c\"", "", "`table` is `a.b.c`: it must be <schema>.<table> or <table>"),
        ("where = \"a = 1\"", "", "`where` is `a = 1`: it must be a table"),
        ("where = { a = [1] }", "", "`where.a` is a list: it must be a text, a whole number, true or false"),
        ("id = \"\"", "", "`id` is ``: it must be a text"),
        ("retry = \"maybe\"", "", "`retry` is `maybe`: it must be `reopen` or `off`"),
        ("fence = \"no\"", "", "`fence` is `no`: it must be `keep` or `skip`"),
        ("progress = false", "", "`progress` is `false`: it must be a text"),
        ("", "[status]\ncompleted = \"A\"\nfailed = \"A\"\nprocessing = \"B\"", "`status.failed` is `A`, which is in `completed` too"),
        ("", "[status]\ncompleted = \"A\"\nfailed = \"B\"", "`status.processing` is missing: it must be the application's words"),
        ("", "[status]\ncompleted = [1]", "`status.completed` is a list: it must be a text or a list of texts"),
        ("", "[status]\ndone = \"A\"", "`status.done` is no key of a profile: it may be `column`, `key`, `pending`"),
        ("", "[codes]\ntransient = \"CANCELLED\"", "`codes.transient` is `CANCELLED`, which is in `cancelled` too"),
        ("", "[error]\ncode_column = \"a\"", "`error.column` is half said: it must be either `column`, or `code_column` and `message_column`"),
        ("", "[error]\nnone = \"{}\"", "`error.column` is missing"),
        ("", "[result]\npath = \"x\"", "`result.path` is `x`: it must be a Step Functions reference path"),
        ("", "[result]\nrequired = \"yes\"", "`result.required` is `yes`: it must be true or false"),
        ("", "[failed_output]\npath = \"$.a[*]\"", "`failed_output.path` is `$.a[*]`: it must be a Step Functions reference path"),
        ("", "[on]\ncompleted = \"x\"", "`on.completed` is `x`: it must be `write` or `tell`"),
        ("", "[deadlines]\ndefault = 0", "`deadlines.default` is `0`: it must be a whole number of seconds from 1 to 31536000"),
        ("", "[deadlines]\nBIG = 60", "unless `type` names the column"),
    ];
    for (top, section, expected) in faults {
        let sound =
            if top.starts_with("tabl") { SOUND.replacen("table = \"jobs\"\n", "", 1) } else { SOUND.to_owned() };
        let told = Profile::parse(&format!("{top}\n{sound}{section}")).unwrap_err();
        assert!(told.iter().any(|fault| fault.contains(expected)), "{top}{section}: {told:#?}");
    }
    for (execution, expected) in [
        ("", "`execution` is without `arn`, `input` and `name`: it must be a table with one of them"),
        ("name = \"{id}-{id}\"", "`execution.name` is `{id}-{id}`: it must be one `{id}`"),
        ("name = \"x\"", "`execution.name` is `x`: it must be one `{id}`"),
        ("input = \"id\"", "`execution.input` is `id`: it must be a Step Functions reference path"),
        (
            "arn = \"a\"\nmachines = \"ingest\"",
            "`execution.machines` is `ingest`: it must be the ARN of a state machine, or its beginning with `*`",
        ),
    ] {
        let told = Profile::parse(&format!("table = \"jobs\"\n[times]\ncreated = \"at\"\n[execution]\n{execution}"))
            .unwrap_err();
        assert!(told.iter().any(|fault| fault.contains(expected)), "{execution}: {told:#?}");
    }
    let told = Profile::parse("table = \"jobs\"\nx = 1\ny = 2\n[times]\nzone = \"'; DROP\"").unwrap_err();
    assert_eq!(told.len(), 5, "all at once: {told:#?}");
}
