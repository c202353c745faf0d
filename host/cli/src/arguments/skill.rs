//! The command line of `chiton skill`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// `chiton skill`
#[derive(Debug, Subcommand)]
pub enum Skill {
    /// List the skills: what runs, what waits for you, what is bundled.
    List,
    /// Show a skill: what it may touch, what it did in the last 30 days, what it was refused.
    Show {
        /// The skill.
        name: String,
    },
    /// Add a skill, or a newer version of it. Nothing of it runs before you approve it.
    Add(AddSkill),
    /// Show what the version that waits would change.
    Diff {
        /// The skill.
        name: String,
    },
    /// Let the version that waits run.
    Approve {
        /// The skill, or its number with the digest.
        name: String,
        /// Give exactly this in place of what it asks for; repeats.
        #[arg(long, value_name = "KIND=VALUE")]
        grant: Vec<String>,
        /// Give nothing.
        #[arg(long, conflicts_with = "grant")]
        nothing: bool,
        /// For one call only.
        #[arg(long, conflicts_with = "session")]
        once: bool,
        /// Only for this session, such as `terminal:default`, until Chiton ends.
        #[arg(long, value_name = "SESSION")]
        session: Option<String>,
    },
    /// Refuse the version that waits.
    Refuse {
        /// The skill.
        name: String,
    },
    /// Take an approval back; calls that run are ended.
    Revoke {
        /// The skill.
        name: String,
    },
    /// Remove a skill with all its versions and what it kept.
    Remove {
        /// The skill.
        name: String,
    },
    /// Go back to an earlier version.
    Rollback {
        /// The skill.
        name: String,
        /// The version, or the beginning of its digest; without it, the one before.
        version: Option<String>,
    },
    /// Make a new skill from a template.
    New {
        /// Its name.
        name: String,
        /// The language: rust, python, javascript, c or go.
        #[arg(long = "lang", value_name = "LANGUAGE")]
        language: String,
        /// A component instead of a script, where the language has both.
        #[arg(long)]
        component: bool,
        /// Where to put it; without it, a folder of its name here.
        #[arg(long, value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Build the component of the skill in a folder, with the command that its skill.toml states.
    Build(SkillFolder),
    /// Say what would be refused in a skill or a component, and why. Nothing of it gets a right.
    Check {
        /// A folder, an archive or a component.
        #[arg(value_hint = ValueHint::AnyPath)]
        place: PathBuf,
    },
    /// Run the examples of the skill in a folder, with what it asks for and without the network.
    Test(SkillFolder),
    /// Build, run and exchange the skill in a folder whenever one of its files changes, until Ctrl-C.
    Dev(SkillFolder),
    /// Sign the skill in a folder with a minisign key.
    Sign {
        #[command(flatten)]
        folder: SkillFolder,
        /// The secret key, as `minisign -G` makes it.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        key: PathBuf,
    },
    /// Put the skill in a folder into a registry.
    Publish {
        /// The folder.
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
        /// Where: `oci://HOST/NAME`; the version is the tag unless one is given.
        reference: String,
        /// A further host that the registry may send on to; repeats.
        #[arg(long, value_name = "HOST")]
        allow_host: Vec<String>,
        /// Replace other bytes that have this version there.
        #[arg(long)]
        replace: bool,
    },
    /// Print the JSON Schema of skill.toml.
    Schema,
}

/// `chiton skill add`
#[derive(Debug, Args)]
pub struct AddSkill {
    /// A folder, an archive, oci://HOST/NAME:TAG, https://HOST/index.json#NAME, or the name of a bundled skill.
    #[arg(required_unless_present = "lock", value_hint = ValueHint::AnyPath)]
    pub source: Option<String>,
    /// Add exactly the versions in this lock file instead.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "source")]
    pub lock: Option<PathBuf>,
    /// A further host that the source may send on to; repeats.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Approve it at once with what it asks for.
    #[arg(long)]
    pub approve: bool,
    /// Take a version that is lower than one that was approved before.
    #[arg(long)]
    pub downgrade: bool,
}

/// The folder of a skill that somebody writes.
#[derive(Debug, Args)]
pub struct SkillFolder {
    /// The folder.
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
}
