//! Components that are small to write and costly to compile.

use crate::Text;
use std::fmt::Write as _;

/// A component that is this module's text and otherwise valid.
fn with(module: &str) -> Vec<u8> {
    Text::valid().with("module", module).component()
}

/// This piece of text so often.
fn repeated(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", piece(index));
        text
    })
}

/// Many small functions.
pub fn many_functions(count: usize) -> Vec<u8> {
    with(&repeated(count, |index| format!("(func (param i64 f64) (result i64) local.get 0 i64.const {index} i64.mul)")))
}

/// One function of so many instructions, all depending on each other.
pub fn huge_function(steps: usize) -> Vec<u8> {
    let body = repeated(steps, |index| {
        format!("local.get {} local.get {} i32.mul local.set {}", index % 7, index % 11, index % 13)
    });
    with(&format!("(func (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) {body})"))
}

/// One function with so many locals that are all alive over many branches.
pub fn many_locals(locals: usize, branches: usize) -> Vec<u8> {
    let declared = "i64 ".repeat(locals);
    let body = repeated(branches, |index| {
        let (a, b) = (index % locals, (index * 31 + 7) % locals);
        format!("local.get {a} i32.wrap_i64 if local.get {b} i64.const 1 i64.add local.set {a} end")
    });
    with(&format!("(func (local {declared}) {body})"))
}

/// One function of blocks in blocks.
pub fn nested_blocks(depth: usize) -> Vec<u8> {
    with(&format!("(func {} {})", "loop ".repeat(depth), "end ".repeat(depth)))
}

/// One function with many jump tables over the same blocks.
pub fn jump_tables(tables: usize, targets: usize) -> Vec<u8> {
    let labels = repeated(targets, |index| (index % 100).to_string());
    let table = format!("block local.get 0 br_table {labels} end\n");
    let (open, close) = ("block ".repeat(101), "end ".repeat(101));
    with(&format!("(func (param i32) {open} {} {close})", table.repeat(tables)))
}

/// Types that double at every level.
pub fn doubling_types(levels: usize) -> Vec<u8> {
    let first = "(type $t0 (tuple u8 u8))";
    let types = repeated(levels, |level| format!("(type $t{} (tuple $t{level} $t{level}))", level + 1));
    Text::valid().with("imports", &format!("{first} {types}")).component()
}

/// Two components that pass each other a value of a type that doubles at every level, so that the
/// engine must write code that copies it.
pub fn doubling_adapter(levels: usize) -> Vec<u8> {
    let types = repeated(levels, |level| format!("(type $t{} (tuple $t{level} $t{level}))", level + 1));
    let types = format!("(type $t0 (list (tuple string u8))) {types} (type $f (func (param \"x\" $t{levels})))");
    Text::valid()
        .with(
            "imports",
            &format!(
                r#"(component $giver {types}
                     (core module $m (memory (export "memory") 1)
                       (func (export "take") (param i32))
                       (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
                     (core instance $i (instantiate $m))
                     (func (export "take") (type $f)
                       (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
                   (component $taker {types}
                     (import "take" (func $take (type $f)))
                     (core module $m (memory (export "memory") 1)
                       (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
                     (core instance $i (instantiate $m))
                     (core func (canon lower (func $take) (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
                   (instance $given (instantiate $giver))
                   (instance (instantiate $taker (with "take" (func $given "take"))))"#
            ),
        )
        .component()
}
