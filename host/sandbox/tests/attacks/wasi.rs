//! WASI: what links is empty of rights, and what a guest does to it stays inside.

use crate::world::World;
use chiton_hostile::cases::{FOREIGN_IMPORTS, KNOWN_IMPORTS};
use chiton_sandbox::{Access, CallError, FileGrant, LoadError, Verdict};
use serde_json::{Value, json};
use std::net::TcpListener;

#[tokio::test]
async fn wasi_01_there_is_no_environment_and_no_argument() {
    assert!(std::env::vars().count() > 0, "the host has an environment to hide");
    let world = World::new().probing(vec![]).await;
    assert_eq!(world.value(json!({ "op": "env" })).await, json!([]));
    assert_eq!(world.value(json!({ "op": "args" })).await, json!([]));
    assert_eq!(world.value(json!({ "op": "cwd" })).await, Value::Null);
}

#[tokio::test]
async fn wasi_02_standard_input_is_closed_and_no_terminal_is_there() {
    let world = World::new().probing(vec![]).await;
    assert_eq!(world.op(json!({ "op": "stdin" })).await, Ok(Err("closed".to_owned())));
    assert_eq!(world.value(json!({ "op": "terminal" })).await, json!([false, false, false]));
}

#[tokio::test]
async fn wasi_03_without_a_grant_there_is_no_directory() {
    let world = World::new().probing(vec![]).await;
    for tool in ["probe_none", "probe_read", "probe_write"] {
        assert_eq!(world.op_of(tool, json!({ "op": "preopens" })).await, Ok(Ok(json!([]))), "{tool}");
    }
}

/// WASI-03, and the part of NET-22 that needs no grant: every socket call is refused and audited.
#[tokio::test]
async fn wasi_03_sockets_and_name_look_up_are_denied_and_audited_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let here = json!([127, 0, 0, 1]);
    let world = World::new().probing(vec![]).await;
    for op in [
        json!({ "op": "tcp_connect", "address": here, "port": port }),
        json!({ "op": "tcp_listen", "address": here, "port": 0 }),
        json!({ "op": "udp_bind", "address": here, "port": 0 }),
        json!({ "op": "udp_send", "address": here, "port": port, "text": "out" }),
        json!({ "op": "dns", "name": "localhost" }),
    ] {
        world.forget_records();
        assert_eq!(world.op(op.clone()).await, Ok(Err("access-denied".to_owned())), "{op}");
        assert_eq!(world.records(Verdict::Denied).len(), 1, "{op}: {:?}", world.records(Verdict::Denied));
    }
    assert!(listener.accept().is_err(), "somebody connected");
    world.assert_alive().await;
}

#[tokio::test]
async fn wasi_03_capabilities_without_a_grant_are_denied_and_audited_once() {
    let world = World::new().probing(vec![]).await;
    for (op, rule) in [
        (json!({ "op": "fetch", "url": "http://127.0.0.1:9/" }), "network=http://127.0.0.1:9/"),
        (json!({ "op": "storage_get" }), "storage"),
        (json!({ "op": "storage_set" }), "storage"),
        (json!({ "op": "storage_remove" }), "storage"),
        (json!({ "op": "storage_keys" }), "storage"),
        (json!({ "op": "spawn", "argv": ["sh"] }), "effects=runs-programs"),
        (json!({ "op": "schedule_add" }), "schedule=this-chat"),
        (json!({ "op": "schedule_jobs" }), "schedule=this-chat"),
        (json!({ "op": "schedule_remove" }), "schedule=this-chat"),
        (json!({ "op": "send", "text": "out" }), "messaging=this-chat"),
        (json!({ "op": "agent_start" }), "agents=spawn"),
        (json!({ "op": "agent_wait" }), "agents=spawn"),
        (json!({ "op": "agent_cancel" }), "agents=spawn"),
        (json!({ "op": "memory_search", "text": "secret" }), "memory=this-chat"),
        (json!({ "op": "memory_read", "chat": "telegram:1" }), "memory=telegram:1"),
        (json!({ "op": "invoke", "tool": "probe_write" }), "tools"),
        (json!({ "op": "ask", "text": "?" }), "model"),
    ] {
        world.forget_records();
        assert_eq!(world.op(op.clone()).await, Ok(Err(format!("denied: {rule}"))), "{op}");
        let denials = world.records(Verdict::Denied);
        assert_eq!(denials.len(), 1, "{op}: {denials:?}");
        assert_eq!(denials[0].rule, rule, "{op}");
        assert_eq!((&*denials[0].session, &*denials[0].component), ("test:hostile", "probe"));
    }
    assert_eq!(world.value(json!({ "op": "secret", "name": "OPENAI_API_KEY" })).await, json!(false));
    world.assert_alive().await;
}

#[tokio::test]
async fn wasi_03_wasi_http_without_a_grant_is_denied_and_sends_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let world = World::new().probing(vec![]).await;
    let refused = world.op(json!({ "op": "http", "authority": authority })).await;
    let error = refused.unwrap().unwrap_err();
    assert!(error.contains("HttpRequestDenied"), "{error}");
    assert_eq!(world.records(Verdict::Denied).len(), 1);
    assert!(listener.accept().is_err(), "somebody connected");
    world.assert_alive().await;
}

#[tokio::test]
async fn wasi_04_exit_abort_and_panic_end_the_call_and_nothing_else() {
    let world = World::new().probing(vec![]).await;
    for op in [
        json!({ "op": "exit", "ok": true }),
        json!({ "op": "exit", "ok": false }),
        json!({ "op": "panic" }),
        json!({ "op": "unreachable" }),
    ] {
        let ended = world.op(op.clone()).await;
        assert!(matches!(ended, Err(CallError::Trap(_))), "{op}: {ended:?}");
        world.assert_alive().await;
    }
    assert_eq!(world.records(Verdict::Failed).len(), 4, "one record for each");
}

#[tokio::test]
async fn wasi_04_a_failure_of_the_tool_is_told_as_it_is() {
    let world = World::new().probing(vec![]).await;
    for (kind, expected) in [
        ("failed", CallError::Failed("why".to_owned())),
        ("not-found", CallError::NotFound("why".to_owned())),
        ("timed-out", CallError::TimedOut("why".to_owned())),
        ("invalid-arguments", CallError::InvalidArguments("why".to_owned())),
    ] {
        let ended = world.op(json!({ "op": "fail", "kind": kind, "text": "why" })).await;
        assert_eq!(ended, Err(expected));
    }
}

#[tokio::test]
async fn wasi_05_clocks_are_no_finer_than_a_millisecond_and_tell_the_time() {
    let world = World::new().probing(vec![]).await;
    let step = world.value(json!({ "op": "clock_step", "reads": 200_000 })).await;
    assert!(step.is_null() || step.as_u64().unwrap() >= 1_000_000, "{step}");
    let clock = world.value(json!({ "op": "clock" })).await;
    assert_eq!(clock["resolution"], 1_000_000);
    assert_eq!(clock["wall_nanoseconds"].as_u64().unwrap() % 1_000_000, 0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(now - clock["wall_seconds"].as_u64().unwrap() < 60);
}

#[tokio::test]
async fn wasi_06_randomness_never_repeats_between_calls() {
    let world = World::new().probing(vec![]).await;
    for op in [
        json!({ "op": "random", "bytes": 16 }),
        json!({ "op": "random", "bytes": 16, "source": "insecure" }),
        json!({ "op": "seed" }),
    ] {
        let mut seen = Vec::new();
        for tool in ["probe_none", "probe_read", "probe_write", "probe_none"] {
            seen.push(world.op_of(tool, op.clone()).await.unwrap().unwrap().to_string());
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4, "{op}: {seen:?}");
    }
}

/// Run by the test below in a process of its own, whose output it reads.
#[tokio::test]
#[ignore = "a part of wasi_07"]
async fn guest_that_writes_escapes() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let world = World::new().probing(vec![]).await;
    let evil = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2Jevil\u{9b}31m\n";
    world.value(json!({ "op": "stdout", "text": evil })).await;
    world.value(json!({ "op": "stderr", "text": evil })).await;
    world.value(json!({ "op": "log", "text": evil })).await;
    eprintln!("the guest is done");
}

#[test]
fn wasi_07_escapes_of_a_guest_never_reach_the_terminal() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact", "wasi::guest_that_writes_escapes"])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("the guest is done"), "{text}");
    assert!(text.contains("evil"), "log lines are readable: {text}");
    for escape in ["\u{1b}]52", "\u{1b}[2J", "\u{9b}", "\u{7}"] {
        assert!(!text.contains(escape), "{text:?}");
    }
}

/// WASI-08; what a guest can break in its results is in `res_17`.
#[tokio::test]
async fn wasi_08_broken_arguments_of_host_calls_are_traps() {
    let world = World::new().probing(vec![]).await;
    for case in ["discriminant", "pointer", "length", "handle", "drop"] {
        let ended = world.op(json!({ "op": "bad_call", "case": case })).await;
        assert!(matches!(ended, Err(CallError::Trap(_) | CallError::Limit { .. })), "{case}: {ended:?}");
        world.assert_alive().await;
    }
    let ended = world.op(json!({ "op": "poll_empty" })).await;
    assert!(matches!(ended, Err(CallError::Trap(_))), "{ended:?}");
}

#[tokio::test]
async fn wasi_08_times_that_no_clock_can_show_are_errors() {
    let world = World::new();
    let place = world.directory.path().join("room");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("file"), "text").unwrap();
    let world = world.probing(vec![FileGrant::directory(&place, Access::Write).unwrap()]).await;
    for (seconds, nanoseconds) in [(u64::MAX, 0), (1 << 63, 0), (u64::MAX, 999_999_999), (u64::MAX, u32::MAX)] {
        let op = json!({ "op": "utimes", "path": "file", "seconds": seconds, "nanoseconds": nanoseconds });
        let ended = world.op(op.clone()).await;
        assert!(!matches!(ended, Ok(Ok(_))), "{op}: {ended:?}");
    }
    world.value(json!({ "op": "utimes", "path": "file", "seconds": 1_000_000_000 })).await;
    world.assert_alive().await;
}

#[tokio::test]
async fn wasi_09_the_entry_point_of_a_program_is_ignored() {
    let world = World::new();
    let text = chiton_hostile::Text::valid().with(
        "exports",
        r#"(func $run (result (result)) (canon lift (core func $instance "list-tools")))
           (component $command
             (import "run" (func $run (result (result))))
             (export "run" (func $run)))
           (instance $command (instantiate $command (with "run" (func $run))))
           (export "wasi:cli/run@0.2.6" (instance $command))"#,
    );
    world.publish("hostile", text.component()).await.unwrap();
    assert!(world.timed("valid").await.0.result.is_ok());
    let named = world.call("run", json!({})).await.result;
    assert!(matches!(named, Err(CallError::UnknownTool { .. })), "{named:?}");
}

#[tokio::test]
async fn wasi_10_interfaces_that_nothing_serves_are_refused_by_name() {
    let world = World::new();
    for name in
        ["keyvalue", "blobstore", "config", "neural_network", "tls", "http_server", "keyvalue_in_a_served_version"]
    {
        assert!(FOREIGN_IMPORTS.iter().any(|case| case.name == name), "{name}");
        let refused = world.publish("hostile", chiton_hostile::case(name)).await;
        assert!(
            matches!(&refused, Err(LoadError::Import(import)) if import.starts_with("wasi:")),
            "{name}: {refused:?}"
        );
    }
    for case in KNOWN_IMPORTS {
        world.publish("hostile", case.component()).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert!(world.timed("valid").await.0.result.is_ok(), "{}", case.name);
    }
}

/// A tool that lies about its effects: what it does not declare it cannot do.
#[tokio::test]
async fn undeclared_effects_are_rights_not_given() {
    let world = World::new();
    let place = world.directory.path().join("room");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("file"), "text").unwrap();
    let world = world.probing(vec![FileGrant::directory(&place, Access::Write).unwrap()]).await;
    let read = json!({ "op": "read", "path": "file" });
    let write = json!({ "op": "write", "path": "file", "text": "TEXT", "flags": ["write"] });

    assert_eq!(world.op_of("probe_none", read.clone()).await, Ok(Err("no-preopen".to_owned())));
    assert_eq!(world.op_of("probe_none", write.clone()).await, Ok(Err("no-preopen".to_owned())));
    assert_eq!(world.op_of("probe_read", read.clone()).await, Ok(Ok(json!("text"))));
    world.forget_records();
    let refused = world.op_of("probe_read", write.clone()).await.unwrap();
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(world.records(Verdict::Denied).len(), 1, "{:?}", world.records(Verdict::Denied));
    assert_eq!(std::fs::read_to_string(place.join("file")).unwrap(), "text");

    assert_eq!(world.op_of("probe_write", write).await, Ok(Ok(json!(4))));
    assert_eq!(std::fs::read_to_string(place.join("file")).unwrap(), "TEXT");
}
