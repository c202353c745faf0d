//! Reads a folder and never what lies outside it.

use crate::exit::{Exit, Failure};
use crate::settings::expand_home;
use serde_json::Value;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Most bytes of one file.
const MOST_BYTES: u64 = 64 << 20;

/// A folder that is only read.
pub struct Source {
    root: PathBuf,
}

impl Source {
    /// The folder, which must exist.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let root = folder.canonicalize().ok().filter(|root| root.is_dir());
        root.map(|root| Self { root }).ok_or_else(|| {
            let message = format!("there is no folder {}; name the home of NanoBot with --from DIR", folder.display());
            Failure::new(Exit::NotFound, message)
        })
    }

    /// NanoBot's workspace: the configured one, if it is not the usual one. An error says which one is not there.
    pub fn workspace(&self, config: &Value) -> Result<Self, String> {
        let configured = config["agents"]["defaults"]["workspace"].as_str();
        match configured.filter(|path| !path.is_empty() && path.trim_end_matches('/') != "~/.nanobot/workspace") {
            Some(path) => {
                Self::open(&self.root.join(expand_home(path))).map_err(|_| format!("there is no folder {path}"))
            }
            // A link there may lead no further than this folder.
            None => Ok(Self { root: self.root.join("workspace") }),
        }
    }

    /// The content of a file; none where there is none.
    pub fn read(&self, relative: impl AsRef<Path>) -> Result<Option<Vec<u8>>, String> {
        let path = match self.root.join(relative).canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            path => path.map_err(|error| error.to_string())?,
        };
        if !self.holds(&path) {
            return Err("a link leads out of the folder".to_owned());
        }
        let about = path.metadata().map_err(|error| error.to_string())?;
        if !about.is_file() || about.len() > MOST_BYTES {
            return Err("it is no file, or larger than 64 MiB".to_owned());
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(Some(bytes))
    }

    /// Is a path without links in this folder? A folder that is a link itself holds nothing.
    fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// The lines of a file as JSON objects, and how many are none.
    pub fn lines(&self, relative: impl AsRef<Path>) -> Result<Option<(Vec<Value>, usize)>, String> {
        let Some(bytes) = self.read(relative)? else { return Ok(None) };
        let (mut lines, mut damaged) = (Vec::new(), 0);
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(value @ Value::Object(_)) => lines.push(value),
                _ => damaged += 1,
            }
        }
        Ok(Some((lines, damaged)))
    }

    /// The names in a folder, sorted, each with whether it is a folder; links are left out.
    pub fn list(&self, relative: impl AsRef<Path>) -> Vec<(String, bool)> {
        let folder = self.root.join(relative).canonicalize().ok().filter(|folder| self.holds(folder));
        let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?)))
            .filter(|(_, kind)| kind.is_dir() || kind.is_file())
            .map(|(name, kind)| (name, kind.is_dir()))
            .collect();
        names.sort();
        names
    }

    /// All files below a folder, up to `depth` folders deep.
    pub fn files(&self, relative: &Path, depth: usize) -> Vec<PathBuf> {
        let below = |(name, is_folder): (String, bool)| match (is_folder, depth) {
            (false, _) => vec![relative.join(name)],
            (true, 0) => Vec::new(),
            (true, _) => self.files(&relative.join(name), depth - 1),
        };
        self.list(relative).into_iter().flat_map(below).collect()
    }
}
