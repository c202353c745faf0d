//! Hostile edits of the valid component, each with the attack it belongs to.

use crate::Text;

/// One component: regions of the valid one and what stands there instead.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name, unique.
    pub name: &'static str,
    edits: &'static [(&'static str, &'static str)],
}

impl Case {
    /// The component's bytes; they need not be valid.
    pub fn component(&self) -> Vec<u8> {
        self.text().component()
    }

    /// The component's text, for one more edit.
    pub fn text(&self) -> Text {
        self.edits.iter().fold(Text::valid(), |text, (region, edit)| text.with(region, edit))
    }
}

/// All groups.
pub const ALL: &[&[Case]] = &[
    ENDLESS,
    GREEDY,
    BROKEN,
    ENDLESS_AT_LOAD,
    GREEDY_AT_LOAD,
    FOREIGN_IMPORTS,
    KNOWN_IMPORTS,
    WRONG_EXPORTS,
    FEATURES_OFF,
    FEATURES_ON,
];

/// The bytes of the case of this name.
///
/// # Panics
/// When there is none: the caller is misspelt.
pub fn case(name: &str) -> Vec<u8> {
    let found = ALL.iter().copied().flatten().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("no case '{name}'")).component()
}

const fn edit(name: &'static str, edits: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, edits }
}

const LOOP: &str = "(loop $forever (br $forever)) (unreachable)";
/// 62.5 MiB, just below the memory limit of a call.
const LARGE: &str = "(memory (export \"memory\") 1000)";
/// The remaining time of the call as a core function `clock.left`; it needs no memory of the guest.
const CLOCK_IMPORT: &str = r#"
  (import "chiton:tool/call-context@0.1.0" (instance $context (export "remaining-ms" (func (result u64)))))
  (alias export $context "remaining-ms" (func $left))
  (core func $left (canon lower (func $left)))"#;
const CLOCK_MODULE: &str = r#"(import "clock" "left" (func $left (result i64)))"#;
const CLOCK_WITH: &str = r#"(instantiate $guest (with "clock" (instance (export "left" (func $left)))))"#;

/// Load well, and their call never ends by itself.
pub const ENDLESS: &[Case] = &[
    edit("loop", &[("call", LOOP)]),
    edit(
        "tail_calls",
        &[("module", ""), ("call", "(return_call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))")],
    ),
    edit(
        "bulk_memory",
        &[
            ("memory", LARGE),
            (
                "call",
                "(loop $forever
            (memory.fill (i32.const 262144) (i32.const 7) (i32.const 65000000))
            (br $forever))
          (unreachable)",
            ),
        ],
    ),
    edit(
        "br_table",
        &[(
            "call",
            "(loop $forever (block $a (block $b (br_table $a $b $forever (i32.const 9)))) (br $forever)) (unreachable)",
        )],
    ),
    edit(
        "indirect_calls",
        &[
            ("module", "(type $nothing (func)) (table 1 1 funcref) (elem (i32.const 0) $nothing) (func $nothing)"),
            ("call", "(loop $forever (call_indirect (type $nothing) (i32.const 0)) (br $forever)) (unreachable)"),
        ],
    ),
    edit("loop_in_realloc", &[("realloc", LOOP)]),
    edit("loop_in_post_return", &[("post-return", LOOP)]),
    // Harmless while it lists its tools, because then there is more time left.
    edit(
        "loop_in_start_of_a_call",
        &[
            ("imports", CLOCK_IMPORT),
            ("module", CLOCK_MODULE),
            ("instantiate", CLOCK_WITH),
            (
                "start",
                "(func $start
            (loop $forever (br_if $forever (i64.lt_u (call $left) (i64.const 1000)))))
          (start $start)",
            ),
        ],
    ),
];

/// Load well, and their call wants more than it may have.
pub const GREEDY: &[Case] = &[
    edit(
        "memory_growth",
        &[("call", "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)")],
    ),
    edit(
        "growth_of_two_memories",
        &[
            ("memory", "(memory $main (export \"memory\") 4) (memory $other 1)"),
            (
                "call",
                "(drop (memory.grow $main (i32.const 600)))
          (if (i32.eq (memory.grow $other (i32.const 600)) (i32.const -1)) (then (unreachable)))
          (i32.const 96)",
            ),
        ],
    ),
    edit(
        "table_growth",
        &[
            ("module", "(table $t 0 funcref)"),
            (
                "call",
                "(loop $more
            (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
          (unreachable)",
            ),
        ],
    ),
    edit(
        "recursion",
        &[
            ("module", "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))"),
            ("call", "(call $deep (i32.const 0))"),
        ],
    ),
    edit(
        "text_of_60_mib",
        &[("memory", LARGE), ("call", "(i32.store (i32.const 136) (i32.const 62000000)) (i32.const 96)")],
    ),
    edit(
        "two_million_empty_texts",
        &[
            ("memory", LARGE),
            (
                "call",
                "(i32.store (i32.const 100) (i32.const 262144))
          (i32.store (i32.const 104) (i32.const 2000000))
          (i32.const 96)",
            ),
        ],
    ),
    edit(
        "a_thousand_aliases_of_32_mib",
        &[
            ("memory", LARGE),
            (
                "call",
                "(local $at i32)
          (local.set $at (i32.const 262144))
          (i32.store (i32.const 100) (local.get $at))
          (i32.store (i32.const 104) (i32.const 1000))
          (loop $more
            (i32.store offset=4 (local.get $at) (i32.const 524288))
            (i32.store offset=8 (local.get $at) (i32.const 32000000))
            (local.set $at (i32.add (local.get $at) (i32.const 20)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 282144))))
          (i32.const 96)",
            ),
        ],
    ),
    edit(
        "resources_of_its_own",
        &[
            ("imports", "(type $thing (resource (rep i32))) (core func $new (canon resource.new $thing))"),
            ("module", "(import \"thing\" \"new\" (func $new (param i32) (result i32)))"),
            ("instantiate", "(instantiate $guest (with \"thing\" (instance (export \"new\" (func $new)))))"),
            ("call", "(loop $more (drop (call $new (i32.const 0))) (br $more)) (unreachable)"),
        ],
    ),
];

/// Load well, and their call breaks the binary interface.
pub const BROKEN: &[Case] = &[
    edit("unreachable", &[("call", "(unreachable)")]),
    edit("discriminant_of_result", &[("result", "(data (i32.const 96) \"\\07\")")]),
    edit("discriminant_of_part", &[(
        "result",
        "(data (i32.const 96) \"\\00\\00\\00\\00\\80\\00\\00\\00\\01\\00\\00\\00\") (data (i32.const 128) \"\\63\")",
    )]),
    edit("text_that_is_no_utf8", &[(
        "result",
        "(data (i32.const 96) \"\\00\\00\\00\\00\\80\\00\\00\\00\\01\\00\\00\\00\")
         (data (i32.const 128) \"\\00\\00\\00\\00\\a0\\00\\00\\00\\03\\00\\00\\00\") (data (i32.const 160) \"\\ed\\a0\\80\")",
    )]),
    edit("text_of_4_gib", &[(
        "call",
        "(i32.store (i32.const 136) (i32.const -1)) (i32.const 96)",
    )]),
    edit("list_of_4_g_parts", &[(
        "call",
        "(i32.store (i32.const 104) (i32.const -1)) (i32.const 96)",
    )]),
    edit("misaligned_result", &[("call", "(i32.const 97)")]),
    edit("result_outside_memory", &[("call", "(i32.const -16)")]),
    edit("realloc_outside_memory", &[("realloc", "(i32.const -16)")]),
    edit("host_call_in_realloc", &[
        ("imports", CLOCK_IMPORT),
        ("module", CLOCK_MODULE),
        ("instantiate", CLOCK_WITH),
        ("realloc", "(drop (call $left)) (call $bump (local.get $align) (local.get $size))"),
    ]),
    edit("host_call_in_post_return", &[
        ("imports", CLOCK_IMPORT),
        ("module", CLOCK_MODULE),
        ("instantiate", CLOCK_WITH),
        ("post-return", "(drop (call $left))"),
    ]),
    edit("utf16_at_an_odd_place", &[
        ("call options", "string-encoding=utf16"),
        ("call", "(i32.store (i32.const 132) (i32.const 161)) (i32.const 96)"),
    ]),
];

/// Never finish loading by themselves.
pub const ENDLESS_AT_LOAD: &[Case] = &[
    edit("loop_in_start", &[("start", "(func $start (loop $forever (br $forever))) (start $start)")]),
    edit("loop_in_list_tools", &[("list-tools", LOOP)]),
    edit(
        "loop_in_post_return_of_list_tools",
        &[("list-tools options", "(post-return (core func $instance \"post-return\"))"), ("post-return", LOOP)],
    ),
];

/// Want more than they may have before their first call.
pub const GREEDY_AT_LOAD: &[Case] = &[
    edit("memory_of_4_gib", &[("memory", "(memory (export \"memory\") 65536)")]),
    edit("memory_of_512_mib", &[("memory", "(memory (export \"memory\") 8192)")]),
    edit(
        "nine_memories",
        &[(
            "memory",
            "(memory $main (export \"memory\") 4) (memory 1) (memory 1) (memory 1) (memory 1)
             (memory 1) (memory 1) (memory 1) (memory 1)",
        )],
    ),
    edit("table_of_10_million", &[("module", "(table 10000000 funcref)")]),
    edit(
        "recursion_in_start",
        &[(
            "start",
            "(func $deep (result i32) (i32.add (call $deep) (i32.const 1))) (func $start (drop (call $deep))) (start $start)",
        )],
    ),
    edit("list_of_4_g_tools", &[("list", "(data (i32.const 16) \"\\20\\00\\00\\00\\ff\\ff\\ff\\ff\")")]),
    edit(
        "a_million_aliases_of_one_tool",
        &[
            ("memory", LARGE),
            (
                "list-tools",
                "(local $at i32)
          (local.set $at (i32.const 262144))
          (i32.store (i32.const 16) (local.get $at))
          (i32.store (i32.const 20) (i32.const 1000000))
          (loop $more
            (memory.copy (local.get $at) (i32.const 32) (i32.const 28))
            (local.set $at (i32.add (local.get $at) (i32.const 28)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 28262144))))
          (i32.const 16)",
            ),
        ],
    ),
    edit(
        "description_of_60_mib",
        &[("memory", LARGE), ("list-tools", "(i32.store (i32.const 44) (i32.const 62000000)) (i32.const 16)")],
    ),
    edit("tool_name_of_4_gib", &[("list-tools", "(i32.store (i32.const 36) (i32.const -1)) (i32.const 16)")]),
    edit("trap_in_list_tools", &[("list-tools", "(unreachable)")]),
];

/// Import what no component may import.
pub const FOREIGN_IMPORTS: &[Case] = &[
    edit("empty_interface_of_the_contract", &[("imports", r#"(import "chiton:tool/evil@0.1.0" (instance))"#)]),
    edit("empty_interface_of_a_stranger", &[("imports", r#"(import "other:thing/empty" (instance))"#)]),
    edit(
        "function_of_a_stranger",
        &[("imports", r#"(import "other:thing/door@1.0.0" (instance (export "open" (func))))"#)],
    ),
    edit("plain_function", &[("imports", r#"(import "evil" (func))"#)]),
    edit("core_module", &[("imports", r#"(import "code" (core module))"#)]),
    edit("another_component", &[("imports", r#"(import "code" (component))"#)]),
    edit("type_of_a_stranger", &[("imports", r#"(import "thing" (type (sub resource)))"#)]),
    edit("its_own_interface", &[("imports", r#"(import "chiton:tool/tools@0.1.0" (instance))"#)]),
    edit("newer_wasi", &[("imports", r#"(import "wasi:io/streams@0.3.0" (instance))"#)]),
    edit("wasi_of_a_far_major", &[("imports", r#"(import "wasi:io/streams@1.0.0" (instance))"#)]),
    edit("wasi_before_its_release", &[("imports", r#"(import "wasi:io/streams@0.2.0-rc-2023-11-10" (instance))"#)]),
    edit("wasi_without_version", &[("imports", r#"(import "wasi:io/streams" (instance))"#)]),
    edit("newer_contract", &[("imports", r#"(import "chiton:tool/log@9.9.9" (instance))"#)]),
    edit("contract_of_the_next_minor", &[("imports", r#"(import "chiton:tool/log@0.2.0" (instance))"#)]),
    edit("contract_without_version", &[("imports", r#"(import "chiton:tool/log" (instance))"#)]),
    edit("keyvalue", &[("imports", r#"(import "wasi:keyvalue/store@0.2.0-draft" (instance))"#)]),
    edit("blobstore", &[("imports", r#"(import "wasi:blobstore/blobstore@0.2.0-draft" (instance))"#)]),
    edit("config", &[("imports", r#"(import "wasi:config/store@0.2.0-draft" (instance))"#)]),
    edit("neural_network", &[("imports", r#"(import "wasi:nn/graph@0.2.0-rc-2024-10-28" (instance))"#)]),
    edit("tls", &[("imports", r#"(import "wasi:tls/types@0.2.0-draft" (instance))"#)]),
    edit("http_server", &[("imports", r#"(import "wasi:http/incoming-handler@0.2.0" (instance))"#)]),
    edit("keyvalue_in_a_served_version", &[("imports", r#"(import "wasi:keyvalue/store@0.2.0" (instance))"#)]),
];

/// Import what every component may import.
pub const KNOWN_IMPORTS: &[Case] = &[
    edit("oldest_wasi", &[("imports", r#"(import "wasi:io/streams@0.2.0" (instance))"#)]),
    edit("newest_wasi", &[("imports", r#"(import "wasi:cli/environment@0.2.12" (instance))"#)]),
    edit("http_without_a_grant", &[("imports", r#"(import "wasi:http/types@0.2.0" (instance))"#)]),
    edit("log", &[("imports", r#"(import "chiton:tool/log@0.1.0" (instance))"#)]),
    edit("capability_without_a_grant", &[("imports", r#"(import "chiton:tool/messaging@0.1.0" (instance))"#)]),
    // What a part inside imports is served inside, and by nobody else.
    edit(
        "part_with_imports_of_its_own",
        &[(
            "imports",
            r#"(component $inside (import "other:thing/empty" (instance)))
           (instance $nothing)
           (instance (instantiate $inside (with "other:thing/empty" (instance $nothing))))"#,
        )],
    ),
];

/// Export something else than the contract says.
pub const WRONG_EXPORTS: &[Case] = &[
    edit("no_export", &[("export", "")]),
    edit("tools_without_version", &[("export", r#"(export "chiton:tool/tools" (instance $tools))"#)]),
    edit("tools_of_another_version", &[("export", r#"(export "chiton:tool/tools@0.2.0" (instance $tools))"#)]),
    edit(
        "tools_that_are_a_function",
        &[(
            "export",
            r#"(func $number (result u32) (canon lift (core func $instance "list-tools")))
           (export "chiton:tool/tools@0.1.0" (func $number))"#,
        )],
    ),
    edit(
        "tools_without_functions",
        &[("export", r#"(instance $nothing) (export "chiton:tool/tools@0.1.0" (instance $nothing))"#)],
    ),
    edit(
        "tools_of_other_types",
        &[(
            "export",
            r#"(func $number (result u32) (canon lift (core func $instance "list-tools")))
           (instance $numbers (export "list-tools" (func $number)) (export "call" (func $number)))
           (export "chiton:tool/tools@0.1.0" (instance $numbers))"#,
        )],
    ),
    edit(
        "call_of_other_types",
        &[(
            "export",
            r#"(func $number (result u32) (canon lift (core func $instance "list-tools")))
           (alias export $tools "definition" (type $a)) (alias export $tools "part" (type $b))
           (alias export $tools "failure" (type $c)) (alias export $tools "list-tools" (func $list))
           (instance $half (export "definition" (type $a)) (export "part" (type $b)) (export "failure" (type $c))
             (export "list-tools" (func $list)) (export "call" (func $number)))
           (export "chiton:tool/tools@0.1.0" (instance $half))"#,
        )],
    ),
    edit(
        "further_function",
        &[(
            "exports",
            r#"(func $number (result u32) (canon lift (core func $instance "list-tools")))
           (export "further" (func $number))"#,
        )],
    ),
    edit(
        "interface_of_the_host",
        &[("exports", r#"(instance $nothing) (export "wasi:filesystem/types@0.2.6" (instance $nothing))"#)],
    ),
    edit(
        "log_of_the_host",
        &[("exports", r#"(instance $nothing) (export "chiton:tool/log@0.1.0" (instance $nothing))"#)],
    ),
    edit("a_module", &[("exports", r#"(export "code" (core module $guest))"#)]),
];

/// Use a feature of WASM that is off.
pub const FEATURES_OFF: &[Case] = &[
    edit("shared_memory", &[("memory", "(memory $main (export \"memory\") 4) (memory $shared 1 1 shared)")]),
    edit("atomics", &[("module", "(func (drop (i32.atomic.load (i32.const 0))))")]),
    edit("gc", &[("module", "(type $pair (struct (field i32)))")]),
    edit("exceptions", &[("module", "(tag $oops) (func (throw $oops))")]),
    edit(
        "exception_spin",
        &[
            ("module", "(tag $oops)"),
            (
                "call",
                "(loop $forever (block $caught (try_table (catch $oops $caught) (throw $oops))) (br $forever)) (unreachable)",
            ),
        ],
    ),
    edit("memory64", &[("memory", "(memory $main (export \"memory\") 4) (memory $wide i64 1)")]),
    edit("custom_page_sizes", &[("memory", "(memory $main (export \"memory\") 4) (memory $bytes 1 (pagesize 1))")]),
    edit("stack_switching", &[("module", "(type $f (func)) (type $c (cont $f))")]),
    edit(
        "relaxed_simd",
        &[("module", "(func (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_s (local.get 0)))")],
    ),
    edit(
        "wide_arithmetic",
        &[("module", "(func (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0)))")],
    ),
    edit("stream", &[("imports", "(type $bytes (stream u8))")]),
    edit("future", &[("imports", "(type $later (future u8))")]),
    edit("async_call", &[("imports", "(core func $yield (canon thread.yield))")]),
    edit("error_context", &[("imports", "(core func $drop (canon error-context.drop))")]),
];

/// Use features of WASM that are on.
pub const FEATURES_ON: &[Case] = &[
    edit("simd", &[("module", "(func (param v128) (result v128) (i32x4.add (local.get 0) (local.get 0)))")]),
    edit("several_values", &[("module", "(func (result i32 i32) (i32.const 1) (i32.const 2))")]),
    edit("tail_call_that_ends", &[("module", "(func $a) (func (return_call $a))")]),
    edit("two_memories", &[("memory", "(memory $main (export \"memory\") 4) (memory $other 1)")]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_assembles() {
        for group in ALL {
            for case in *group {
                assert!(case.component().starts_with(b"\0asm"), "{}", case.name);
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ALL.iter().flat_map(|group| group.iter()).map(|case| case.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
