//! The tools of a script: the host hands over its source, and every listing and every call runs it afresh.

use crate::engine::{self, Engine};
use crate::{host, typescript};
use boa_engine::object::builtins::{JsArray, JsPromise};
use boa_engine::{JsError, JsNativeError, JsResult, JsString, JsValue};
use chiton_sdk::bindings::chiton::tool::script;
use chiton_sdk::{Blob, Definition, Effects, Failure, Part, call};
use std::path::Path;

/// Puts a text into one case of a failure.
type Case = fn(String) -> Failure;

/// The cases of a failure, as `tool.js` names them.
const FAILURES: [(&str, Case); 5] = [
    ("invalid-arguments", Failure::InvalidArguments),
    ("denied", Failure::Denied),
    ("not-found", Failure::NotFound),
    ("timed-out", Failure::TimedOut),
    ("failed", Failure::Failed),
];

/// The tools that the script declares, or what is wrong with it.
pub(crate) fn list() -> Result<Vec<Definition>, String> {
    let mut script = Script::start()?;
    let listed = script.evaluate().and_then(|()| script.definitions());
    match listed {
        Ok(definitions) if definitions.is_empty() => Err(format!(
            "{} has no tool; import {{ tool }} from \"chiton\" and call tool({{ name, description }}, handler)",
            script.name
        )),
        Ok(definitions) => Ok(definitions),
        Err(error) => Err(match script.failure(&error) {
            (kind, grant) if kind == "denied" => format!("the top of {} needs {grant}, and has no rights", script.name),
            (_, text) => text,
        }),
    }
}

/// Runs a tool of the script.
pub(crate) fn call(name: &str, arguments: &str) -> Result<Vec<Part>, Failure> {
    let mut script = Script::start().map_err(Failure::Failed)?;
    let answered = script.evaluate().and_then(|()| script.answer(name, arguments));
    answered.map_err(|error| {
        let (kind, text) = script.failure(&error);
        let case = FAILURES.iter().find(|(name, _)| *name == kind);
        case.map_or(Failure::Failed(text.clone()), |(_, failure)| failure(text))
    })
}

/// The script of this call, in an engine of its own.
struct Script {
    engine: Engine,
    name: String,
    text: String,
}

impl Script {
    fn start() -> Result<Self, String> {
        let script::File { name, text } = script::source().ok_or("the host gave this engine no script to run")?;
        let text = typescript::strip(engine::without_shell_line(&text), Path::new(&name))?.into_owned();
        host::print_to_log();
        if let Some(first) = call::mounts().first() {
            // What cannot be entered cannot be read either, and says so then.
            let _ = std::env::set_current_dir(&first.path);
        }
        let arguments = std::slice::from_ref(&name);
        let engine = Engine::start(arguments).map_err(|error| format!("the engine does not start: {error}"))?;
        Ok(Self { engine, name, text })
    }

    fn evaluate(&mut self) -> JsResult<()> {
        let promise = self.engine.begin(&self.text, &self.name)?;
        self.engine.settle(&promise).map(drop)
    }

    fn definitions(&mut self) -> JsResult<Vec<Definition>> {
        let listed = self.engine.call("listTools", &[])?;
        let rows = self.items(&listed)?;
        rows.iter().map(|row| self.definition(row)).collect()
    }

    fn definition(&mut self, row: &JsValue) -> JsResult<Definition> {
        let [name, description, parameters, effects] = self.fields(row)?;
        let bits = effects.to_u32(&mut self.engine.context)?;
        Ok(Definition {
            name: self.text_of(&name)?,
            description: self.text_of(&description)?,
            parameters: self.text_of(&parameters)?,
            effects: Effects::from_bits_truncate(u8::try_from(bits).unwrap_or_default()),
        })
    }

    fn answer(&mut self, name: &str, arguments: &str) -> JsResult<Vec<Part>> {
        let promise = self.engine.call("callTool", &[JsString::from(name).into(), JsString::from(arguments).into()])?;
        let promise = promise.as_object().ok_or_else(malformed)?;
        let answer = self.engine.settle(&JsPromise::from_object(promise.clone())?)?;
        let rows = self.items(&answer)?;
        rows.iter().map(|row| self.part(row)).collect()
    }

    fn part(&mut self, row: &JsValue) -> JsResult<Part> {
        let [kind, content, mime, _] = self.fields(row)?;
        let kind = self.text_of(&kind)?;
        if let "text" | "json" = kind.as_str() {
            let text = self.text_of(&content)?;
            return Ok(if kind == "text" { Part::Text(text) } else { Part::Json(text) });
        }
        let data = host::bytes(&[content], 0, &mut self.engine.context)?;
        let blob = Blob { mime: self.text_of(&mime)?, data };
        Ok(if kind == "image" { Part::Image(blob) } else { Part::File(blob) })
    }

    /// Which case of the contract an error is, and its sentence.
    fn failure(&mut self, error: &JsError) -> (String, String) {
        let told = self.told(error).ok();
        told.unwrap_or_else(|| ("failed".to_owned(), self.engine.report(error)))
    }

    fn told(&mut self, error: &JsError) -> JsResult<(String, String)> {
        let thrown = error.clone().into_opaque(&mut self.engine.context)?;
        let told = self.engine.call("failureOf", &[thrown, JsString::from(self.name.as_str()).into()])?;
        let [kind, text, ..] = self.fields(&told)?;
        Ok((self.text_of(&kind)?, self.text_of(&text)?))
    }

    fn text_of(&mut self, value: &JsValue) -> JsResult<String> {
        Ok(value.to_string(&mut self.engine.context)?.to_std_string_lossy())
    }

    fn items(&mut self, list: &JsValue) -> JsResult<Vec<JsValue>> {
        let list = JsArray::from_object(list.as_object().ok_or_else(malformed)?.clone())?;
        let context = &mut self.engine.context;
        (0..list.length(context)?).map(|index| list.get(index, context)).collect()
    }

    /// The items of a list of four or less.
    fn fields(&mut self, row: &JsValue) -> JsResult<[JsValue; 4]> {
        let mut items = self.items(row)?.into_iter();
        Ok(std::array::from_fn(|_| items.next().unwrap_or_default()))
    }
}

fn malformed() -> JsError {
    JsNativeError::typ().with_message("the engine's own scripts gave something else than was agreed").into()
}
