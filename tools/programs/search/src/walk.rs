//! The files below a directory that are to be searched.

use crate::options::Selection;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::overrides::OverrideBuilder;
use ignore::types::TypesBuilder;
use ignore::{Walk, WalkBuilder};
use std::ffi::OsStr;
use std::path::Path;

/// grep's globs on names, made ready.
pub(crate) struct Names {
    include: Option<GlobSet>,
    exclude: GlobSet,
    exclude_directories: GlobSet,
}

impl Names {
    pub(crate) fn new(selection: &Selection) -> Result<Self, String> {
        let include = match selection.include.is_empty() {
            true => None,
            false => Some(set(&selection.include)?),
        };
        let exclude_directories = set(&selection.exclude_directories)?;
        Ok(Self { include, exclude: set(&selection.exclude)?, exclude_directories })
    }

    /// Whether a file is wanted, named or found.
    pub(crate) fn want(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let matches = |globs: &GlobSet| globs.is_match(name) || globs.is_match(path);
        !matches(&self.exclude) && self.include.as_ref().is_none_or(matches)
    }

    fn want_directory(&self, name: &OsStr) -> bool {
        !self.exclude_directories.is_match(name)
    }
}

fn set(globs: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let glob = GlobBuilder::new(glob.trim_end_matches('/')).build().map_err(|error| error.to_string())?;
        set.add(glob);
    }
    set.build().map_err(|error| error.to_string())
}

/// All entries below `start`, sorted by name, as grep or rg choose them.
pub(crate) fn below(start: &Path, selection: &Selection) -> Result<Walk, String> {
    let mut walk = WalkBuilder::new(start);
    walk.follow_links(selection.follow_links)
        .max_depth(selection.most_depth)
        .sort_by_file_name(Ord::cmp)
        .standard_filters(false)
        .hidden(!selection.hidden);
    if selection.respect_ignore {
        walk.ignore(true).git_ignore(true).parents(true).git_exclude(true);
        walk.add_custom_ignore_filename(".rgignore");
    }
    if !selection.globs.is_empty() || !selection.insensitive_globs.is_empty() {
        let mut overrides = OverrideBuilder::new("");
        for glob in &selection.globs {
            overrides.add(glob).map_err(|error| error.to_string())?;
        }
        overrides.case_insensitive(true).map_err(|error| error.to_string())?;
        for glob in &selection.insensitive_globs {
            overrides.add(glob).map_err(|error| error.to_string())?;
        }
        walk.overrides(overrides.build().map_err(|error| error.to_string())?);
    }
    if !selection.types.is_empty() || !selection.types_not.is_empty() {
        let mut types = TypesBuilder::new();
        types.add_defaults();
        for name in &selection.types {
            types.select(name);
        }
        for name in &selection.types_not {
            types.negate(name);
        }
        walk.types(types.build().map_err(|error| error.to_string())?);
    }
    if !selection.exclude_directories.is_empty() {
        let names = Names::new(selection)?;
        walk.filter_entry(move |entry| {
            let directory = entry.file_type().is_some_and(|kind| kind.is_dir());
            !directory || entry.depth() == 0 || names.want_directory(entry.file_name())
        });
    }
    Ok(walk.build())
}
