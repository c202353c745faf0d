//! The template builds as it is, wherever it is copied to.

use std::fs;
use std::path::Path;

#[test]
fn a_copy_of_the_template_builds_to_a_component() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("src")).unwrap();
    fs::copy(sdk.join("template/src/lib.rs"), copy.path().join("src/lib.rs")).unwrap();
    // The versions of this workspace, so that nothing is fetched.
    fs::copy(sdk.join("../../Cargo.lock"), copy.path().join("Cargo.lock")).unwrap();
    let manifest = fs::read_to_string(sdk.join("template/Cargo.toml")).unwrap();
    let manifest = manifest.replace("\"../../rust\"", &format!("{sdk:?}"));
    fs::write(copy.path().join("Cargo.toml"), manifest).unwrap();

    let component = chiton_build::build(&chiton_build::Guest::at(copy.path())).unwrap();
    let bytes = fs::read(component).unwrap();
    assert_eq!(bytes[..8], *b"\0asm\x0d\0\x01\0", "a component, not a core module");
}
