//! A loaded component: its bytes' digest, its linked code, and the tools it says it has.

use crate::contract::v0_1::{self, Definition};
use crate::imports::{Kind, shown};
use crate::program::ComponentBytes;
use crate::schema::Schema;
use crate::script::Script;
use crate::state::State;
use crate::{Digest, Effects, LoadError, Sandbox};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use wasmtime::component::InstancePre;

/// Most tools of one component.
const MAX_TOOLS: usize = 128;
/// Most characters of a tool's name.
const MAX_NAME: usize = 64;
/// Most bytes of a description.
const MAX_DESCRIPTION: usize = 4 << 10;

/// One tool of a component, checked.
pub struct ToolDefinition {
    /// Name, unique among all loaded tools.
    pub name: String,
    /// What it does, for the model; without control and invisible characters.
    pub description: String,
    /// What its calls may do.
    pub effects: Effects,
    /// JSON Schema of the arguments.
    pub parameters: Value,
    /// The argument that names the skill a call acts for.
    pub(crate) skill: Option<String>,
    schema: Schema,
}

/// What a component says of itself. The code cache keeps it, so that a start need not load all code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub(crate) imports: Vec<String>,
    tools: Vec<Listed>,
}

/// A tool as its component lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Listed {
    name: String,
    description: String,
    parameters: String,
    effects: Effects,
}

impl Listing {
    pub(crate) fn new(imports: Vec<String>, definitions: Vec<Definition>) -> Self {
        let listed = |Definition { name, description, parameters, effects }| {
            let effects = v0_1::effects(effects);
            Listed { name, description, parameters, effects }
        };
        Self { imports, tools: definitions.into_iter().map(listed).collect() }
    }
}

/// A component that can be called. Its code is loaded when it first is.
pub struct Component {
    digest: Digest,
    definitions_digest: Digest,
    tools: Vec<Arc<ToolDefinition>>,
    imports: Vec<String>,
    /// Where its bytes come from, should the code be missing then.
    bytes: ComponentBytes,
    /// The digest of the code that runs: its own, or that of the engine of a script.
    code: Digest,
    prepared: Arc<Code>,
    pub(crate) script: Option<Arc<Script>>,
    /// Ends all calls of these bytes.
    pub(crate) revoked: CancellationToken,
}

/// Linked code, once it is needed.
pub(crate) type Code = OnceCell<v0_1::Prepared<State>>;

impl Component {
    /// A script that runs on an engine.
    pub(crate) fn on(
        engine: Digest,
        bytes: ComponentBytes,
        code: Arc<Code>,
        script: Arc<Script>,
        listing: Listing,
    ) -> Result<Self, LoadError> {
        let component = Self::new(script.digest(engine), listing, bytes, None)?;
        Ok(Self { code: engine, prepared: code, script: Some(script), ..component })
    }

    pub(crate) fn new(
        digest: Digest,
        listing: Listing,
        bytes: ComponentBytes,
        prepared: Option<v0_1::Prepared<State>>,
    ) -> Result<Self, LoadError> {
        let Listing { imports, tools } = listing;
        Ok(Self {
            digest,
            definitions_digest: digest_of(&tools),
            tools: checked(tools)?,
            imports,
            bytes,
            code: digest,
            prepared: Arc::new(OnceCell::new_with(prepared)),
            script: None,
            revoked: CancellationToken::new(),
        })
    }

    /// The SHA-256 of the component's bytes, or of a script and its engine.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The SHA-256 over all tool definitions; an approval is bound to it too.
    pub fn definitions_digest(&self) -> Digest {
        self.definitions_digest
    }

    /// The tools, in the component's order.
    pub fn tools(&self) -> &[Arc<ToolDefinition>] {
        &self.tools
    }

    pub(crate) async fn prepared(&self, sandbox: &Sandbox) -> Result<&v0_1::Prepared<State>, LoadError> {
        let prepare = || async {
            let (linked, _) = sandbox.prepare_known(self.code, &self.bytes, Kind::Tool).await?;
            prepare(linked)
        };
        self.prepared.get_or_try_init(prepare).await
    }

    /// The interfaces that the component imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Component({})", self.digest.short())
    }
}

impl ToolDefinition {
    /// Checks arguments against the schema; the error names the field.
    pub(crate) fn validate(&self, arguments: &Value) -> Result<(), String> {
        self.schema.validate(arguments)
    }
}

/// Links `component` and takes over what the linker knows of it.
pub(crate) fn prepare(pre: InstancePre<State>) -> Result<v0_1::Prepared<State>, LoadError> {
    v0_1::Prepared::new(pre).map_err(|error| LoadError::Contract(format!("{error:#}")))
}

fn checked(definitions: Vec<Listed>) -> Result<Vec<Arc<ToolDefinition>>, LoadError> {
    let mut names = BTreeSet::new();
    if definitions.is_empty() || definitions.len() > MAX_TOOLS {
        return Err(LoadError::ListTools(format!(
            "it lists {} tools; 1 to {MAX_TOOLS} are accepted",
            definitions.len()
        )));
    }
    let mut tools = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let shown_name = shown(&definition.name);
        let refuse = |reason: String| LoadError::Definition { tool: shown_name.clone(), reason };
        if !names.insert(crate::snapshot::folded(&definition.name)) {
            return Err(refuse("another tool of the component has this or a similar name".to_owned()));
        }
        tools.push(Arc::new(check(definition).map_err(refuse)?));
    }
    Ok(tools)
}

fn check(definition: Listed) -> Result<ToolDefinition, String> {
    let Listed { name, description, parameters, effects } = definition;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
        return Err(format!("a name has 1 to {MAX_NAME} characters of a-z, A-Z, 0-9, _ and -"));
    }
    if description.len() > MAX_DESCRIPTION {
        return Err(format!("its description has more than {MAX_DESCRIPTION} bytes"));
    }
    let (parameters, schema) = Schema::parse(&parameters)?;
    let skill = crate::skill::argument(&parameters);
    let description = visible(&description);
    Ok(ToolDefinition { name, description, effects, parameters, skill, schema })
}

/// A description without characters that people cannot see or that terminals act on.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{00ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    text.chars().filter(|c| !hidden(*c)).collect()
}

fn digest_of(definitions: &[Listed]) -> Digest {
    let mut text = String::new();
    for definition in definitions {
        for field in [&definition.name, &definition.description, &definition.parameters] {
            // Lengths keep two different lists from having one text.
            text.push_str(&format!("{}:", field.len()));
            text.push_str(field);
        }
        text.push_str(&format!("{:?};", definition.effects));
    }
    Digest::of(text.as_bytes())
}
