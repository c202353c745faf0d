//! The import rule: what a component declares is compared with what may link, before anything is
//! compiled. A linker is no such check: it accepts unknown interfaces as long as they are empty.

use crate::LoadError;
use wasmparser::{Encoding, Parser, Payload};

/// Largest component that is accepted, in bytes.
pub const MAX_COMPONENT_BYTES: u64 = 64 << 20;
/// Most imports and exports that are looked at.
const MAX_NAMES: usize = 1_000;
/// The one version of the contract that is served.
pub(crate) const CONTRACT_VERSION: &str = "0.1.0";
/// The newest WASI 0.2 that is served; older 0.2.x are compatible.
const WASI_PATCH: u64 = 12;
/// The export that makes a component a tool.
pub(crate) const TOOLS_EXPORT: &str = "chiton:tool/tools@0.1.0";

/// Interfaces of the contract. Those after `call-context` are refused at run time without a grant.
const CONTRACT_INTERFACES: [&str; 17] = [
    "tool-types",
    "log",
    "progress",
    "call-context",
    "http",
    "storage",
    "secrets",
    "programs",
    "exit-code",
    "schedule",
    "messaging",
    "agents",
    "memory",
    "script",
    "proposals",
    "tools-invoke",
    "model",
];

/// Interfaces of WASI 0.2, all empty of rights.
const WASI_INTERFACES: [&str; 29] = [
    "io/error",
    "io/poll",
    "io/streams",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "random/random",
    "random/insecure",
    "random/insecure-seed",
    "cli/environment",
    "cli/exit",
    "cli/stdin",
    "cli/stdout",
    "cli/stderr",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "cli/terminal-stderr",
    "filesystem/types",
    "filesystem/preopens",
    "sockets/network",
    "sockets/instance-network",
    "sockets/ip-name-lookup",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/udp",
    "sockets/udp-create-socket",
    "http/types",
    "http/outgoing-handler",
];

/// What a component is for, by what it must export.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It exports the tool interface.
    Tool,
    /// It exports `wasi:cli/run`.
    Program,
}

/// The names a component declares at its outermost level.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

/// Reads the declared names without compiling or validating bodies.
pub(crate) fn declared(bytes: &[u8]) -> Result<Declared, LoadError> {
    let malformed = |error: wasmparser::BinaryReaderError| {
        let lines: Vec<String> = error.to_string().lines().map(|line| line.trim().to_owned()).collect();
        LoadError::Malformed(lines.join(" "))
    };
    if !bytes.starts_with(b"\0asm") {
        return Err(LoadError::NotAComponent("it does not start as a WASM file".to_owned()));
    }
    let mut names = Declared::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(LoadError::NotAComponent("it is a core module; build it for wasm32-wasip2".to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.imports.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    names.exports.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
        if names.imports.len() + names.exports.len() > MAX_NAMES {
            return Err(LoadError::Malformed(format!("more than {MAX_NAMES} imports and exports")));
        }
    }
    Ok(names)
}

impl Declared {
    /// Compares the names with the rule.
    pub(crate) fn check(&self, kind: Kind) -> Result<(), LoadError> {
        check(kind, self.imports.iter().map(String::as_str), self.exports.iter().map(String::as_str))
    }
}

fn check<'a>(
    kind: Kind,
    imports: impl Iterator<Item = &'a str>,
    exports: impl Iterator<Item = &'a str>,
) -> Result<(), LoadError> {
    for import in imports {
        check_import(import)?;
    }
    let (mut serves_tools, mut runs) = (false, false);
    for export in exports {
        match export {
            TOOLS_EXPORT => serves_tools = true,
            other if other.starts_with("chiton:tool/tools@") || other == "chiton:tool/tools" => {
                return Err(LoadError::Contract(format!("it exports '{}'", shown(other))));
            }
            // A program's entry point is harmless in a tool: nothing calls it.
            other if is_wasi(other, &["cli/run"]).is_ok() => runs = true,
            other => return Err(LoadError::Export(shown(other))),
        }
    }
    match kind {
        Kind::Tool if !serves_tools => Err(LoadError::Contract("the export is missing".to_owned())),
        Kind::Program if !runs => Err(LoadError::NotAProgram),
        _ => Ok(()),
    }
}

fn check_import(import: &str) -> Result<(), LoadError> {
    if let Some(rest) = import.strip_prefix("chiton:tool/") {
        let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
        if !CONTRACT_INTERFACES.contains(&interface) {
            return Err(LoadError::Import(shown(import)));
        }
        if version != CONTRACT_VERSION {
            return Err(LoadError::ImportVersion { import: shown(import), accepted: CONTRACT_VERSION.to_owned() });
        }
        return Ok(());
    }
    match is_wasi(import, &WASI_INTERFACES) {
        Ok(()) => Ok(()),
        Err(true) => {
            Err(LoadError::ImportVersion { import: shown(import), accepted: format!("0.2.0 to 0.2.{WASI_PATCH}") })
        }
        Err(false) => Err(LoadError::Import(shown(import))),
    }
}

/// Whether `name` is one of the WASI interfaces in a served version; `Err(true)` if only the version is wrong.
fn is_wasi(name: &str, interfaces: &[&str]) -> Result<(), bool> {
    let Some((interface, version)) = name.strip_prefix("wasi:").and_then(|rest| rest.split_once('@')) else {
        return Err(false);
    };
    if !interfaces.contains(&interface) {
        return Err(false);
    }
    let patch = version.strip_prefix("0.2.").ok_or(true)?;
    let canonical = patch == "0" || !patch.starts_with('0');
    match patch.parse::<u64>() {
        Ok(patch) if patch <= WASI_PATCH && canonical => Ok(()),
        _ => Err(true),
    }
}

/// A name from foreign bytes, cut and escaped for people.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(120).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(import: &str) -> bool {
        check(Kind::Tool, [import].into_iter(), [TOOLS_EXPORT].into_iter()).is_err()
    }

    #[test]
    fn only_listed_interfaces_in_served_versions_may_be_imported() {
        for allowed in ["wasi:io/streams@0.2.0", "wasi:http/types@0.2.12", "chiton:tool/log@0.1.0"] {
            assert!(!refused(allowed), "{allowed}");
        }
        for foreign in [
            "wasi:io/streams@0.3.0",
            "wasi:io/streams@0.2.13",
            "wasi:io/streams@0.2.007",
            "wasi:io/streams",
            "wasi:keyvalue/store@0.2.0",
            "chiton:tool/log@0.1.1",
            "chiton:tool/evil@0.1.0",
            "chiton:tool/tools@0.1.0",
            "other:thing/empty",
            "run",
            "",
        ] {
            assert!(refused(foreign), "{foreign}");
        }
    }

    #[test]
    fn exports_are_the_contract_and_nothing_that_could_be_wired_elsewhere() {
        let none = || std::iter::empty();
        assert!(check(Kind::Tool, none(), [TOOLS_EXPORT, "wasi:cli/run@0.2.6"].into_iter()).is_ok());
        assert!(check(Kind::Tool, none(), none()).is_err());
        assert!(check(Kind::Program, none(), ["wasi:cli/run@0.2.6"].into_iter()).is_ok());
        assert!(check(Kind::Program, none(), [TOOLS_EXPORT].into_iter()).is_err());
        assert!(check(Kind::Tool, none(), [TOOLS_EXPORT, "wasi:filesystem/types@0.2.6"].into_iter()).is_err());
        assert!(check(Kind::Tool, none(), ["chiton:tool/tools@0.9.0"].into_iter()).is_err());
    }
}
