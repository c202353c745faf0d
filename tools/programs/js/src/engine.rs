//! A context with the globals of a script, and what runs in it to its end: code, promises, timers.

use crate::host;
use crate::modules::Loader;
use boa_engine::builtins::promise::{OperationType, PromiseState};
use boa_engine::context::{ContextBuilder, HostHooks};
use boa_engine::object::JsObject;
use boa_engine::object::builtins::{JsFunction, JsPromise};
use boa_engine::parser::source::UTF8Input;
use boa_engine::{Context, JsError, JsNativeError, JsResult, JsString, JsValue, Module, Source, js_string};
use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// How deep functions may call each other; the engine's own stack is on the component's.
const MOST_RECURSION: usize = 2_000;
/// Lines that are shown of an error; a runaway recursion has thousands.
const MOST_LINES: usize = 12;

/// The engine with the globals of one script.
pub(crate) struct Engine {
    pub(crate) context: Context,
    hooks: JsObject,
    unhandled: Rc<Unhandled>,
}

impl Engine {
    /// Makes the globals. `arguments` is `process.argv` after the program's own name.
    pub(crate) fn start(arguments: &[String]) -> JsResult<Self> {
        let unhandled = Rc::new(Unhandled::default());
        let loader = Rc::new(Loader::default());
        let built = ContextBuilder::new().host_hooks(Rc::clone(&unhandled)).module_loader(Rc::clone(&loader));
        let mut context = built.build()?;
        context.runtime_limits_mut().set_recursion_limit(MOST_RECURSION);
        let offered = host::offer(arguments, &mut context)?;
        let base = context.eval(Source::from_bytes(include_str!("js/base.js")))?;
        let hooks = function(&base)?.call(&JsValue::undefined(), &[offered.into()], &mut context)?;
        let hooks = hooks.as_object().ok_or_else(|| JsError::from_opaque(js_string!("no hooks").into()))?;
        loader.serve_built_in(hooks.clone());
        Ok(Self { context, hooks, unhandled })
    }

    /// Calls one of the functions that `base.js` gives.
    pub(crate) fn call(&mut self, hook: &str, arguments: &[JsValue]) -> JsResult<JsValue> {
        let hook = self.hooks.get(JsString::from(hook), &mut self.context)?;
        function(&hook)?.call(&JsValue::undefined(), arguments, &mut self.context)
    }

    /// Starts a module; the promise is its end.
    pub(crate) fn begin(&mut self, code: &str, path: &str) -> JsResult<JsPromise> {
        let module = Module::parse(source(code, path), None, &mut self.context)?;
        let promise = module.load_link_evaluate(&mut self.context);
        self.context.run_jobs()?;
        Ok(promise)
    }

    /// Runs promises and timers until nothing is left.
    pub(crate) fn run_to_end(&mut self) -> JsResult<()> {
        loop {
            self.context.run_jobs()?;
            if let Some(reason) = self.unhandled.first() {
                return Err(JsError::from_opaque(reason));
            }
            if !self.tick()? {
                return Ok(());
            }
        }
    }

    /// Runs promises and timers until `promise` has a result.
    pub(crate) fn settle(&mut self, promise: &JsPromise) -> JsResult<JsValue> {
        loop {
            self.context.run_jobs()?;
            match promise.state() {
                PromiseState::Fulfilled(value) => return Ok(value),
                PromiseState::Rejected(reason) => return Err(JsError::from_opaque(reason)),
                PromiseState::Pending if self.tick()? => {}
                PromiseState::Pending => {
                    let lost = JsNativeError::error().with_message("it waits for a promise that nobody can keep");
                    return Err(self.unhandled.first().map_or_else(|| lost.into(), JsError::from_opaque));
                }
            }
        }
    }

    /// Runs the timer that is due next; false when there is none.
    fn tick(&mut self) -> JsResult<bool> {
        Ok(self.call("tick", &[])?.to_boolean())
    }

    /// An error as Node shows it.
    pub(crate) fn report(&mut self, error: &JsError) -> String {
        let native = error.to_string();
        let short = |text: &str| text.lines().take(MOST_LINES).collect::<Vec<_>>().join("\n");
        let Ok(value) = error.clone().into_opaque(&mut self.context) else { return short(&native) };
        let is_error = value.as_object().is_some_and(|object| object.is::<boa_engine::builtins::error::Error>());
        let text = self.call(if is_error { "errorText" } else { "inspect" }, &[value]).ok();
        let text = text.and_then(|text| text.as_string().map(|text| text.to_std_string_lossy())).unwrap_or(native);
        if is_error { short(&text) } else { format!("Uncaught {}", short(&text)) }
    }
}

fn function(value: &JsValue) -> JsResult<JsFunction> {
    let object = value.as_object().and_then(JsFunction::from_object);
    object.ok_or_else(|| JsError::from_opaque(js_string!("not a function").into()))
}

/// A first line for the shell is none for the engine.
pub(crate) fn without_shell_line(code: &str) -> Cow<'_, str> {
    code.strip_prefix("#!").map_or(Cow::Borrowed(code), |rest| Cow::Owned(format!("//{rest}")))
}

/// Code with the name that errors give it.
pub(crate) fn source<'a>(code: &'a str, path: &'a str) -> Source<'a, UTF8Input<&'a [u8]>> {
    Source::from_bytes(code).with_path(Path::new(path))
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
