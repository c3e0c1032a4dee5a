//! Arrows between files run one way, decide ← gather ← act ← run ← functions, and no files need each other (CONTRIBUTING, "Where things are").
//!
//! An arrow is a path that leads into another file, in a `use` or in the midst of the code, tests and the insides of macros included; a
//! `mod x;` alone is none. The sources are read as tokens, so what a comment or a text says is no arrow. What would hide one (a file that is
//! included or stands elsewhere, a crate by another name, a path that a macro puts together, a file of no layer) is a fault by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// From the bottom up: a layer's name, and how the paths of its files begin.
const LAYERS: [(&str, &str); 5] = [
    ("decide", "shared/decide/src/"),
    ("gather", "shared/src/gather"),
    ("act", "shared/src/act"),
    ("run", "shared/src/run"),
    ("functions", "functions/"),
];

/// The cases' AWS is as round as what it imitates; the explorer's model is taken in from its example, and seems to be the test's own root.
const ROUND: [&str; 2] = ["tests/cases/src/", "shared/decide/tests/interleavings/"];

#[test]
fn arrows_run_one_way_and_no_files_need_each_other() {
    let house = House::read(&harness::paths::workspace());
    let arrows = house.arrows();
    for (rank, (name, _)) in LAYERS.iter().enumerate() {
        assert!(house.files.values().any(|file| layer(file) == Some(rank)), "no file of {name} was found");
        let down =
            |(from, to): &(String, String)| layer(from) == Some(rank) && layer(to).is_some_and(|below| below < rank);
        assert!(rank == 0 || arrows.iter().any(down), "{name} was found to need nothing below it");
    }
    for (from, to) in [
        ("shared/decide/src/decide.rs", "shared/decide/src/domain.rs"),
        ("functions/reconcile-processes/src/main.rs", "shared/src/run/processes.rs"),
    ] {
        assert!(arrows.contains(&(from.to_owned(), to.to_owned())), "{from} was not found to need {to}");
    }
    let faults = [house.hidden(), faults(&arrows)].concat();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn an_arrow_that_runs_back_up_and_files_that_need_each_other_are_found_and_named() {
    let decide = |file, text| Source::new("shared/decide", "remediation-decide", "src", file, text);
    let shared = |file, text| Source::new("shared", "remediation", "src", file, text);
    let step = |file, text| Source::new("functions/step", "step", "src", file, text);
    let house = House::of([
        decide("lib.rs", "pub mod decide; pub mod domain;"),
        decide("domain.rs", "pub struct Process;"),
        decide("decide.rs", "use crate::domain::Process; mod tests;"),
        decide("decide/tests.rs", "use super::*;"),
        shared("lib.rs", "pub mod gather; pub mod act; pub use remediation_decide::{decide, domain};"),
        shared("gather.rs", "pub mod table; pub mod row; pub mod late; pub mod texts;"),
        // What only a comment or a text names, and a name of another crate, is no arrow.
        shared("gather/texts.rs", "/* crate::act */ const A: &str = \"crate::act\"; use std::act; // crate::act"),
        // A circle: by the name that a `use` gives, in the midst of a macro, and from a module within a file.
        shared(
            "gather/table.rs",
            "use {crate::gather::{self as reads, texts}, std::fmt}; fn a() { b!(reads::row::x()) }",
        ),
        shared("gather/row.rs", "mod inner { fn a() { super::super::table::x() } }"),
        shared("gather/late.rs", "fn a() -> crate::act::write::B { self::b() }"),
        // By all that is within a module, and by another spelling.
        shared("gather/all.rs", "use crate::*; fn a() { act::write::b() }"),
        shared("gather/above.rs", "use super::super::*; mod inner { use super::*; fn a() { act::write::b() } }"),
        shared("gather/raw.rs", "fn a() { crate::r#act::write::b() }"),
        // What hides where it leads.
        shared("gather/me.rs", "extern crate self as me; fn a() { me::act::write::b() }"),
        shared("gather/copy.rs", "include!(\"../act/write.rs\");"),
        shared("gather/far.rs", "#[path = \"../act/write.rs\"] mod far;"),
        shared("gather/made.rs", "macro_rules! m { ($m:ident) => { crate::$m::write::b() } } fn a() { m!(act) }"),
        shared("bridge.rs", "pub use crate::act::write::b;"),
        shared("act.rs", "pub mod write; use crate::domain::Process;"),
        // A circle of a file and its own part.
        shared("act/write.rs", "mod part; fn a() { part::x() }"),
        shared("act/write/part.rs", "use super::B;"),
        step("main.rs", "mod plan; use remediation::act::write::B as C; use plan::x;"),
        step("plan.rs", "fn a() { remediation::decide::decide(remediation::gather::table::x()) }"),
    ]);
    let arrows = house.arrows();
    let from = |file: &str| -> Vec<&str> {
        arrows.iter().filter(|(from, _)| from == file).map(|(_, to)| to.as_str()).collect()
    };
    assert_eq!(from("shared/decide/src/decide/tests.rs"), ["shared/decide/src/decide.rs"]);
    assert_eq!(from("shared/src/gather/texts.rs"), [""; 0]);
    assert_eq!(from("shared/src/act.rs"), ["shared/decide/src/domain.rs"]);
    assert_eq!(from("functions/step/src/main.rs"), ["functions/step/src/plan.rs", "shared/src/act/write.rs"]);
    assert_eq!(from("functions/step/src/plan.rs"), ["shared/decide/src/decide.rs", "shared/src/gather/table.rs"]);
    assert_eq!(
        faults(&arrows),
        [
            "shared/src/gather/above.rs (gather) needs shared/src/act/write.rs (act): an arrow runs back up",
            "shared/src/gather/all.rs (gather) needs shared/src/act/write.rs (act): an arrow runs back up",
            "shared/src/gather/late.rs (gather) needs shared/src/act/write.rs (act): an arrow runs back up",
            "shared/src/gather/raw.rs (gather) needs shared/src/act/write.rs (act): an arrow runs back up",
            "these files need each other: shared/src/act/write.rs, shared/src/act/write/part.rs",
            "these files need each other: shared/src/gather/row.rs, shared/src/gather/table.rs",
        ]
    );
    assert_eq!(
        house.hidden(),
        [
            "shared/src/gather/me.rs: `extern crate` gives a crate another name",
            "shared/src/gather/copy.rs: `include!` takes in another file",
            "shared/src/gather/far.rs: `path` takes in another file",
            "shared/src/gather/made.rs: a macro puts a path together",
            "shared/src/bridge.rs is of no layer",
        ]
    );
}

/// A file's layer, by its place from the bottom up.
fn layer(file: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, begins)| file.starts_with(begins))
}

/// What is wrong with these arrows.
fn faults(arrows: &BTreeSet<(String, String)>) -> Vec<String> {
    let up = arrows.iter().filter_map(|(from, to)| {
        let (low, high) = (layer(from)?, layer(to)?);
        let (below, above) = (LAYERS[low].0, LAYERS[high].0);
        (low < high).then(|| format!("{from} ({below}) needs {to} ({above}): an arrow runs back up"))
    });
    let is_round = |file: &str| ROUND.iter().any(|round| file.starts_with(round));
    let checked = arrows.iter().filter(|(from, _)| !is_round(from)).cloned().collect();
    let circles =
        circles(&checked).into_iter().map(|files| format!("these files need each other: {}", files.join(", ")));
    up.chain(circles).collect()
}

/// The files that can be reached from each other, group by group.
fn circles(arrows: &BTreeSet<(String, String)>) -> BTreeSet<Vec<&str>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        next.entry(from).or_default().push(to);
    }
    let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for from in next.keys() {
        let (found, mut left) = (reach.entry(from).or_default(), vec![*from]);
        while let Some(at) = left.pop() {
            left.extend(next.get(at).into_iter().flatten().filter(|to| found.insert(to)));
        }
    }
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|found| found.contains(to));
    let circle = |from: &&str| next.keys().copied().filter(|to| reaches(from, to) && reaches(to, from)).collect();
    next.keys().map(circle).filter(|files: &Vec<&str>| !files.is_empty()).collect()
}

/// A file of Rust.
struct Source {
    /// From the root of the repository.
    file: String,
    module: Module,
    text: String,
}

/// A module's path; it begins with the program's name.
type Module = Vec<String>;

impl Source {
    /// A file below `root`, the folder of a program's own sources within its package.
    fn new(package: &str, name: &str, root: &str, file: &str, text: &str) -> Self {
        // Only the library of a package can be named from outside; a test program has a name of its own.
        let program = if root == "src" { name.replace('-', "_") } else { format!("{name}/{root}") };
        let inner = file.trim_end_matches(".rs").split('/').filter(|part| !["lib", "main"].contains(part));
        let module = std::iter::once(program.as_str()).chain(inner).map(str::to_owned).collect();
        Self { file: format!("{package}/{root}/{file}"), module, text: text.to_owned() }
    }
}

/// All modules, and every path that stands in one.
#[derive(Default)]
struct House {
    /// The file that a module stands in.
    files: BTreeMap<Module, String>,
    /// What a `use` means by a name, module by module: a name can stand for a module and for a function.
    names: BTreeMap<(Module, String), Vec<Vec<String>>>,
    /// The paths of `use a::*`, module by module.
    globs: BTreeMap<Module, Vec<Vec<String>>>,
    paths: Vec<(Module, Vec<String>)>,
    /// What nobody can follow.
    hidden: Vec<String>,
}

impl House {
    /// The sources and test programs of all packages.
    fn read(workspace: &Path) -> Self {
        let children = |folder: &Path| -> Vec<_> {
            fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
        };
        let groups = ["functions", "tests"].map(|group| children(&workspace.join(group)));
        let packages = groups.into_iter().flatten().chain([workspace.join("shared"), workspace.join("shared/decide")]);
        let mut sources = Vec::new();
        for package in packages {
            let Ok(manifest) = fs::read_to_string(package.join("Cargo.toml")) else { continue };
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"');
            let within = package.strip_prefix(workspace).unwrap().to_str().unwrap();
            for root in children(&package.join("tests")).into_iter().chain([package.join("src")]) {
                let mut left = children(&root);
                while let Some(path) = left.pop() {
                    left.extend(children(&path));
                    if path.extension().is_some_and(|extension| extension == "rs") {
                        let file = path.strip_prefix(&root).unwrap().to_str().unwrap();
                        let root = root.strip_prefix(&package).unwrap().to_str().unwrap();
                        sources.push(Source::new(within, name, root, file, &fs::read_to_string(&path).unwrap()));
                    }
                }
            }
        }
        Self::of(sources)
    }

    fn of(sources: impl IntoIterator<Item = Source>) -> Self {
        let mut house = Self::default();
        for Source { file, module, text } in sources {
            house.take_in(&module, &file, text.parse().unwrap_or_else(|error| panic!("{file}: {error}")));
        }
        house
    }

    fn take_in(&mut self, module: &Module, file: &str, tokens: TokenStream) {
        self.files.insert(module.clone(), file.to_owned());
        self.read_tokens(module, file, &tokens.into_iter().collect::<Vec<_>>());
    }

    fn read_tokens(&mut self, module: &Module, file: &str, tokens: &[TokenTree]) {
        let mut rest = tokens;
        while let Some(token) = rest.first() {
            rest = match (token, rest.get(1), rest.get(2)) {
                (TokenTree::Ident(word), Some(TokenTree::Ident(name)), Some(TokenTree::Group(inner)))
                    if word == "mod" && inner.delimiter() == Delimiter::Brace =>
                {
                    self.take_in(&[module.as_slice(), &[name.to_string()]].concat(), file, inner.stream());
                    &rest[3..]
                }
                (TokenTree::Ident(word), ..) if word == "use" => {
                    let end = rest.iter().position(|token| is(token, ';')).unwrap_or(rest.len() - 1);
                    self.read_use(module, &[], &rest[1..end]);
                    &rest[end + 1..]
                }
                (TokenTree::Ident(word), Some(next), _) if word == "include" && is(next, '!') => {
                    self.hidden.push(format!("{file}: `include!` takes in another file"));
                    &rest[2..]
                }
                (TokenTree::Ident(word), Some(TokenTree::Ident(next)), _) if word == "extern" && next == "crate" => {
                    self.hidden.push(format!("{file}: `extern crate` gives a crate another name"));
                    &rest[2..]
                }
                (TokenTree::Punct(sign), Some(TokenTree::Group(attribute)), _)
                    if sign.as_char() == '#' && is_path(attribute.stream()) =>
                {
                    self.hidden.push(format!("{file}: `path` takes in another file"));
                    &rest[2..]
                }
                (TokenTree::Ident(_), ..) => {
                    let (path, rest) = path(rest);
                    if let [sign, ..] = rest
                        && is(sign, '$')
                        && is_behind_colons(tokens, rest)
                    {
                        self.hidden.push(format!("{file}: a macro puts a path together"));
                    }
                    if path.len() > 1 {
                        self.paths.push((module.clone(), path));
                    }
                    rest
                }
                (TokenTree::Group(group), ..) => {
                    self.read_tokens(module, file, &group.stream().into_iter().collect::<Vec<_>>());
                    &rest[1..]
                }
                (TokenTree::Punct(_) | TokenTree::Literal(_), ..) => &rest[1..],
            };
        }
    }

    /// One of a `use`'s trees, or several with commas between them.
    fn read_use(&mut self, module: &Module, before: &[String], trees: &[TokenTree]) {
        for tree in trees.split(|token| is(token, ',')) {
            let (within, rest) = path(tree);
            let mut path = [before, &within].concat();
            match (rest.first(), rest.get(1)) {
                (Some(TokenTree::Group(group)), _) => {
                    self.read_use(module, &path, &group.stream().into_iter().collect::<Vec<_>>());
                    continue;
                }
                (Some(TokenTree::Ident(_as)), Some(TokenTree::Ident(name))) => {
                    self.name(module, name.to_string(), &path)
                }
                (Some(_), _) => self.globs.entry(module.clone()).or_default().push(path.clone()),
                (None, _) => {
                    if path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    self.name(module, path.last().cloned().unwrap_or_default(), &path);
                }
            }
            self.paths.push((module.clone(), path));
        }
    }

    fn name(&mut self, module: &Module, name: String, path: &[String]) {
        let path = path.iter().filter(|part| *part != "self" || path.first() == Some(part)).cloned().collect();
        self.names.entry((module.clone(), name)).or_default().push(path);
    }

    /// What hides where its arrows lead.
    fn hidden(&self) -> Vec<String> {
        let roots = ["shared/src/", "shared/decide/src/"];
        // Nothing is above the functions.
        let is_ours = |file: &&String| roots.iter().any(|root| file.starts_with(root));
        let files: BTreeSet<&String> = self.files.values().filter(is_ours).collect();
        let homeless = files.into_iter().filter(|file| layer(file).is_none() && !file.ends_with("src/lib.rs"));
        let homeless = homeless.map(|file| format!("{file} is of no layer"));
        self.hidden.iter().filter(is_ours).cloned().chain(homeless).collect()
    }

    /// Which file needs which.
    fn arrows(&self) -> BTreeSet<(String, String)> {
        let arrow = |(module, path): &(Module, Vec<String>)| {
            let (from, to) = (&self.files[module], &self.files[&self.module(module, path, 0)?.0]);
            (from != to).then(|| (from.clone(), to.clone()))
        };
        self.paths.iter().filter_map(arrow).collect()
    }

    /// The innermost module that a path leads through, and whether that is all of the path.
    fn module(&self, from: &Module, path: &[String], depth: u8) -> Option<(Module, bool)> {
        let mut at: Option<Module> = None;
        for part in path {
            let here = at.as_ref().unwrap_or(from);
            let inner = [here.as_slice(), std::slice::from_ref(part)].concat();
            let named = || {
                let paths = self.names.get(&(here.clone(), part.clone())).filter(|_| depth < 8)?;
                paths.iter().filter_map(|path| self.module(here, path, depth + 1)).find(|(_, whole)| *whole)
            };
            let within = || {
                let globs = self.globs.get(here).filter(|_| depth < 8)?;
                let whole = |path: &Vec<String>| self.module(here, path, depth + 1).filter(|(_, whole)| *whole);
                let modules = globs.iter().filter_map(whole).filter(|(module, _)| module != here);
                let part = std::slice::from_ref(part);
                modules.filter_map(|(module, _)| self.module(&module, part, depth + 1)).find(|(_, whole)| *whole)
            };
            let next = match part.as_str() {
                "crate" => Some(vec![from[0].clone()]),
                "self" => Some(here.clone()),
                "super" => Some(here[..here.len() - 1].to_vec()),
                _ if self.files.contains_key(&inner) => Some(inner),
                _ => named().or_else(within).map(|(module, _)| module).or_else(|| {
                    let program = vec![part.clone()];
                    (at.is_none() && self.files.contains_key(&program)).then_some(program)
                }),
            };
            match (next, at) {
                (Some(next), _) => at = Some(next),
                (None, at) => return Some((at?, false)),
            }
        }
        at.filter(|module| self.files.contains_key(module)).map(|module| (module, true))
    }
}

/// The path that some tokens begin with, and what follows it.
fn path(tokens: &[TokenTree]) -> (Vec<String>, &[TokenTree]) {
    let (mut path, mut rest) = (Vec::new(), tokens);
    loop {
        match rest {
            [first, second, after @ ..] if is(first, ':') && is(second, ':') => rest = after,
            [TokenTree::Ident(word), after @ ..] if path.is_empty() || is_behind_colons(tokens, rest) => {
                path.push(word.to_string().trim_start_matches("r#").to_owned());
                rest = after;
            }
            _ => return (path, rest),
        }
    }
}

/// Whether two colons stand between the word before and this one.
fn is_behind_colons(tokens: &[TokenTree], rest: &[TokenTree]) -> bool {
    is(&tokens[tokens.len() - rest.len() - 1], ':')
}

/// Whether an attribute is `path = "…"`.
fn is_path(attribute: TokenStream) -> bool {
    let mut tokens = attribute.into_iter();
    let is_path = matches!(tokens.next(), Some(TokenTree::Ident(word)) if word == "path");
    is_path && tokens.next().is_some_and(|sign| is(&sign, '='))
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == sign)
}

#[test]
fn what_decides_needs_neither_a_database_nor_aws() {
    let manifest = fs::read_to_string(harness::paths::workspace().join("shared/decide/Cargo.toml")).unwrap();
    let needs = manifest.lines().filter_map(|line| line.split_once('.').or_else(|| line.split_once(" = ")));
    let outside = ["sqlx", "aws", "lambda", "tokio", "reqwest", "hyper", "remediation", "harness"];
    let found: Vec<&str> =
        needs.map(|(name, _)| name).filter(|name| outside.iter().any(|it| name.starts_with(it))).collect();
    assert!(manifest.contains("serde_json.workspace") && found.is_empty(), "shared/decide/Cargo.toml needs {found:?}");
}

#[test]
fn every_action_that_can_judge_what_was_wanted_is_asked_to() {
    let folder = harness::paths::workspace().join("shared/src/act/actions");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let sources = files.filter(|file| file.extension().is_some_and(|it| it == "rs")).map(fs::read_to_string);
    let judge = sources.filter(|source| source.as_ref().unwrap().contains("fn became()")).count();
    assert_eq!(remediation::act::actions::judged().count(), judge, "`judged` in act/actions.rs names them");
    assert!(judge > 0);
}
