//! For the build script: embeds every template in `sdk/`, and the sources that new projects build on.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What a project of a language without packages in a registry needs from the checkout.
const SOURCES: [&str; 7] =
    ["wit", "sdk/rust/Cargo.toml", "sdk/rust/src", "sdk/rust-derive", "sdk/c", "sdk/go", "sdk/component.sh"];
/// The folders of a language that are projects: the usual one, and the one that is a component where that is a choice.
const KINDS: [(&str, bool); 2] = [("template", false), ("component", true)];

/// Writes `projects.rs` with the tables `TEMPLATES` and `SOURCES` to `out`.
pub fn embed(checkout: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let sdk = checkout.join("sdk");
    let mut tables = String::from("const TEMPLATES: &[Template] = &[\n");
    for folder in entries(&sdk)? {
        let language = folder.file_name().unwrap_or_default();
        for (kind, component) in KINDS {
            let root = folder.join(kind);
            if root.is_dir() {
                write!(tables, "Template {{ language: {language:?}, component: {component}, files: &[")?;
                add(&mut tables, &root, &root)?;
                tables.push_str("] },\n");
            }
        }
    }
    tables.push_str("];\nconst SOURCES: &[File] = &[");
    for source in SOURCES.map(|source| checkout.join(source)) {
        add(&mut tables, checkout, &source)?;
    }
    let workspace = out.join("sdk-workspace.toml");
    fs::write(&workspace, standalone(&checkout.join("Cargo.toml"))?)?;
    writeln!(tables, "File {{ path: \"Cargo.toml\", bytes: include_bytes!({workspace:?}) }}];")?;
    Ok(fs::write(out.join("projects.rs"), tables)?)
}

/// Adds a file, or all files of a folder but those of projects in it, with their path from `root`.
fn add(table: &mut String, root: &Path, path: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_file() {
        let (inside, whole) = (path.strip_prefix(root)?, path.canonicalize()?);
        return Ok(write!(table, "File {{ path: {inside:?}, bytes: include_bytes!({whole:?}) }},")?);
    }
    let project = |entry: &PathBuf| KINDS.iter().any(|(kind, _)| entry.ends_with(kind));
    for entry in entries(path)?.iter().filter(|entry| !project(entry) && !entry.ends_with("target")) {
        add(table, root, entry)?;
    }
    Ok(())
}

/// What is in a folder, in an order that is always the same.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

/// The workspace's `Cargo.toml` for the crates of the SDK alone: they inherit versions and lints from it.
fn standalone(manifest: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", manifest.display());
    let mut manifest: toml::Table = fs::read_to_string(manifest)?.parse()?;
    let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut).ok_or("no [workspace]")?;
    workspace.remove("default-members");
    workspace.insert("members".to_owned(), vec!["sdk/rust", "sdk/rust-derive"].into());
    manifest.retain(|key, _| key == "workspace");
    Ok(toml::to_string(&manifest)?)
}
