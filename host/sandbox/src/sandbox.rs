//! The sandbox: load, publish, call, withdraw.

use crate::audit::{AuditSink, Verdict};
use crate::cache::CodeCache;
use crate::call::{self, CallOutcome, CallRequest, Machine};
use crate::compile::Compiler;
use crate::component::{self, Code, Component, Listing};
use crate::contract::v0_1;
use crate::engine::{self, LOADING_INSTANCES, MAX_INSTANCES, Ticker};
use crate::imports::{self, Declared, Kind, MAX_COMPONENT_BYTES};
use crate::limiter::MemoryPool;
use crate::ports::Ports;
use crate::program::{self, ComponentBytes, Program, Programs};
use crate::script::Script;
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
use wasmtime::component::{InstancePre, Linker};

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
}

/// Loads, runs and withdraws components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    machine: Machine,
    linker: Linker<State>,
    cache: CodeCache,
    compiler: Compiler,
    audit: Arc<dyn AuditSink>,
    ceiling: Limits,
    snapshot: ArcSwap<Snapshot>,
    ports: ArcSwap<Ports>,
    programs: ArcSwap<Programs>,
    slots: Mutex<Slots>,
    places: Semaphore,
    program_places: Semaphore,
    listing: Semaphore,
    compiling: Semaphore,
}

/// What is behind the snapshot; changed under one lock, read by nobody else.
#[derive(Default)]
struct Slots {
    running: HashMap<String, Slot>,
    /// Every component that still lives, so that revoking bytes reaches calls of older snapshots.
    alive: HashMap<Digest, Weak<Component>>,
    /// The code of engines whose scripts still live.
    engines: HashMap<Digest, Weak<Code>>,
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

    /// Checks, compiles (or takes from the cache) and asks a component for its tools. It is not
    /// callable before [`Sandbox::publish`].
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Arc<Component>, LoadError> {
        let size = bytes.len() as u64;
        let (digest, loaded) = if size > MAX_COMPONENT_BYTES {
            // Bytes that are too many are not even hashed.
            (Digest([0; 32]), Err(LoadError::TooLarge { size, limit: MAX_COMPONENT_BYTES }))
        } else {
            let (digest, bytes, declared) = blocking(move || {
                let declared = imports::declared(&bytes);
                (Digest::of(&bytes), bytes, declared)
            })
            .await?;
            match declared.and_then(|names| names.check(Kind::Tool)) {
                Ok(()) => (digest, self.load_checked(digest, bytes).await),
                Err(error) => (digest, Err(error)),
            }
        };
        if let Err(error) = &loaded {
            Subject::of("", "", digest, "", self.inner.audit.clone()).record(
                "load",
                &digest.to_string(),
                &error.to_string(),
                Verdict::Refused,
                Duration::ZERO,
            );
        }
        loaded
    }

    async fn load_checked(&self, digest: Digest, bytes: Vec<u8>) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.load_cached(digest).await {
            return Ok(component);
        }
        let code = self.compile(bytes).await?;
        let (component, code) = self.link(digest, code).await?;
        self.keep(digest, code).await?;
        Ok(component)
    }

    pub(crate) async fn compile(&self, bytes: Vec<u8>) -> Result<Vec<u8>, LoadError> {
        let _turn = self.inner.compiling.acquire().await;
        self.inner.compiler.compile(&self.inner.machine.engine, bytes).await
    }

    /// Puts machine code into the cache.
    pub(crate) async fn keep(&self, digest: Digest, code: Vec<u8>) -> Result<(), LoadError> {
        let inner = self.inner.clone();
        blocking(move || inner.cache.put(&digest, &code)).await
    }

    async fn cached(&self, digest: Digest) -> Option<Vec<u8>> {
        let inner = self.inner.clone();
        blocking(move || inner.cache.get(&digest)).await.ok()?
    }

    /// The component with these bytes from the code cache alone, if it was compiled here before.
    pub async fn load_cached(&self, digest: Digest) -> Option<Arc<Component>> {
        if let Some(component) = self.alive(&digest) {
            return Some(component);
        }
        let code = self.cached(digest).await?;
        self.link(digest, code).await.ok().map(|(component, _)| component)
    }

    /// The component with this digest. If it was compiled here before, its code is loaded when it is first called, and
    /// the bytes are asked for only should the code be gone by then.
    pub async fn load_known(&self, digest: Digest, bytes: ComponentBytes) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.alive(&digest) {
            return Ok(component);
        }
        let inner = self.inner.clone();
        let kept = blocking(move || inner.cache.has(&digest).then(|| inner.cache.listing(&digest))?).await?;
        if let Some(listing) = kept.and_then(|kept| serde_json::from_slice(&kept).ok()) {
            return Ok(self.enlist(Component::new(digest, listing, bytes, None)?));
        }
        let bytes = self.read(digest, &bytes).await?;
        self.load(bytes).await
    }

    /// Whether the code of these bytes is in the cache.
    pub fn is_cached(&self, digest: Digest) -> bool {
        self.inner.cache.has(&digest)
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

    /// Links the code of known bytes: from the cache, or compiled anew. Gives the imports too.
    pub(crate) async fn prepare_known(
        &self,
        digest: Digest,
        bytes: &ComponentBytes,
        kind: Kind,
    ) -> Result<(InstancePre<State>, Vec<String>), LoadError> {
        if let Some(code) = self.cached(digest).await
            && let Ok((linked, imports, _)) = self.prepare(code, kind).await
        {
            return Ok((linked, imports));
        }
        let bytes = self.read(digest, bytes).await?;
        imports::declared(&bytes)?.check(kind)?;
        let (linked, imports, code) = self.prepare(self.compile(bytes).await?, kind).await?;
        self.keep(digest, code).await?;
        Ok((linked, imports))
    }

    /// Reads bytes and checks that they are the known ones.
    pub(crate) async fn read(&self, digest: Digest, bytes: &ComponentBytes) -> Result<Vec<u8>, LoadError> {
        let bytes = bytes.clone();
        let bytes = blocking(move || bytes()).await?.map_err(|error| LoadError::Host(error.to_string()))?;
        if bytes.len() as u64 > MAX_COMPONENT_BYTES {
            return Err(LoadError::TooLarge { size: bytes.len() as u64, limit: MAX_COMPONENT_BYTES });
        }
        match Digest::of(&bytes) == digest {
            true => Ok(bytes),
            false => Err(LoadError::Host("its bytes are not the approved ones; approve or add it again".to_owned())),
        }
    }

    /// Loads and links machine code and gives it back.
    async fn prepare(
        &self,
        code: Vec<u8>,
        kind: Kind,
    ) -> Result<(InstancePre<State>, Vec<String>, Vec<u8>), LoadError> {
        let engine = self.inner.machine.engine.clone();
        // SAFETY: `deserialize` runs what it is given. `code` comes from the compiler a moment ago or
        // from the cache, which gave it out only after checking a MAC that binds it to this digest,
        // this engine and this installation's key; it is memory that nobody else can change.
        let load = move || (unsafe { wasmtime::component::Component::deserialize(&engine, &code) }, code);
        let (loaded, code) = blocking(load).await?;
        // What compiled and yet cannot be loaded asks for more than the pool has.
        let loaded = loaded.map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        let engine = &self.inner.machine.engine;
        let types = loaded.component_type();
        let declared = Declared {
            imports: types.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: types.exports(engine).map(|(name, _)| name.to_owned()).collect(),
        };
        declared.check(kind)?;
        let linked =
            self.inner.linker.instantiate_pre(&loaded).map_err(|error| LoadError::Malformed(format!("{error:#}")))?;
        Ok((linked, declared.imports, code))
    }

    /// Links machine code, asks it for its tools, and gives the code back.
    async fn link(&self, digest: Digest, code: Vec<u8>) -> Result<(Arc<Component>, Vec<u8>), LoadError> {
        let (linked, imports, code) = self.prepare(code, Kind::Tool).await?;
        let prepared = component::prepare(linked)?;
        let listing = self.ask(digest, imports, &prepared, None).await?;
        let gone: ComponentBytes = Arc::new(|| Err(std::io::ErrorKind::NotFound.into()));
        let component = Component::new(digest, listing.clone(), gone, Some(prepared))?;
        self.keep_listing(digest, &listing).await?;
        Ok((self.enlist(component), code))
    }

    /// Asks linked code for the tools that it, or a script on it, has.
    pub(crate) async fn ask(
        &self,
        digest: Digest,
        imports: Vec<String>,
        prepared: &v0_1::Prepared<State>,
        script: Option<Arc<Script>>,
    ) -> Result<Listing, LoadError> {
        let subject = Subject::of("", "", digest, "", self.inner.audit.clone());
        let limits = call::listing_limits(&self.inner.ceiling);
        let _place = self.inner.listing.acquire().await;
        let listed = self.list_tools(prepared, &limits, &subject, script).await;
        listed
            .map(|definitions| Listing::new(imports, definitions))
            .map_err(|error| LoadError::ListTools(error.to_string()))
    }

    /// What a component or a script said of itself when it was loaded before.
    pub(crate) async fn kept_listing(&self, digest: Digest) -> Option<Listing> {
        let inner = self.inner.clone();
        let kept = blocking(move || inner.cache.listing(&digest)).await.ok()??;
        serde_json::from_slice(&kept).ok()
    }

    pub(crate) async fn keep_listing(&self, digest: Digest, listing: &Listing) -> Result<(), LoadError> {
        let kept = serde_json::to_vec(listing).map_err(|error| LoadError::Host(error.to_string()))?;
        let inner = self.inner.clone();
        blocking(move || inner.cache.put_listing(&digest, &kept)).await
    }

    /// The code of an engine, which all its scripts share.
    pub(crate) fn engine(&self, digest: Digest) -> Arc<Code> {
        let mut slots = self.slots();
        slots.engines.retain(|_, code| code.strong_count() > 0);
        let known = slots.engines.get(&digest).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let code = Arc::new(Code::new());
            slots.engines.insert(digest, Arc::downgrade(&code));
            code
        })
    }

    /// Two loads of the same bytes at once give one component: revoking them must reach all its calls.
    pub(crate) fn enlist(&self, component: Component) -> Arc<Component> {
        let mut slots = self.slots();
        slots.alive.retain(|_, component| component.strong_count() > 0);
        if let Some(first) = slots.alive.get(&component.digest()).and_then(Weak::upgrade) {
            return first;
        }
        let component = Arc::new(component);
        slots.alive.insert(component.digest(), Arc::downgrade(&component));
        component
    }

    /// Makes `component` what `slot` runs. Calls in flight finish on what they began with. On any
    /// error the slot stays as it was.
    pub fn publish(&self, slot: &str, component: Arc<Component>, grants: Grants) -> Result<(), LoadError> {
        if component.revoked.is_cancelled() {
            return Err(LoadError::Revoked(component.digest()));
        }
        let mut slots = self.slots();
        // Calls in flight hold what they were given; taking it back later must still reach them.
        let old = slots.running.get(slot);
        let before = old.map(|old| old.withdrawn.clone()).unwrap_or_default();
        let same = old.filter(|old| old.component.digest() == component.digest());
        let narrowed = same.is_some_and(|old| !old.grants.is_within(&grants));
        let withdrawn = if narrowed { CancellationToken::new() } else { before.clone() };
        self.install(&mut slots, slot, Slot { component, grants: Arc::new(grants), withdrawn })?;
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
        let Some(old) = slots.running.get(slot) else {
            return false;
        };
        let narrowed = !old.grants.is_within(&grants);
        let (component, before) = (old.component.clone(), old.withdrawn.clone());
        let withdrawn = if narrowed { CancellationToken::new() } else { before.clone() };
        let installed = self.install(&mut slots, slot, Slot { component, grants: Arc::new(grants), withdrawn });
        if narrowed {
            before.cancel();
        }
        installed.is_ok()
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
        if let Err(CallError::Denied { grant, .. }) = &result
            && subject.denials.load(Ordering::Relaxed) == 0
        {
            subject.deny_as_told(grant);
        }
        let outcome = outcome(result, duration);
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

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // Nothing panics half-way through a change, so a poisoned lock holds a whole state.
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs work that would hold up other tasks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| LoadError::Host(error.to_string()))
}

fn outcome(result: Result<Vec<crate::Part>, CallError>, duration: Duration) -> CallOutcome {
    CallOutcome { verdict: call::verdict(&result), result, duration }
}

/// The reason of a call's end for the audit trail: without what the tool itself wrote.
fn call_rule(error: &CallError) -> String {
    match error {
        CallError::Failed(_) => "failed".to_owned(),
        CallError::NotFound(_) => "not-found".to_owned(),
        CallError::TimedOut(_) => "timed-out".to_owned(),
        CallError::InvalidArguments(_) => "invalid-arguments".to_owned(),
        CallError::Denied { grant, .. } => grant.clone(),
        other => other.to_string(),
    }
}
