//! One test for each folder of `cases/`, so that each has its name in the tests' output.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=cases");
    let mut names = Vec::new();
    for entry in fs::read_dir("cases")? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let tests: String = names
        .iter()
        .map(|name| {
            let test = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            format!("#[tokio::test]\nasync fn {test}() -> Result<(), Failure> {{\n    check(\"{name}\").await\n}}\n\n")
        })
        .collect();
    let text = format!("{tests}/// The folders that have a test.\nconst TESTED: &[&str] = &{names:?};\n");
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&folder).join("tests.rs"), text)
}
