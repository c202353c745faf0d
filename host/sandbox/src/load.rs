//! How bytes become components: checked, compiled or taken from the code cache, linked, and asked for their tools.

use crate::call;
use crate::component::{self, Code, Component, Listing};
use crate::contract::v0_1;
use crate::imports::{self, Declared, Kind, MAX_COMPONENT_BYTES};
use crate::program::ComponentBytes;
use crate::script::Script;
use crate::state::State;
use crate::subject::Subject;
use crate::{Digest, LoadError, Sandbox, Verdict};
use std::sync::{Arc, Weak};
use std::time::Duration;
use wasmtime::component::InstancePre;

impl Sandbox {
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
        if self.is_cached(digest)
            && let Some(listing) = self.kept_listing(digest).await
        {
            return Ok(self.enlist(Component::new(digest, listing, bytes, None)?));
        }
        let bytes = self.read(digest, &bytes).await?;
        self.load(bytes).await
    }

    /// Whether the code of these bytes is in the cache.
    pub fn is_cached(&self, digest: Digest) -> bool {
        self.inner.cache.has(&digest)
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
}

/// Runs work that would hold up other tasks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| LoadError::Host(error.to_string()))
}
