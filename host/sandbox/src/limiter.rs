//! Counts what instances grow: for each call with all its programs, and for all calls together.

use crate::Limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory that several instances may have together.
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

/// Counts what one instance grows, over all its memories and tables.
pub(crate) struct Limiter {
    /// Of the call, with all the programs it started.
    call: Arc<MemoryPool>,
    /// Of all calls.
    all: Arc<MemoryPool>,
    memory: u64,
    tables: usize,
    table_limit: usize,
    /// The limit that was hit last, for the error text.
    pub(crate) refused: Option<String>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits, call: Arc<MemoryPool>, all: Arc<MemoryPool>) -> Self {
        Self { call, all, memory: 0, tables: 0, table_limit: limits.table_elements, refused: None }
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.call.give(self.memory);
        self.all.give(self.memory);
    }
}

impl wasmtime::ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        if !self.call.take(growth) {
            self.refused = Some(format!("{} MiB of memory", self.call.limit >> 20));
            return Ok(false);
        }
        if !self.all.take(growth) {
            self.call.give(growth);
            self.refused = Some(format!("{} MiB of memory for all tools together", self.all.limit >> 20));
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
