//! Scripts as tools, on the real engines in the real sandbox. Where the Python engine cannot be
//! built, its half of each test is left out.
#![cfg(test)]

use async_trait::async_trait;
use chiton_sandbox::ports::{Caller, Outbound, OutboundRequest, OutboundResponse, PortError};
use chiton_sandbox::{
    Access, CallError, CallRequest, ComponentBytes, Digest, FileGrant, Grants, Limits, LoadError, Part, Ports, Sandbox,
    Script, SessionRights,
};
use chiton_tests::shell;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the service of the templates answers.
const FORECAST: &str = r#"{ "text": "sunny, 21 degrees" }"#;
/// The text that stands for the secret `KEY` or `WEATHER_KEY`.
const PLACEHOLDER: &str = "stands-for-the-key";

/// Only one world compiles an engine; the next finds the code in the cache.
static COMPILING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// An engine, and how its scripts end.
#[derive(Clone)]
struct Engine {
    ending: &'static str,
    digest: Digest,
    bytes: ComponentBytes,
}

impl Engine {
    fn new(ending: &'static str, bytes: Vec<u8>) -> Self {
        Self { ending, digest: Digest::of(&bytes), bytes: Arc::new(move || Ok(bytes.clone())) }
    }

    fn javascript() -> Self {
        Self::new("js", shell::built("programs/js"))
    }

    /// JavaScript, and Python where it was built.
    fn all() -> Vec<Self> {
        let python = shell::python().map(|bytes| Self::new("py", bytes));
        [Some(Self::javascript()), python].into_iter().flatten().collect()
    }

    fn contract(&self) -> String {
        // JavaScript is TypeScript as well.
        let file = format!("scripts/contract.{}", if self.ending == "ts" { "js" } else { self.ending });
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
    }
}

/// Answers every request, and remembers it.
#[derive(Default)]
struct Service {
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Outbound for Service {
    async fn send(
        &self,
        _: &Caller,
        _: &[String],
        _: &[String],
        asked: OutboundRequest,
    ) -> Result<OutboundResponse, PortError> {
        let url = asked.request.uri().to_string();
        let key = asked.request.headers().get("x-key").map(|value| value.to_str().unwrap().to_owned());
        self.asked.lock().unwrap().push(format!("{url} {}", key.unwrap_or_default()));
        if url.contains("slow") {
            return Err(PortError::TimedOut("it took too long".to_owned()));
        }
        let status = if url.contains("Atlantis") { 404 } else { 200 };
        let body = futures_util::stream::iter([Ok(FORECAST.into())]).boxed();
        Ok(OutboundResponse { response: http::Response::builder().status(status).body(body).unwrap(), url })
    }

    fn missing(&self, request: &http::Request<bytes::Bytes>) -> PortError {
        let target = request.uri().to_string();
        PortError::Denied { grant: format!("network={target}"), target }
    }

    fn placeholder(&self, secrets: &[String], name: &str) -> Option<String> {
        secrets.iter().any(|value| value.starts_with(name)).then(|| PLACEHOLDER.to_owned())
    }
}

struct World {
    sandbox: Sandbox,
    service: Arc<Service>,
    folder: tempfile::TempDir,
    engine: Engine,
}

impl World {
    async fn new(engine: Engine) -> Self {
        let _alone = COMPILING.lock().await;
        let sandbox = shell::sandbox(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("programs"));
        let service = Arc::new(Service::default());
        sandbox.set_ports(Ports { outbound: Some(service.clone()), ..Ports::default() });
        let world = Self { sandbox, service, folder: tempfile::tempdir().unwrap(), engine };
        world.load(&world.engine.contract()).await.unwrap();
        world
    }

    /// A world whose tools are those of `contract.*`, with these grants.
    async fn of_contract(engine: Engine, grants: Grants) -> Self {
        let world = Self::new(engine).await;
        world.publish(&world.engine.contract(), grants).await.unwrap();
        world
    }

    async fn load(&self, text: &str) -> Result<Arc<chiton_sandbox::Component>, LoadError> {
        let script = Script { name: format!("script.{}", self.engine.ending), text: text.to_owned() };
        self.sandbox.load_script(self.engine.digest, self.engine.bytes.clone(), script).await
    }

    async fn publish(&self, text: &str, grants: Grants) -> Result<(), LoadError> {
        let component = self.load(text).await?;
        self.sandbox.publish("script", component, grants)
    }

    fn directory(&self, access: Access) -> Grants {
        Grants { files: vec![FileGrant::directory(self.folder.path(), access).unwrap()], ..Grants::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<Vec<Part>, CallError> {
        self.call_with(tool, arguments, None, None).await
    }

    async fn call_with(
        &self,
        tool: &str,
        arguments: Value,
        limits: Option<Limits>,
        progress: Option<tokio::sync::mpsc::Sender<String>>,
    ) -> Result<Vec<Part>, CallError> {
        let session = SessionRights::of("test:scripts");
        let request =
            CallRequest { tool: tool.to_owned(), arguments, session, limits, cancel: Default::default(), progress };
        self.sandbox.call(request).await.result
    }

    async fn text(&self, tool: &str, arguments: Value) -> String {
        match self.call(tool, arguments).await {
            Ok(parts) => match &parts[..] {
                [Part::Text(text)] => text.clone(),
                other => panic!("{other:?}"),
            },
            Err(error) => format!("{error}"),
        }
    }

    async fn denied(&self, tool: &str, arguments: Value) -> String {
        match self.call(tool, arguments).await {
            Err(CallError::Denied { grant, .. }) => grant,
            Err(CallError::Undeclared { effect, .. }) => effect,
            other => panic!("{tool}: {other:?}"),
        }
    }
}

fn network() -> Grants {
    let mut grants = Grants::default();
    grants.add("network=GET https://api.example.com/", Path::new("/")).unwrap();
    grants.add("secrets=KEY https://api.example.com/ header=X-Key: {}", Path::new("/")).unwrap();
    grants
}

#[tokio::test]
async fn a_script_lists_the_same_tools_in_every_language() {
    for engine in Engine::all() {
        let world = World::new(engine.clone()).await;
        let component = world.load(&engine.contract()).await.unwrap();
        let add = &component.tools()[0];
        assert_eq!((add.name.as_str(), add.description.as_str()), ("add", "Adds two numbers."));
        let properties = json!({
            "a": { "type": "integer", "description": "the first" }, "b": { "type": "integer", "default": 1 },
        });
        let schema = json!({
            "type": "object", "properties": properties, "required": ["a"], "additionalProperties": false,
        });
        assert_eq!(add.parameters, schema);
        let names: Vec<&str> = component.tools().iter().map(|tool| tool.name.as_str()).collect();
        let expected = [
            "add",
            "data",
            "picture",
            "talk",
            "fail",
            "read",
            "write",
            "write_undeclared",
            "ask",
            "ask_undeclared",
            "key",
            "forever",
            "hoard",
            "count",
        ];
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn results_are_text_json_and_pictures() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        assert_eq!(world.text("add", json!({ "a": 2, "b": 3 })).await, "5");
        assert_eq!(world.text("add", json!({ "a": 2 })).await, "3");
        let Ok([Part::Json(text)]) =
            world.call("data", json!({})).await.map(|parts| <[Part; 1]>::try_from(parts).unwrap())
        else {
            panic!("no JSON");
        };
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({ "list": [1, 2], "nested": { "nothing": null } })
        );
        let image = Part::Image { mime: "image/png".to_owned(), data: vec![1, 2, 3] };
        assert_eq!(world.call("picture", json!({})).await, Ok(vec![Part::Text("see".to_owned()), image]));
    }
}

#[tokio::test]
async fn arguments_that_break_the_schema_never_reach_the_script() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        for wrong in [json!({}), json!({ "a": "x" }), json!({ "a": 1, "c": 1 })] {
            let refused = world.call("add", wrong).await;
            assert!(matches!(refused, Err(CallError::InvalidArguments(_))), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn every_failure_has_its_own_kind_and_any_other_error_has_its_line() {
    for engine in Engine::all() {
        let world = World::of_contract(engine.clone(), Grants::default()).await;
        let failed = |kind: &'static str| world.call("fail", json!({ "kind": kind }));
        let sentence = "files=/a:read".to_owned();
        assert_eq!(failed("InvalidArguments").await, Err(CallError::InvalidArguments(sentence.clone())));
        assert_eq!(failed("NotFound").await, Err(CallError::NotFound(sentence.clone())));
        assert_eq!(failed("TimedOut").await, Err(CallError::TimedOut(sentence.clone())));
        assert_eq!(failed("Failed").await, Err(CallError::Failed(sentence.clone())));
        assert_eq!(world.denied("fail", json!({ "kind": "Denied" })).await, sentence);
        let Err(CallError::Failed(text)) = failed("Error").await else { panic!("it did not fail") };
        let needle = if engine.ending == "js" { "new KINDS[kind]" } else { "raise KINDS" };
        let line = engine.contract().lines().position(|line| line.contains(needle)).unwrap() + 1;
        assert!(text.contains(&sentence) && text.ends_with(&format!("(script.{}:{line})", engine.ending)), "{text}");
    }
}

#[tokio::test]
async fn progress_is_shown_while_the_call_runs_and_prints_are_lines_of_the_log() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        let mut file = tempfile::tempfile().unwrap();
        let lines =
            tracing_subscriber::fmt().with_writer(Arc::new(file.try_clone().unwrap())).with_ansi(false).finish();
        let guard = tracing::subscriber::set_default(lines);
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        assert_eq!(world.call_with("talk", json!({}), None, Some(sender)).await, Ok(vec![]));
        drop(guard);
        assert_eq!(receiver.recv().await.as_deref(), Some("half of it"));
        let mut log = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut log).unwrap();
        assert!(log.contains("a line 1") && log.contains("level=\"warn\"") && log.contains("printed"), "{log}");
    }
}

#[tokio::test]
async fn files_are_read_and_written_where_they_are_granted_and_others_name_the_grant() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let contract = world.engine.contract();
        std::fs::write(world.path("in.txt"), "content").unwrap();
        world.publish(&contract, world.directory(Access::Write)).await.unwrap();
        assert_eq!(world.text("read", json!({ "path": "in.txt" })).await, "content");
        assert_eq!(world.call("write", json!({ "path": "out.txt" })).await, Ok(vec![]));
        assert_eq!(std::fs::read_to_string(world.path("out.txt")).unwrap(), "written");
        assert_eq!(world.denied("read", json!({ "path": "/etc/passwd" })).await, "files=/etc:read");
        let missing = world.call("read", json!({ "path": "none.txt" })).await;
        assert_eq!(missing, Err(CallError::NotFound("'none.txt' does not exist".to_owned())));
        world.publish(&contract, world.directory(Access::Read)).await.unwrap();
        let grant = format!("files={}:write", world.path("").display().to_string().trim_end_matches('/'));
        assert_eq!(world.denied("write", json!({ "path": "again.txt" })).await, grant);
    }
}

#[tokio::test]
async fn an_effect_that_is_not_declared_is_a_right_that_is_not_given() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let grants = Grants { files: world.directory(Access::Write).files, ..network() };
        world.publish(&world.engine.contract(), grants).await.unwrap();
        assert_eq!(world.denied("write_undeclared", json!({ "path": "out.txt" })).await, "writes-files");
        assert!(!world.path("out.txt").exists());
        assert_eq!(world.denied("ask_undeclared", json!({ "url": "https://api.example.com/" })).await, "uses-network");
        assert!(world.service.asked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_request_goes_out_with_text_that_stands_for_the_secret() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, network()).await;
        let url = "https://api.example.com/v1";
        assert_eq!(world.text("ask", json!({ "url": url })).await, format!("200 {FORECAST}"));
        assert_eq!(*world.service.asked.lock().unwrap(), [format!("{url} {PLACEHOLDER}")]);
        let slow = world.call("ask", json!({ "url": "https://api.example.com/slow" })).await;
        assert!(matches!(slow, Err(CallError::TimedOut(_))), "{slow:?}");
    }
}

#[tokio::test]
async fn without_a_grant_a_request_and_a_secret_name_the_grant() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        assert_eq!(world.denied("key", json!({ "name": "KEY" })).await, "secrets=KEY");
        let grants = Grants { capabilities: network().capabilities, ..Grants::default() };
        let mut without_network = grants.clone();
        without_network.capabilities.remove(&chiton_sandbox::Capability::Network);
        world.publish(&world.engine.contract(), without_network).await.unwrap();
        let url = "https://api.example.com/v1";
        assert_eq!(world.denied("ask", json!({ "url": url })).await, format!("network={url}"));
        assert_eq!(world.denied("key", json!({ "name": "OTHER" })).await, "secrets=OTHER");
    }
}

#[tokio::test]
async fn res_01_an_endless_loop_ends_at_its_deadline_and_the_next_call_works() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
        let ended = world.call_with("forever", json!({}), Some(limits), None).await;
        assert_eq!(ended, Err(CallError::Deadline(Duration::from_millis(300))));
        assert_eq!(world.text("add", json!({ "a": 1 })).await, "2");
    }
}

#[tokio::test]
async fn res_04_a_script_that_wants_all_memory_gets_its_limit() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        let limits = Limits { memory: 128 << 20, time: Duration::from_secs(60), ..Limits::default() };
        let ended = world.call_with("hoard", json!({}), Some(limits), None).await;
        assert!(matches!(ended, Err(CallError::Limit { .. } | CallError::Failed(_))), "{ended:?}");
    }
}

#[tokio::test]
async fn every_call_begins_afresh() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        assert_eq!(world.text("count", json!({})).await, "1");
        assert_eq!(world.text("count", json!({})).await, "1");
    }
}

/// What is wrong with a script, by language, and a part of what its author is told.
const BROKEN: [(&str, &str, &str); 14] = [
    ("js", "import { tool } from 'chiton';\n\ntool({ name: ;\n", "line 3, col 14"),
    ("js", "import { tool } from 'chiton';\nthrow new TypeError('top');", "TypeError: top (script.js:2)"),
    ("js", "const nothing = 1;", "has no tool"),
    (
        "js",
        "import { tool } from 'chiton';\nawait fetch('https://api.example.com/');",
        "needs network=https://api.example.com/",
    ),
    (
        "js",
        "import { tool } from 'chiton';\ntool({ name: 'a', description: 'A.' }, () => 1);\ntool({ name: 'a', description: 'A.' }, () => 2);",
        "already a tool 'a' in this script (script.js:3)",
    ),
    (
        "js",
        "import { tool } from 'chiton';\ntool({ name: 'a', description: 'A.', effects: ['reads'] }, () => 1);",
        "unknown effect 'reads'",
    ),
    ("js", "import other from './other.js';", "'./other.js'"),
    ("py", "from chiton import tool\n\ndef a(:\n  pass\n", "script.py:3:7: SyntaxError"),
    ("py", "from chiton import tool\nraise TypeError('top')", "TypeError: top (script.py:2)"),
    ("py", "nothing = 1", "has no tool"),
    ("py", "import requests\nrequests.get('https://api.example.com/')", "needs network=https://api.example.com/"),
    (
        "py",
        "from chiton import tool\n@tool\ndef a():\n  'A.'\n@tool\ndef a():\n  'A.'\n",
        "already a tool 'a' in this script",
    ),
    ("py", "from chiton import tool\n@tool(effects=['reads'])\ndef a():\n  'A.'\n", "unknown effect 'reads'"),
    ("py", "from chiton import tool\n@tool\ndef a(x: bytes):\n  'A.'\n", "cannot be a parameter"),
];

#[tokio::test]
async fn a_script_that_does_not_list_its_tools_says_where_and_why() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        for (_, text, expected) in BROKEN.iter().filter(|(ending, ..)| *ending == world.engine.ending) {
            let Err(LoadError::ListTools(reason)) = world.load(text).await else { panic!("{text}") };
            assert!(reason.contains(expected), "{reason}");
        }
    }
}

#[tokio::test]
async fn cmp_09_a_script_that_takes_its_language_apart_gains_nothing() {
    let world = World::new(Engine::javascript()).await;
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/tricks.js")).unwrap();
    if let Ok(component) = world.load(&text).await {
        for tool in component.tools() {
            assert_eq!((tool.name.as_str(), tool.effects), ("trick", chiton_sandbox::Effects::NONE));
        }
        world.sandbox.publish("script", component, world.directory(Access::Write)).unwrap();
        assert!(world.call("trick", json!({})).await.is_err());
    }
    assert!(std::fs::read_dir(world.folder.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn changed_text_answers_as_it_was_saved() {
    for engine in Engine::all() {
        let world = World::of_contract(engine, Grants::default()).await;
        let changed = world.engine.contract().replace("Adds two numbers.", "Adds two integers.");
        world.publish(&changed, Grants::default()).await.unwrap();
        let snapshot = world.sandbox.snapshot();
        assert_eq!(snapshot.get("add").unwrap().definition.description, "Adds two integers.");
        assert_eq!(world.text("add", json!({ "a": 1 })).await, "2");
    }
}

#[tokio::test]
async fn the_templates_of_the_guides_do_what_the_guides_say() {
    let typescript = Engine { ending: "ts", ..Engine::javascript() };
    for engine in Engine::all().into_iter().chain([typescript]) {
        let world = World::new(engine).await;
        let (language, name) = match world.engine.ending {
            "js" => ("javascript", "my-skill"),
            "ts" => ("typescript", "my-skill"),
            _ => ("python", "my_skill"),
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../sdk/{language}/template"));
        let text = std::fs::read_to_string(folder.join(format!("{name}.{}", world.engine.ending))).unwrap();
        let mut grants = world.directory(Access::Read);
        grants.add("network=GET https://api.example.com/v1/", Path::new("/")).unwrap();
        grants.add("secrets=WEATHER_KEY https://api.example.com/ header=X-Key: {}", Path::new("/")).unwrap();
        world.publish(&text, grants).await.unwrap();
        std::fs::copy(folder.join("examples/files/cities.txt"), world.path("cities.txt")).unwrap();
        let told = world.text("my_skill", json!({})).await;
        assert_eq!(told, "Bern: sunny, 21 degrees\nOslo: sunny, 21 degrees");
        let first = world.service.asked.lock().unwrap()[0].clone();
        assert_eq!(first, format!("https://api.example.com/v1/weather?city=Bern&days=1 {PLACEHOLDER}"));
        std::fs::write(world.path("cities.txt"), "Atlantis\n").unwrap();
        assert_eq!(world.text("my_skill", json!({})).await, "not found: nobody knows the city 'Atlantis'");
    }
}
