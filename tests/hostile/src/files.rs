//! Whole files that are given as a component and are none.

use crate::text::assemble;

/// A core module with the exports of a tool.
pub fn core_module() -> Vec<u8> {
    assemble(
        r#"(module
            (memory (export "memory") 1)
            (func (export "chiton:tool/tools@0.1.0#list-tools") (result i32) (i32.const 0)))"#,
    )
}

/// A command of WASI preview 1.
pub fn preview1_command() -> Vec<u8> {
    assemble(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const 0))))"#,
    )
}

/// A component with nothing in it.
pub fn empty_component() -> Vec<u8> {
    assemble("(component)")
}

/// A component so deep in components that a recursive reader would run out of stack.
pub fn nested_components(depth: usize) -> Vec<u8> {
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    const SECTION: u8 = 4;
    let mut bytes = HEADER.to_vec();
    for _ in 0..depth {
        let mut outer = HEADER.to_vec();
        outer.push(SECTION);
        outer.extend(leb128(bytes.len()));
        outer.extend(&bytes);
        bytes = outer;
    }
    bytes
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// What stands in place of a component by mistake or by malice, with a name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let valid = crate::Text::valid().component();
    let mut reserved = valid.clone();
    reserved[4] = 0x7f;
    vec![
        ("nothing", Vec::new()),
        ("text", b"(component)".to_vec()),
        ("an ELF file", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a magic number", b"\0asm".to_vec()),
        ("another version", reserved),
        ("half a component", valid[..valid.len() / 2].to_vec()),
        ("a component and more", [valid.as_slice(), b"more"].concat()),
        ("a core module", core_module()),
        ("a command of preview 1", preview1_command()),
        ("an empty component", empty_component()),
        ("components in components", nested_components(2_000)),
    ]
}
