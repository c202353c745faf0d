//! The guarding layer over `wasi:filesystem`.
use crate::FileGrant;
use std::sync::Arc;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
/// To be written (d).
pub struct Denial {
    /// o
    pub operation: &'static str,
    /// t
    pub target: String,
    /// g
    pub grant: String,
}
/// To be written (f).
pub struct FileContext;
/// To be written (p).
pub struct Protected;
impl Protected {
    /// n
    pub fn new(_: &[std::path::PathBuf]) -> Self {
        Self
    }
}
/// To be written (q).
#[derive(Default)]
pub struct Quotas;
/// To be written (g).
pub struct GuardedView<'a> {
    /// i
    pub inner: WasiFilesystemCtxView<'a>,
    /// f
    pub files: &'a mut FileContext,
}
impl FileContext {
    /// o
    pub async fn open(
        _: &[FileGrant],
        _: &Protected,
        _: &Quotas,
        _: Arc<dyn Fn(Denial) + Send + Sync>,
    ) -> std::io::Result<Self> {
        Ok(Self)
    }
    /// p
    pub fn preopen(&self, _: &mut wasmtime_wasi::WasiCtxBuilder) -> wasmtime::Result<()> {
        Ok(())
    }
}
/// To be written (l).
pub fn add_to_linker<T>(
    _: &mut wasmtime::component::Linker<T>,
    _: fn(&mut T) -> GuardedView<'_>,
) -> wasmtime::Result<()> {
    Ok(())
}
