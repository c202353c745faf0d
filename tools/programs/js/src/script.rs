//! Runs a script or a module to its end: code, promises, timers.

use crate::arguments::Program;
use crate::host;
use crate::modules::Loader;
use boa_engine::builtins::promise::{OperationType, PromiseState};
use boa_engine::context::{ContextBuilder, HostHooks};
use boa_engine::object::JsObject;
use boa_engine::object::builtins::{JsFunction, JsPromise};
use boa_engine::{Context, JsError, JsResult, JsString, JsValue, Module, Script, Source, js_string};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// The exit code after an error that nobody caught.
const UNCAUGHT: u8 = 1;
/// How deep functions may call each other; the engine's own stack is on the component's.
const MOST_RECURSION: usize = 2_000;

/// Lines that are shown of an error; a runaway recursion has thousands.
const MOST_LINES: usize = 12;

/// Runs the program; the exit code.
pub(crate) fn run(program: Program) -> u8 {
    let unhandled = Rc::new(Unhandled::default());
    let loader = Rc::new(Loader::default());
    let built = ContextBuilder::new().host_hooks(Rc::clone(&unhandled)).module_loader(Rc::clone(&loader)).build();
    let mut context = match built {
        Ok(context) => context,
        Err(error) => {
            eprintln!("js: the engine does not start: {error}");
            return UNCAUGHT;
        }
    };
    context.runtime_limits_mut().set_recursion_limit(MOST_RECURSION);
    let ended = start(&program, &loader, &mut context).and_then(|hooks| {
        let result = evaluate(&program, &hooks, &mut context);
        let ran = result.and_then(|()| run_to_end(&hooks, &unhandled, &mut context));
        match ran {
            Ok(()) => Ok(hooks),
            Err(error) => Err(report(&error, Some(&hooks), &mut context)),
        }
        .map_err(|text| JsError::from_opaque(JsString::from(text).into()))
    });
    let code = match ended {
        Ok(hooks) => {
            let end = call(&hooks, "end", &[], &mut context).and_then(|_| call(&hooks, "exitCode", &[], &mut context));
            end.ok().and_then(|code| code.as_number()).map_or(0, |code| code as i64 as u8)
        }
        Err(error) => {
            host::flush();
            eprintln!("{}", error.as_opaque().map_or_else(|| error.to_string(), shown));
            UNCAUGHT
        }
    };
    host::flush();
    // Dropping the engine's heap would take time for nothing.
    std::process::exit(code.into())
}

fn shown(value: &JsValue) -> String {
    value.as_string().map_or_else(|| value.display().to_string(), |text| text.to_std_string_lossy())
}

/// Makes the globals; gives the functions that the engine calls.
fn start(program: &Program, loader: &Rc<Loader>, context: &mut Context) -> JsResult<JsObject> {
    let offered = host::offer(program, context)?;
    let base = context.eval(Source::from_bytes(include_str!("js/base.js")))?;
    let hooks = function(&base)?.call(&JsValue::undefined(), &[offered.into()], context)?;
    let hooks = hooks.as_object().ok_or_else(|| JsError::from_opaque(js_string!("no hooks").into()))?;
    loader.serve_built_in(hooks.clone());
    Ok(hooks)
}

fn function(value: &JsValue) -> JsResult<JsFunction> {
    let object = value.as_object().and_then(JsFunction::from_object);
    object.ok_or_else(|| JsError::from_opaque(js_string!("not a function").into()))
}

fn call(hooks: &JsObject, name: &str, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let hook = hooks.get(JsString::from(name), context)?;
    function(&hook)?.call(&JsValue::undefined(), arguments, context)
}

fn evaluate(program: &Program, hooks: &JsObject, context: &mut Context) -> JsResult<()> {
    // A first line for the shell is none for the engine.
    let code = match program.code.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => program.code.clone(),
    };
    let path = program.file.clone().unwrap_or_else(|| "[eval]".to_owned());
    if program.is_module || is_module(&code) {
        let module = Module::parse(source(&code, &path), None, context)?;
        if program.check_only {
            return Ok(());
        }
        let promise = module.load_link_evaluate(context);
        context.run_jobs()?;
        return match promise.state() {
            PromiseState::Rejected(reason) => Err(JsError::from_opaque(reason)),
            PromiseState::Pending | PromiseState::Fulfilled(_) => Ok(()),
        };
    }
    if program.check_only {
        return Script::parse(source(&code, &path), None, context).map(drop);
    }
    if let Some(file) = &program.file {
        let arguments = [JsString::from(file.as_str()).into(), JsString::from(code).into()];
        return call(hooks, "run", &arguments, context).map(drop);
    }
    let mut value = context.eval(source(&code, &path))?;
    if program.print {
        // The result of a promise, when it can be had at once.
        context.run_jobs()?;
        if let Some(promise) = value.as_object().and_then(|object| JsPromise::from_object(object.clone()).ok()) {
            match promise.state() {
                PromiseState::Fulfilled(result) => value = result,
                PromiseState::Rejected(reason) => return Err(JsError::from_opaque(reason)),
                PromiseState::Pending => {}
            }
        }
        let text = match value.as_string() {
            Some(text) => text.clone(),
            None => call(hooks, "inspect", &[value], context)?.to_string(context)?,
        };
        host::write(1, &format!("{}\n", text.to_std_string_lossy()));
    }
    Ok(())
}

fn source<'a>(code: &'a str, path: &'a str) -> Source<'a, boa_engine::parser::source::UTF8Input<&'a [u8]>> {
    Source::from_bytes(code).with_path(Path::new(path))
}

/// Whether code has a line that only a module may have. What a comment or a template says may mislead it; then
/// `.mjs`, `.cjs` or `--input-type` tell.
fn is_module(code: &str) -> bool {
    code.lines().any(|line| {
        let line = line.trim_start();
        let import = line.strip_prefix("import").is_some_and(|rest| rest.starts_with([' ', '{', '"', '\'', '*']));
        let export = line.strip_prefix("export").is_some_and(|rest| rest.starts_with([' ', '{', '*']));
        let line_is_await = line.starts_with("await ") || line.starts_with("for await ");
        let bound = ["const ", "let ", "var "].iter().any(|word| line.starts_with(word) && line.contains("= await "));
        // Indented lines are inside of a function.
        import || export || ((line_is_await || bound) && !starts_indented(code, line))
    })
}

fn starts_indented(code: &str, line: &str) -> bool {
    let at = line.as_ptr() as usize - code.as_ptr() as usize;
    at > 0 && !code[..at].ends_with('\n')
}

fn run_to_end(hooks: &JsObject, unhandled: &Unhandled, context: &mut Context) -> JsResult<()> {
    loop {
        context.run_jobs()?;
        if let Some(reason) = unhandled.first() {
            return Err(JsError::from_opaque(reason));
        }
        if !call(hooks, "tick", &[], context)?.to_boolean() {
            return Ok(());
        }
    }
}

/// An error as Node shows it.
fn report(error: &JsError, hooks: Option<&JsObject>, context: &mut Context) -> String {
    let native = error.to_string();
    let short = |text: &str| text.lines().take(MOST_LINES).collect::<Vec<_>>().join("\n");
    let Ok(value) = error.clone().into_opaque(context) else { return short(&native) };
    let is_error = value.as_object().is_some_and(|object| object.is::<boa_engine::builtins::error::Error>());
    let hook = if is_error { "errorText" } else { "inspect" };
    let text = hooks.and_then(|hooks| call(hooks, hook, &[value], context).ok());
    let text = text.and_then(|text| text.as_string().map(|text| text.to_std_string_lossy())).unwrap_or(native);
    if is_error { short(&text) } else { format!("Uncaught {}", short(&text)) }
}

/// Promises that were rejected while nobody listened.
#[derive(Default)]
struct Unhandled {
    promises: RefCell<Vec<JsObject>>,
}

impl Unhandled {
    fn first(&self) -> Option<JsValue> {
        let first = self.promises.borrow().first().cloned()?;
        match JsPromise::from_object(first).ok()?.state() {
            PromiseState::Rejected(reason) => Some(reason),
            PromiseState::Pending | PromiseState::Fulfilled(_) => None,
        }
    }
}

impl HostHooks for Unhandled {
    fn promise_rejection_tracker(
        &self,
        promise: &JsObject<boa_engine::builtins::promise::Promise>,
        operation: OperationType,
        _: &mut Context,
    ) {
        let promise = promise.clone().upcast();
        let mut promises = self.promises.borrow_mut();
        match operation {
            OperationType::Reject => promises.push(promise),
            OperationType::Handle => promises.retain(|one| !JsObject::equals(one, &promise)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_module;

    #[test]
    fn modules_are_known_by_their_lines() {
        assert!(is_module("import fs from 'fs'\n"));
        assert!(is_module("const x = 1;\nexport default x"));
        assert!(is_module("const x = await f();"));
        assert!(!is_module("const important = 1; exports.a = 1; // import x"));
        assert!(!is_module("async function f() {\n  const x = await g();\n}"));
        assert!(!is_module("import('x').then(f)"));
    }
}
