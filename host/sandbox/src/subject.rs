//! Who calls what, and the audit records of one call.

use crate::Digest;
use crate::audit::{AuditRecord, AuditSink, Verdict};
use chiton_files::Denial;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most denials of one call that are recorded one by one.
const MAX_DENIALS: u32 = 100;

/// Who calls what: the part of an audit record that is the same for all of a call.
pub(crate) struct Subject {
    pub(crate) session: String,
    pub(crate) component: String,
    pub(crate) digest: Digest,
    pub(crate) tool: String,
    pub(crate) audit: Arc<dyn AuditSink>,
    pub(crate) denials: AtomicU32,
    /// The rules of the denials, each once.
    denied_by: Mutex<Vec<String>>,
}

impl Subject {
    /// A tool of the component in `slot`, called in a session. While it is being loaded, all of them are empty.
    pub(crate) fn of(session: &str, slot: &str, digest: Digest, tool: &str, audit: Arc<dyn AuditSink>) -> Arc<Self> {
        let (session, component, tool) = (session.to_owned(), slot.to_owned(), tool.to_owned());
        Arc::new(Self { session, component, digest, tool, audit, denials: 0.into(), denied_by: Mutex::default() })
    }

    pub(crate) fn record(&self, operation: &str, target: &str, rule: &str, verdict: Verdict, duration: Duration) {
        self.audit.record(AuditRecord {
            time_ms: now_ms(),
            session: self.session.clone(),
            component: self.component.clone(),
            digest: self.digest,
            tool: self.tool.clone(),
            operation: operation.to_owned(),
            target: target.chars().take(1024).collect(),
            rule: rule.to_owned(),
            verdict,
            duration,
        });
    }

    /// Records a denial, unless this call has had so many that the rest is only counted.
    pub(crate) fn deny(&self, operation: &str, target: &str, rule: &str) {
        if self.denials.fetch_add(1, Ordering::Relaxed) < MAX_DENIALS {
            self.record(operation, target, rule, Verdict::Denied, Duration::ZERO);
        }
        let mut rules = self.denied_by.lock().unwrap_or_else(PoisonError::into_inner);
        if rules.len() < MAX_DENIALS as usize && rules.iter().all(|known| known != rule) {
            rules.push(rule.to_owned());
        }
    }

    /// Records a denial that the tool reports, unless it only passes on one that the host saw.
    pub(crate) fn deny_as_told(&self, grant: &str) {
        let known = self.denied_by.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|rule| rule == grant);
        if !known {
            self.deny("grant", grant, grant);
        }
    }

    /// The grants that were missing.
    pub(crate) fn missing(&self) -> Vec<String> {
        let rules = self.denied_by.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().filter(|rule| rule.contains('=')).cloned().collect()
    }

    /// Records how many denials were not recorded one by one.
    pub(crate) fn finish(&self) {
        let unrecorded = self.denials.load(Ordering::Relaxed).saturating_sub(MAX_DENIALS);
        if unrecorded > 0 {
            let target = format!("{unrecorded} further denials");
            self.record("denials", &target, "denials-per-call", Verdict::Denied, Duration::ZERO);
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(i64::MAX)
}

/// Turns a denial of the file layer into an audit record.
pub(crate) fn file_denials(subject: &Arc<Subject>) -> Arc<dyn Fn(Denial) + Send + Sync> {
    let subject = subject.clone();
    Arc::new(move |denial| subject.deny(denial.operation, &denial.target, &denial.grant))
}
