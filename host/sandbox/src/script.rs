//! Scripts: tools without code of their own, which an engine runs. An engine is a component that reads the script of its
//! call through the contract and answers for it.

use crate::component::Component;
use crate::contract::v0_1::script;
use crate::imports::Kind;
use crate::program::ComponentBytes;
use crate::state::State;
use crate::{Digest, LoadError, Sandbox};
use std::sync::Arc;

/// Most bytes of a script.
pub const MAX_SCRIPT_BYTES: usize = 4 << 20;

/// A script with tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its file name, without directories.
    pub name: String,
    /// Its source text.
    pub text: String,
}

impl Script {
    /// What an approval of the script on this engine is bound to.
    pub fn digest(&self, engine: Digest) -> Digest {
        // The length keeps a name from reaching into the text.
        Digest::of(format!("script:{engine}:{}:{}{}", self.name.len(), self.name, self.text).as_bytes())
    }
}

impl Sandbox {
    /// The tools of a script. Its engine's code is loaded when they have to be asked for, else with the first call.
    ///
    /// # Errors
    /// When the engine cannot be loaded, or the script does not list its tools with no rights at all.
    pub async fn load_script(
        &self,
        engine: Digest,
        bytes: ComponentBytes,
        script: Script,
    ) -> Result<Arc<Component>, LoadError> {
        if script.text.len() > MAX_SCRIPT_BYTES {
            return Err(LoadError::TooLarge { size: script.text.len() as u64, limit: MAX_SCRIPT_BYTES as u64 });
        }
        let digest = script.digest(engine);
        if let Some(component) = self.alive(&digest) {
            return Ok(component);
        }
        let (script, code) = (Arc::new(script), self.engine(engine));
        let listing = match self.kept_listing(digest).await {
            Some(listing) => listing,
            None => {
                let prepared = code.get_or_try_init(|| self.prepare_engine(engine, &bytes)).await?;
                let listing = self.ask(digest, Vec::new(), prepared, Some(script.clone())).await?;
                self.keep_listing(digest, &listing).await?;
                listing
            }
        };
        Ok(self.enlist(Component::on(engine, bytes, code, script, listing)?))
    }

    async fn prepare_engine(
        &self,
        engine: Digest,
        bytes: &ComponentBytes,
    ) -> Result<crate::contract::v0_1::Prepared<State>, LoadError> {
        let (linked, _) = self.prepare_known(engine, bytes, Kind::Tool).await?;
        crate::component::prepare(linked)
    }
}

impl script::Host for State {
    fn source(&mut self) -> wasmtime::Result<Option<script::File>> {
        let file = |script: &Arc<Script>| script::File { name: script.name.clone(), text: script.text.clone() };
        Ok(self.call.script.as_ref().map(file))
    }
}
