//! A target's corpus through its oracle, without a fuzzer.

use std::path::Path;

/// Fewest inputs of a corpus: less is a corpus that got lost.
const FEWEST: usize = 10;

pub fn replay(target: &str, check: fn(&[u8])) {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("tests/fuzz/corpus"));
    let folder = folders.find(|folder| folder.is_dir()).expect("there is a corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the corpus can be listed").path())
        .collect();
    assert!(files.len() >= FEWEST, "the corpus in {} is gone", folder.display());
    for file in files {
        println!("{}", file.display());
        check(&std::fs::read(&file).expect("the corpus can be read"));
    }
}
