//! What a component may touch: grants, effects, limits, and the rights of one call.

use chiton_files::{Access, FileGrant, FileGrantError, Quota};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A grant that cannot be understood or given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Not `KIND=VALUE`.
    #[error("a grant is written KIND=VALUE, such as files=/home/ann/notes:read; '{0}' is not")]
    Syntax(String),
    /// The kind is not known.
    #[error("unknown kind of grant '{0}'; the kinds are: files, {names}", names = Capability::names())]
    Kind(String),
    /// The value can mean nothing.
    #[error(
        "the grant '{0}' has no value that could be meant; a value has 1 to {MAX_VALUE} bytes and no control characters"
    )]
    Value(String),
    /// The room that serves the kind does not understand the value.
    #[error("the grant '{grant}' is not understood: {reason}")]
    Meaning {
        /// The grant.
        grant: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A directory that cannot be granted.
    #[error(transparent)]
    Files(#[from] FileGrantError),
}

/// What can be granted beside files. Each is served by a port, which alone understands the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// HTTP to origins.
    Network,
    /// Secrets that the host adds to requests.
    Secrets,
    /// Programs of the machine.
    Programs,
    /// Scheduled jobs.
    Schedule,
    /// Messages to chats.
    Messaging,
    /// Sub-agents.
    Agents,
    /// What was said before, in these chats.
    Memory,
    /// The component's own key-value space.
    Storage,
    /// Other tools.
    Tools,
    /// The bot's model.
    Model,
    /// Skills that the tool may act for, with their rights in place of its own.
    Skills,
    /// Skills that are put before the owner.
    Proposals,
}

/// The values that were granted of each kind.
pub type Capabilities = BTreeMap<Capability, Vec<String>>;

/// Most bytes of the value of a grant.
const MAX_VALUE: usize = 1 << 10;

impl Capability {
    /// Each kind as it is written, and the effect without which a tool has nothing of it.
    const TABLE: [(Self, &'static str, Effects); 12] = [
        (Self::Network, "network", Effects::USES_NETWORK),
        (Self::Secrets, "secrets", Effects::USES_NETWORK),
        (Self::Programs, "programs", Effects::RUNS_PROGRAMS),
        (Self::Schedule, "schedule", Effects::SCHEDULES),
        (Self::Messaging, "messaging", Effects::SENDS_MESSAGES),
        (Self::Agents, "agents", Effects::SPAWNS),
        (Self::Memory, "memory", Effects::NONE),
        (Self::Storage, "storage", Effects::NONE),
        (Self::Tools, "tools", Effects::SPAWNS),
        (Self::Model, "model", Effects::SPAWNS),
        (Self::Skills, "skills", Effects::READS_FILES),
        (Self::Proposals, "proposals", Effects::READS_FILES),
    ];

    /// The kind as it is written.
    pub fn name(self) -> &'static str {
        Self::TABLE[self as usize].1
    }

    pub(crate) fn effect(self) -> Effects {
        Self::TABLE[self as usize].2
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn names() -> String {
        Self::TABLE.map(|row| row.1).join(", ")
    }
}

/// Everything a component was given by its owner. Empty by default, and empty means nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// Directories; the first is the working directory.
    #[serde(default)]
    pub files: Vec<FileGrant>,
    /// The access to the session's scratch directory, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch: Option<Access>,
    /// Most that it may hold there, if that is less than the session allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch_quota: Option<Quota>,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Capabilities::is_empty")]
    pub capabilities: Capabilities,
    /// Settings, which the component reads as its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The limits of its calls; the defaults if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// For which calls they hold.
    #[serde(skip)]
    pub validity: Validity,
    /// The folder in the session's scratch directory that is all the component sees of it; none: it sees the whole.
    #[serde(skip)]
    pub own_scratch: Option<PathBuf>,
    /// What is asked before each call.
    #[serde(skip)]
    pub seal: Option<Arc<dyn Seal>>,
}

/// What must be as it was when the owner approved it, whenever a call begins.
pub trait Seal: fmt::Debug + Send + Sync {
    /// Whether it still is.
    fn holds(&self) -> bool;
}

/// For which calls something that the owner gave holds.
#[derive(Clone, Debug, Default)]
pub enum Validity {
    /// For all.
    #[default]
    Always,
    /// For those of one session.
    Session(String),
    /// For one call of a session.
    Once(Single, String),
}

/// Leave for one call, which all clones share.
#[derive(Clone, Debug, Default)]
pub struct Single(Arc<AtomicBool>);

impl Validity {
    /// The session that it is for; none: it is for all.
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Always => None,
            Self::Session(only) | Self::Once(_, only) => Some(only),
        }
    }

    /// Takes leave for a call of `session`; false when there is none. A call that only looks uses nothing up.
    pub(crate) fn take(&self, session: &str, looks: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Session(only) => only == session,
            Self::Once(single, only) if looks => only == session && !single.0.load(Ordering::Relaxed),
            Self::Once(single, only) => only == session && !single.0.swap(true, Ordering::Relaxed),
        }
    }
}

impl Grants {
    /// Whether they are those of a skill, whose author is a stranger.
    pub fn of_skill(&self) -> bool {
        self.own_scratch.is_some()
    }

    /// Adds one `KIND=VALUE`; relative paths start at `base`, and `files=scratch:ACCESS` is the session's scratch.
    pub fn add(&mut self, grant: &str, base: &Path) -> Result<(), GrantError> {
        match grant.split_once('=') {
            Some(("files", value)) => match value.strip_prefix("scratch:") {
                Some(access) => {
                    let (access, quota) = Access::parse(access)?;
                    (self.scratch, self.scratch_quota) = (Some(access), quota);
                }
                None => self.files.push(FileGrant::parse(value, base)?),
            },
            Some((kind, value)) => {
                let kind = Capability::named(kind).ok_or_else(|| GrantError::Kind(kind.to_owned()))?;
                if value.trim().is_empty() || value.len() > MAX_VALUE || value.chars().any(char::is_control) {
                    return Err(GrantError::Value(grant.chars().filter(|c| !c.is_control()).take(80).collect()));
                }
                self.capabilities.entry(kind).or_default().push(value.to_owned());
            }
            None => return Err(GrantError::Syntax(grant.to_owned())),
        }
        Ok(())
    }

    /// Whether everything in these grants is also in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.files.iter().all(|grant| other.files.contains(grant))
            && (self.scratch <= other.scratch && self.scratch_quota == other.scratch_quota)
            && self.capabilities.iter().all(|(kind, values)| {
                let given = other.capabilities.get(kind).map(Vec::as_slice).unwrap_or_default();
                values.iter().all(|value| given.contains(value))
            })
    }
}

/// A set of effects, as declared by a tool or allowed to a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Effects(u8);

impl Effects {
    /// No effect at all.
    pub const NONE: Self = Self(0);
    /// Every effect.
    pub const ALL: Self = Self(0xff);
    /// Reads files.
    pub const READS_FILES: Self = Self(1);
    /// Writes files.
    pub const WRITES_FILES: Self = Self(1 << 1);
    /// Uses the network.
    pub const USES_NETWORK: Self = Self(1 << 2);
    /// Runs programs.
    pub const RUNS_PROGRAMS: Self = Self(1 << 3);
    /// Sends messages.
    pub const SENDS_MESSAGES: Self = Self(1 << 4);
    /// Schedules jobs.
    pub const SCHEDULES: Self = Self(1 << 5);
    /// Starts agents, calls tools, asks the model.
    pub const SPAWNS: Self = Self(1 << 6);
    /// May destroy what cannot be brought back.
    pub const DESTRUCTIVE: Self = Self(1 << 7);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::READS_FILES, "reads-files"),
        (Self::WRITES_FILES, "writes-files"),
        (Self::USES_NETWORK, "uses-network"),
        (Self::RUNS_PROGRAMS, "runs-programs"),
        (Self::SENDS_MESSAGES, "sends-messages"),
        (Self::SCHEDULES, "schedules"),
        (Self::SPAWNS, "spawns"),
        (Self::DESTRUCTIVE, "destructive"),
    ];

    /// These effects less `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` are in this set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether a call can change nothing outside itself: it may run beside others and again after a crash.
    pub fn read_only(self) -> bool {
        Self::READS_FILES.contains(self)
    }

    /// The names of the effects in this set, as in the contract.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(effect, _)| self.contains(*effect)).map(|(_, name)| name)
    }
}

impl std::ops::BitOr for Effects {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitAnd for Effects {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The limits of one call. The defaults are documented in `host/sandbox/README.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Wall clock of the whole call, waiting included.
    #[serde(with = "millis")]
    pub time: Duration,
    /// Bytes of linear memory, summed over all memories of the instance.
    pub memory: u64,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Open handles: files, streams, pollables, and resources of the component itself.
    pub handles: usize,
    /// Bytes of the result, all parts together.
    pub output: usize,
    /// Bytes that one crossing of the boundary may copy into the host.
    pub crossing: usize,
    /// Bytes of log lines and of standard output and error, each.
    pub log: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            memory: 64 << 20,
            table_elements: 20_000,
            handles: 1_000,
            output: 1 << 20,
            crossing: 8 << 20,
            log: 64 << 10,
        }
    }
}

impl Limits {
    /// These limits, but nowhere above `ceiling`.
    pub fn at_most(&self, ceiling: &Self) -> Self {
        Self {
            time: self.time.min(ceiling.time),
            memory: self.memory.min(ceiling.memory),
            table_elements: self.table_elements.min(ceiling.table_elements),
            handles: self.handles.min(ceiling.handles),
            output: self.output.min(ceiling.output),
            crossing: self.crossing.min(ceiling.crossing),
            log: self.log.min(ceiling.log),
        }
    }
}

/// What a session adds to or takes from the grants of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRights {
    /// The session's name, for the audit trail, such as `terminal:default`.
    pub session: String,
    /// Effects that this session allows at all.
    pub effects: Effects,
    /// Takes the place of the files that a tool was granted, if the owner said so. A tool that was
    /// granted none gets none, unless it was named.
    pub files: Option<Vec<FileGrant>>,
    /// The same for the other kinds: a kind in it takes the place of that kind.
    pub capabilities: Capabilities,
    /// The owner named the tool that these are for, as in `chiton tool call`.
    pub tool_was_named: bool,
    /// The directory for files of this session that nobody needs to keep.
    pub scratch: Option<FileGrant>,
    /// Something that strangers wrote has been read in this turn.
    pub tainted: bool,
    /// The directory where changes of files are noted, so that they can be undone.
    pub journal: Option<PathBuf>,
}

impl SessionRights {
    /// A session that takes nothing away and adds nothing.
    pub fn of(session: impl Into<String>) -> Self {
        Self {
            session: session.into(),
            effects: Effects::ALL,
            files: None,
            capabilities: Capabilities::new(),
            tool_was_named: false,
            scratch: None,
            tainted: false,
            journal: None,
        }
    }

    /// The same with what the owner gives to this session: each kind in it replaces that kind.
    pub fn with(self, given: Option<Grants>) -> Self {
        let Some(Grants { files, capabilities, .. }) = given else { return self };
        Self { files: (!files.is_empty()).then_some(files), capabilities, ..self }
    }
}

/// The rights of one call: grants ∩ effects of the tool ∩ session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Directories to mount, with the access that is left.
    pub files: Vec<FileGrant>,
    /// The one among them that is the session's scratch.
    pub scratch: Option<PathBuf>,
    /// The values that are left of each other kind.
    pub capabilities: Capabilities,
    /// The effects that are left.
    pub effects: Effects,
    /// The component's settings.
    pub environment: BTreeMap<String, String>,
}

impl Rights {
    /// Intersects what the owner approved, what the tool declares and what the session allows.
    pub fn of(grants: &Grants, effects: Effects, session: &SessionRights) -> Self {
        let effects = effects & session.effects;
        let mut rights = Self { effects, environment: grants.environment.clone(), ..Self::default() };
        // A session gives to the bot's own tools; what a stranger's skill was approved with is not exchanged.
        let exchanged = !grants.of_skill() || session.tool_was_named;
        for (kind, granted) in &grants.capabilities {
            let values = session.capabilities.get(kind).filter(|_| exchanged).unwrap_or(granted);
            rights.capabilities.insert(*kind, values.clone());
        }
        if session.tool_was_named {
            rights.capabilities.extend(session.capabilities.clone());
        }
        rights.capabilities.retain(|kind, _| effects.contains(kind.effect()));
        let may_write = effects.contains(Effects::WRITES_FILES);
        if !effects.contains(Effects::READS_FILES) && !may_write {
            return rights;
        }
        let files = match &session.files {
            Some(files) if session.tool_was_named || exchanged && !grants.files.is_empty() => files,
            _ => &grants.files,
        };
        let narrowed = |grant: &FileGrant, access: Access| FileGrant {
            access: if may_write { access } else { Access::Read },
            ..grant.clone()
        };
        rights.files = files.iter().map(|grant| narrowed(grant, grant.access)).collect();
        if let (Some(access), Some(scratch)) = (grants.scratch, &session.scratch) {
            let path = grants.own_scratch.iter().fold(scratch.path.clone(), |path, own| path.join(own));
            let quotas = [grants.scratch_quota, scratch.quota].into_iter().flatten();
            let quota = quotas.min_by_key(|quota| quota.bytes);
            rights.files.push(narrowed(&FileGrant { path: path.clone(), quota, ..scratch.clone() }, access));
            rights.scratch = Some(path);
        }
        rights
    }
}

mod millis {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_millis() as u64)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
