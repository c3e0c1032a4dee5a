//! How large the functions are as they are deployed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::figure::Figure;
use crate::measured::{Measured, say};

const ZIP_MB: f64 = 6.0;

/// Packs each program as `bootstrap`, as the deployment does, and tells the size of what comes out.
const PACK: &str = "
import io, sys, zipfile
for path in sys.argv[1:]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as zip:
        zip.write(path, 'bootstrap')
    print(packed.tell())
";

/// Measures the largest of them.
pub fn measure(programs: &BTreeMap<String, PathBuf>) -> Measured<Vec<Figure>> {
    say("packing the functions");
    let python = harness::tools::python()?.interpreter;
    let packed = Command::new(python).args(["-c", PACK]).args(programs.values()).output()?;
    if !packed.status.success() {
        return Err(format!("packing failed: {}", String::from_utf8_lossy(&packed.stderr)).into());
    }
    let sizes = String::from_utf8(packed.stdout)?;
    let sizes = sizes.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    let (largest, name) = sizes.into_iter().zip(programs.keys()).max().ok_or("there is no function")?;
    let program = std::fs::metadata(&programs[name])?.len();
    let why = format!("{name}, the largest of {}; {} bytes unpacked", programs.len(), program);
    Ok(vec![Figure::aimed("zip: the largest function", f64::from(largest) / 1e6, "MB", ZIP_MB, why)])
}
