//! RES: whatever a guest wastes, its call ends at a limit and the host goes on.

use crate::world::{GRACE, World, resident_mib};
use chiton_hostile::cases::{BROKEN, ENDLESS, ENDLESS_AT_LOAD};
use chiton_hostile::{Text, bombs};
use chiton_sandbox::{CallError, Limits, LoadError, MAX_COMPONENT_BYTES, Part, Verdict};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_millis(200);

/// RES-01, RES-02: loops of every kind, in call, realloc, post-return and the start of a call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_01_02_endless_guests_end_at_their_time_limit() {
    let world = World::new();
    for case in ENDLESS {
        let component = case.component();
        world.publish("hostile", component).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let mut request = World::request("valid", json!({ "some": "argument" }));
        request.limits = Some(Limits { time: LIMIT, ..Limits::default() });
        let started = Instant::now();
        let outcome = world.sandbox.call(request).await;
        let elapsed = started.elapsed();
        assert_eq!(outcome.result, Err(CallError::Deadline(LIMIT)), "{}", case.name);
        assert!(elapsed >= LIMIT && elapsed < LIMIT + GRACE, "{}: {elapsed:?}", case.name);
        world.assert_alive().await;
    }
    assert_eq!(world.records(Verdict::Limited).len(), ENDLESS.len(), "one record for each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_01_bulk_memory_in_the_probe_ends_at_its_time_limit() {
    let world = World::ending_after(LIMIT.as_millis() as u64).probing(vec![]).await;
    for op in ["spin", "copy"] {
        let started = Instant::now();
        assert_eq!(world.op(json!({ "op": op })).await, Err(CallError::Deadline(LIMIT)), "{op}");
        assert!(started.elapsed() < LIMIT + GRACE, "{op}: {:?}", started.elapsed());
    }
    world.assert_alive().await;
}

#[tokio::test]
async fn res_01_a_long_computation_within_its_limit_is_finished() {
    let world = World::ending_after(10_000).probing(vec![]).await;
    world.value(json!({ "op": "compute", "steps": 20_000_000u64 })).await;
}

/// RES-02: the same while the component is loaded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_02_components_that_never_finish_loading_are_refused_at_the_time_limit() {
    let world = World::ending_after(LIMIT.as_millis() as u64);
    for case in ENDLESS_AT_LOAD {
        let started = Instant::now();
        let refused = world.publish("hostile", case.component()).await;
        assert!(matches!(refused, Err(LoadError::ListTools(_))), "{}: {refused:?}", case.name);
        // Compiling has its own budget and is in this time.
        assert!(started.elapsed() < Duration::from_secs(10), "{}: {:?}", case.name, started.elapsed());
        world.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_03_sleeping_and_polling_end_at_the_time_limit() {
    let world = World::ending_after(LIMIT.as_millis() as u64).probing(vec![]).await;
    for op in [
        json!({ "op": "sleep", "ms": 3_600_000u64 }),
        json!({ "op": "sleep_until_never" }),
        json!({ "op": "poll_never" }),
    ] {
        let started = Instant::now();
        assert_eq!(world.op(op.clone()).await, Err(CallError::Deadline(LIMIT)), "{op}");
        assert!(started.elapsed() < LIMIT + GRACE, "{op}: {:?}", started.elapsed());
    }
    world.assert_alive().await;
}

#[tokio::test]
async fn res_03_a_short_sleep_is_slept() {
    let world = World::new().probing(vec![]).await;
    let started = Instant::now();
    world.value(json!({ "op": "sleep", "ms": 30 })).await;
    assert!(started.elapsed() >= Duration::from_millis(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_03_a_host_that_waits_for_a_slow_reader_ends_at_the_time_limit() {
    let world = World::ending_after(LIMIT.as_millis() as u64).probing(vec![]).await;
    let (progress, _unread) = mpsc::channel(1);
    let mut request =
        World::request("probe_none", json!({ "ops": [{ "op": "progress", "count": 100, "text": "on" }] }));
    request.progress = Some(progress);
    let started = Instant::now();
    let outcome = world.sandbox.call(request).await;
    assert_eq!(outcome.result, Err(CallError::Deadline(LIMIT)));
    assert!(started.elapsed() < LIMIT + GRACE);
    world.assert_alive().await;
}

#[tokio::test]
async fn res_04_memory_within_the_limit_is_given_and_beyond_it_is_not() {
    let world = World::new().probing(vec![]).await;
    let enough = world.value(json!({ "op": "grow", "bytes": 32 << 20 })).await;
    assert_eq!(enough, json!(32 << 20));
    let taken = world.value(json!({ "op": "grow" })).await;
    assert!(taken.as_u64().unwrap() < 64 << 20, "{taken}");
}

/// RES-04, LOC-09: the memory limit is one sum over all components that run, so that the bot leaves memory to others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_04_and_loc_09_all_calls_together_stay_below_the_memory_of_the_sandbox() {
    let world = World::custom(|options| {
        options.cache_dir = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("code");
        options.total_memory = 128 << 20;
    })
    .probing(vec![])
    .await;
    let ops = json!({ "ops": [{ "op": "grow" }, { "op": "sleep", "ms": 300 }] });
    let calls = (0..8).map(|_| world.call("probe_none", ops.clone()));
    let taken: u64 = futures_util::future::join_all(calls)
        .await
        .into_iter()
        .filter_map(|outcome| outcome.result.ok())
        .map(|parts| match parts.as_slice() {
            [Part::Json(text)] => serde_json::from_str::<Value>(text).unwrap()[0]["ok"].as_u64().unwrap(),
            _ => 0,
        })
        .sum();
    assert!(taken > 64 << 20 && taken <= 128 << 20, "{taken}");
    world.assert_alive().await;
}

#[tokio::test]
async fn res_06_recursion_within_the_stack_works() {
    let world = World::new().probing(vec![]).await;
    world.value(json!({ "op": "recurse", "depth": 500 })).await;
    let endless = world.op(json!({ "op": "recurse" })).await;
    assert!(matches!(endless, Err(CallError::Limit { .. } | CallError::Trap(_))), "{endless:?}");
    world.assert_alive().await;
}

#[tokio::test]
async fn res_07_results_up_to_the_output_limit_come_back_whole() {
    let world = World::new().probing(vec![]).await;
    let output = async |bytes: u64, parts: u64| {
        let ops = json!({ "ops": [{ "op": "output", "bytes": bytes, "parts": parts }] });
        world.call("probe_none", ops).await.result
    };
    let whole = output(1 << 20, 1).await.unwrap();
    assert_eq!(whole, [Part::Text("x".repeat(1 << 20))]);
    for (bytes, parts) in [((1 << 20) + 1, 1), (1 << 18, 5), (6 << 20, 1), (30 << 20, 1)] {
        let refused = output(bytes, parts).await;
        assert!(matches!(refused, Err(CallError::Limit { .. })), "{bytes} x {parts}: {:?}", refused.is_ok());
    }
    world.assert_alive().await;
}

#[tokio::test]
async fn res_08_handles_are_counted_and_those_within_the_limit_work() {
    let world = World::new().probing(vec![]).await;
    assert_eq!(world.value(json!({ "op": "pollables", "count": 300 })).await, json!(300));
    let bomb = world.op(json!({ "op": "pollables", "count": 100_000 })).await;
    assert!(matches!(bomb, Err(CallError::Limit { .. })), "{bomb:?}");
    world.assert_alive().await;
}

#[tokio::test]
async fn res_09_ordinary_randomness_output_and_log_are_taken() {
    let world = World::new().probing(vec![]).await;
    assert_eq!(world.value(json!({ "op": "random", "bytes": 4096 })).await["length"], 4096);
    world.value(json!({ "op": "stdout", "bytes": 4096 })).await;
    world.value(json!({ "op": "log", "lines": 10, "length": 100 })).await;
}

#[tokio::test]
async fn res_10_deep_and_huge_arguments_are_refused_before_the_guest_runs() {
    let world = World::new().probing(vec![]).await;
    let deep = (0..100).fold(json!(1), |inside, _| json!([inside]));
    let huge: Value =
        (0..1_000_000).map(|key| (format!("key{key}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    for (name, arguments) in [
        ("deep", json!({ "ops": [], "more": deep })),
        ("many keys", huge),
        ("long", json!({ "ops": [], "more": "x".repeat(2 << 20) })),
        ("no object", json!([1])),
    ] {
        let refused = world.call("probe_none", arguments).await.result;
        assert!(matches!(refused, Err(CallError::InvalidArguments(_))), "{name}: {refused:?}");
    }
    let fine = json!({ "ops": [], "more": (0..40).fold(json!(1), |inside, _| json!([inside])) });
    assert!(world.call("probe_none", fine).await.result.is_ok());
}

#[tokio::test]
async fn res_10_json_of_any_depth_in_a_result_is_only_text() {
    let world = World::new().probing(vec![]).await;
    for text in ["[".repeat(100_000), "1e400".to_owned(), format!("{{{}", "\"a\":{".repeat(50_000))] {
        let ops = json!({ "ops": [{ "op": "raw_output", "kind": "json", "text": text }] });
        let parts = world.call("probe_none", ops).await.result.unwrap();
        assert_eq!(parts, [Part::Json(text)]);
    }
    world.assert_alive().await;
}

/// RES-10: a schema is data of a stranger too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_10_schemas_that_never_end_are_refused_or_end() {
    let doubling = {
        let levels = (0..40).map(|level| {
            let next = json!({ "$ref": format!("#/$defs/l{}", level + 1) });
            (format!("l{level}"), json!({ "allOf": [next, next] }))
        });
        let mut definitions: serde_json::Map<String, Value> = levels.collect();
        definitions.insert("l40".to_owned(), json!({ "type": "object" }));
        json!({ "type": "object", "$ref": "#/$defs/l0", "$defs": definitions })
    };
    let world = World::ending_after(1_000);
    for (name, schema) in [
        ("refers to itself", json!({ "type": "object", "allOf": [{ "$ref": "#" }] })),
        ("doubles", doubling),
        ("pattern", json!({ "type": "object", "properties": { "some": { "pattern": "(a*)*(b{1000}){1000}$" } } })),
        ("foreign reference", json!({ "type": "object", "$ref": "http://127.0.0.1:9/schema.json" })),
        ("file reference", json!({ "type": "object", "$ref": "file:///etc/passwd" })),
    ] {
        let tool = chiton_hostile::Tool { parameters: schema.to_string(), ..chiton_hostile::Tool::named("valid") };
        let bytes = Text::valid().tools(&[tool]).component();
        let started = Instant::now();
        if world.publish("hostile", bytes).await.is_ok() {
            let (_, elapsed) = world.timed("valid").await;
            assert!(elapsed < Duration::from_secs(1) + GRACE, "{name}: {elapsed:?}");
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{name}: {:?}", started.elapsed());
        world.sandbox.unload("hostile");
        world.assert_alive().await;
    }
}

/// Loads bombs while a healthy tool is called, and gives what became of each.
async fn load_beside_calls(world: &World, bombs: Vec<(&str, Vec<u8>)>) -> Vec<Result<(), LoadError>> {
    world.assert_alive().await;
    let mut outcomes = Vec::new();
    for (name, bytes) in bombs {
        let mut loading = std::pin::pin!(world.sandbox.load(bytes));
        let outcome = loop {
            tokio::select! {
                outcome = &mut loading => break outcome,
                () = tokio::time::sleep(Duration::from_millis(500)) => {
                    let (healthy, elapsed) = world.timed("healthy").await;
                    assert!(healthy.result.is_ok() && elapsed < GRACE, "{name}: {elapsed:?}");
                }
            }
        };
        outcomes.push(outcome.map(drop));
        world.assert_alive().await;
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_11_what_is_costly_to_compile_is_compiled_while_others_are_served() {
    let world = World::new();
    let costly = vec![
        ("many functions", bombs::many_functions(10_000)),
        ("a huge function", bombs::huge_function(50_000)),
        ("locals", bombs::many_locals(1_000, 2_000)),
        ("nesting", bombs::nested_blocks(2_000)),
        ("jump tables", bombs::jump_tables(200, 1_000)),
        ("doubling adapters", bombs::doubling_adapter(10)),
    ];
    for outcome in load_beside_calls(&world, costly).await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[tokio::test]
async fn res_11_types_that_double_without_end_are_refused() {
    let world = World::new();
    let started = Instant::now();
    let refused = world.publish("hostile", bombs::doubling_types(40)).await;
    assert!(matches!(refused, Err(LoadError::Malformed(_))), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    world.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: the compiler uses up its whole budget"]
async fn res_11_bombs_beyond_the_budget_are_refused_while_others_are_served() {
    let world = World::new();
    let bombs = vec![("locals", bombs::many_locals(20_000, 20_000)), ("nesting", bombs::nested_blocks(100_000))];
    for outcome in load_beside_calls(&world, bombs).await {
        assert!(matches!(outcome, Err(LoadError::Compile(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn res_12_a_component_of_500_mib_is_refused_by_its_size_alone() {
    let world = World::new();
    let before = resident_mib();
    let started = Instant::now();
    let refused = world.sandbox.load(vec![0; 500 << 20]).await;
    assert!(matches!(refused, Err(LoadError::TooLarge { limit: MAX_COMPONENT_BYTES, .. })), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(resident_mib() < before + 16, "its bytes were touched");
    assert_eq!(world.records(Verdict::Refused).len(), 1);
    world.assert_alive().await;
}

/// RES-13: one component has its share of places; the others are served meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_13_a_thousand_calls_of_one_component_leave_room_for_others() {
    let world = World::ending_after(20_000).probing(vec![]).await;
    world.assert_alive().await;
    let ops = json!({ "ops": [{ "op": "sleep", "ms": 20 }] });
    let calls = futures_util::future::join_all((0..1_000).map(|_| world.call("probe_none", ops.clone())));
    let others = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let (outcome, elapsed) = world.timed("healthy").await;
            assert!(outcome.result.is_ok(), "{outcome:?}");
            assert!(elapsed < GRACE, "{elapsed:?}");
        }
    };
    let (outcomes, ()) = tokio::join!(calls, others);
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    assert_eq!(failed, 0, "further calls wait, they do not fail");
}

/// RES-13: instances with many memories and tables must not use up what others need.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_13_instances_with_all_they_may_have_leave_room_for_others() {
    let parts = |count: usize, module: &str| -> String {
        (0..count)
            .map(|part| format!("(core module $more{part} {module}) (core instance (instantiate $more{part})) "))
            .collect()
    };
    let candidates = [
        Text::valid().with("imports", &parts(3, "(memory 1)")),
        Text::valid().with("imports", &parts(2, &"(table 1 funcref) ".repeat(8))),
        Text::valid().with("imports", &parts(31, "")),
    ];
    let world = World::ending_after(1_000);
    world.assert_alive().await;
    for (index, text) in candidates.into_iter().enumerate() {
        let bytes = text.with("call", "(loop $forever (br $forever)) (unreachable)").component();
        world.publish("hostile", bytes).await.unwrap_or_else(|error| panic!("candidate {index}: {error}"));
        let calls = futures_util::future::join_all((0..64).map(|_| world.timed("valid")));
        let other = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            world.timed("healthy").await.0.result
        };
        let (outcomes, healthy) = tokio::join!(calls, other);
        assert!(healthy.is_ok(), "candidate {index}: {healthy:?}");
        for (outcome, _) in outcomes {
            assert!(matches!(outcome.result, Err(CallError::Deadline(_))), "candidate {index}: {:?}", outcome.result);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_13_a_cancelled_call_ends_at_once_and_gives_its_place_back() {
    let world = World::new().probing(vec![]).await;
    for op in ["spin", "poll_never"] {
        let request = World::request("probe_none", json!({ "ops": [{ "op": op }] }));
        let cancel = request.cancel.clone();
        let call = world.sandbox.call(request);
        let stop = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            cancel.cancel();
            Instant::now()
        };
        let (outcome, cancelled) = tokio::join!(call, stop);
        assert_eq!(outcome.result, Err(CallError::Cancelled), "{op}");
        assert!(cancelled.elapsed() < GRACE, "{op}: {:?}", cancelled.elapsed());
    }
    assert_eq!(world.records(Verdict::Cancelled).len(), 2);
    world.assert_alive().await;
}

#[tokio::test]
async fn res_14_streams_and_pollables_dropped_half_way_are_freed() {
    let world = World::new();
    let place = world.directory.path().join("room");
    std::fs::create_dir(&place).unwrap();
    let grant = chiton_sandbox::FileGrant::directory(&place, chiton_sandbox::Access::Write).unwrap();
    let world = world.probing(vec![grant]).await;
    let ops: Vec<Value> = (0..400)
        .flat_map(|_| {
            [json!({ "op": "dangle", "path": "half", "bytes": 1024 }), json!({ "op": "poll_drop", "ms": 60_000 })]
        })
        .collect();
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    let parts = world.call("probe_write", json!({ "ops": ops })).await.result.unwrap();
    let [Part::Json(results)] = parts.as_slice() else { panic!("{parts:?}") };
    assert!(!results.contains("err"), "{results}");
    assert!(descriptors() < before + 8, "descriptors stay open");
    world.assert_alive().await;
}

/// RES-17, RES-06, WASI-08: a broken instance never harms the next one.
#[tokio::test]
async fn res_17_traps_of_every_kind_are_errors_of_that_call_alone() {
    let world = World::new();
    for case in BROKEN {
        world.publish("hostile", case.component()).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        for _ in 0..3 {
            let (outcome, _) = world.timed("valid").await;
            assert!(
                matches!(outcome.result, Err(CallError::Trap(_) | CallError::Limit { .. })),
                "{}: {:?}",
                case.name,
                outcome.result
            );
        }
        world.assert_alive().await;
    }
}

#[tokio::test]
async fn res_17_memory_of_an_earlier_call_is_never_seen_again() {
    let world = World::new();
    // The guest answers what it finds in memory that it never wrote, and leaves a mark there.
    let nosy = Text::valid()
        .with("memory", "(memory (export \"memory\") 64)")
        .with(
            "call",
            "(i32.store (i32.const 132) (i32.const 3000000))
             (i32.store (i32.const 136) (i32.const 1000))
             (i32.store8 (i32.const 131071) (i32.load8_u (i32.const 3000000)))
             (memory.copy (i32.const 200000) (i32.const 3000000) (i32.const 1000))
             (i32.store (i32.const 132) (i32.const 200000))
             (memory.fill (i32.const 3000000) (i32.const 65) (i32.const 1000))
             (i32.const 96)",
        )
        .component();
    world.publish("hostile", nosy).await.unwrap();
    for _ in 0..200 {
        let (outcome, _) = world.timed("valid").await;
        assert_eq!(outcome.result.unwrap(), [Part::Text("\0".repeat(1000))]);
    }
}

#[tokio::test]
async fn limits_of_a_call_are_never_above_the_ceiling() {
    let world = World::ending_after(100).probing(vec![]).await;
    let mut request = World::request("probe_none", json!({ "ops": [{ "op": "spin" }] }));
    request.limits = Some(Limits { time: Duration::from_secs(60), ..Limits::default() });
    let outcome = world.sandbox.call(request).await;
    assert_eq!(outcome.result, Err(CallError::Deadline(Duration::from_millis(100))));
    let lower = Limits { time: Duration::from_millis(20), ..Limits::default() };
    let mut request = World::request("probe_none", json!({ "ops": [{ "op": "spin" }] }));
    request.limits = Some(lower);
    let outcome = world.sandbox.call(request).await;
    assert_eq!(outcome.result, Err(CallError::Deadline(Duration::from_millis(20))));
}
