//! Why a component is not loaded and why a call gives no result, each in one sentence.

use crate::Digest;
use std::path::PathBuf;
use std::time::Duration;

/// The sandbox itself cannot work.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The WASM engine cannot be built on this machine.
    #[error("the WASM engine does not start ({0}); `chiton doctor` says what this machine lacks")]
    Engine(String),
    /// The code cache cannot be used.
    #[error("the code cache {path} cannot be used: {reason}")]
    Cache {
        /// The cache directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// A component is refused. What ran before in its place goes on running.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Too many bytes.
    #[error("the component has {size} bytes; at most {limit} are accepted")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// Not a component at all.
    #[error("this is not a WASI component: {0}")]
    NotAComponent(String),
    /// Valid in some other engine, not here.
    #[error("the component is malformed or uses a WASM feature that is off: {0}")]
    Malformed(String),
    /// An import that nothing here serves.
    #[error("the component imports '{0}', which no component may import")]
    Import(String),
    /// An import in a version that is not served.
    #[error("the component imports '{import}'; the accepted versions are {accepted}")]
    ImportVersion {
        /// The import.
        import: String,
        /// Versions that are accepted.
        accepted: String,
    },
    /// The tool interface is not exported, or not as the contract says.
    #[error(
        "the component does not export 'chiton:tool/tools' as the contract says ({0}); the accepted version is 0.1.0"
    )]
    Contract(String),
    /// An export that a tool component must not have.
    #[error("the component exports '{0}'; a tool component exports only 'chiton:tool/tools'")]
    Export(String),
    /// The entry point of a program is not exported.
    #[error(
        "the component does not export 'wasi:cli/run', so it is no program; build it as a command for wasm32-wasip2"
    )]
    NotAProgram,
    /// The compiler gave up or hit a limit.
    #[error("the component does not compile within the limits: {0}")]
    Compile(String),
    /// `list-tools` failed or ran into its limits.
    #[error("the component's list-tools failed: {0}")]
    ListTools(String),
    /// A definition breaks a rule.
    #[error("the definition of tool '{tool}' is refused: {reason}")]
    Definition {
        /// The tool's name, shortened and escaped.
        tool: String,
        /// The rule.
        reason: String,
    },
    /// The name is taken or too close to one that is taken.
    #[error(
        "the tool name '{tool}' {relation} the name of the tool '{other}' of '{component}', which keeps it; rename the tool"
    )]
    Collision {
        /// The refused name.
        tool: String,
        /// How it collides.
        relation: &'static str,
        /// The tool that has the name.
        other: String,
        /// Its component.
        component: String,
    },
    /// The bytes were revoked while they were being loaded.
    #[error("the approval of {0} was revoked")]
    Revoked(Digest),
    /// The host failed, not the component.
    #[error("the component cannot be loaded: {0}")]
    Host(String),
}

/// A call gave no result. The text is for the model and for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No tool has this name.
    #[error("there is no tool '{name}'{}", nearest.as_ref().map(|n| format!("; did you mean '{n}'?")).unwrap_or_default())]
    UnknownTool {
        /// What was asked for.
        name: String,
        /// The most similar name, if one is similar.
        nearest: Option<String>,
    },
    /// The arguments break the tool's schema, or the tool refuses them.
    #[error("invalid arguments: {0}")]
    InvalidArguments(String),
    /// A right is missing.
    #[error(
        "denied: tool '{tool}' lacks the grant {grant}; the owner can allow it with: chiton grant add {component} {grant}"
    )]
    Denied {
        /// The tool.
        tool: String,
        /// Its component, as `chiton grant` names it.
        component: String,
        /// The missing grant, `KIND=VALUE`.
        grant: String,
    },
    /// The tool does not declare an effect, without which no grant gives anything.
    #[error(
        "denied: tool '{tool}' does not declare the effect {effect}, without which no grant helps; its author has to add it"
    )]
    Undeclared {
        /// The tool.
        tool: String,
        /// The effect.
        effect: String,
    },
    /// A secret was granted and is not there.
    #[error("denied: the secret {0} has no value; the owner can type it after: chiton config set secrets.{0}")]
    Unset(String),
    /// The owner's approval was for another call.
    #[error(
        "denied: '{0}' was approved for one call or one session only; the owner can approve it again with: chiton skill approve {0}"
    )]
    NotApproved(String),
    /// Its files are not what was approved.
    #[error(
        "denied: the files of '{0}' were changed after they were approved; the owner can add it again with: chiton skill add"
    )]
    Changed(String),
    /// What the call names does not exist.
    #[error("not found: {0}")]
    NotFound(String),
    /// The tool waited in vain.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// The tool failed by its own word.
    #[error("{0}")]
    Failed(String),
    /// The deadline ended the call.
    #[error("the tool was ended at its time limit of {} ms", .0.as_millis())]
    Deadline(Duration),
    /// A memory, table, handle or copy limit ended the call.
    #[error("the tool was ended at its limit of {limit}")]
    Limit {
        /// Which limit, with its value.
        limit: String,
    },
    /// The component broke: a trap, a panic, an exit.
    #[error("the tool broke: {0}")]
    Trap(String),
    /// The caller or the owner cancelled it.
    #[error("the call was cancelled")]
    Cancelled,
    /// Its approval or a grant it was using was taken back.
    #[error("the approval of component '{0}' was changed or revoked while the tool ran")]
    Revoked(String),
    /// The host failed, not the tool.
    #[error("the call could not be made: {0}")]
    Host(String),
}
