//! What a component declares is read as it is written, and only what is served is accepted: derived again from the
//! sections alone.

use wasmparser::{BinaryReader, ComponentExportSectionReader, ComponentImportSectionReader};

use crate::imports::{Kind, declared};

/// The head of a component.
const HEAD: &[u8] = b"\0asm\x0d\0\x01\0";
/// Longest reason, in bytes.
const LONGEST_REASON: usize = 2_000;

pub fn check(data: &[u8]) {
    for bytes in [data.to_vec(), [HEAD, data].concat()] {
        let names = match declared(&bytes) {
            Ok(names) => names,
            Err(error) => {
                short(&error.to_string());
                continue;
            }
        };
        // What ends in the middle of a section is refused when it is compiled.
        let Some((imports, exports)) = outermost(&bytes) else { continue };
        assert_eq!((&names.imports, &names.exports), (&imports, &exports));
        for kind in [Kind::Tool, Kind::Program] {
            match names.check(kind) {
                Ok(()) => served(kind, &imports, &exports),
                Err(error) => short(&error.to_string()),
            }
        }
    }
}

fn short(reason: &str) {
    let plain = reason.chars().all(|letter| !letter.is_control());
    assert!(plain && reason.len() <= LONGEST_REASON, "{reason:?}");
}

/// The imports and exports in the sections of the outermost component, if these are whole.
fn outermost(bytes: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut reader = BinaryReader::new(&bytes[HEAD.len()..], HEAD.len());
    while !reader.eof() {
        let id = reader.read_u8().ok()?;
        let size = reader.read_var_u32().ok()?;
        let at = reader.original_position();
        let content = BinaryReader::new(reader.read_bytes(size as usize).ok()?, at);
        match id {
            10 => {
                for import in ComponentImportSectionReader::new(content).expect("imports have a number") {
                    imports.push(import.expect("it is an import").name.name.to_owned());
                }
            }
            11 => {
                for export in ComponentExportSectionReader::new(content).expect("exports have a number") {
                    exports.push(export.expect("it is an export").name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Some((imports, exports))
}

fn served(kind: Kind, imports: &[String], exports: &[String]) {
    const TOOLS: &str = "chiton:tool/tools@0.1.0";
    let wasi = |name: &str| {
        let (_, version) = name.strip_prefix("wasi:")?.split_once("@0.2.")?;
        version.parse().ok().filter(|patch: &u8| *patch <= 12)
    };
    for import in imports {
        let ours = import.starts_with("chiton:tool/") && import.ends_with("@0.1.0") && import != TOOLS;
        assert!(ours || wasi(import).is_some(), "{import}");
    }
    let runs = |export: &String| export.starts_with("wasi:cli/run@") && wasi(export).is_some();
    assert!(exports.iter().all(|export| export == TOOLS || runs(export)), "{exports:?}");
    let needed = exports.iter().any(|export| if kind == Kind::Tool { export == TOOLS } else { runs(export) });
    assert!(needed, "{exports:?}");
}
