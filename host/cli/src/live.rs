//! What tools log and do, as it happens, for whoever watches.

use chiton_sandbox::{AuditRecord, Verdict};
use std::fmt::{Debug, Write as _};
use std::sync::OnceLock;
use tokio::sync::broadcast;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that wait for a slow watcher; older ones are dropped for it.
const WAITING: usize = 256;
/// The events that tools make.
const TOOL: &str = "tool";

/// A component and a line about it.
pub type Line = (String, String);

static LINES: OnceLock<broadcast::Sender<Line>> = OnceLock::new();

/// The lines from now on.
pub fn lines() -> broadcast::Receiver<Line> {
    let begin = || {
        // Another subscriber may stand already, in a test; then its owner sees the lines.
        tracing_subscriber::registry().with(Logged).try_init().ok();
        broadcast::channel(WAITING).0
    };
    LINES.get_or_init(begin).subscribe()
}

fn send(component: &str, line: String) {
    if let Some(lines) = LINES.get() {
        // Nobody may watch any more.
        lines.send((component.to_owned(), chiton_agent::inert(&line).into_owned())).ok();
    }
}

/// Tells of a record of the audit trail.
pub fn record(record: &AuditRecord) {
    let AuditRecord { component, tool, operation, target, rule, verdict, duration, .. } = record;
    match (operation.as_str(), verdict) {
        ("call", Verdict::Allowed) => {
            send(component, format!("{tool}: done in {:.1} ms", duration.as_secs_f64() * 1e3))
        }
        ("call", _) => send(component, format!("{tool}: failed ({rule}) after {:.1} ms", duration.as_secs_f64() * 1e3)),
        (_, Verdict::Denied) => send(component, format!("{tool}: denied {operation} {target}, it lacks {rule}")),
        _ => {}
    }
}

/// Passes on what tools log.
struct Logged;

impl<S: tracing::Subscriber> Layer<S> for Logged {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TOOL {
            let mut fields = Fields::default();
            event.record(&mut fields);
            send(&fields.component, format!("{}: {} {}", fields.tool, fields.level, fields.message));
        }
    }
}

/// The fields of such an event.
#[derive(Default)]
struct Fields {
    component: String,
    tool: String,
    level: String,
    message: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "component" => value.clone_into(&mut self.component),
            "tool" => value.clone_into(&mut self.tool),
            "level" => value.clone_into(&mut self.level),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing into a string does not fail.
            let _ = write!(self.message, "{value:?}");
        }
    }
}
