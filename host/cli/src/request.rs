//! What a host can be asked for, inside the process or over its control socket.

use crate::exit::{Exit, Failure};
use chiton_agent::TurnEvent;
use chiton_sandbox::Grants;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// One request. Over the socket it is one line of JSON, answered by lines of [`Reply`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// A message for the agent. Answered by the events of its turn.
    Chat {
        /// The chat of the terminal channel.
        chat: String,
        /// Names the message, so that it is taken once.
        id: String,
        /// What was written.
        text: String,
        /// Each kind in it replaces what tools have of that kind, for this message.
        grants: Option<Grants>,
    },
    /// Ends what a chat is working on.
    Cancel {
        /// The chat of the terminal channel.
        chat: String,
    },
    /// The owner saw an answer.
    Seen {
        /// Its row in the outbox.
        outbox: i64,
    },
    /// What waits to be shown in a chat: answers and notices.
    Waiting {
        /// The chat of the terminal channel.
        chat: String,
    },
    /// A call of a tool.
    Call {
        /// The tool.
        tool: String,
        /// Its arguments.
        arguments: Map<String, Value>,
        /// Each kind in it replaces what the tool has of that kind, for this call.
        grants: Option<Grants>,
    },
    /// An approval.
    Approve {
        /// Under which name.
        name: String,
        /// The component.
        file: PathBuf,
        /// What it is given.
        grants: Vec<String>,
    },
    /// The end of an approval.
    Revoke {
        /// The name.
        name: String,
    },
    /// A version of a skill, which waits for the owner's word.
    AddSkill {
        /// Its folder, absolute.
        folder: PathBuf,
        /// Where it came from.
        source: String,
        /// Whether it may be lower than a version that was approved.
        downgrade: bool,
    },
    /// What the version of a skill that waits asks and changes.
    DescribeSkill {
        /// The skill.
        name: String,
    },
    /// The owner's word on a version of a skill.
    DecideSkill {
        /// The skill.
        name: String,
        /// The digest that the owner was shown.
        digest: String,
        /// The word.
        decision: Decision,
        /// What it is given in place of what it asks for.
        grants: Option<Vec<String>>,
    },
    /// The end of a skill's approval.
    RevokeSkill {
        /// The skill.
        name: String,
    },
    /// The end of a skill.
    RemoveSkill {
        /// The skill.
        name: String,
    },
    /// An earlier version of a skill.
    RollBackSkill {
        /// The skill.
        name: String,
        /// Its version or the beginning of its digest; none: the one before.
        version: Option<String>,
    },
    /// A skill that is being written: runs from its folder with these grants until whoever asks leaves.
    DevelopSkill {
        /// Its folder, absolute.
        folder: PathBuf,
        /// What the owner approved for it.
        grants: Vec<String>,
    },
    /// A program for the shell.
    AddProgram {
        /// The component.
        file: PathBuf,
        /// The names that start it.
        names: Vec<String>,
    },
    /// The end of a program that was added.
    RemoveProgram {
        /// Its first name.
        name: String,
    },
    /// A scheduled job of the owner.
    AddJob {
        /// The chat of the terminal channel.
        chat: String,
        /// Short name, or empty.
        name: String,
        /// What the agent is told.
        message: String,
        /// When it is due, in the scheduler's words.
        timing: String,
        /// Its time zone, or empty.
        zone: String,
    },
    /// The end of a job.
    RemoveJob {
        /// The job.
        id: i64,
    },
    /// A run of a job, now. Answered when it has ended.
    RunJob {
        /// The job.
        id: i64,
    },
    /// The owner's word that a quarantined or disabled job may run.
    ApproveJob {
        /// The job.
        id: i64,
    },
    /// A session made of a file's messages.
    ImportSession {
        /// The file, absolute.
        file: PathBuf,
        /// Its key; none: the one in the file.
        key: Option<String>,
    },
    /// A copy of a session.
    ForkSession {
        /// The session.
        key: String,
        /// The key of the copy.
        new: String,
    },
    /// The end of a session and of all that belongs to it.
    DeleteSession {
        /// The session.
        key: String,
    },
    /// The end of all that a person wrote.
    DeletePerson {
        /// Who, as the channel names them.
        sender: String,
    },
    /// A further right for a tool.
    AddGrant {
        /// The tool or its component.
        tool: String,
        /// The right, with an absolute path.
        grant: String,
    },
    /// A right less for a tool.
    RemoveGrant {
        /// The tool or its component.
        tool: String,
        /// The right as it was written.
        grant: String,
        /// Where relative paths start.
        base: PathBuf,
    },
}

/// The owner's word on a version of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It runs from now on.
    Always,
    /// It runs for one session, until the host ends.
    Session {
        /// The session.
        session: String,
    },
    /// It runs for one call of a session.
    Once {
        /// The session.
        session: String,
    },
    /// It does not run.
    Refuse,
}

/// One line of an answer; `Done` and `Failed` are the last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The host took the request and will answer it. The first line on the socket; without it
    /// nothing was done, and the request can be sent again.
    Taken,
    /// What happens in a turn.
    Event(TurnEvent),
    /// What a tool reports while it runs.
    Progress(String),
    /// It was done; the value tells what.
    Done(Value),
    /// It was not done.
    Failed {
        /// The exit code for a command line.
        exit: Exit,
        /// The sentence.
        message: String,
    },
}

impl From<Result<Value, Failure>> for Reply {
    fn from(result: Result<Value, Failure>) -> Self {
        match result {
            Ok(value) => Self::Done(value),
            Err(Failure { exit, message }) => Self::Failed { exit, message },
        }
    }
}
