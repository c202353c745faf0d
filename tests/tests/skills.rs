//! The bundled skills of `skills/`: each component in the real sandbox, with exactly what its manifest asks for, on its
//! own examples and their recorded replies.
#![cfg(test)]

use async_trait::async_trait;
use bytes::Bytes;
use chiton_build::Guest;
use chiton_egress::{Allowance, Egress, Request, SecretSource, SecretString, Setup};
use chiton_sandbox::ports::{Caller, Outbound, OutboundRequest, OutboundResponse, PortError};
use chiton_sandbox::{CallRequest, Component, Digest, Grants, Part, Ports, Sandbox, Script, SessionRights};
use futures_util::StreamExt as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A manifest, as far as the tests run it; every key must be known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: String,
    version: String,
    #[serde(default)]
    component: Option<String>,
    #[serde(default)]
    engine: Option<String>,
    #[serde(default)]
    script: Option<String>,
    #[serde(default)]
    grants: Asked,
    #[serde(default, rename = "limits")]
    _limits: toml::Table,
    #[serde(default, rename = "build")]
    _build: toml::Table,
    #[serde(default)]
    examples: Vec<Example>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    files: Vec<File>,
    network: Vec<Network>,
    secrets: Vec<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    access: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    url: String,
    methods: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    name: String,
    url: String,
    header: Option<String>,
    query: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    tool: String,
    arguments: serde_json::Value,
    expect: Option<String>,
    fails: Option<String>,
    #[serde(default)]
    replies: Vec<Reply>,
    files: Option<PathBuf>,
    #[serde(default)]
    secrets: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default = "fine")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    file: Option<PathBuf>,
}

fn get() -> String {
    "GET".to_owned()
}

fn fine() -> u16 {
    200
}

impl Asked {
    /// What is asked for, given, with `workspace` as the workspace.
    fn given(&self, workspace: &Path) -> Grants {
        let mut grants = Grants::default();
        let files = self.files.iter().map(|File { path, access }| match path.as_str() {
            "workspace" => format!("files={}:{access}", workspace.display()),
            path => format!("files={path}:{access}"),
        });
        let network = self.network.iter().map(|entry| format!("network={} {}", entry.methods.join(","), entry.url));
        let secrets = self.secrets.iter().map(|secret| {
            let header = secret.header.as_ref().map(|header| format!("header={header}"));
            let slot = header.or_else(|| secret.query.as_ref().map(|query| format!("query={query}"))).unwrap();
            format!("secrets={} {} {slot}", secret.name, secret.url)
        });
        for grant in files.chain(network).chain(secrets) {
            grants.add(&grant, workspace).unwrap();
        }
        grants
    }
}

/// The secrets of an example, with made-up values.
struct MadeUp(Vec<String>);

impl SecretSource for MadeUp {
    fn get(&self, name: &str) -> Option<SecretString> {
        self.0.iter().any(|set| set == name).then(|| format!("made-up-value-of-{name}").into())
    }
}

/// HTTP by the egress engine's own verdicts, answered from what was recorded.
struct Recorded {
    egress: Egress,
    secrets: MadeUp,
    folder: PathBuf,
    replies: Vec<Reply>,
}

impl Recorded {
    fn of(folder: &Path, example: &Example) -> Self {
        let secrets = || MadeUp(example.secrets.clone());
        let egress = Egress::new(Setup::new(Arc::new(secrets()))).unwrap();
        Self { egress, secrets: secrets(), folder: folder.to_owned(), replies: example.replies.clone() }
    }

    fn reply(&self, request: &http::Request<Bytes>) -> Option<&Reply> {
        let url = request.uri().to_string();
        let asked = url.split('?').next().unwrap();
        self.replies.iter().find(|reply| reply.method == request.method().as_str() && reply.url == asked)
    }
}

#[async_trait]
impl Outbound for Recorded {
    async fn send(
        &self,
        _: &Caller,
        network: &[String],
        secrets: &[String],
        request: OutboundRequest,
    ) -> Result<OutboundResponse, PortError> {
        let request = request.request;
        let allowance = Allowance::parse(network, secrets).unwrap();
        self.egress
            .check(&allowance, &plain(&request))
            .map_err(|error| PortError::Denied { grant: error.to_string(), target: request.uri().to_string() })?;
        let reply = self.reply(&request).ok_or_else(|| {
            PortError::Failed(format!("the network is off, and nothing was recorded for {}", request.uri()))
        })?;
        let body = match &reply.file {
            Some(file) => std::fs::read(self.folder.join(file)).unwrap(),
            None => reply.body.clone().unwrap_or_default().into_bytes(),
        };
        let mut response = http::Response::builder().status(reply.status);
        for (name, value) in &reply.headers {
            response = response.header(name, value);
        }
        let body = futures_util::stream::iter([Ok(Bytes::from(body))]).boxed();
        Ok(OutboundResponse { response: response.body(body).unwrap(), url: reply.url.clone() })
    }

    fn missing(&self, request: &http::Request<Bytes>) -> PortError {
        PortError::Denied { grant: "network".to_owned(), target: request.uri().to_string() }
    }

    fn placeholder(&self, secrets: &[String], name: &str) -> Option<String> {
        let granted = Allowance::parse(&[], secrets).unwrap().secrets.iter().any(|slot| slot.name() == name);
        (granted && self.secrets.get(name).is_some()).then(|| chiton_egress::placeholder(name))
    }
}

fn plain(request: &http::Request<Bytes>) -> Request {
    let headers = request.headers().iter();
    Request {
        method: request.method().to_string(),
        url: request.uri().to_string(),
        headers: headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
        body: request.body().clone(),
    }
}

fn skills() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../skills").canonicalize().unwrap()
}

fn manifest(folder: &Path) -> Manifest {
    let text = std::fs::read_to_string(folder.join("skill.toml")).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// The folders of skills that have a manifest.
fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(skills()).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.join("skill.toml").is_file()).collect();
    folders.sort();
    folders
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs an example in a workspace of its own, and gives the result as text or the failure in words.
async fn run(sandbox: &Sandbox, skill: &Skill, example: &Example) -> Result<String, String> {
    let workspace = tempfile::tempdir().unwrap();
    if let Some(files) = &example.files {
        copy(&skill.folder.join(files), workspace.path());
    }
    let grants = skill.manifest.grants.given(workspace.path());
    sandbox.publish(&skill.manifest.name, skill.component.clone(), grants).unwrap();
    let outbound = Arc::new(Recorded::of(&skill.folder, example));
    sandbox.set_ports(Ports { outbound: Some(outbound), ..Ports::default() });
    let outcome = sandbox
        .call(CallRequest {
            tool: example.tool.clone(),
            arguments: example.arguments.clone(),
            session: SessionRights::of("test:skills"),
            limits: None,
            cancel: Default::default(),
            progress: None,
        })
        .await;
    let parts = outcome.result.map_err(|error| error.to_string())?;
    let text = |part: &Part| match part {
        Part::Text(text) | Part::Json(text) => text.clone(),
        Part::Image { mime, .. } | Part::File { mime, .. } => format!("({mime})"),
    };
    Ok(parts.iter().map(text).collect::<Vec<_>>().join("\n"))
}

struct Skill {
    folder: PathBuf,
    manifest: Manifest,
    component: Arc<Component>,
}

impl Skill {
    /// The skill in a folder, its component built and loaded.
    async fn built(sandbox: &Sandbox, folder: PathBuf) -> Self {
        let wasm = chiton_build::build(&Guest::at(&folder)).unwrap();
        let component = sandbox.load(std::fs::read(wasm).unwrap()).await.unwrap();
        Self { manifest: manifest(&folder), folder, component }
    }

    /// The skill in a folder, its script on an engine.
    async fn on(sandbox: &Sandbox, engine: &[u8], folder: PathBuf) -> Self {
        let manifest = manifest(&folder);
        let name = manifest.script.clone().unwrap();
        let script = Script { text: std::fs::read_to_string(folder.join(&name)).unwrap(), name };
        let bytes = engine.to_owned();
        let source = Arc::new(move || Ok(bytes.clone()));
        let component = sandbox.load_script(Digest::of(engine), source, script).await.unwrap();
        Self { manifest, folder, component }
    }

    async fn examples_hold(&self, sandbox: &Sandbox) {
        assert!(!self.manifest.examples.is_empty(), "{} has no example", self.manifest.name);
        for example in &self.manifest.examples {
            let told = format!("{} {}", example.tool, example.arguments);
            let (expected, found) = match (&example.expect, &example.fails, run(sandbox, self, example).await) {
                (Some(expected), None, Ok(found)) | (None, Some(expected), Err(found)) => (expected, found),
                (_, _, other) => panic!("{told}: {other:#?}"),
            };
            assert!(found.contains(expected.as_str()), "{told}:\n{found}\ndoes not contain\n{expected}");
        }
    }
}

#[tokio::test]
async fn the_examples_of_every_rust_skill_hold_with_what_it_asks_for() {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = chiton_tests::shell::sandbox(cache.path().join("cache"));
    let only = std::env::var("SKILL").ok();
    for folder in folders().into_iter().filter(|folder| folder.join("Cargo.toml").is_file()) {
        if only.as_ref().is_none_or(|only| folder.ends_with(only)) {
            Skill::built(&sandbox, folder).await.examples_hold(&sandbox).await;
        }
    }
}

/// The examples of the skills whose scripts run on the engine of this name.
async fn scripts_hold_on(name: &str, engine: &[u8]) {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = chiton_tests::shell::sandbox(cache.path().join("cache"));
    for folder in folders().into_iter().filter(|folder| manifest(folder).engine.as_deref() == Some(name)) {
        Skill::on(&sandbox, engine, folder).await.examples_hold(&sandbox).await;
    }
}

#[tokio::test]
async fn the_examples_of_every_javascript_skill_hold_with_what_it_asks_for() {
    scripts_hold_on("js", &chiton_tests::shell::built("programs/js")).await;
}

#[tokio::test]
async fn the_examples_of_every_python_skill_hold_with_what_it_asks_for() {
    if let Some(engine) = chiton_tests::shell::python() {
        scripts_hold_on("python", &engine).await;
    }
}

#[test]
fn every_manifest_is_whole_and_says_what_its_folder_is() {
    for folder in folders() {
        let Manifest { name, version, component, engine, script, grants, .. } = manifest(&folder);
        assert!(folder.ends_with(&name), "{name}");
        assert_eq!(version, env!("CARGO_PKG_VERSION"), "{name}");
        let described = std::fs::read_to_string(folder.join("SKILL.md")).unwrap();
        assert!(described.starts_with(&format!("---\nname: {name}\ndescription: ")), "{name}");
        match (component, engine, script) {
            (Some(component), None, None) => assert_eq!(component, format!("{name}.wasm")),
            (None, Some(_), Some(script)) => assert!(folder.join(script).is_file(), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(grants.files.iter().all(|file| ["workspace", "scratch", "skill"].contains(&file.path.as_str())));
    }
}
