//! A tool that does whatever its arguments say, through the raw host interfaces.
//!
//! Three tools run the same operations and differ in the effects they declare: `probe_none`,
//! `probe_read` and `probe_write`. Arguments are `{"ops":[{"op":NAME,...},...]}`; the result is one JSON
//! array with `{"ok":VALUE}` or `{"err":CODE}` for each operation. What each operation does and takes
//! is said in `files`, `system`, `network`, `capability` and `bombs`.

mod bombs;
mod capability;
mod files;
mod network;
mod system;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit", "wit"],
        world: "chiton:probe/probe",
        generate_all,
    });
}

use bindings::chiton::tool::tool_types::Effects;
use bindings::exports::chiton::tool::tools::{Definition, Failure, Guest, Part};
use serde_json::{Value, json};

/// What an operation gave: a value, or the name of the host's error code.
pub(crate) type Outcome = Result<Value, String>;

/// What the operations of one call share.
#[derive(Default)]
pub(crate) struct Probe {
    files: files::Held,
    system: system::Held,
    answer: Option<Result<Vec<Part>, Failure>>,
}

impl Probe {
    fn run(&mut self, op: &Operation) -> Outcome {
        files::run(&mut self.files, op)
            .or_else(|| system::run(&mut self.system, op))
            .or_else(|| network::run(op))
            .or_else(|| capability::run(op))
            .or_else(|| bombs::run(op))
            .or_else(|| self.answer(op))
            .unwrap_or_else(|| Err(format!("unknown operation '{}'", op.name())))
    }

    /// Replaces the answer of the call.
    ///
    /// `output {bytes, parts, kind}`: so many parts of so many bytes, `text` (default), `json`, `image`.
    /// `raw_output {text, kind}`: one part with this content. `fail {kind, text}`: this failure.
    fn answer(&mut self, op: &Operation) -> Option<Outcome> {
        let part = |bytes: Vec<u8>| {
            let text = |bytes| String::from_utf8(bytes).unwrap_or_default();
            match op.text("kind") {
                "json" => Part::Json(text(bytes)),
                "image" => Part::Image(blob("image/png", bytes)),
                "file" => Part::File(blob("application/octet-stream", bytes)),
                _ => Part::Text(text(bytes)),
            }
        };
        let text = op.text("text").to_owned();
        self.answer = Some(match op.name() {
            "output" => {
                Ok((0..op.number("parts", 1)).map(|_| part(vec![b'x'; op.number("bytes", 0) as usize])).collect())
            }
            "raw_output" => Ok(vec![part(text.into_bytes())]),
            "fail" => Err(match op.text("kind") {
                "invalid-arguments" => Failure::InvalidArguments(text),
                "denied" => Failure::Denied(text),
                "not-found" => Failure::NotFound(text),
                "timed-out" => Failure::TimedOut(text),
                _ => Failure::Failed(text),
            }),
            _ => return None,
        });
        Some(Ok(Value::Null))
    }
}

fn blob(mime: &str, data: Vec<u8>) -> bindings::chiton::tool::tool_types::Blob {
    bindings::chiton::tool::tool_types::Blob { mime: mime.to_owned(), data }
}

/// One entry of `ops`.
pub(crate) struct Operation(Value);

impl Operation {
    fn name(&self) -> &str {
        self.text("op")
    }

    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    fn number(&self, key: &str, default: u64) -> u64 {
        self.0[key].as_u64().unwrap_or(default)
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.0[key].as_bool().unwrap_or(default)
    }

    fn index(&self, key: &str) -> Option<usize> {
        self.0[key].as_u64().map(|index| index as usize)
    }

    fn words(&self, key: &str) -> Option<impl Iterator<Item = &str>> {
        Some(self.0[key].as_array()?.iter().filter_map(Value::as_str))
    }

    /// The bytes to write: `text` as it is, else `bytes` many of `x`.
    fn payload(&self) -> Vec<u8> {
        match self.0["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => vec![b'x'; self.number("bytes", 0) as usize],
        }
    }
}

/// `skill` names the skill that the call acts for.
const PARAMETERS: &str = r#"{"type":"object","required":["ops"],"properties":
    {"ops":{"type":"array","items":{"type":"object"}},"skill":{"type":["string","null"],"format":"skill"}}}"#;

struct Component;

impl Guest for Component {
    fn list_tools() -> Vec<Definition> {
        let definition = |name: &str, effects| Definition {
            name: name.to_owned(),
            description: "Runs raw operations.".to_owned(),
            parameters: PARAMETERS.to_owned(),
            effects,
        };
        vec![
            definition("probe_none", Effects::empty()),
            definition("probe_read", Effects::READS_FILES),
            definition("probe_write", Effects::READS_FILES | Effects::WRITES_FILES),
            definition("probe_run_read", Effects::READS_FILES | Effects::RUNS_PROGRAMS),
            definition("probe_everything", Effects::all()),
        ]
    }

    fn call(_name: String, arguments: String) -> Result<Vec<Part>, Failure> {
        let arguments: Value =
            serde_json::from_str(&arguments).map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        let mut probe = Probe::default();
        let mut results = Vec::new();
        for op in arguments["ops"].as_array().into_iter().flatten() {
            results.push(match probe.run(&Operation(op.clone())) {
                Ok(value) => json!({ "ok": value }),
                Err(code) => json!({ "err": code }),
            });
        }
        probe.answer.unwrap_or_else(|| Ok(vec![Part::Json(Value::Array(results).to_string())]))
    }
}

#[cfg(target_arch = "wasm32")]
bindings::export!(Component with_types_in bindings);
