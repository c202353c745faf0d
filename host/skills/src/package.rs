//! A skill as it is before it runs: all its files, read once.

use crate::manifest::{Engine, Manifest, ManifestError};
use crate::name;
use crate::{Instructions, Version, inert};
use chiton_sandbox::{Digest, MAX_COMPONENT_BYTES, MAX_SCRIPT_BYTES};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

/// Most files of a skill.
pub const MOST_FILES: usize = 256;
/// Most bytes of a skill's files together.
pub const MOST_BYTES: u64 = 64 << 20;
/// Files and folders of these names are no part of a skill; they are left out wherever they lie.
pub const LEFT_OUT: &[&str] =
    &[".git", ".hg", ".svn", "target", "node_modules", "__pycache__", ".venv", "__MACOSX", ".DS_Store"];
/// The manifest.
pub const MANIFEST: &str = "skill.toml";
/// The instructions.
pub const INSTRUCTIONS: &str = "SKILL.md";
/// The signature, which signs the digest of all other files.
pub const SIGNATURE: &str = "skill.minisig";
/// Most bytes of the manifest and of the instructions.
const MOST_TEXT: usize = 1 << 20;
/// Most entries that are looked at, those that are no files too.
const MOST_ENTRIES: usize = 4 * MOST_FILES;

/// One file of a skill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// The files of a skill by their place in it: relative, parted by `/`.
pub type Files = BTreeMap<String, File>;

/// A skill that was read and holds to all rules. It does not change, so its digest stays true.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    name: String,
    files: Files,
    manifest: Option<Manifest>,
    instructions: Option<Instructions>,
    digest: Digest,
}

/// The code of a skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code<'a> {
    /// It has none, or only scripts that its instructions tell of.
    None,
    /// A component.
    Component {
        /// Its place in the skill.
        file: &'a str,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// A script with tools.
    Script {
        /// What runs it.
        engine: Engine,
        /// Its file name, without folders.
        name: &'a str,
        /// Its text.
        text: &'a str,
    },
}

/// A rule for the files of a skill, with what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// A symbolic or hard link.
    #[error("is a link; put the file or folder itself in its place")]
    Link,
    /// A FIFO, socket or device.
    #[error("is neither a file nor a folder; take it out")]
    Kind,
    /// A file of another user.
    #[error("belongs to another user; copy the skill to a folder of your own")]
    Owner,
    /// `..`, an absolute path.
    #[error("leads out of the skill or nowhere; places are relative, without '.' and '..'")]
    Outside,
    /// Characters that hide something.
    #[error("has characters that cannot be seen or that part folders elsewhere; rename it")]
    Letters,
    /// Folders in folders.
    #[error("lies too deep: a place has at most {} parts; move it up", name::MOST_DEPTH)]
    Deep,
    /// Two entries of one place.
    #[error("is there twice; keep one")]
    Twice,
    /// Names that differ in case only, or a file where a folder is.
    #[error("stands where another file or folder stands on a disk that takes upper case for lower; rename one")]
    Clash,
    /// Too many files.
    #[error("is one too many: a skill has at most {MOST_FILES} files; take out what it can do without")]
    Many,
    /// Too many bytes.
    #[error("is too large: a skill has at most 64 MiB, its SKILL.md and skill.toml 1 MiB, a script 4 MiB")]
    Large,
    /// An archive that unpacks to far more than it is.
    #[error("unpacks to more than 200 times its size; pack it without padding")]
    Bomb,
    /// Set-user-id and set-group-id.
    #[error("would run with another user's rights (setuid, setgid); take these bits away")]
    SetId,
    /// A password.
    #[error("is encrypted; pack it without a password")]
    Encrypted,
    /// Something that is not UTF-8.
    #[error("is not UTF-8; save it as UTF-8")]
    Encoding,
    /// A file that the manifest names.
    #[error("is named in skill.toml and is not there; build it (`chiton skill build`) or name another file")]
    Missing,
    /// No archive.
    #[error("is no archive that can be read; pack the skill as tar.gz, tar or zip")]
    Archive,
    /// Something where a new folder shall be.
    #[error("is already there; remove it first")]
    Exists,
}

/// Why something is no skill.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file that breaks a rule.
    #[error("'{place}' {rule}")]
    Refused {
        /// The file or folder, in harmless characters.
        place: String,
        /// The rule.
        rule: Rule,
    },
    /// A file that cannot be read or written.
    #[error("'{place}' cannot be read or written: {source}")]
    Io {
        /// The file or folder, in harmless characters.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// The manifest breaks a rule.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The head of the instructions cannot be read.
    #[error("SKILL.md cannot be read: {0}; mend the lines between its two '---'")]
    Instructions(String),
    /// Neither a manifest nor instructions.
    #[error("'{0}' is no skill: it has neither a SKILL.md nor a skill.toml; name the folder that has one")]
    Nothing(String),
    /// The name of a skill.
    #[error("'{0}' cannot be a skill's name; a name has 1 to 64 of a-z, 0-9 and '-'")]
    Name(String),
    /// Two names of one skill.
    #[error("skill.toml names the skill '{0}', its SKILL.md '{1}'; give both one name")]
    TwoNames(String, String),
}

impl Rule {
    pub(crate) fn at(self, place: &str) -> PackageError {
        PackageError::Refused { place: inert::brief(place, 200), rule: self }
    }
}

impl PackageError {
    pub(crate) fn io(place: &str, source: impl Into<io::Error>) -> Self {
        Self::Io { place: inert::brief(place, 200), source: source.into() }
    }
}

impl Package {
    /// A skill of these files. A skill that does not say its name is called `hint`.
    ///
    /// # Errors
    /// When the files break a rule, or are no skill.
    pub fn new(hint: &str, mut files: Files) -> Result<Self, PackageError> {
        check_files(&files)?;
        // Some disks do not tell `skill.md` from `SKILL.md`, and so do their users. There is one such name at most.
        let meant = files.keys().find(|place| place.eq_ignore_ascii_case(INSTRUCTIONS)).cloned();
        if let Some(file) = meant.and_then(|place| files.remove(&place)) {
            files.insert(INSTRUCTIONS.to_owned(), file);
        }
        let text = |place: &str| match files.get(place) {
            None => Ok(None),
            Some(file) if file.bytes.len() > MOST_TEXT => Err(Rule::Large.at(place)),
            Some(file) => str::from_utf8(&file.bytes).map(Some).map_err(|_| Rule::Encoding.at(place)),
        };
        let manifest = text(MANIFEST)?.map(Manifest::parse).transpose()?;
        let instructions = text(INSTRUCTIONS)?.map(Instructions::parse);
        if let Some(fault) = instructions.as_ref().and_then(|found| found.fault.as_deref()) {
            return Err(PackageError::Instructions(inert::brief(fault, 200)));
        }
        let name = name_of(hint, manifest.as_ref(), instructions.as_ref())?;
        let digest = digest(&files);
        let package = Self { name, files, manifest, instructions, digest };
        package.check_code()?;
        Ok(package)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All its files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Its `skill.toml`.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Its `SKILL.md`.
    pub fn instructions(&self) -> Option<&Instructions> {
        self.instructions.as_ref()
    }

    /// Its version, if it has a manifest.
    pub fn version(&self) -> Option<&Version> {
        self.manifest.as_ref().map(|manifest| &manifest.version)
    }

    /// The digest of all its files but the signature.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What it says it is for, in one harmless line of at most 300 characters.
    pub fn description(&self) -> String {
        let own = self.manifest.as_ref().and_then(|manifest| manifest.description.as_deref());
        let told = self.instructions.as_ref().map(|instructions| instructions.description.as_str());
        inert::brief(own.or(told).unwrap_or_default(), 300)
    }

    /// What it asks for, a grant each.
    pub fn asked(&self) -> Vec<String> {
        self.manifest.as_ref().map(Manifest::asked).unwrap_or_default()
    }

    /// Its code.
    pub fn code(&self) -> Code<'_> {
        let Some(manifest) = &self.manifest else { return Code::None };
        let file = |place: &'_ str| self.files.get_key_value(place);
        let component = manifest.component.as_deref().and_then(file);
        let script = manifest.script.as_deref().and_then(file);
        match (component, manifest.engine, script) {
            (Some((file, content)), ..) => Code::Component { file, bytes: &content.bytes },
            (None, Some(engine), Some((file, content))) => Code::Script {
                engine,
                name: file.rsplit('/').next().unwrap_or(file),
                text: str::from_utf8(&content.bytes).unwrap_or_default(),
            },
            _ => Code::None,
        }
    }

    fn check_code(&self) -> Result<(), PackageError> {
        let Some(manifest) = &self.manifest else { return Ok(()) };
        let limits = [(&manifest.component, MAX_COMPONENT_BYTES as usize), (&manifest.script, MAX_SCRIPT_BYTES)];
        for (place, most) in limits {
            let Some(place) = place.as_deref() else { continue };
            let file = self.files.get(place).ok_or_else(|| Rule::Missing.at(place))?;
            if file.bytes.len() > most {
                return Err(Rule::Large.at(place));
            }
            if manifest.engine.is_some() && str::from_utf8(&file.bytes).is_err() {
                return Err(Rule::Encoding.at(place));
            }
        }
        Ok(())
    }
}

fn name_of(
    hint: &str,
    manifest: Option<&Manifest>,
    instructions: Option<&Instructions>,
) -> Result<String, PackageError> {
    let meant = |title: &str| name::meant(title).ok_or_else(|| PackageError::Name(inert::brief(title, 80)));
    let told = instructions.and_then(|told| told.name.as_deref()).map(meant).transpose()?;
    match (manifest, told) {
        (Some(manifest), Some(told)) if *manifest.name != told => {
            Err(PackageError::TwoNames(manifest.name.to_string(), told))
        }
        (Some(manifest), _) => Ok(manifest.name.to_string()),
        (None, Some(told)) => Ok(told),
        (None, None) if instructions.is_none() => Err(PackageError::Nothing(inert::brief(hint, 80))),
        (None, None) => meant(hint),
    }
}

/// Whether each file has a place of its own, on every disk.
fn check_files(files: &Files) -> Result<(), PackageError> {
    // Each place and folder as a careless disk sees it, with its name and whether it is a file.
    let mut seen: BTreeMap<String, (&str, bool)> = BTreeMap::new();
    let mut left = MOST_BYTES;
    for (number, (place, file)) in files.iter().enumerate() {
        name::check_place(place).map_err(|rule| rule.at(place))?;
        if number == MOST_FILES {
            return Err(Rule::Many.at(place));
        }
        left = left.checked_sub(file.bytes.len() as u64).ok_or_else(|| Rule::Large.at(place))?;
        if place.split('/').count() > name::MOST_DEPTH {
            return Err(Rule::Deep.at(place));
        }
        let folders = place.match_indices('/').map(|(end, _)| (&place[..end], false));
        for one in folders.chain([(place.as_str(), true)]) {
            let before = *seen.entry(one.0.to_lowercase()).or_insert(one);
            if before != one {
                return Err(Rule::Clash.at(place));
            }
        }
    }
    Ok(())
}

fn digest(files: &Files) -> Digest {
    let mut list = String::from("chiton skill tree 1\n");
    for (place, file) in files.iter().filter(|(place, _)| *place != SIGNATURE) {
        let kind = if file.executable { 'x' } else { '-' };
        let (length, digest) = (file.bytes.len(), Digest::of(&file.bytes));
        // A place has no line end, and its length keeps it from reaching into what follows.
        list.push_str(&format!("{} {place} {kind} {length} {digest}\n", place.len()));
    }
    Digest::of(list.as_bytes())
}

/// Gathers the files of a skill from where they are, within the caps.
pub(crate) struct Gathering {
    pub(crate) files: Files,
    entries: usize,
    left: u64,
    over: Rule,
}

impl Gathering {
    /// At most `most` bytes; more break the rule `over`.
    pub(crate) fn new(most: u64, over: Rule) -> Self {
        Self { files: Files::new(), entries: 0, left: most, over }
    }

    /// Counts an entry; false when it is no part of the skill.
    pub(crate) fn enter(&mut self, place: &str) -> Result<bool, PackageError> {
        self.entries += 1;
        name::check_place(place).map_err(|rule| rule.at(place))?;
        match self.entries > MOST_ENTRIES {
            true => Err(Rule::Many.at(place)),
            false => Ok(!place.split('/').any(|part| LEFT_OUT.contains(&part))),
        }
    }

    pub(crate) fn add(&mut self, place: &str, executable: bool, content: impl Read) -> Result<(), PackageError> {
        if self.files.len() == MOST_FILES {
            return Err(Rule::Many.at(place));
        }
        let mut bytes = Vec::new();
        let read =
            content.take(self.left + 1).read_to_end(&mut bytes).map_err(|error| PackageError::io(place, error))?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| self.over.at(place))?;
        match self.files.insert(place.to_owned(), File { bytes, executable }) {
            Some(_) => Err(Rule::Twice.at(place)),
            None => Ok(()),
        }
    }

    pub(crate) fn into_package(self, hint: &str) -> Result<Package, PackageError> {
        Package::new(hint, self.files)
    }
}

/// The last part of a path, which names a skill that does not say its name.
pub(crate) fn hint(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
