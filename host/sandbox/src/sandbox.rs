//! The sandbox: load, publish, call, withdraw.

use crate::audit::{AuditSink, Verdict};
use crate::cache::CodeCache;
use crate::call::{self, CallOutcome, CallRequest, Machine};
use crate::compile::Compiler;
use crate::component::{Code, Component};
use crate::engine::{self, LOADING_INSTANCES, MAX_INSTANCES, Ticker};
use crate::imports;
use crate::limiter::MemoryPool;
use crate::ports::Ports;
use crate::program::{self, ComponentBytes, Program, Programs};
use crate::skill;
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::subject::Subject;
use crate::{CallError, Digest, Grants, Limits, LoadError, SandboxError, contract};
use arc_swap::ArcSwap;
use chiton_files::{Protected, Quotas};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wasmtime::component::Linker;

/// Compilers that may run at the same time: a component that is slow to compile does not hold up the next.
const MAX_COMPILERS: usize = 2;

/// What a sandbox is made of.
pub struct SandboxOptions {
    /// Where compiled code is kept; made if missing, 0700.
    pub cache_dir: PathBuf,
    /// Who compiles components.
    pub compiler: Compiler,
    /// Where audit records go.
    pub audit: Arc<dyn AuditSink>,
    /// The highest limits that a call can have.
    pub ceiling: Limits,
    /// Bytes of linear memory for all running calls together.
    pub total_memory: u64,
    /// The bot's own files and directories, which no guest opens unless a grant lies below them.
    pub protected: Vec<PathBuf>,
    /// What is closed to skills, and to calls for them, as `protected` is to all.
    pub closed_to_skills: Vec<PathBuf>,
}

/// Loads, runs and withdraws components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) machine: Machine,
    pub(crate) linker: Linker<State>,
    pub(crate) cache: CodeCache,
    pub(crate) compiler: Compiler,
    pub(crate) audit: Arc<dyn AuditSink>,
    pub(crate) ceiling: Limits,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) ports: ArcSwap<Ports>,
    pub(crate) programs: ArcSwap<Programs>,
    pub(crate) slots: Mutex<Slots>,
    pub(crate) places: Semaphore,
    pub(crate) program_places: Semaphore,
    pub(crate) listing: Semaphore,
    pub(crate) compiling: Semaphore,
}

/// What is behind the snapshot; changed under one lock, read by nobody else.
#[derive(Default)]
pub(crate) struct Slots {
    running: HashMap<String, Slot>,
    /// Every component that still lives, so that revoking bytes reaches calls of older snapshots.
    pub(crate) alive: HashMap<Digest, Weak<Component>>,
    /// The code of engines whose scripts still live.
    pub(crate) engines: HashMap<Digest, Weak<Code>>,
}

struct Slot {
    component: Arc<Component>,
    grants: Arc<Grants>,
    withdrawn: CancellationToken,
}

impl Sandbox {
    /// Starts the engine and opens the code cache.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let engine = engine::engine()?;
        let mut linker = Linker::new(&engine);
        contract::link(&mut linker).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        let machine = Machine {
            ticker: Ticker::start(&engine)?,
            memory: Arc::new(MemoryPool::new(options.total_memory)),
            protected: Protected::new(&options.protected),
            closed_to_skills: Protected::new(&[options.protected, options.closed_to_skills].concat()),
            quotas: Quotas::default(),
            engine,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                cache: CodeCache::open(&options.cache_dir, &machine.engine)?,
                machine,
                linker,
                compiler: options.compiler,
                audit: options.audit,
                ceiling: options.ceiling,
                snapshot: ArcSwap::default(),
                ports: ArcSwap::default(),
                programs: ArcSwap::default(),
                slots: Mutex::default(),
                places: Semaphore::new(MAX_INSTANCES as usize),
                program_places: program::places(),
                listing: Semaphore::new(LOADING_INSTANCES as usize),
                compiling: Semaphore::new(MAX_COMPILERS),
            }),
        })
    }

    /// Gives components what they may ask the host for. Calls that run keep what they asked already.
    pub fn set_ports(&self, ports: Ports) {
        self.inner.ports.store(Arc::new(ports));
    }

    /// Makes a program known under `names`. Its bytes are read, checked and compiled when it is first
    /// started, or taken from the code cache. A name that is known already is taken over.
    pub fn publish_program(&self, names: &[String], digest: Digest, bytes: ComponentBytes) {
        let program = Arc::new(Program::new(digest, bytes));
        self.inner.programs.rcu(|programs| {
            let mut next = Programs::clone(programs);
            next.extend(names.iter().map(|name| (name.clone(), program.clone())));
            next
        });
    }

    /// Takes the program away that is known under `name`, with all its names. Says whether there was one.
    pub fn remove_program(&self, name: &str) -> bool {
        let Some(program) = self.programs().get(name).cloned() else { return false };
        self.inner.programs.rcu(|programs| {
            let mut next = Programs::clone(programs);
            next.retain(|_, other| !Arc::ptr_eq(other, &program));
            next
        });
        true
    }

    /// Makes `component` what `slot` runs. Calls in flight finish on what they began with. On any
    /// error the slot stays as it was.
    pub fn publish(&self, slot: &str, component: Arc<Component>, grants: Grants) -> Result<(), LoadError> {
        if component.revoked.is_cancelled() {
            return Err(LoadError::Revoked(component.digest()));
        }
        self.replace(&mut self.slots(), slot, component, grants)
    }

    /// Calls in flight hold what they were given, and taking it back later reaches them; if something of it is taken
    /// from the same component now, they end.
    fn replace(
        &self,
        slots: &mut Slots,
        slot: &str,
        component: Arc<Component>,
        grants: Grants,
    ) -> Result<(), LoadError> {
        let old = slots.running.get(slot);
        let before = old.map(|old| old.withdrawn.clone()).unwrap_or_default();
        let same = old.filter(|old| old.component.digest() == component.digest());
        let narrowed = same.is_some_and(|old| !old.grants.is_within(&grants));
        let withdrawn = if narrowed { CancellationToken::new() } else { before.clone() };
        self.install(slots, slot, Slot { component, grants: Arc::new(grants), withdrawn })?;
        if narrowed {
            before.cancel();
        }
        Ok(())
    }

    /// Takes `slot` away and ends its calls, those of earlier components in it too.
    pub fn withdraw(&self, slot: &str) {
        if let Some(running) = self.slots().running.get(slot) {
            running.withdrawn.cancel();
        }
        self.unload(slot);
    }

    /// Whether `slot` could take all tools of a component: their names are nobody else's.
    pub fn check_names(&self, slot: &str, component: &Component) -> Result<(), LoadError> {
        self.inner.snapshot.load().check_names(slot, component)
    }

    fn install(&self, slots: &mut Slots, name: &str, slot: Slot) -> Result<(), LoadError> {
        let running = (slot.component.clone(), slot.grants.clone(), slot.withdrawn.clone());
        let next = self.inner.snapshot.load().with_slot(name, Some(running))?;
        slots.running.insert(name.to_owned(), slot);
        self.inner.snapshot.store(Arc::new(next));
        Ok(())
    }

    /// Makes exactly these skills known: their names, folders and grants. Calls that use what is taken away end as
    /// revoked.
    pub fn set_skills(&self, skills: Vec<(String, PathBuf, Grants)>) {
        let _changing = self.slots();
        let next = self.inner.snapshot.load().with_skills(skills);
        self.inner.snapshot.store(Arc::new(next));
    }

    /// Gives `slot` other grants from its next call on. If something was taken away, its calls in
    /// flight end as revoked. Says whether the slot exists.
    pub fn set_grants(&self, slot: &str, grants: Grants) -> bool {
        let mut slots = self.slots();
        let running = slots.running.get(slot).map(|slot| slot.component.clone());
        running.is_some_and(|component| self.replace(&mut slots, slot, component, grants).is_ok())
    }

    /// Takes `slot` away; calls in flight finish.
    pub fn unload(&self, slot: &str) {
        let mut slots = self.slots();
        if slots.running.remove(slot).is_some()
            && let Ok(next) = self.inner.snapshot.load().with_slot(slot, None)
        {
            self.inner.snapshot.store(Arc::new(next));
        }
    }

    /// Takes everything away that runs these bytes, and ends its calls.
    pub fn revoke(&self, digest: &Digest) {
        let affected: Vec<String> = {
            let mut slots = self.slots();
            if let Some(component) = slots.alive.remove(digest).and_then(|component| component.upgrade()) {
                component.revoked.cancel();
            }
            let runs = |slot: &&String| slots.running[*slot].component.digest() == *digest;
            slots.running.keys().filter(runs).cloned().collect()
        };
        for slot in affected {
            self.unload(&slot);
        }
    }

    /// What can be called now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshot.load_full()
    }

    /// Runs one tool. Waits for a free place; the deadline starts when the tool does.
    pub async fn call(&self, request: CallRequest) -> CallOutcome {
        let snapshot = self.inner.snapshot.load_full();
        let Some(tool) = snapshot.get(&request.tool) else {
            let nearest = snapshot.nearest(&request.tool).map(str::to_owned);
            let name = imports::shown(&request.tool);
            return outcome(Err(CallError::UnknownTool { name, nearest }), Duration::ZERO);
        };
        let acting = skill::acting(&snapshot, tool, &request);
        let tool = acting.as_ref().unwrap_or(tool);
        let (session, digest, audit) = (&request.session.session, tool.component.digest(), self.inner.audit.clone());
        let subject = Subject::of(session, &tool.slot, digest, &tool.definition.name, audit);
        let admitted = match &acting {
            Ok(tool) => self.admit(tool, &request).await,
            Err(error) => Err(error.clone()),
        };
        let (result, duration) = match admitted {
            Err(error) => (Err(error), Duration::ZERO),
            Ok(_places) => {
                let asked = request.limits.as_ref().or(tool.grants.limits.as_ref());
                let limits = asked.unwrap_or(&Limits::default()).at_most(&self.inner.ceiling);
                let started = Instant::now();
                let result = self.run(tool, request, &limits, &subject).await;
                (result, started.elapsed())
            }
        };
        // What the file layer refused is on record already.
        let unrecorded = subject.denials.load(Ordering::Relaxed) == 0;
        match &result {
            Err(CallError::Denied { grant, .. }) if unrecorded => subject.deny_as_told(grant),
            Err(error) if unrecorded && call::verdict(&result) == Verdict::Denied => {
                subject.deny("call", "", &call_rule(error));
            }
            _ => {}
        }
        let mut missing: Vec<CallError> = subject.missing().iter().map(|grant| call::denied(grant, tool)).collect();
        missing.dedup();
        let outcome = CallOutcome { missing, ..outcome(result, duration) };
        let rule = outcome.result.as_ref().err().map(call_rule).unwrap_or_default();
        subject.finish();
        // A denial has its own record; the call's record says how the call went.
        let verdict = if outcome.verdict == Verdict::Denied { Verdict::Failed } else { outcome.verdict };
        subject.record("call", "", &rule, verdict, outcome.duration);
        outcome
    }

    /// Validates the arguments and waits for a place in the component's and the sandbox's queue.
    async fn admit<'a>(
        &'a self,
        tool: &'a crate::LoadedTool,
        request: &CallRequest,
    ) -> Result<[tokio::sync::SemaphorePermit<'a>; 2], CallError> {
        tool.definition.validate(&request.arguments).map_err(CallError::InvalidArguments)?;
        if let Some(seal) = tool.grants.seal.clone() {
            // It may read files.
            let holds = tokio::task::spawn_blocking(move || seal.holds()).await.unwrap_or_default();
            if !holds {
                return Err(CallError::Changed(tool.slot.clone()));
            }
        }
        // Reading the instructions of a skill is not yet a call of it.
        let looks = tool.acts_in.is_some() && tool.definition.effects.read_only();
        if !tool.grants.validity.take(&request.session.session, looks) {
            return Err(CallError::NotApproved(tool.slot.clone()));
        }
        let places = async {
            let own = tool.places.acquire().await;
            let all = self.inner.places.acquire().await;
            Ok::<_, tokio::sync::AcquireError>([own?, all?])
        };
        tokio::select! {
            biased;
            () = request.cancel.cancelled() => Err(CallError::Cancelled),
            places = places => places.map_err(|error| CallError::Host(error.to_string())),
        }
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.inner.machine
    }

    /// What components may ask the host for now.
    pub fn ports(&self) -> Arc<Ports> {
        self.inner.ports.load_full()
    }

    pub(crate) fn programs(&self) -> Arc<Programs> {
        self.inner.programs.load_full()
    }

    /// Waits for a place in which a program can run.
    pub(crate) async fn program_place(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.inner.program_places.acquire().await.ok()
    }

    pub(crate) fn alive(&self, digest: &Digest) -> Option<Arc<Component>> {
        self.slots().alive.get(digest).and_then(Weak::upgrade)
    }

    pub(crate) fn slots(&self) -> MutexGuard<'_, Slots> {
        // Nothing panics half-way through a change, so a poisoned lock holds a whole state.
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome(result: Result<Vec<crate::Part>, CallError>, duration: Duration) -> CallOutcome {
    CallOutcome { verdict: call::verdict(&result), result, duration, missing: Vec::new() }
}

/// The reason of a call's end for the audit trail: without what the tool itself wrote.
fn call_rule(error: &CallError) -> String {
    match error {
        CallError::Failed(_) => "failed".to_owned(),
        CallError::NotFound(_) => "not-found".to_owned(),
        CallError::TimedOut(_) => "timed-out".to_owned(),
        CallError::InvalidArguments(_) => "invalid-arguments".to_owned(),
        CallError::Denied { grant, .. } => grant.clone(),
        CallError::Trap(_) => "broke".to_owned(),
        CallError::Undeclared { effect, .. } => format!("undeclared {effect}"),
        CallError::Unset(name) => format!("no value of {name}"),
        CallError::NotApproved(_) => "not-approved".to_owned(),
        CallError::Changed(_) => "changed-files".to_owned(),
        other => other.to_string(),
    }
}
