//! The program `js`: runs a script or a module to its end.

use crate::arguments::Program;
use crate::engine::{Engine, source, without_shell_line};
use crate::{host, typescript};
use boa_engine::builtins::promise::PromiseState;
use boa_engine::object::builtins::JsPromise;
use boa_engine::{JsError, JsResult, JsString, Module, Script};
use std::path::Path;

/// The exit code after an error that nobody caught.
pub(crate) const UNCAUGHT: u8 = 1;

/// Runs the program; the exit code.
pub(crate) fn run(program: Program) -> u8 {
    let mut engine = match Engine::start(&program.arguments) {
        Ok(engine) => engine,
        Err(error) => {
            eprintln!("js: the engine does not start: {error}");
            return UNCAUGHT;
        }
    };
    let code = match evaluate(&program, &mut engine).and_then(|()| engine.run_to_end()) {
        Ok(()) => {
            let end = engine.call("end", &[]).and_then(|_| engine.call("exitCode", &[]));
            end.ok().and_then(|code| code.as_number()).map_or(0, |code| code as i64 as u8)
        }
        Err(error) => {
            let text = engine.report(&error);
            host::flush();
            eprintln!("{text}");
            UNCAUGHT
        }
    };
    host::flush();
    // Dropping the engine's heap would take time for nothing.
    std::process::exit(code.into())
}

fn evaluate(program: &Program, engine: &mut Engine) -> JsResult<()> {
    let path = program.file.clone().unwrap_or_else(|| "[eval]".to_owned());
    let code = typescript::strip(without_shell_line(&program.code), Path::new(&path))
        .map_err(|text| JsError::from_opaque(JsString::from(text).into()))?;
    if program.check_only {
        return check(&code, &path, program.is_module, engine);
    }
    if program.is_module || is_module(&code) {
        return match engine.begin(&code, &path)?.state() {
            PromiseState::Rejected(reason) => Err(JsError::from_opaque(reason)),
            PromiseState::Pending | PromiseState::Fulfilled(_) => Ok(()),
        };
    }
    if let Some(file) = &program.file {
        let arguments = [JsString::from(file.as_str()).into(), JsString::from(code.as_ref()).into()];
        return engine.call("run", &arguments).map(drop);
    }
    let mut value = engine.context.eval(source(&code, &path))?;
    if program.print {
        // The result of a promise, when it can be had at once.
        engine.context.run_jobs()?;
        if let Some(promise) = value.as_object().and_then(|object| JsPromise::from_object(object.clone()).ok()) {
            match promise.state() {
                PromiseState::Fulfilled(result) => value = result,
                PromiseState::Rejected(reason) => return Err(JsError::from_opaque(reason)),
                PromiseState::Pending => {}
            }
        }
        let text = match value.as_string() {
            Some(text) => text.clone(),
            None => engine.call("inspect", &[value])?.to_string(&mut engine.context)?,
        };
        host::write(1, &format!("{}\n", text.to_std_string_lossy()));
    }
    Ok(())
}

fn check(code: &str, path: &str, is_known_module: bool, engine: &mut Engine) -> JsResult<()> {
    if is_known_module || is_module(code) {
        return Module::parse(source(code, path), None, &mut engine.context).map(drop);
    }
    Script::parse(source(code, path), None, &mut engine.context).map(drop)
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
