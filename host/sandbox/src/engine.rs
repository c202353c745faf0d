//! The engine profile: every WASM feature and limit that is pinned, each with its reason.

use crate::SandboxError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
};

/// Instances that may live at the same time; further calls wait.
pub(crate) const MAX_INSTANCES: u32 = 128;
/// Instances beyond those, for components that list their tools while they are loaded.
pub(crate) const LOADING_INSTANCES: u32 = 8;
/// Instances beyond those, for the programs that calls start.
pub(crate) const PROGRAM_INSTANCES: u32 = 128;
/// Core instances, memories and tables of one component.
const CORE_INSTANCES: u32 = 32;
const MEMORIES: u32 = 4;
const TABLES: u32 = 16;
/// Length of one epoch: the grain of deadlines and of fairness between guests.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call after which the ticker sleeps.
const IDLE_TICKS: u32 = 100;
/// Largest linear memory that an approval can allow, in bytes.
pub(crate) const MAX_MEMORY: usize = 1 << 30;
/// Most elements of one table.
const MAX_TABLE: usize = 100_000;
/// Bytes of stack for WASM frames.
const WASM_STACK: usize = 512 << 10;

/// What decides how code is compiled; the same in the compiling child, whose code must fit.
pub(crate) fn code_config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // A loop ends at its deadline because compiled code looks at the epoch.
        .epoch_interruption(true)
        .consume_fuel(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(WASM_STACK + (512 << 10))
        // Only sync worlds are served; the machinery for async ones costs time in every call.
        .concurrency_support(false)
        // Proposals that no tool needs are attack surface of the compiler.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        // A guest cannot tell its speed from the host's source positions, and code gets smaller.
        .generate_address_map(false)
        .native_unwind_info(false);
    config
}

/// The engine that runs guests.
pub(crate) fn engine() -> Result<Engine, SandboxError> {
    let mut pool = PoolingAllocationConfig::new();
    // Each total is what all instances may have, and one more lists tools while all others run: no
    // component can use up what another needs.
    let instances = MAX_INSTANCES + LOADING_INSTANCES + PROGRAM_INSTANCES;
    pool.total_component_instances(instances)
        .total_core_instances(instances * CORE_INSTANCES)
        .total_memories(instances * MEMORIES)
        .total_tables(instances * TABLES)
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memories_per_module(2)
        .max_tables_per_module(8)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .max_memory_size(MAX_MEMORY)
        .table_elements(MAX_TABLE)
        // Slots stay warm: page faults on first touch are most of the price of a fresh call.
        .max_unused_warm_slots(8)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes);
    }
    let mut config = code_config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).map_err(|error| SandboxError::Engine(error.to_string()))
}

/// Advances the epoch while calls run, and sleeps otherwise.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// While it lives, the epoch advances.
pub(crate) struct Ticking<'a>(&'a Ticker);

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Result<Self, SandboxError> {
        let shared = Arc::new(Shared {
            running: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let (engine, seen) = (engine.weak(), shared.clone());
        let handle = thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || tick(&engine, &seen))
            .map_err(|error| SandboxError::Engine(error.to_string()))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    pub(crate) fn tick(&self) -> Ticking<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Ticking(self)
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.shared.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn tick(engine: &EngineWeak, shared: &Shared) {
    let mut idle = 0;
    while !shared.stop.load(Ordering::SeqCst) {
        if shared.running.load(Ordering::SeqCst) > 0 {
            idle = 0;
        } else if idle < IDLE_TICKS {
            idle += 1;
        } else {
            shared.asleep.store(true, Ordering::SeqCst);
            // A call that began before `asleep` was set must not wait for the next one.
            if shared.running.load(Ordering::SeqCst) == 0 && !shared.stop.load(Ordering::SeqCst) {
                thread::park();
            }
            shared.asleep.store(false, Ordering::SeqCst);
            idle = 0;
            continue;
        }
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
