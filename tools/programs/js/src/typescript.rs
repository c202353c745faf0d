//! TypeScript: its types become blanks, so that every line keeps its place. What is more than types (enums, parameter
//! properties, JSX) is refused, as Node refuses it when it strips types.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use swc_common::errors::{DiagnosticBuilder, Emitter, Handler};
use swc_common::sync::Lrc;
use swc_common::{GLOBALS, Globals, SourceMap};
use swc_ts_fast_strip::{Options, operate};

/// The endings of files with types, and whether such a file is a module; `None` leaves it to what is in it.
const ENDINGS: [(&str, Option<bool>); 3] = [("ts", None), ("mts", Some(true)), ("cts", Some(false))];

/// `code` as JavaScript: the same lines, without types if the name of `file` says that there are some. The error has
/// the line and what is wrong with it.
pub(crate) fn strip<'a>(code: Cow<'a, str>, file: &Path) -> Result<Cow<'a, str>, String> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if matches!(ending, "tsx" | "jsx") {
        return Err(format!("{}: JSX cannot be run; compile it to JavaScript first", file.display()));
    }
    let Some((_, module)) = ENDINGS.iter().find(|(known, _)| *known == ending) else { return Ok(code) };
    let map: Lrc<SourceMap> = Lrc::default();
    let first = Rc::new(RefCell::new(None));
    let reader = First { map: Lrc::clone(&map), told: Rc::clone(&first) };
    let handler = Handler::with_emitter(true, false, Box::new(reader));
    let options = Options { module: *module, ..Options::default() };
    let stripped = GLOBALS.set(&Globals::default(), || operate(&map, &handler, code.into_owned(), options));
    stripped.map(|output| Cow::Owned(output.code)).map_err(|error| {
        let told = first.borrow_mut().take();
        let (line, text) = told.unwrap_or_else(|| (String::new(), error.message));
        format!("SyntaxError: {text} ({}{line})", file.display())
    })
}

/// Keeps the first thing that the parser complains about.
struct First {
    map: Lrc<SourceMap>,
    told: Rc<RefCell<Option<(String, String)>>>,
}

impl Emitter for First {
    fn emit(&mut self, diagnostic: &mut DiagnosticBuilder<'_>) {
        let line = diagnostic.span.primary_span().map(|span| format!(":{}", self.map.lookup_char_pos(span.lo()).line));
        self.told.borrow_mut().get_or_insert_with(|| (line.unwrap_or_default(), diagnostic.message()));
    }
}
