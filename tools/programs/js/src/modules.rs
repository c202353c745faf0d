//! ES modules: files beside the script, JSON, and the built-in modules by name.

use boa_engine::module::{ModuleLoader, ModuleRequest, Referrer, SyntheticModuleInitializer};
use boa_engine::object::{JsObject, builtins::JsFunction};
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue, Module, Source, js_string};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

/// Loads modules, each once.
#[derive(Default)]
pub(crate) struct Loader {
    loaded: RefCell<HashMap<PathBuf, Module>>,
    hooks: RefCell<Option<JsObject>>,
}

impl Loader {
    /// Names the object whose function `builtin` gives the built-in modules.
    pub(crate) fn serve_built_in(&self, hooks: JsObject) {
        *self.hooks.borrow_mut() = Some(hooks);
    }

    fn built_in(&self, name: &JsString, context: &mut Context) -> JsResult<Option<JsObject>> {
        let Some(hooks) = self.hooks.borrow().clone() else { return Ok(None) };
        let builtin = hooks.get(js_string!("builtin"), context)?;
        let Some(builtin) = builtin.as_object().and_then(JsFunction::from_object) else { return Ok(None) };
        Ok(builtin.call(&JsValue::undefined(), &[name.clone().into()], context)?.as_object())
    }

    fn load(&self, referrer: &Referrer, name: &JsString, context: &mut Context) -> JsResult<Module> {
        let text = name.to_std_string_lossy();
        let is_path = text.starts_with('/') || text.starts_with("./") || text.starts_with("../");
        if !is_path {
            return match self.built_in(name, context)? {
                Some(object) => exported(object, context),
                None => Err(not_found(&text)),
            };
        }
        let from = referrer.path().and_then(Path::parent).map(Path::to_owned);
        let from =
            from.filter(|from| from.is_absolute()).unwrap_or_else(|| std::env::current_dir().unwrap_or_default());
        let path = normal(&from.join(&text));
        if let Some(module) = self.loaded.borrow().get(&path) {
            return Ok(module.clone());
        }
        let code = std::fs::read_to_string(&path).map_err(|_| not_found(&text))?;
        let code =
            crate::typescript::strip(code.into(), &path).map_err(|text| JsNativeError::syntax().with_message(text))?;
        let module = if path.extension().is_some_and(|ending| ending == "json") {
            Module::parse_json(JsString::from(code.as_ref()), context)?
        } else {
            Module::parse(Source::from_bytes(code.as_ref()).with_path(&path), None, context)?
        };
        self.loaded.borrow_mut().insert(path, module.clone());
        Ok(module)
    }
}

impl ModuleLoader for Loader {
    async fn load_imported_module(
        self: Rc<Self>,
        referrer: Referrer,
        request: ModuleRequest,
        context: &RefCell<&mut Context>,
    ) -> JsResult<Module> {
        self.load(&referrer, request.specifier(), &mut context.borrow_mut())
    }

    fn init_import_meta(self: Rc<Self>, meta: &JsObject, module: &Module, context: &mut Context) {
        if let Some(path) = module.path() {
            let text = |path: &Path| JsString::from(path.to_string_lossy().into_owned());
            let url = JsString::from(format!("file://{}", path.display()));
            let folder = path.parent().map(text).unwrap_or_default();
            for (name, value) in [("url", url), ("filename", text(path)), ("dirname", folder)] {
                // A fresh object takes every property.
                let _ = meta.create_data_property(JsString::from(name), value, context);
            }
        }
    }
}

fn not_found(name: &str) -> boa_engine::JsError {
    JsNativeError::error().with_message(format!("Cannot find module '{name}'")).into()
}

/// A module with the object as its default export and its properties as further ones.
fn exported(object: JsObject, context: &mut Context) -> JsResult<Module> {
    let mut names = vec![js_string!("default")];
    for key in object.own_property_keys(context)? {
        if let PropertyKey::String(name) = key
            && !matches!(name.to_std_string_lossy().as_str(), "length" | "name" | "prototype" | "default")
        {
            names.push(name);
        }
    }
    let all = names.clone();
    let steps = SyntheticModuleInitializer::from_copy_closure_with_captures(
        |module, (object, names): &(JsObject, Vec<JsString>), context| {
            for name in names {
                let value = match name.to_std_string_lossy().as_str() {
                    "default" => object.clone().into(),
                    _ => object.get(name.clone(), context)?,
                };
                module.set_export(name, value)?;
            }
            Ok(())
        },
        (object, all),
    );
    Ok(Module::synthetic(&names, steps, None, None, context))
}

/// The path without `.` and `..`; nothing is looked up.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
