//! Operations that waste, and operations that break the rules of the binary interface.
//!
//! `spin` never ends · `copy` never ends and lives in bulk-memory instructions · `grow {bytes}` takes memory until
//! refused and gives how much it got · `recurse` without end · `panic` · `unreachable` · `compute {steps}` ends ·
//! `bad_call {case}` a host call with a broken argument: `discriminant`, `pointer`, `length`, `handle`,
//! `drop`.

use crate::{Operation, Outcome};
use serde_json::json;
use std::hint::black_box;

pub(crate) fn run(op: &Operation) -> Option<Outcome> {
    Some(match op.name() {
        "spin" => spin(),
        "copy" => copy(),
        "grow" => Ok(json!(grow(op.number("bytes", u64::MAX)))),
        "recurse" => Ok(json!(recurse(op.number("depth", u64::MAX)))),
        "compute" => Ok(json!((0..op.number("steps", 0)).fold(0u64, |sum, step| black_box(sum ^ step)))),
        "panic" => panic!("as asked"),
        "unreachable" => std::process::abort(),
        "bad_call" => bad_call(op.text("case")),
        _ => return None,
    })
}

fn spin() -> Outcome {
    loop {
        black_box(0);
    }
}

fn copy() -> Outcome {
    let mut data = vec![0u8; 16 << 20];
    loop {
        data.copy_within(0..8 << 20, 8 << 20);
        black_box(&mut data);
    }
}

/// Takes blocks of 1 MiB, touches every page, and keeps them all.
fn grow(bytes: u64) -> u64 {
    const BLOCK: usize = 1 << 20;
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut taken = 0;
    while taken < bytes {
        let mut block: Vec<u8> = Vec::new();
        if block.try_reserve_exact(BLOCK).is_err() || blocks.try_reserve(1).is_err() {
            break;
        }
        block.resize(BLOCK, 1);
        blocks.push(black_box(block));
        taken += BLOCK as u64;
    }
    taken
}

#[allow(unconditional_recursion, reason = "the depth is the attack")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == 0 { 0 } else { recurse(depth - 1) + frame[3] }
}

#[cfg(target_arch = "wasm32")]
fn bad_call(case: &str) -> Outcome {
    #[link(wasm_import_module = "chiton:tool/log@0.1.0")]
    unsafe extern "C" {
        #[link_name = "write"]
        fn raw_log(level: i32, text: usize, length: usize);
    }
    #[link(wasm_import_module = "wasi:io/poll@0.2.12")]
    unsafe extern "C" {
        #[link_name = "[method]pollable.block"]
        fn raw_block(handle: i32);
        #[link_name = "[resource-drop]pollable"]
        fn raw_drop(handle: i32);
    }
    // SAFETY: nothing here touches memory of this component; the host must check every value.
    unsafe {
        match case {
            "discriminant" => raw_log(99, 16, 1),
            "pointer" => raw_log(1, 0xffff_fff0, 64),
            "length" => raw_log(1, 16, usize::MAX),
            "handle" => raw_block(123_456),
            "drop" => raw_drop(123_456),
            _ => return Err("unknown case".to_owned()),
        }
    }
    Ok(json!(null))
}

#[cfg(not(target_arch = "wasm32"))]
fn bad_call(_case: &str) -> Outcome {
    Err("only in a component".to_owned())
}
