//! Libraries that scripts ask for: which of them neither an engine has nor the skill brings.

use crate::package::Package;
use crate::scan::{Line, any};

/// The modules of Python's own library that the engine can import, and those that it adds.
const PYTHON: &str = "__future__ abc argparse array ast asyncio atexit base64 bdb binascii bisect builtins cProfile calendar \
    chiton cmath cmd code codecs codeop collections colorsys compression concurrent configparser contextlib \
    contextvars copy copyreg csv dataclasses datetime decimal difflib dis doctest email encodings enum errno \
    faulthandler fileinput filecmp fnmatch fractions functools gc genericpath getopt getpass gettext glob \
    graphlib gzip hashlib heapq hmac html http importlib inspect io ipaddress itertools json keyword linecache \
    locale logging mailbox marshal math mimetypes modulefinder netrc numbers opcode operator optparse os pathlib \
    pdb pickle pickletools pkgutil platform plistlib posixpath pprint profile pstats py_compile queue quopri \
    random re reprlib requests rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site \
    socket socketserver sqlite3 stat statistics string stringprep struct subprocess symtable sys sysconfig \
    tarfile tempfile textwrap threading time timeit token tokenize tomllib trace traceback tracemalloc types \
    typing unicodedata unittest urllib uuid warnings wave weakref wsgiref xml xmlrpc zipapp zipfile zipimport \
    zlib zoneinfo";
/// The modules of Node that the engine has, and `child_process`, which says itself why there is none.
const JAVASCRIPT: &str = "assert buffer child_process chiton console crypto events fs http https os path process querystring \
    readline timers url util";
/// What texts of several lines are in, in Python.
const TEXT: [&str; 2] = ["\"\"\"", "'''"];
/// What stands before the name of a module in JavaScript.
const REQUIRES: [&str; 4] = ["require(", " from ", "import(", "import "];

/// The libraries that a block of the script at `place` asks for in vain.
pub(crate) fn missing(package: &Package, place: &str, block: &[Line]) -> Vec<String> {
    let is_python = block.first().is_some_and(|line| line.text.starts_with("#!") && line.text.contains("python"));
    let (known, names): (_, fn(&str) -> Vec<&str>) = match place.rsplit_once('.').map(|(_, end)| end) {
        Some("py") => (PYTHON, of_python),
        Some("js" | "mjs" | "cjs" | "ts" | "mts" | "cts") => (JAVASCRIPT, of_javascript),
        _ if is_python => (PYTHON, of_python),
        _ => return Vec::new(),
    };
    let brought = |name: &str| {
        package.files().keys().any(|file| file.split('/').any(|part| part.split('.').next() == Some(name)))
    };
    // What is tried may fail, and what is for the reader of types is not run.
    let unasked = |at: usize| {
        block[..at].last().is_some_and(|before| before.text.trim() == "try:" || before.text.contains("TYPE_CHECKING:"))
    };
    let mut is_text = false;
    let mut is_code = |line: &Line| {
        let was = is_text;
        is_text ^= TEXT.iter().map(|quotes| line.text.matches(quotes).count()).sum::<usize>() % 2 == 1;
        !was && !line.is_comment()
    };
    let lines: Vec<_> = block.iter().enumerate().filter(|(at, line)| is_code(line) && !unasked(*at)).collect();
    let asked = lines.iter().flat_map(|(_, line)| names(line.text));
    asked.filter(|name| !any(known, name) && !brought(name)).map(str::to_owned).collect()
}

fn of_python(line: &str) -> Vec<&str> {
    let first = |module: &str| module.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(module.len());
    let (all, several) = match line.trim_start().split_once(' ') {
        Some(("import", modules)) => (modules, true),
        Some(("from", module)) if module.contains(" import ") => (module, false),
        _ => return Vec::new(),
    };
    let modules = all.split(',').take(if several { usize::MAX } else { 1 }).map(str::trim);
    modules.map(|module| &module[..first(module)]).filter(|name| !name.is_empty()).collect()
}

fn of_javascript(line: &str) -> Vec<&str> {
    let line = line.trim();
    // Elsewhere `from` is a word like any other.
    let imports =
        ["import", "export", "}"].iter().any(|word| line.starts_with(word)) && !line.starts_with("import type ");
    let words = REQUIRES.iter().filter(|word| imports || word.ends_with('('));
    let after = words.flat_map(|word| line.match_indices(word).map(|(at, word)| &line[at + word.len()..]));
    let quoted = after.filter_map(|rest| {
        let quote = rest.chars().next().filter(|quote| "'\"`".contains(*quote))?;
        rest[1..].split_once(quote).map(|(name, _)| name)
    });
    let packages = quoted.map(|name| name.strip_prefix("node:").unwrap_or(name));
    let packages = packages
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@') && !name.contains(':'));
    packages.map(|name| name.split('/').next().unwrap_or(name)).collect()
}

#[cfg(test)]
mod tests {
    use crate::needs::Needs;
    use crate::package::Package;
    use std::fs;

    fn libraries(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("SKILL.md"), "---\nname: one\ndescription: One\n---\n").unwrap();
        for (place, text) in files {
            let path = folder.path().join(place);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Needs::of(&Package::read(folder.path()).unwrap()).libraries.into_iter().collect()
    }

    #[test]
    fn what_no_engine_has_and_the_skill_does_not_bring_is_told() {
        let python = "\"\"\"How:\nimport numpy\n\"\"\"\nif TYPE_CHECKING:\n    import pandas\nimport os, json, docx\nfrom bs4 import BeautifulSoup\nfrom .near import x\nimport helper\n\
            try:\n    import yaml\nexcept ImportError:\n    yaml = None\nimport requests\n# import numpy\n";
        let script = "import axios from 'axios';\nimport { readFile } from 'node:fs/promises';\nconst x = require('./near');\n\
            const pdf = require(\"pdf-lib/esm\");\nimport type { A } from 'types';\nsay(\"word from 'there'\");\n";
        let found = libraries(&[("a.py", python), ("helper.py", "x = 1\n"), ("scripts/b.mjs", script)]);
        assert_eq!(found, ["axios", "bs4", "docx", "pdf-lib"]);
        assert!(libraries(&[("a.py", "from bs4 import x\n"), ("lib/bs4/__init__.py", "")]).is_empty());
    }

    #[test]
    fn instructions_and_shell_scripts_ask_for_no_library() {
        assert!(libraries(&[("more.md", "```python\nimport docx\n```\n"), ("run.sh", "import x\n")]).is_empty());
    }
}
