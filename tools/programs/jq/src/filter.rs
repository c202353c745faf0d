//! Compiles filters, with everything that they can call.

use crate::creating;
use crate::inputs::Inputs;
use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, Error as LoadError, File, Loader, parse, span};
use jaq_core::native::{run, v};
use jaq_core::{DataT, Error, Filter, Lut, compile::Compiler, data::HasLut};
use jaq_json::Val;
use jaq_std::input::{self, HasInputs};

/// Functions of jq that the crates leave out.
const MISSING: &str = include_str!("missing.jq");

/// The name of the filter among the definitions.
const MAIN: &str = "_main";

/// What native functions can see.
pub(crate) struct Data<'a> {
    pub(crate) lut: &'a Lut<Kind>,
    pub(crate) inputs: input::Inputs<'a, Val>,
    pub(crate) name: &'a Inputs<'a>,
}

/// The kind of data that filters work on.
pub(crate) struct Kind;

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = &'a Data<'a>;
}

impl<'a> HasLut<'a, Kind> for &'a Data<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

impl<'a> HasInputs<'a, Val> for &'a Data<'a> {
    fn inputs(&self) -> input::Inputs<'a, Val> {
        self.inputs
    }
}

/// Compiles a filter that may use the given variables; the errors are sentences.
pub(crate) fn compile(code: &str, variables: &[String]) -> Result<Filter<Kind>, Vec<String>> {
    let arena = Arena::default();
    let own = parse(MISSING, |parser| parser.defs()).unwrap_or_default();
    let mut definitions: Vec<_> = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(own).collect();
    let mut main = code;
    // A filter that does not parse goes to the loader as it is, which says what is wrong.
    if let Some(mut body) = parse(code, |parser| parser.term()) {
        creating::rewrite(&mut body);
        definitions.push(Def { name: MAIN, args: Vec::new(), body });
        main = MAIN;
    }
    let modules = Loader::new(definitions)
        .load(&arena, File { path: (), code: main })
        .map_err(|errors| errors.iter().flat_map(|(file, error)| load_errors(file.code, error)).collect::<Vec<_>>())?;
    let name = run::<Kind>(("input_filename", v(0), |cv| {
        let file = cv.0.data().name.file();
        let value = file.map_or(Val::Null, |file| Val::utf8_str(file.to_string_lossy().into_owned()));
        Box::new(std::iter::once(Ok(value)))
    }));
    let functions = jaq_core::funs::<Kind>()
        .chain(jaq_std::funs::<Kind>())
        .chain(jaq_json::funs())
        .chain(input::funs::<Kind>().into_vec().into_iter().map(run::<Kind>))
        .chain([name]);
    Compiler::default()
        .with_funs(functions)
        .with_global_vars(variables.iter().map(String::as_str))
        .compile(modules)
        .map_err(|errors| {
            let sentences = errors.iter().flat_map(|(_, errors)| errors).map(|(name, undefined)| match undefined {
                jaq_core::compile::Undefined::Filter(arity) => format!("{name}/{arity} is not defined"),
                other => format!("{name} is not defined ({})", other.as_str()),
            });
            sentences.collect()
        })
}

fn load_errors(code: &str, error: &LoadError<&str>) -> Vec<String> {
    let place = |found: &str| match found {
        "" => "at the end of the filter".to_owned(),
        found => {
            let shown: String = found.chars().take(20).collect();
            format!("at byte {}: {shown}", span(code, found).start)
        }
    };
    match error {
        LoadError::Io(errors) => errors.iter().map(|(path, error)| format!("module {path}: {error}")).collect(),
        LoadError::Lex(errors) => errors
            .iter()
            .map(|(expected, found)| format!("syntax error, expected {} {}", expected.as_str(), place(found)))
            .collect(),
        LoadError::Parse(errors) => errors
            .iter()
            .map(|(expected, found)| format!("syntax error, expected {} {}", expected.as_str(), place(found)))
            .collect(),
    }
}

/// The text of an error: its message if it is a string, else as jq shows it.
pub(crate) fn message(error: Error<Val>) -> String {
    match error.into_val() {
        Val::TStr(text) => String::from_utf8_lossy(&text).into_owned(),
        other => format!("{other} (not a string)"),
    }
}

/// Sends what `debug` says to standard error.
pub(crate) fn show_debug_messages() {
    struct Debug;
    impl log::Log for Debug {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            eprintln!("[\"DEBUG:\",{}]", record.args());
        }
        fn flush(&self) {}
    }
    if log::set_logger(&Debug).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_added_functions_parse() {
        assert!(parse(MISSING, |parser| parser.defs()).is_some_and(|functions| functions.len() > 20));
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(
            compile(".a |", &[]).err().unwrap_or_default(),
            ["syntax error, expected term at the end of the filter"]
        );
        assert_eq!(compile("nothing(1)", &[]).err().unwrap_or_default(), ["nothing/1 is not defined"]);
    }
}
