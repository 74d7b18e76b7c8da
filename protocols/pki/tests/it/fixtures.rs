//! The files in `tests/fixtures`; its README says which command made each.

use std::fs;
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/fixtures", name].iter().collect()
}

/// Where one is.
pub(crate) fn path(folder_name: &str, file: &str) -> PathBuf {
    folder(folder_name).join(file)
}

/// The DER of one.
pub(crate) fn read(folder_name: &str, name: &str) -> Vec<u8> {
    let path = folder(folder_name).join(format!("{name}.der"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of all of a folder, sorted.
pub(crate) fn names(folder_name: &str) -> Vec<String> {
    let files = fs::read_dir(folder(folder_name)).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}
