//! What lives in the store of one call: WASI with nothing in it, the call's rights, and its limits.

use crate::audit::{AuditRecord, AuditSink, Verdict};
use crate::files::{Denial, FileContext, GuardedView};
use crate::{Digest, Limits, Rights};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// Most denials of one call that are recorded one by one.
const MAX_DENIALS: u32 = 100;
/// Most bytes of one random request.
const MAX_RANDOM: u64 = 1 << 20;
/// Most bytes of the header fields of one `wasi:http` message.
const MAX_FIELDS: usize = 32 << 10;
/// The grain of the clocks that guests see: too coarse to time secrets.
const CLOCK_GRAIN: Duration = Duration::from_millis(1);

/// Who calls what: the part of an audit record that is the same for all of a call.
pub(crate) struct Subject {
    pub(crate) session: String,
    pub(crate) component: String,
    pub(crate) digest: Digest,
    pub(crate) tool: String,
    pub(crate) audit: Arc<dyn AuditSink>,
    pub(crate) denials: AtomicU32,
    /// The rule of the last denial.
    pub(crate) denied_by: Mutex<String>,
}

impl Subject {
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
        rule.clone_into(&mut self.denied_by.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Records a denial that the tool reports, unless it only passes on the one that the host saw last.
    pub(crate) fn deny_as_told(&self, grant: &str) {
        let known = *self.denied_by.lock().unwrap_or_else(PoisonError::into_inner) == grant;
        if !known {
            self.deny("grant", grant, grant);
        }
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

/// The data of a store.
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    http_denied: NoHttp,
    files: FileContext,
    pub(crate) subject: Arc<Subject>,
    pub(crate) rights: Rights,
    pub(crate) progress: Option<mpsc::Sender<String>>,
    pub(crate) limiter: Limiter,
    log_left: usize,
    deadline: Instant,
}

impl State {
    pub(crate) fn new(
        subject: Arc<Subject>,
        rights: Rights,
        files: FileContext,
        limits: &Limits,
        pool: Arc<MemoryPool>,
        progress: Option<mpsc::Sender<String>>,
    ) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(MemoryOutputPipe::new(limits.log))
            .stderr(MemoryOutputPipe::new(limits.log))
            .max_random_size(MAX_RANDOM)
            .monotonic_clock(CoarseClock(Instant::now()))
            .wall_clock(CoarseWallClock)
            // The guarding layer opens regular files and directories only, so no open can hang.
            .allow_blocking_current_thread(true);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        Ok(Self {
            wasi: wasi.build(),
            table,
            http,
            http_denied: NoHttp(subject.clone()),
            files,
            subject,
            rights,
            progress,
            limiter: Limiter::new(limits, pool),
            log_left: limits.log,
            deadline: Instant::now() + limits.time,
        })
    }

    pub(crate) fn files(&mut self) -> GuardedView<'_> {
        let WasiCtxView { ctx, table } = WasiCtxView { ctx: &mut self.wasi, table: &mut self.table };
        GuardedView { inner: WasiFilesystemCtxView { ctx: ctx.filesystem(), table }, files: &mut self.files }
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn deny(&mut self, interface: &str, function: &str, rule: &str) {
        self.subject.deny(function, interface, rule);
    }

    /// Keeps a log line while there is room for it.
    pub(crate) fn log_line(&mut self, level: &str, line: &str) {
        if line.len() <= self.log_left {
            self.log_left -= line.len();
            tracing::info!(target: "tool", component = self.subject.component, tool = self.subject.tool, level, "{line}");
        } else {
            self.log_left = 0;
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http_denied, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Refuses every `wasi:http` request: no port for it exists in this host.
struct NoHttp(Arc<Subject>);

type HttpAnswer = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), HttpError>> + Send>);

impl WasiHttpHooks for NoHttp {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = wasmtime_wasi_http::Result<HttpAnswer>> + Send> {
        // Path and query may carry what the audit trail must not hold.
        let origin = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        self.0.deny("wasi:http", &origin, "network");
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }
}

struct CoarseClock(Instant);

impl HostMonotonicClock for CoarseClock {
    fn resolution(&self) -> u64 {
        CLOCK_GRAIN.as_nanos() as u64
    }

    fn now(&self) -> u64 {
        self.0.elapsed().as_millis() as u64 * self.resolution()
    }
}

struct CoarseWallClock;

impl HostWallClock for CoarseWallClock {
    fn resolution(&self) -> Duration {
        CLOCK_GRAIN
    }

    fn now(&self) -> Duration {
        Duration::from_millis(now_ms().try_into().unwrap_or(0))
    }
}

/// Memory that all running instances may have together.
pub(crate) struct MemoryPool {
    used: AtomicU64,
    limit: u64,
}

impl MemoryPool {
    pub(crate) fn new(limit: u64) -> Self {
        Self { used: AtomicU64::new(0), limit }
    }

    fn take(&self, bytes: u64) -> bool {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.limit;
        if !fits {
            self.give(bytes);
        }
        fits
    }

    fn give(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Counts what an instance grows, over all its memories and tables.
pub(crate) struct Limiter {
    pool: Arc<MemoryPool>,
    memory: u64,
    memory_limit: u64,
    tables: usize,
    table_limit: usize,
    /// The limit that was hit last, for the error text.
    pub(crate) refused: Option<String>,
}

impl Limiter {
    fn new(limits: &Limits, pool: Arc<MemoryPool>) -> Self {
        Self {
            pool,
            memory: 0,
            memory_limit: limits.memory,
            tables: 0,
            table_limit: limits.table_elements,
            refused: None,
        }
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.pool.give(self.memory);
    }
}

impl wasmtime::ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        if self.memory.saturating_add(growth) > self.memory_limit {
            self.refused = Some(format!("{} MiB of memory", self.memory_limit >> 20));
            return Ok(false);
        }
        if !self.pool.take(growth) {
            self.refused = Some(format!("{} MiB of memory for all tools together", self.pool.limit >> 20));
            return Ok(false);
        }
        self.memory += growth;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let tables = self.tables.saturating_add(desired.saturating_sub(current));
        if tables > self.table_limit {
            self.refused = Some(format!("{} table elements", self.table_limit));
            return Ok(false);
        }
        self.tables = tables;
        Ok(true)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}

/// Turns a denial of the file layer into an audit record.
pub(crate) fn file_denials(subject: &Arc<Subject>) -> Arc<dyn Fn(Denial) + Send + Sync> {
    let subject = subject.clone();
    Arc::new(move |denial| subject.deny(denial.operation, &denial.target, &denial.grant))
}
