//! What a component may reach beyond files and programs: ports that upper rooms implement.
//!
//! The sandbox checks that a call has a capability at all and hands its values on; what a value allows
//! is decided behind the port. Where no port stands, every call of the capability is denied.

use crate::{Digest, FileGrant, SessionRights};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::DuplexStream;

/// On whose behalf something is asked.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The session with its rights.
    pub session: SessionRights,
    /// The component's slot.
    pub component: String,
    /// The component's bytes.
    pub digest: Digest,
    /// The tool that was called.
    pub tool: String,
    /// When the call is ended.
    pub deadline: Instant,
}

/// Why a port did not do what was asked. Every text is one sentence for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortError {
    /// A right is missing.
    Denied {
        /// The missing grant as `KIND=VALUE`.
        grant: String,
        /// What was tried, for the audit trail; without secrets.
        target: String,
    },
    /// A rule forbids it that no grant lifts.
    Refused {
        /// The rule in words.
        rule: String,
        /// What was tried, for the audit trail; without secrets.
        target: String,
    },
    /// The request makes no sense.
    Invalid(String),
    /// What it names does not exist.
    NotFound(String),
    /// Something did not come in time.
    TimedOut(String),
    /// Anything else.
    Failed(String),
}

/// A request to the outside.
pub struct OutboundRequest {
    /// Method, absolute URL, header fields and the whole body.
    pub request: http::Request<Bytes>,
    /// Most redirects to follow.
    pub redirects: u8,
    /// Most bytes of the response's body, decoded.
    pub max_body: u64,
}

/// The answer to a request.
pub struct OutboundResponse {
    /// Status and header fields; the body is decoded.
    pub response: http::Response<BoxStream<'static, Result<Bytes, PortError>>>,
    /// The URL that answered.
    pub url: String,
}

/// HTTP by the host.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Sends a request that the values of `network` allow, with the secrets that those of `secrets` allow.
    async fn send(
        &self,
        caller: &Caller,
        network: &[String],
        secrets: &[String],
        request: OutboundRequest,
    ) -> Result<OutboundResponse, PortError>;

    /// What a request lacks that was granted nothing at all.
    fn missing(&self, request: &http::Request<Bytes>) -> PortError;

    /// Text that stands for the secret `name`, if the values of `secrets` name it and it is set.
    fn placeholder(&self, secrets: &[String], name: &str) -> Option<String>;
}

/// A program of the machine that shall run.
pub struct NativeCommand {
    /// Program name and arguments.
    pub argv: Vec<String>,
    /// Absolute path of the working directory.
    pub working_directory: String,
    /// The directories that the caller may use.
    pub files: Vec<FileGrant>,
    /// Its standard input; ends when the caller's end is dropped.
    pub stdin: DuplexStream,
    /// Its standard output.
    pub stdout: DuplexStream,
    /// Its standard error.
    pub stderr: DuplexStream,
}

/// Programs of the machine.
#[async_trait]
pub trait NativePrograms: Send + Sync {
    /// Runs a program that one of the `programs` values allows, to its end, and gives the exit code.
    /// [`PortError::NotFound`] if the machine has no such program or none of the values is meant for it.
    async fn run(&self, caller: &Caller, programs: &[String], command: NativeCommand) -> Result<u8, PortError>;
}

/// When a job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Once, at this time.
    At(String),
    /// Every so many seconds.
    Every(u64),
    /// By a cron expression in a time zone; an empty zone is the bot's.
    Cron(String, String),
}

/// A job of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledJob {
    /// Given by the host.
    pub id: String,
    /// Short name.
    pub name: String,
    /// What is sent to the agent.
    pub message: String,
    /// When it is due.
    pub due: Due,
    /// The next time it runs.
    pub next: Option<String>,
    /// In words.
    pub state: String,
}

/// The scheduler.
#[async_trait]
pub trait Scheduling: Send + Sync {
    /// Adds a job to the caller's chat; it runs with at most the caller's rights.
    async fn add(&self, caller: &Caller, name: String, message: String, due: Due) -> Result<ScheduledJob, PortError>;
    /// The jobs of the caller's chat.
    async fn jobs(&self, caller: &Caller) -> Result<Vec<ScheduledJob>, PortError>;
    /// Removes a job of the caller's chat.
    async fn remove(&self, caller: &Caller, id: String) -> Result<(), PortError>;
}

/// A file that goes along with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// File name, without directories.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// Content.
    pub data: Vec<u8>,
}

/// Messages to chats.
#[async_trait]
pub trait Messaging: Send + Sync {
    /// Sends a message to `chat`, or the caller's own, if the values of `messaging` allow it. True when
    /// the channel has taken it, false when it waits.
    async fn send(
        &self,
        caller: &Caller,
        messaging: &[String],
        chat: Option<String>,
        text: String,
        attachments: Vec<Attachment>,
    ) -> Result<bool, PortError>;
}

/// Sub-agents.
#[async_trait]
pub trait Agents: Send + Sync {
    /// Starts a task with at most the caller's rights and gives its id.
    async fn start(&self, caller: &Caller, task: String, label: String) -> Result<String, PortError>;
    /// Waits for the answer of a task of the caller's session.
    async fn wait(&self, caller: &Caller, id: String) -> Result<String, PortError>;
    /// Cancels a task of the caller's session.
    async fn cancel(&self, caller: &Caller, id: String) -> Result<(), PortError>;
}

/// What was said before. Answers are JSON, as the contract tells them.
#[async_trait]
pub trait Memory: Send + Sync {
    /// Finds messages with all the words of `query`, in the caller's chat, in `chat` or in all of them, as far as the
    /// values of `memory` allow.
    async fn search(
        &self,
        caller: &Caller,
        memory: &[String],
        query: &str,
        chat: Option<String>,
        limit: u32,
    ) -> Result<String, PortError>;
    /// The newest messages of the caller's chat or of `chat`, or those before a message.
    async fn read(
        &self,
        caller: &Caller,
        memory: &[String],
        chat: Option<String>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<String, PortError>;
}

/// New skills for the owner to decide on.
#[async_trait]
pub trait Proposals: Send + Sync {
    /// Checks the skill in `folder`, which lies in one of `files`, and asks the owner; gives what was found, in words.
    async fn propose(&self, caller: &Caller, files: &[FileGrant], folder: &str) -> Result<String, PortError>;
}

/// The ports of a host. One that is missing denies.
#[derive(Clone, Default)]
pub struct Ports {
    /// HTTP.
    pub outbound: Option<Arc<dyn Outbound>>,
    /// Programs of the machine.
    pub native: Option<Arc<dyn NativePrograms>>,
    /// Jobs.
    pub schedule: Option<Arc<dyn Scheduling>>,
    /// Messages.
    pub messaging: Option<Arc<dyn Messaging>>,
    /// Sub-agents.
    pub agents: Option<Arc<dyn Agents>>,
    /// What was said before.
    pub memory: Option<Arc<dyn Memory>>,
    /// New skills.
    pub proposals: Option<Arc<dyn Proposals>>,
}
