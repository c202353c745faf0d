//! The command line.

mod skill;

pub use skill::{AddSkill, Skill};

use crate::exit;
use clap::{Args, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// A personal AI bot whose every tool runs in a sandbox and touches only what you grant.
#[derive(Debug, Parser)]
#[command(name = "chiton", version, after_help = exit::TABLE, max_term_width = 100)]
pub struct Arguments {
    /// What to do; without it, chat.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print data as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Talk with the bot.
    Chat(Chat),
    /// List, show, call, approve and revoke tools.
    #[command(subcommand)]
    Tool(Tool),
    /// Change what a tool may touch.
    #[command(subcommand)]
    Grant(Grant),
    /// Make, add, approve, update and remove skills.
    #[command(subcommand)]
    Skill(Skill),
    /// List, add and remove programs of the shell inside the sandbox.
    #[command(subcommand)]
    Program(Program),
    /// List, add, remove, run and approve scheduled jobs.
    #[command(subcommand)]
    Cron(Cron),
    /// List, show, search, export, import, delete and copy what was said.
    #[command(subcommand)]
    Session(Session),
    /// Show what tools did and what was denied.
    Audit(Audit),
    /// Show, change and check the configuration.
    #[command(subcommand)]
    Config(Config),
    /// List providers of models, and try one out.
    #[command(subcommand)]
    Provider(Provider),
    /// Check this machine, the home and the model.
    Doctor,
    /// Bring another bot over.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Compiles one component from standard input, in a process of its own.
    #[command(name = "__compile", hide = true)]
    Compile,
    /// Builds the walls around one program of the machine and becomes it.
    #[command(name = "__native", hide = true)]
    Native,
}

/// `chiton chat`
#[derive(Debug, Default, Args)]
pub struct Chat {
    /// Ask once, print only the answer and end; `-` reads the question from standard input.
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Work in this directory instead of the configured workspace, for this session.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub workspace: Option<PathBuf>,
    #[command(flatten)]
    pub grants: Grants,
}

/// Grants that hold once.
#[derive(Debug, Default, Args)]
pub struct Grants {
    /// Give a right for this once, such as `files=notes:read`; the first of a kind replaces the
    /// tool's own, further ones add.
    #[arg(long = "grant", value_name = "KIND=VALUE")]
    pub grant: Vec<String>,
}

/// `chiton tool`
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// List all tools.
    List,
    /// Show a tool: what it does, its arguments, its effects and its grants.
    Show {
        /// The tool, or the component that offers it.
        name: String,
    },
    /// Call a tool, without a model.
    Call {
        /// The tool.
        name: String,
        /// Its arguments as a JSON object; `-` reads them from standard input.
        #[arg(default_value = "{}")]
        arguments: String,
        #[command(flatten)]
        grants: Grants,
    },
    /// Let a component run from now on: exactly these bytes, with exactly these grants.
    Approve {
        /// The component.
        #[arg(value_name = "FILE.wasm", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Its name; without it, the file's.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        grants: Grants,
    },
    /// Take an approval back; calls that run are ended.
    Revoke {
        /// The name it was approved under.
        name: String,
    },
}

/// `chiton grant`
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Give a tool a right, such as `files=~/notes:read`.
    Add(GrantChange),
    /// Take a right from a tool.
    Remove(GrantChange),
    /// List what tools may touch.
    List {
        /// Only this tool.
        tool: Option<String>,
    },
}

/// One grant of one tool.
#[derive(Debug, Args)]
pub struct GrantChange {
    /// The tool, or the component that offers it.
    pub tool: String,
    /// Such as `files=~/notes:read`.
    #[arg(value_name = "KIND=VALUE")]
    pub grant: String,
}

/// `chiton program`
#[derive(Debug, Subcommand)]
pub enum Program {
    /// List all programs, and what starts them.
    List,
    /// Add a program: a WASI component that exports `wasi:cli/run`. It runs with the rights of whoever starts it.
    Add {
        /// The component.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// A name that starts it; may be repeated. Not given: the file's name.
        #[arg(long)]
        name: Vec<String>,
    },
    /// Remove a program that was added.
    Remove {
        /// Its first name.
        name: String,
    },
}

/// `chiton cron`
#[derive(Debug, Subcommand)]
pub enum Cron {
    /// List jobs.
    List {
        /// Only this session's, such as `terminal:default`.
        #[arg(long)]
        session: Option<String>,
    },
    /// Add a job: when it is due, the bot answers its message in the chat. Jobs run while chiton does.
    Add(CronAdd),
    /// Remove a job.
    Remove(Job),
    /// Run a job now and wait for its end; its next time stays.
    Run(Job),
    /// Let a quarantined or disabled job run.
    Approve(Job),
    /// Show the last runs of a job, and what became of their answers.
    History(Job),
}

/// One job.
#[derive(Clone, Copy, Debug, Args)]
pub struct Job {
    /// Its id, as `chiton cron list` shows it.
    pub id: i64,
}

/// `chiton cron add`
#[derive(Debug, Args)]
pub struct CronAdd {
    /// What the bot is told when the job is due.
    pub message: String,
    /// Short name; without it, the beginning of the message.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub name: String,
    #[command(flatten)]
    pub when: When,
    /// IANA time zone of `--at` or `--cron`, such as `Europe/Berlin`; without it, the configured one.
    #[arg(long, value_name = "ZONE", default_value = "", hide_default_value = true)]
    pub tz: String,
    /// The chat of the terminal that gets the answers.
    #[arg(long, default_value = "default")]
    pub chat: String,
}

/// When a job is due.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct When {
    /// Once, such as `2026-11-30T09:00`.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Again and again after this span, such as `90s`, `10m`, `2h` or `1d`.
    #[arg(long, value_name = "SPAN")]
    pub every: Option<String>,
    /// Whenever the clocks show this minute, hour, day, month and weekday, such as `0 9 * * 1-5`.
    #[arg(long, value_name = "EXPRESSION")]
    pub cron: Option<String>,
}

/// `chiton session`
#[derive(Debug, Subcommand)]
pub enum Session {
    /// List all sessions.
    List,
    /// Show the last messages of a session.
    Show {
        /// Its key, such as `terminal:default`.
        key: String,
        /// At most this many messages, the newest.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Find messages by their words; words in quotes are found side by side.
    Search {
        /// The words.
        #[arg(required = true)]
        words: Vec<String>,
        /// Only in this session.
        #[arg(long)]
        session: Option<String>,
        /// At most this many messages, the best.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Write a session as JSON lines, which `import` and NanoBot read.
    Export {
        /// Its key.
        key: String,
        /// The file to make; without it, standard output.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Make a session of JSON lines from `export` or NanoBot.
    Import {
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The key of the new session; without it, the one in the file.
        #[arg(long)]
        key: Option<String>,
    },
    /// Delete a session, or all that a person wrote, with everything that belongs to it.
    Delete(Forget),
    /// Copy a session, to go on with it in two ways.
    Fork {
        /// Its key.
        key: String,
        /// The key of the copy.
        new: String,
    },
}

/// `chiton session delete`
#[derive(Debug, Args)]
pub struct Forget {
    /// The session.
    #[arg(required_unless_present = "person", conflicts_with = "person")]
    pub key: Option<String>,
    /// The person, as the channel names who sent a message.
    #[arg(long, value_name = "SENDER")]
    pub person: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// `chiton audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// Only this tool.
    #[arg(long)]
    pub tool: Option<String>,
    /// Only this session, such as `terminal:default`.
    #[arg(long)]
    pub session: Option<String>,
    /// Only this verdict: allowed, denied, limited, failed, cancelled, revoked or refused.
    #[arg(long)]
    pub verdict: Option<String>,
    /// Only what happened in this span, such as `10m`, `2h` or `3d`.
    #[arg(long, value_name = "SPAN")]
    pub since: Option<String>,
    /// At most this many records, the newest.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
}

/// `chiton migrate`
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Bring a NanoBot home over: settings, workspace, skills, memory, sessions and jobs. It is only read, and nothing
    /// that is here already is overwritten.
    Nanobot {
        /// The home of NanoBot; without it, `~/.nanobot`.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        from: Option<PathBuf>,
        /// Only say what would be brought over.
        #[arg(long)]
        dry_run: bool,
    },
}

/// `chiton provider`
#[derive(Debug, Subcommand)]
pub enum Provider {
    /// List known and configured providers, and whether their keys are there.
    List,
    /// Ask a provider for its models and a model for one short answer.
    Test {
        /// A provider, a preset, or `PROVIDER/MODEL`; without it, the configured model.
        #[arg(value_name = "NAME|MODEL")]
        name: Option<String>,
    },
}

/// `chiton config`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show a value, or everything; secrets are masked.
    Get {
        /// Dotted key, such as `agents.defaults.model`.
        key: Option<String>,
    },
    /// Set a value; `null` removes it.
    Set {
        /// Dotted key, such as `agents.defaults.model`.
        key: String,
        /// The value; a secret is asked for, or read from standard input, instead.
        value: Option<String>,
        /// Write the file even though its comments are lost.
        #[arg(long)]
        force: bool,
    },
    /// Check the file.
    Check,
    /// Print the JSON Schema of the file.
    Schema,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
