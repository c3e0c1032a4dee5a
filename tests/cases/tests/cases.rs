//! The cases, each a test of its folder's name.

use cases::{Failure, check, listed, names};

include!(concat!(env!("OUT_DIR"), "/tests.rs"));

#[test]
fn no_folder_is_left_out() -> Result<(), Failure> {
    assert_eq!(names()?, TESTED);
    Ok(())
}

#[test]
fn the_list_of_what_does_not_hold_names_folders_with_a_reason() -> Result<(), Failure> {
    let names = names()?;
    for (name, why) in listed()? {
        assert!(names.contains(&name), "not-yet.txt lists `{name}`, which is no folder of cases/");
        assert!(!why.is_empty(), "not-yet.txt says not why `{name}` does not hold: put it behind a #");
    }
    Ok(())
}
