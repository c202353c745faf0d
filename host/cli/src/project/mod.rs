//! Projects of people who write skills: a new one from a template, and its build.

mod build;
mod error;

#[cfg(test)]
use build::Built;
pub use build::build;
pub use error::ProjectError;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A kind of project, made from `sdk/LANGUAGE/template` or `sdk/LANGUAGE/component`.
struct Template {
    language: &'static str,
    /// Whether it is the component of a language whose usual project is a script.
    component: bool,
    files: &'static [File],
}

/// An embedded file.
struct File {
    path: &'static str,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/projects.rs"));

/// Most characters of a project's name. Its tools have longer names, and those have at most 64.
const MOST_OF_A_NAME: usize = 48;
/// How templates lead out of their folder, and what is there where the sources of the SDK are unpacked.
const OUTSIDE: [(&str, &str); 2] = [("../../../", "/"), ("../../", "/sdk/")];

/// A project to make.
pub struct New<'a> {
    /// Its name and that of the skill.
    pub name: &'a str,
    /// One of [`languages`].
    pub language: &'a str,
    /// Whether it shall be a component even if the usual project of the language is a script.
    pub component: bool,
    /// The folder to make.
    pub folder: &'a Path,
    /// The home of Chiton, where the sources of the SDK are unpacked if the project builds on them.
    pub home: &'a Path,
}

/// The languages that have a template, sorted.
pub fn languages() -> Vec<&'static str> {
    let mut languages: Vec<_> = TEMPLATES.iter().map(|template| template.language).collect();
    languages.dedup();
    languages
}

/// Makes a project and gives its folder.
pub fn new(wanted: &New) -> Result<PathBuf, ProjectError> {
    let New { name, language, folder, .. } = wanted;
    if !is_name(name) {
        return Err(ProjectError::Name((*name).to_owned()));
    }
    let template = template(language, wanted.component)?;
    let sdk = wanted.home.join("sdk").join(env!("CARGO_PKG_VERSION"));
    match fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(ProjectError::Exists(folder.to_path_buf()));
        }
        made => made.map_err(ProjectError::files("make the folder", folder))?,
    }
    let mut builds_on_sdk = false;
    for File { path, bytes } in template.files {
        let path = named(path, name);
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                builds_on_sdk |= text.contains(OUTSIDE[1].0);
                write(folder, &path, filled(text, name, &sdk).as_bytes())?;
            }
            Err(_) => write(folder, &path, bytes)?,
        }
    }
    if builds_on_sdk {
        SOURCES.iter().try_for_each(|file| write(&sdk, file.path, file.bytes))?;
    }
    Ok(folder.to_path_buf())
}

fn is_name(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_lowercase());
    chiton_skills::is_name(name) && first && !name.ends_with('-') && name.len() <= MOST_OF_A_NAME
}

/// What people write for a language.
const SHORT: [(&str, &str); 5] =
    [("golang", "go"), ("js", "javascript"), ("py", "python"), ("rs", "rust"), ("ts", "typescript")];

/// The template of a language; where it has one only, that is the component as well.
fn template(language: &str, component: bool) -> Result<&'static Template, ProjectError> {
    let meant = SHORT.iter().find(|(short, _)| *short == language).map_or(language, |(_, whole)| whole);
    if component && meant == "typescript" {
        return Err(ProjectError::NoComponent);
    }
    let of_language = || TEMPLATES.iter().filter(|template| template.language == meant);
    of_language()
        .find(|template| template.component == component)
        .or_else(|| of_language().next())
        .ok_or_else(|| ProjectError::Language(language.to_owned(), languages().join(", ")))
}

/// `text` with the name of the project, in all the ways in which it is written.
fn named(text: &str, name: &str) -> String {
    let underscored = name.replace('-', "_");
    text.replace("my-skill", name).replace("my_skill", &underscored).replace("MY_SKILL", &underscored.to_uppercase())
}

/// A file of a template, for a project that lies elsewhere than the template.
fn filled(text: &str, name: &str, sdk: &Path) -> String {
    let place =
        |text: String, (outside, inside): &(&str, &str)| text.replace(outside, &format!("{}{inside}", sdk.display()));
    OUTSIDE.iter().fold(named(text, name), place)
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> Result<(), ProjectError> {
    let file = folder.join(path);
    let parent = file.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(ProjectError::files("make the folder", parent))?;
    // What is run by its name has to be a program.
    let mode = if path.ends_with(".sh") { 0o755 } else { 0o644 };
    let made = OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(&file);
    made.and_then(|mut made| made.write_all(bytes)).map_err(ProjectError::files("write", &file))
}

#[cfg(test)]
mod tests;
