//! The code cache: compiled components on disk. Loading machine code runs it, so nothing is
//! loaded that this installation did not write: every file carries a MAC under a key of its own.

use crate::{Digest, SandboxError};
use hmac::{Hmac, Mac as _};
use rand::Rng as _;
use rustix::fs::{Access, AtFlags, Mode, OFlags};
use sha2::Sha256;
use std::fs::File;
use std::hash::{Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use wasmtime::Engine;

const KEY_FILE: &str = "key";
/// How the names of files with machine code end.
const CODE: &str = "";
/// How the names of files end that hold what a component says of itself.
const LISTING: &str = ".tools";
/// One block of SHA-256, the size of an HMAC key.
const KEY_BYTES: usize = 64;
const MAC_BYTES: usize = 32;

/// A private directory of authenticated machine code.
pub(crate) struct CodeCache {
    directory: OwnedFd,
    path: PathBuf,
    key: [u8; KEY_BYTES],
    /// Names the engine and its configuration; code for another one is another file.
    profile: String,
}

impl CodeCache {
    /// Opens or makes the directory (0700, owned by us) and its key.
    pub(crate) fn open(path: &Path, engine: &Engine) -> Result<Self, SandboxError> {
        let refuse = |reason: String| SandboxError::Cache { path: path.to_owned(), reason };
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(refuse(error.to_string())),
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| refuse(error.to_string()))?;
        let stat = rustix::fs::fstat(&directory).map_err(|error| refuse(error.to_string()))?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(refuse("it belongs to another user".to_owned()));
        }
        rustix::fs::fchmod(&directory, Mode::RWXU).map_err(|error| refuse(error.to_string()))?;
        let mut cache = Self { directory, path: path.to_owned(), key: [0; KEY_BYTES], profile: profile(engine) };
        cache.key = cache.load_key().map_err(|error| refuse(error.to_string()))?;
        Ok(cache)
    }

    /// The code of a component, if it is here and authentic. A damaged file is removed.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.authentic(digest, CODE)
    }

    /// Keeps code. A failure only costs the next start a compilation.
    pub(crate) fn put(&self, digest: &Digest, code: &[u8]) {
        self.keep(digest, CODE, code);
    }

    /// What a component, or a script, says of itself.
    pub(crate) fn listing(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.authentic(digest, LISTING)
    }

    /// Keeps what a component says of itself.
    pub(crate) fn put_listing(&self, digest: &Digest, listing: &[u8]) {
        self.keep(digest, LISTING, listing);
    }

    /// Whether there is code of a component.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        rustix::fs::accessat(&self.directory, self.name(digest, CODE), Access::EXISTS, AtFlags::empty()).is_ok()
    }

    fn authentic(&self, digest: &Digest, what: &str) -> Option<Vec<u8>> {
        let name = self.name(digest, what);
        let mut bytes = self.read(&name).ok()?;
        let Some(length) = bytes.len().checked_sub(MAC_BYTES) else {
            self.remove(&name);
            return None;
        };
        let authentic = self.mac(digest, what, &bytes[..length]).verify_slice(&bytes[length..]).is_ok();
        if !authentic {
            tracing::warn!(file = %self.path.join(&name).display(), "damaged code cache entry is rebuilt");
            self.remove(&name);
            return None;
        }
        bytes.truncate(length);
        Some(bytes)
    }

    fn keep(&self, digest: &Digest, what: &str, bytes: &[u8]) {
        let name = self.name(digest, what);
        let temporary = format!("{name}.{:016x}", rand::rng().next_u64());
        let tag = self.mac(digest, what, bytes).finalize().into_bytes();
        let written = self.create(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            file.write_all(&tag)
        });
        let kept =
            written.and_then(|()| Ok(rustix::fs::renameat(&self.directory, &temporary, &self.directory, &name)?));
        if let Err(error) = kept {
            tracing::warn!(%error, cache = %self.path.display(), "compiled code cannot be kept");
            self.remove(&temporary);
        }
    }

    fn name(&self, digest: &Digest, what: &str) -> String {
        format!("{digest}-{}{what}", self.profile)
    }

    fn mac(&self, digest: &Digest, what: &str, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new(&self.key.into());
        mac.update(self.profile.as_bytes());
        mac.update(&digest.0);
        // Of fixed length, so that code can never stand for a listing.
        mac.update(&[u8::from(what == CODE)]);
        mac.update(bytes);
        mac
    }

    fn load_key(&self) -> std::io::Result<[u8; KEY_BYTES]> {
        let existing = || self.read(KEY_FILE).ok().and_then(|bytes| bytes.try_into().ok());
        if let Some(key) = existing() {
            return Ok(key);
        }
        let mut key = [0; KEY_BYTES];
        rand::rng().fill_bytes(&mut key);
        let temporary = format!("{KEY_FILE}.{:016x}", rand::rng().next_u64());
        self.create(&temporary)?.write_all(&key)?;
        rustix::fs::renameat(&self.directory, &temporary, &self.directory, KEY_FILE)?;
        // Of several programs that make the key at once, the last one's is the key.
        Ok(existing().unwrap_or(key))
    }

    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut file = File::from(rustix::fs::openat(&self.directory, name, flags, Mode::empty())?);
        let mut bytes = Vec::new();
        if file.metadata()?.is_file() {
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    fn create(&self, name: &str) -> std::io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(rustix::fs::openat(&self.directory, name, flags, mode)?))
    }

    fn remove(&self, name: &str) {
        // Nothing follows from a leftover: it is not authentic and not looked at again.
        let _ = rustix::fs::unlinkat(&self.directory, name, AtFlags::empty());
    }
}

fn profile(engine: &Engine) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
