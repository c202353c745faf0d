//! What came out of a build, as cargo tells it.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The component among cargo's messages (JSON, one a line) that was built from `manifest_dir`.
pub(crate) fn component(messages: &[u8], manifest_dir: &Path) -> Option<PathBuf> {
    let manifest = manifest_dir.join("Cargo.toml").canonicalize().ok()?;
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest))
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// Tells cargo, from a build script, to run it again when a source of the component `wasm` changes.
/// The sources are read from the dependency file that cargo leaves beside the component.
pub fn rerun_if_changed(wasm: &Path) {
    let dependencies = std::fs::read_to_string(wasm.with_extension("d")).unwrap_or_default();
    for source in sources(&dependencies) {
        println!("cargo::rerun-if-changed={source}");
        if let Some(manifest) = manifest_above(Path::new(&source)) {
            println!("cargo::rerun-if-changed={}", manifest.display());
        }
    }
    println!("cargo::rerun-if-env-changed={}", crate::compiler::FROM);
}

/// The sources in a dependency file: `TARGET: SOURCE SOURCE...`, with spaces inside a name escaped.
fn sources(dependencies: &str) -> Vec<String> {
    const SPACE: &str = "\u{0}";
    dependencies
        .lines()
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(_, sources)| sources.replace("\\ ", SPACE).split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|source| !source.is_empty())
        .map(|source| source.replace(SPACE, " "))
        .collect()
}

fn manifest_above(source: &Path) -> Option<PathBuf> {
    source.ancestors().skip(1).map(|directory| directory.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_are_one_source() {
        assert_eq!(sources("/t/a.wasm: /s/one.rs /s/a\\ b/two.rs\n"), ["/s/one.rs", "/s/a b/two.rs"]);
    }

    #[test]
    fn the_component_is_found_by_its_manifest() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let messages = format!(
            "{}\nnot json\n{}\n",
            r#"{"reason":"compiler-artifact","manifest_path":"/other/Cargo.toml","filenames":["/other.wasm"]}"#,
            serde_json::json!({"manifest_path": here.join("Cargo.toml"), "filenames": ["/t/mine.wasm"]}),
        );
        assert_eq!(component(messages.as_bytes(), here), Some(PathBuf::from("/t/mine.wasm")));
    }
}
