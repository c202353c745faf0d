//! Wasmtime alone, with the engine profile of the sandbox.

use std::path::{Path, PathBuf};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store, UpdateDeadline,
};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "chiton:tool/tool",
    imports: { default: trappable },
    exports: { default: async },
});

/// A guest that is ready to be called, with one directory or none.
pub struct Raw {
    engine: Engine,
    prepared: ToolPre<Host>,
    directory: Option<PathBuf>,
}

pub struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    mounts: Vec<chiton::tool::call_context::Mount>,
}

impl Raw {
    pub fn new(bytes: &[u8], directory: Option<&Path>) -> Self {
        let engine = engine();
        let component = Component::new(&engine, bytes).unwrap();
        let mut linker: Linker<Host> = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        Tool::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host).unwrap();
        let prepared = ToolPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        let ticking = engine.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(std::time::Duration::from_millis(1));
                ticking.increment_epoch();
            }
        });
        Self { engine, prepared, directory: directory.map(Path::to_owned) }
    }

    /// Instantiates, calls, drops.
    pub async fn call(&self, tool: &str, arguments: &str) -> usize {
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_blocking_current_thread(true);
        let mut mounts = Vec::new();
        if let Some(directory) = &self.directory {
            let path = directory.display().to_string();
            wasi.preopened_dir(directory, &path, FsPerms::ReadOnly).unwrap();
            mounts.push(chiton::tool::call_context::Mount { path, writable: false });
        }
        let host = Host { wasi: wasi.build(), table: ResourceTable::new(), mounts };
        let mut store = Store::new(&self.engine, host);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let call = async {
            let instance = self.prepared.instantiate_async(&mut store).await?;
            instance.chiton_tool_tools().call_call(&mut store, tool, arguments).await
        };
        let answer = tokio::time::timeout(std::time::Duration::from_secs(30), call).await.unwrap();
        answer.unwrap().unwrap().len()
    }
}

fn engine() -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.max_memory_size(1 << 30)
        .max_unused_warm_slots(8)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes);
    }
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20)
        .concurrency_support(false)
        .wasm_memory64(false)
        .generate_address_map(false)
        .native_unwind_info(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).unwrap()
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl chiton::tool::tool_types::Host for Host {}

impl chiton::tool::log::Host for Host {
    fn write(&mut self, _level: chiton::tool::log::Level, _message: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl chiton::tool::progress::Host for Host {
    fn report(&mut self, _text: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl chiton::tool::call_context::Host for Host {
    fn mounts(&mut self) -> wasmtime::Result<Vec<chiton::tool::call_context::Mount>> {
        Ok(self.mounts.clone())
    }

    fn remaining_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(30_000)
    }

    fn scratch(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}
