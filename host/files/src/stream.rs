//! An output stream to a file that charges what it writes.

use crate::quota::Token;
use crate::rule::Reporter;
use bytes::Bytes;
use std::sync::Arc;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

/// Why a stream stopped, for the guest to ask after.
#[derive(Debug, thiserror::Error)]
#[error("no more may be written here: {0:?}")]
pub(crate) struct Exhausted(pub(crate) ErrorCode);

/// Wraps a file's stream.
pub(crate) struct Charged {
    pub(crate) inner: DynOutputStream,
    /// Where the next byte goes; `None` appends.
    pub(crate) at: Option<u64>,
    pub(crate) token: Arc<Token>,
    pub(crate) reporter: Reporter,
}

impl Charged {
    fn charge(&mut self, length: usize) -> StreamResult<()> {
        let length = length as u64;
        let charged = match self.at {
            Some(at) => self.token.reach(at.saturating_add(length)),
            None => self.token.append(length),
        };
        charged.map_err(|rule| {
            let code = self.reporter.refuse(rule);
            StreamError::LastOperationFailed(wasmtime::Error::new(Exhausted(code)))
        })?;
        self.at = self.at.map(|at| at.saturating_add(length));
        Ok(())
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Charged {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.charge(bytes.len())?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    // Forwarded because the file's own way spares a change of threads.
    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.charge(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Charged {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}
