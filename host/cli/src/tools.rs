//! The sandbox with everything that the owner has: built-in tools and approved components.

use crate::builtin::{self, BuiltIn};
use crate::exit::Failure;
use crate::live;
use crate::ports;
use crate::process;
use crate::programs;
use crate::rows::{self, Rows};
use crate::settings::Settings;
use crate::skills::{self, Running};
use chiton_sandbox::{AuditRecord, AuditSink, Compiler, Component, Sandbox, SandboxOptions, Validity, Verdict};
use chiton_store::{ApprovalRow, AuditRow, Store};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of memory for all running calls together.
const TOTAL_MEMORY: u64 = 1 << 30;

/// The sandbox with its tools.
pub struct Tools {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// What the owner should know, such as an approved component that cannot be loaded.
    pub notices: Vec<String>,
}

impl Tools {
    /// Loads the built-in tools and what is approved in `store`.
    pub async fn open(settings: &Settings, store: Option<&Store>, audit: Arc<dyn AuditSink>) -> Result<Self, Failure> {
        let sandbox = sandbox(settings, audit)?;
        let rows = Rows::read(settings, store).await?;
        let mut notices = programs::publish(&sandbox, settings);
        let built_in = builtin::GRANTS.iter().filter_map(|(name, _)| BuiltIn::named(name));
        let loading = built_in.map(async |built_in| (built_in.name, built_in.load(&sandbox).await));
        for (name, component) in futures_util::future::join_all(loading).await {
            sandbox.publish(name, component?, rows.grants(name))?;
        }
        let active = skills::active(settings, store).await?;
        let running: Vec<_> =
            active.into_iter().map(|row| Running::approved(settings, row, Validity::Always)).collect();
        for (name, reason) in skills::publish(&sandbox, settings, &rows, &running).await {
            notices.push(format!("the skill '{name}' does not run: {reason}"));
        }
        if let Some(store) = store {
            for approval in rows::approved(store).await? {
                let published = load_approved(&sandbox, settings, &approval).await.and_then(|component| {
                    let grants = rows.grants(&approval.name);
                    sandbox.publish(&approval.name, component, grants).map_err(|error| error.to_string())
                });
                if let Err(reason) = published {
                    notices.push(format!("'{}' is approved but not loaded: {reason}", approval.name));
                }
            }
        }
        Ok(Self { sandbox, notices })
    }
}

/// An empty sandbox in this home.
pub fn sandbox(settings: &Settings, audit: Arc<dyn AuditSink>) -> Result<Sandbox, Failure> {
    let options = SandboxOptions {
        cache_dir: settings.home.cache(),
        compiler: Compiler::Child { program: std::env::current_exe()?, arguments: vec!["__compile".into()] },
        audit,
        ceiling: builtin::ceiling(),
        total_memory: TOTAL_MEMORY,
        protected: vec![settings.home.root().to_owned()],
        closed_to_skills: chiton_agent::own_places(&settings.workspace),
    };
    // The engine keeps /proc/self/pagemap open, to reset memory quickly.
    let sandbox = process::open_to_itself(|| Sandbox::new(options))?;
    sandbox.set_ports(ports::outer(settings)?);
    Ok(sandbox)
}

/// Where the approved bytes are kept, so that the approved version runs whatever becomes of the file.
pub fn kept_bytes(settings: &Settings, name: &str, digest: &str) -> PathBuf {
    let short = digest.get(..12).unwrap_or(digest);
    settings.home.skills().join(format!("{name}-{short}.wasm"))
}

/// Loads exactly the bytes that were approved.
async fn load_approved(
    sandbox: &Sandbox,
    settings: &Settings,
    approval: &ApprovalRow,
) -> Result<Arc<Component>, String> {
    let digest = approval.component_digest.parse().map_err(|error| format!("{error}"))?;
    let kept = kept_bytes(settings, &approval.name, &approval.component_digest);
    let read = move || {
        let told = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("{}: {error}; approve it again", kept.display()))
        };
        std::fs::read(&kept).map_err(told)
    };
    let component = sandbox.load_known(digest, Arc::new(read)).await.map_err(|error| error.to_string())?;
    let same =
        component.digest() == digest && component.definitions_digest().to_string() == approval.definitions_digest;
    match same {
        true => Ok(component),
        false => Err("its bytes are not the approved ones; approve it again".to_owned()),
    }
}

/// Reads a component from a file that nobody else can change under the owner's hand.
pub fn read_component(path: &Path) -> Result<Vec<u8>, Failure> {
    use crate::exit::Exit;
    use std::io::Read;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    let shown = path.display();
    let refuse = |exit, reason: String| Failure::new(exit, format!("cannot read the component {shown}: {reason}"));
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
        .open(path)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => refuse(Exit::NotFound, "there is no such file; check the path".to_owned()),
            _ => refuse(Exit::Failure, error.to_string()),
        })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(refuse(Exit::Refused, "it is not a regular file; name the .wasm file itself".to_owned()));
    }
    let me = rustix::process::geteuid().as_raw();
    if metadata.uid() != me && metadata.uid() != 0 {
        let reason =
            format!("it belongs to the user with uid {}; copy it to a place of your own first", metadata.uid());
        return Err(refuse(Exit::Refused, reason));
    }
    if metadata.len() > chiton_sandbox::MAX_COMPONENT_BYTES {
        let error =
            chiton_sandbox::LoadError::TooLarge { size: metadata.len(), limit: chiton_sandbox::MAX_COMPONENT_BYTES };
        return Err(refuse(Exit::Refused, error.to_string()));
    }
    let mut bytes = Vec::new();
    file.take(chiton_sandbox::MAX_COMPONENT_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Records what the sandbox tells in the store's audit trail.
pub fn audit_to(store: Store) -> Arc<dyn AuditSink> {
    Arc::new(move |record: AuditRecord| {
        live::record(&record);
        store.audit(audit_row(record));
    })
}

/// Records nothing, for commands that only look.
pub fn no_audit() -> Arc<dyn AuditSink> {
    Arc::new(|_: AuditRecord| {})
}

fn audit_row(record: AuditRecord) -> AuditRow {
    AuditRow {
        time_ms: record.time_ms,
        session: record.session,
        component: record.component,
        digest: record.digest.to_string(),
        tool: record.tool,
        operation: record.operation,
        target: record.target,
        rule: record.rule,
        verdict: verdict_name(record.verdict),
        duration_us: i64::try_from(record.duration.as_micros()).unwrap_or(i64::MAX),
    }
}

/// The name of a verdict, as the audit trail shows it.
pub fn verdict_name(verdict: Verdict) -> String {
    serde_json::to_value(verdict).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
