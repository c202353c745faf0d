//! What lives in a store: WASI with nothing in it, the rights of the call, and its limits.

use crate::limiter::{Limiter, MemoryPool};
use crate::outbound::Http;
use crate::pipe::Handle;
use crate::ports::{Caller, Ports};
use crate::script::Script;
use crate::subject::{Subject, now_ms};
use crate::{Limits, Rights, Sandbox};
use chiton_files::{FileContext, GuardedView};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Most bytes of one random request.
const MAX_RANDOM: u64 = 1 << 20;
/// Most bytes of the header fields of one `wasi:http` message.
const MAX_FIELDS: usize = 32 << 10;
/// The grain of the clocks that guests see: too coarse to time secrets.
const CLOCK_GRAIN: Duration = Duration::from_millis(1);
/// Most lines and letters of what a guest said before it broke.
const LAST_LINES: usize = 8;
const LAST_LETTERS: usize = 1_000;

/// One call with everything that it shares with the programs it starts.
pub(crate) struct Call {
    pub(crate) sandbox: Sandbox,
    pub(crate) subject: Arc<Subject>,
    pub(crate) caller: Caller,
    pub(crate) rights: Rights,
    pub(crate) limits: Limits,
    pub(crate) memory: Arc<MemoryPool>,
    /// Programs that run now.
    pub(crate) programs: AtomicUsize,
    pub(crate) progress: Option<mpsc::Sender<String>>,
    /// What an engine runs.
    pub(crate) script: Option<Arc<Script>>,
    pub(crate) log_left: AtomicUsize,
}

impl Call {
    pub(crate) fn new(
        sandbox: Sandbox,
        subject: Arc<Subject>,
        session: crate::SessionRights,
        rights: Rights,
        limits: Limits,
    ) -> Self {
        Self {
            caller: Caller {
                session,
                component: subject.component.clone(),
                digest: subject.digest,
                tool: subject.tool.clone(),
                deadline: Instant::now() + limits.time,
            },
            sandbox,
            rights,
            memory: Arc::new(MemoryPool::new(limits.memory)),
            programs: AtomicUsize::new(0),
            progress: None,
            script: None,
            log_left: AtomicUsize::new(limits.log),
            subject,
            limits,
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.caller.deadline
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    pub(crate) fn ports(&self) -> Arc<Ports> {
        self.sandbox.ports()
    }

    /// Keeps a log line while there is room for it.
    pub(crate) fn log_line(&self, level: &str, line: &str) {
        let room = |left: usize| Some(left.saturating_sub(line.len()));
        let left = self.log_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).unwrap_or_default();
        if line.len() <= left {
            let Subject { component, tool, .. } = &*self.subject;
            tracing::info!(target: "tool", component, tool, level, "{line}");
        }
    }
}

/// The command line and the standard streams of a program.
pub(crate) struct CommandLine {
    pub(crate) argv: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) working_directory: String,
    pub(crate) stdin: Handle<DynInputStream>,
    pub(crate) stdout: Handle<DynOutputStream>,
    pub(crate) stderr: Handle<DynOutputStream>,
}

/// The data of a store.
pub(crate) struct State {
    wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    http: WasiHttpCtx,
    outbound: Http,
    pub(crate) files: FileContext,
    pub(crate) call: Arc<Call>,
    pub(crate) limiter: Limiter,
    /// Standard error of a tool.
    errors: MemoryOutputPipe,
}

impl State {
    /// The state of a tool, or of a program with its command line.
    pub(crate) fn new(call: Arc<Call>, files: FileContext, all: Arc<MemoryPool>, command: Option<CommandLine>) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        wasi.max_random_size(MAX_RANDOM)
            .monotonic_clock(CoarseClock(Instant::now()))
            .wall_clock(CoarseWallClock)
            // The guarding layer opens regular files and directories only, so no open can hang.
            .allow_blocking_current_thread(true);
        let errors = MemoryOutputPipe::new(call.limits.log);
        match command {
            None => {
                wasi.stdout(MemoryOutputPipe::new(call.limits.log)).stderr(errors.clone());
                for (name, value) in &call.rights.environment {
                    wasi.env(name, value);
                }
            }
            Some(command) => {
                wasi.args(&command.argv).envs(&command.environment).initial_cwd(command.working_directory);
                wasi.stdin(command.stdin).stdout(command.stdout).stderr(command.stderr);
            }
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(call.limits.handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        let limiter = Limiter::new(&call.limits, call.memory.clone(), all);
        Self { wasi: wasi.build(), table, http, outbound: Http(call.clone()), files, call, limiter, errors }
    }

    /// The last line that an engine wrote on its standard error: what is wrong with its script.
    pub(crate) fn last_words(&self) -> Option<String> {
        self.call.script.as_ref()?;
        let said = String::from_utf8_lossy(&self.errors.contents()).into_owned();
        said.lines().last().map(|line| line.chars().filter(|c| !c.is_control()).take(1000).collect())
    }

    /// What a guest wrote on its standard error before it broke, such as the message of a panic.
    pub(crate) fn dying_words(&self) -> String {
        let said = String::from_utf8_lossy(&self.errors.contents()).into_owned();
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        last.iter().flat_map(|line| ["\n", line]).collect::<String>().chars().take(LAST_LETTERS).collect()
    }

    pub(crate) fn guarded_files(&mut self) -> GuardedView<'_> {
        let WasiCtxView { ctx, table } = WasiCtxView { ctx: &mut self.wasi, table: &mut self.table };
        GuardedView { inner: WasiFilesystemCtxView { ctx: ctx.filesystem(), table }, files: &mut self.files }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

struct CoarseClock(Instant);

impl HostMonotonicClock for CoarseClock {
    fn resolution(&self) -> u64 {
        CLOCK_GRAIN.as_nanos() as u64
    }

    /// Never zero, which some runtimes take for a clock that does not go.
    fn now(&self) -> u64 {
        (self.0.elapsed().as_millis() as u64 + 1) * self.resolution()
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
