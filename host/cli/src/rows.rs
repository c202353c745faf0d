//! What each component is given: the rows of the grants table.
//!
//! A row is kept as text, so that `files=workspace:write` follows the configured workspace. For each
//! component one row holds: the configuration's, else the one that `chiton grant` made, else what
//! was approved, else the built-in table's.

use crate::builtin;
use crate::exit::{Exit, Failure};
use crate::ports::{pinned, shown_program, unpinned};
use crate::settings::{Settings, expand_home};
use crate::skills;
use chiton_egress::Allowance;
use chiton_sandbox::{Capability, FileGrant, FileGrantError, GrantError, Grants};
use chiton_store::{ApprovalRow, Store};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The built-in table.
    BuiltIn,
    /// The approval.
    Approval,
    /// `chiton grant`.
    Owner,
    /// `tools.NAME.grants` in the configuration.
    Configuration,
}

impl Source {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Approval => "approval",
            Self::Owner => "owner",
            Self::Configuration => "configuration",
        }
    }
}

/// The row of one component.
#[derive(Clone, Debug)]
pub struct Row {
    /// The grants, each `KIND=VALUE`.
    pub grants: Vec<String>,
    /// Who made it.
    pub source: Source,
}

/// All rows by component.
pub struct Rows {
    rows: BTreeMap<String, Row>,
    environment: BTreeMap<String, BTreeMap<String, String>>,
    roots: Roots,
}

/// The folders that paths of rows start with, by name.
struct Roots([(&'static str, PathBuf); 2]);

impl Roots {
    fn of(settings: &Settings) -> Self {
        Self([("workspace", settings.workspace.clone()), ("skills", settings.home.skills())])
    }

    /// The whole path of one that starts with such a name.
    fn whole(&self, path: &str) -> Option<PathBuf> {
        self.0.iter().find_map(|(name, root)| match path.strip_prefix(name)? {
            "" => Some(root.clone()),
            below => Some(root.join(below.strip_prefix('/')?)),
        })
    }
}

impl Rows {
    /// The rows of all components that are built in or approved, and of the skills.
    pub async fn read(settings: &Settings, store: Option<&Store>) -> Result<Self, Failure> {
        let mut rows = Self {
            rows: BTreeMap::new(),
            environment: settings
                .config
                .tools
                .iter()
                .map(|(name, tool)| (name.clone(), tool.environment.clone()))
                .collect(),
            roots: Roots::of(settings),
        };
        for (name, grants) in builtin::GRANTS {
            let grants = grants.iter().map(|grant| (*grant).to_owned()).collect();
            rows.put(name, grants, Source::BuiltIn);
        }
        if let Some(store) = store {
            for approval in approved(store).await? {
                rows.put(&approval.name, from_json(&approval.grants_json), Source::Approval);
            }
            for skill in skills::active(settings, Some(store)).await? {
                let own = skills::folder(settings, &skill.name, &skill.digest);
                rows.put(&skill.name, skills::granted(&skill, &own), Source::Approval);
            }
            for (name, grants) in store.tool_grants().await? {
                if rows.rows.contains_key(&name) {
                    rows.put(&name, from_json(&grants), Source::Owner);
                }
            }
        }
        rows.configure(settings)?;
        Ok(rows)
    }

    /// Puts the rows of the configuration in place of the others.
    fn configure(&mut self, settings: &Settings) -> Result<(), Failure> {
        let file = settings.document.name();
        let refuse = |message| Err(Failure::new(Exit::Configuration, message));
        for (name, tool) in &settings.config.tools {
            let Some(grants) = &tool.grants else { continue };
            if !self.rows.contains_key(name) {
                match crate::config::nearest(name, self.rows.keys().map(String::as_str)) {
                    Some(near) => {
                        let message = format!("'tools.{name}' in {file} names no component; did you mean '{near}'?");
                        return refuse(message);
                    }
                    None => eprintln!("warning: 'tools.{name}' in {file} names no component"),
                }
            }
            for grant in grants {
                // A directory that is gone takes its grant with it, not the whole program.
                if let Err(error) = resolve(grant, &self.roots)
                    && !(matches!(error, GrantError::Files(FileGrantError::Path { .. }))
                        && is_rooted(grant, &self.roots))
                {
                    return refuse(format!("the value of 'tools.{name}.grants' in {file} is wrong: {error}"));
                }
            }
            self.put(name, grants.clone(), Source::Configuration);
        }
        Ok(())
    }

    /// Makes the row of a component.
    pub fn put(&mut self, name: &str, grants: Vec<String>, source: Source) {
        self.rows.insert(name.to_owned(), Row { grants, source });
    }

    /// The row of a component.
    pub fn get(&self, name: &str) -> Option<&Row> {
        self.rows.get(name)
    }

    /// All rows, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Row)> {
        self.rows.iter()
    }

    /// What a component may touch now. A grant whose directory is gone gives nothing.
    pub fn grants(&self, name: &str) -> Grants {
        let texts = self.get(name).map(|row| row.grants.as_slice()).unwrap_or_default();
        let environment = self.environment.get(name).cloned().unwrap_or_default();
        let mut grants = Grants { limits: builtin::limits(name), environment, ..Grants::default() };
        for given in texts.iter().filter_map(|grant| resolve(grant, &self.roots).ok()) {
            merge(&mut grants, given);
        }
        grants
    }

    /// The grants of a component in words: canonical where they hold, marked where they do not.
    pub fn described(&self, name: &str) -> Vec<String> {
        let texts = self.get(name).map(|row| row.grants.as_slice()).unwrap_or_default();
        texts.iter().map(|grant| self.described_one(grant)).collect()
    }

    /// One grant of a row in words.
    pub fn described_one(&self, grant: &str) -> String {
        match resolve(grant, &self.roots) {
            Ok(given) => given.files.first().map_or_else(|| shown_program(grant), FileGrant::to_string),
            Err(error) => format!("{grant} (gives nothing: {error})"),
        }
    }

    /// Which grant of a row `wanted` means: as it is kept, or by what it gives.
    pub fn position(&self, name: &str, wanted: &str, base: &Path) -> Option<usize> {
        let row = self.get(name)?;
        let meant = parse(wanted, base).ok();
        let same =
            |given: Grants| meant.as_ref().is_some_and(|meant| given.is_within(meant) && meant.is_within(&given));
        row.grants.iter().position(|grant| unpinned(grant) == wanted || resolve(grant, &self.roots).is_ok_and(same))
    }
}

/// The approvals that hold.
pub async fn approved(store: &Store) -> Result<Vec<ApprovalRow>, Failure> {
    let mut approvals = store.approvals().await?;
    approvals.retain(|approval| approval.revoked_at.is_none());
    Ok(approvals)
}

/// A grant from the command line: relative paths start at `base`, `~` is the user's home.
pub fn parse(grant: &str, base: &Path) -> Result<Grants, GrantError> {
    let mut grants = Grants::default();
    match grant.split_once('=') {
        Some(("files", value)) if value.starts_with('~') => {
            grants.add(&format!("files={}", expand_home(value).display()), base)?;
        }
        _ => grants.add(grant, base)?,
    }
    understand(grant, &mut grants)?;
    Ok(grants)
}

/// A grant from the command line as a row keeps it: with an absolute path.
pub fn absolute(grant: &str, base: &Path) -> Result<String, GrantError> {
    let given = parse(grant, base)?;
    if let Some([value]) = given.capabilities.get(&Capability::Programs).map(Vec::as_slice) {
        return Ok(format!("programs={value}"));
    }
    Ok(given.files.first().map_or_else(|| grant.to_owned(), FileGrant::to_string))
}

/// A grant of a skill as its approval keeps it: a program is the file that it means now, and no other.
pub fn kept(grant: String) -> Result<String, GrantError> {
    if grant.starts_with("programs=") { absolute(&grant, Path::new("/")) } else { Ok(grant) }
}

/// Asks the rooms that serve a grant whether they understand its value. A program is pinned, unless it was before.
fn understand(grant: &str, given: &mut Grants) -> Result<(), GrantError> {
    for (kind, values) in &mut given.capabilities {
        let understood = match kind {
            Capability::Network => Allowance::parse(values, &[]).map(drop).map_err(|error| error.to_string()),
            Capability::Secrets => Allowance::parse(&[], values).map(drop).map_err(|error| error.to_string()),
            Capability::Programs => values.iter_mut().try_for_each(|value| {
                *value = pinned(value).map_err(|error| error.to_string())?;
                Ok(())
            }),
            _ => Ok(()),
        };
        understood.map_err(|reason| GrantError::Meaning { grant: grant.to_owned(), reason })?;
    }
    Ok(())
}

/// Adds what is in `given`.
fn merge(grants: &mut Grants, given: Grants) {
    grants.files.extend(given.files);
    grants.scratch = grants.scratch.max(given.scratch);
    grants.scratch_quota = grants.scratch_quota.or(given.scratch_quota);
    for (kind, values) in given.capabilities {
        grants.capabilities.entry(kind).or_default().extend(values);
    }
}

/// A grant for a skill from the command line: its path starts with a root's name, or is made absolute.
pub fn placed(grant: &str, base: &Path) -> Result<String, GrantError> {
    let path = grant.strip_prefix("files=").and_then(|value| value.rsplit_once(':')).map(|(path, _)| path);
    let root = path.and_then(|path| path.split('/').next());
    match root.is_some_and(|root| ["workspace", "scratch", "skill"].contains(&root)) {
        true => Ok(grant.to_owned()),
        false => absolute(grant, base),
    }
}

/// Most grants of a skill: more than can be read are not asked for.
const MOST_ASKED: usize = 64;

/// Refuses what no skill may be given, whatever the owner says.
pub fn may_be_asked(grants: &[String], settings: &Settings) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::new(Exit::Refused, message));
    if grants.len() > MOST_ASKED {
        return refuse(format!("it asks for {} rights; at most {MOST_ASKED} can be asked for", grants.len()));
    }
    for grant in grants {
        let Some((path, access)) = grant.strip_prefix("files=").and_then(|value| value.rsplit_once(':')) else {
            continue;
        };
        if path.split('/').next() == Some("skill") && access != "read" {
            return refuse(
                "a skill cannot write to its own folder: what was approved would change; ask for 'scratch'".to_owned(),
            );
        }
        let whole = expand_home(path);
        let whole = whole.canonicalize().unwrap_or(whole);
        if whole.starts_with(settings.home.root()) && !whole.starts_with(&settings.workspace) {
            return refuse(format!("{} belongs to Chiton itself and is given to no skill", whole.display()));
        }
    }
    Ok(())
}

/// Whether a grant of a skill can be given. Folders of the workspace that it means are made.
pub fn check(grant: &str, settings: &Settings) -> Result<(), GrantError> {
    if grant.starts_with("files=skill:") || grant.starts_with("files=skill/") {
        return Ok(());
    }
    let roots = Roots::of(settings);
    if let Some(inner) = grant.strip_prefix("files=workspace/").and_then(|value| value.rsplit_once(':')) {
        let wanted = settings.workspace.join(inner.0);
        let there = wanted.ancestors().find_map(|place| place.canonicalize().ok());
        // A link that a tool put there must not lead elsewhere; resolving says why it gives nothing.
        if there.zip(settings.workspace.canonicalize().ok()).is_some_and(|(there, root)| there.starts_with(root)) {
            std::fs::create_dir_all(wanted).ok();
        }
    }
    resolve(grant, &roots).map(drop)
}

/// All grants from the command line; none when there is none.
pub fn parse_all(grants: &[String], base: &Path) -> Result<Option<Grants>, GrantError> {
    let mut all = None;
    for grant in grants {
        merge(all.get_or_insert_default(), parse(grant, base)?);
    }
    Ok(all)
}

/// A grant of a row: its path starts with `workspace`, `skills`, `scratch`, `~` or `/`.
fn resolve(grant: &str, roots: &Roots) -> Result<Grants, GrantError> {
    let base = &roots.0[0].1;
    let value = match grant.split_once('=') {
        Some(("files", value)) if !value.starts_with("scratch:") => value,
        _ => return parse(grant, base),
    };
    let (path, access) = value.rsplit_once(':').unwrap_or((value, ""));
    match roots.whole(path) {
        Some(whole) => {
            let given = parse(&format!("files={}:{access}", whole.display()), base)?;
            let root = path.split('/').next().and_then(|root| roots.whole(root)?.canonicalize().ok());
            match root.is_some_and(|root| given.files.iter().all(|grant| grant.path.starts_with(&root))) {
                true => Ok(given),
                false => Err(GrantError::Files(FileGrantError::Path {
                    path: path.to_owned(),
                    reason: "a link in it leads to another place".to_owned(),
                })),
            }
        }
        None if path.starts_with(['/', '~']) => parse(grant, base),
        None => Err(GrantError::Files(FileGrantError::Path {
            path: path.to_owned(),
            reason: "here a path starts with 'workspace', 'skills', 'scratch', '~' or '/'".to_owned(),
        })),
    }
}

/// Whether the path of a grant starts where the paths of rows do.
fn is_rooted(grant: &str, roots: &Roots) -> bool {
    let value = grant.split_once('=').map_or(grant, |(_, value)| value);
    let path = value.rsplit_once(':').map_or(value, |(path, _)| path);
    path.starts_with(['/', '~']) || roots.whole(path).is_some()
}

/// A row as the store keeps it.
pub fn to_json(grants: &[String]) -> String {
    serde_json::Value::from(grants).to_string()
}

/// A row from the store; one that cannot be read gives nothing.
pub fn from_json(grants: &str) -> Vec<String> {
    serde_json::from_str(grants).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_follows_the_workspace() {
        let workspace = tempfile::tempdir().unwrap();
        std::fs::create_dir(workspace.path().join("notes")).unwrap();
        let root = workspace.path().canonicalize().unwrap();
        let skills = root.join("notes");
        let roots = Roots([("workspace", root.clone()), ("skills", skills.clone())]);
        let given = |grant| resolve(grant, &roots).map(|given| given.files[0].to_string()).unwrap_or_default();
        assert_eq!(given("files=workspace:write"), format!("files={}:write", root.display()));
        assert_eq!(given("files=workspace/notes:read"), format!("files={}/notes:read", root.display()));
        assert_eq!(given("files=skills:read"), format!("files={}:read", skills.display()));
        assert_eq!(given("files=/:read"), "files=/:read");
        assert_eq!(given("files=notes:read"), "");
        assert_eq!(given("files=workspaces:read"), "");
    }

    #[test]
    fn a_grant_on_the_command_line_is_split_at_the_last_colon() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("a:b")).unwrap();
        let grant = parse("files=a:b:write", base.path()).unwrap();
        assert_eq!(grant.files[0].path, base.path().canonicalize().unwrap().join("a:b"));
        assert!(matches!(parse("files=none:read", base.path()), Err(GrantError::Files(FileGrantError::Path { .. }))));
        assert!(matches!(parse("internet=x", base.path()), Err(GrantError::Kind(_))));
        assert!(matches!(parse("network=https://*", base.path()), Err(GrantError::Meaning { .. })));
        assert!(parse("network=https://api.example.com/v1/", base.path()).is_ok());
        assert!(matches!(parse("files", base.path()), Err(GrantError::Syntax(_))));
    }
}
