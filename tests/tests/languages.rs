//! The templates of the SDK, built from different languages, do the same in the real sandbox.
//!
//! Those in `tests/conformance` that were built of one template are checked in. `make languages` builds all for which there is a toolchain and
//! names their folder in `CHITON_LANGUAGES`; then they are tested as well.
#![cfg(test)]

use async_trait::async_trait;
use bytes::Bytes;
use chiton_sandbox::ports::{Caller, Outbound, OutboundRequest, OutboundResponse, PortError, Ports};
use chiton_sandbox::{Access, CallError, CallRequest, Capability, FileGrant, Grants, Part, Sandbox, SessionRights};
use chiton_tests::shell;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What stands for the secret in these tests.
const PLACEHOLDER: &str = "placeholder-of-the-key";

/// A service that knows the weather of one city.
struct Service;

#[async_trait]
impl Outbound for Service {
    async fn send(
        &self,
        _: &Caller,
        network: &[String],
        _: &[String],
        asked: OutboundRequest,
    ) -> Result<OutboundResponse, PortError> {
        assert_eq!((network, asked.request.method().as_str()), (["granted".to_owned()].as_slice(), "GET"));
        let url = asked.request.uri().to_string();
        let (address, query) = url.split_once('?').unwrap();
        let mut fields: Vec<_> = query.split('&').collect();
        fields.sort_unstable();
        assert_eq!(address, "https://api.example.com/v1/weather");
        let (status, body) = match fields.as_slice() {
            ["city=S%C3%A3o%20Paulo" | "city=S%C3%A3o+Paulo", "days=1", key] if key.ends_with(PLACEHOLDER) => {
                (200, r#"{"sky": "sunny", "degrees": 21}"#)
            }
            ["city=Slow", ..] => return Err(PortError::TimedOut("the service is slow".to_owned())),
            ["city=Odd", ..] => (200, "no JSON"),
            ["city=Down", ..] => (503, "closed for today"),
            _ => (404, ""),
        };
        let body = futures_util::stream::iter([Ok(Bytes::from_static(body.as_bytes()))]);
        let response = http::Response::builder().status(status).header("X-Served-By", "test");
        Ok(OutboundResponse { response: response.body(Box::pin(body) as _).unwrap(), url })
    }

    fn missing(&self, _: &http::Request<Bytes>) -> PortError {
        PortError::Denied { grant: "network=GET https://api.example.com/v1/".to_owned(), target: String::new() }
    }

    fn placeholder(&self, secrets: &[String], name: &str) -> Option<String> {
        (secrets == ["granted"] && name == "MY_SKILL_KEY").then(|| PLACEHOLDER.to_owned())
    }
}

/// The components to test, with the names of their languages.
fn components() -> Vec<(String, PathBuf)> {
    let checked_in = |language: &str| {
        let place = format!("conformance/0.1.0/{language}/my-skill.wasm");
        (format!("checked-in {language}"), Path::new(env!("CARGO_MANIFEST_DIR")).join(place))
    };
    let mut components = vec![checked_in("c"), checked_in("rust")];
    let built = std::env::var_os("CHITON_LANGUAGES").map(|folder| std::fs::read_dir(folder).unwrap());
    let built = built.into_iter().flatten().map(|entry| entry.unwrap().path());
    // Those whose name ends otherwise are of other templates, with examples of their own.
    for component in built.filter(|path| path.to_string_lossy().ends_with("-template.wasm")) {
        components.push((component.file_stem().unwrap().to_string_lossy().into_owned(), component));
    }
    components
}

struct Tool {
    language: String,
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

impl Tool {
    /// Each component in a sandbox of its own, with all that its manifest asks for.
    async fn each() -> Vec<Self> {
        let mut tools = Vec::new();
        for (language, component) in components() {
            let sandbox = shell::sandbox(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("languages"));
            sandbox.set_ports(Ports { outbound: Some(Arc::new(Service)), ..Ports::default() });
            let loaded = sandbox.load(std::fs::read(component).unwrap()).await;
            let loaded = loaded.unwrap_or_else(|error| panic!("{language}: {error}"));
            sandbox.publish("my-skill", loaded, Grants::default()).unwrap();
            let tool = Self { language, sandbox, folder: tempfile::tempdir().unwrap() };
            tool.grant(&[Capability::Network, Capability::Secrets]);
            tools.push(tool);
        }
        tools
    }

    fn grant(&self, capabilities: &[Capability]) {
        let files = vec![FileGrant::directory(self.folder.path(), Access::Read).unwrap()];
        let capabilities = capabilities.iter().map(|kind| (*kind, vec!["granted".to_owned()])).collect();
        assert!(self.sandbox.set_grants("my-skill", Grants { files, capabilities, ..Grants::default() }));
    }

    async fn call(&self, tool: &str, arguments: Value) -> (Result<Vec<Part>, CallError>, Vec<String>) {
        let (sender, mut receiver) = mpsc::channel(8);
        let request = CallRequest {
            tool: format!("my_skill_{tool}"),
            arguments,
            session: SessionRights::of("test:languages"),
            limits: None,
            cancel: Default::default(),
            progress: Some(sender),
        };
        let result = self.sandbox.call(request).await.result;
        let mut words = Vec::new();
        while let Ok(word) = receiver.try_recv() {
            words.push(word);
        }
        (result, words)
    }

    async fn says(&self, tool: &str, arguments: Value, text: &str) {
        let (result, _) = self.call(tool, arguments).await;
        let parts = result.unwrap_or_else(|error| panic!("{}: {error}", self.language));
        let [Part::Text(said)] = parts.as_slice() else { panic!("{}: {parts:?}", self.language) };
        assert_eq!(said, text, "{}", self.language);
    }

    async fn fails(&self, tool: &str, arguments: Value, reason: &str) {
        let (result, _) = self.call(tool, arguments).await;
        let error = result.err().unwrap_or_else(|| panic!("{}: no error '{reason}'", self.language)).to_string();
        assert!(error.contains(reason), "{}: {error}", self.language);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_lists_the_same_tools() {
    for tool in Tool::each().await {
        let snapshot = tool.sandbox.snapshot();
        let mut listed: Vec<_> = snapshot
            .iter()
            .map(|tool| (tool.definition.name.as_str(), tool.definition.effects.names().collect::<Vec<_>>()))
            .collect();
        listed.sort();
        let expected = [("my_skill_weather", vec!["uses-network"]), ("my_skill_words", vec!["reads-files"])];
        assert_eq!(listed, expected, "{}", tool.language);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_reads_granted_files_and_names_the_grant_of_others() {
    for tool in Tool::each().await {
        std::fs::write(tool.folder.path().join("notes.txt"), "Bread, milk\nand two  eggs\n").unwrap();
        tool.says("words", json!({ "path": "notes.txt" }), "notes.txt has 5 words").await;
        let absolute = tool.folder.path().canonicalize().unwrap().join("notes.txt");
        tool.says("words", json!({ "path": absolute }), &format!("{} has 5 words", absolute.display())).await;
        tool.fails("words", json!({ "path": "none.txt" }), "'none.txt' does not exist").await;
        tool.fails("words", json!({ "path": "/etc/passwd" }), "files=/etc:read").await;
        tool.fails("words", json!({}), "path").await;
        tool.fails("words", json!({ "path": "notes.txt", "more": 1 }), "more").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_asks_the_service_with_a_secret_and_tells_how_far_it_is() {
    for tool in Tool::each().await {
        let sunny = "São Paulo: sunny, 21 degrees";
        tool.says("weather", json!({ "city": "São Paulo" }), sunny).await;
        let (_, words) = tool.call("weather", json!({ "city": "São Paulo", "days": 1 })).await;
        assert_eq!(words, ["asking for the weather of São Paulo"], "{}", tool.language);
        tool.fails("weather", json!({ "city": "Atlantis" }), "the service knows no city 'Atlantis'").await;
        tool.fails("weather", json!({ "city": "Slow" }), "the service is slow").await;
        tool.fails("weather", json!({ "city": "Odd" }), "api.example.com sent an answer").await;
        tool.fails("weather", json!({ "city": "Down" }), "api.example.com answered with status 503: closed").await;
        tool.fails("weather", json!({ "city": "São Paulo", "days": 8 }), "days").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_is_denied_what_it_was_not_granted() {
    for tool in Tool::each().await {
        tool.grant(&[Capability::Network]);
        tool.fails("weather", json!({ "city": "Bern" }), "secrets=MY_SKILL_KEY").await;
        tool.grant(&[Capability::Secrets]);
        tool.fails("weather", json!({ "city": "Bern" }), "network=GET https://api.example.com/v1/").await;
        assert!(tool.sandbox.set_grants("my-skill", Grants::default()));
        tool.fails("words", json!({ "path": "notes.txt" }), "files=").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_stays_itself_over_many_calls_with_large_arguments() {
    for tool in Tool::each().await {
        let long = "w ".repeat(100_000);
        std::fs::write(tool.folder.path().join("long.txt"), &long).unwrap();
        for _ in 0..5 {
            tool.says("words", json!({ "path": "long.txt" }), "long.txt has 100000 words").await;
            tool.fails("weather", json!({ "city": &long[..5_000] }), "the service knows no city").await;
        }
    }
}
