//! CMP: which bytes are loaded, under which names, and what they may ask for.

use crate::world::World;
use chiton_hostile::cases::{FEATURES_OFF, FEATURES_ON, FOREIGN_IMPORTS, KNOWN_IMPORTS, WRONG_EXPORTS};
use chiton_hostile::{Text, Tool, case, files, tool};
use chiton_sandbox::{Access, CallError, Digest, FileGrant, Grants, LoadError, Part, Verdict};
use serde_json::json;

fn listing(tools: &[Tool]) -> Vec<u8> {
    Text::valid().tools(tools).component()
}

/// CMP-01, CMP-02: names that nothing serves, an empty interface too, and versions that are not served.
#[tokio::test]
async fn cmp_01_02_foreign_imports_are_refused_by_name_before_anything_is_compiled() {
    let world = World::new();
    for case in FOREIGN_IMPORTS {
        let refused = world.publish("hostile", case.component()).await.err();
        let Some(LoadError::Import(_) | LoadError::ImportVersion { .. }) = refused else {
            panic!("{}: {refused:?}", case.name);
        };
    }
    assert_eq!(world.records(Verdict::Refused).len(), FOREIGN_IMPORTS.len(), "one record for each");
    assert_eq!(world.sandbox.snapshot().iter().count(), 0);
    world.assert_alive().await;
}

#[tokio::test]
async fn cmp_02_a_refused_version_is_answered_with_the_versions_that_are_accepted() {
    let world = World::new();
    for (name, accepted) in [("newer_wasi", "0.2.0 to 0.2.12"), ("newer_contract", "0.1.0")] {
        let refused = world.publish("hostile", case(name)).await.unwrap_err().to_string();
        assert!(refused.contains(accepted), "{refused}");
    }
}

#[tokio::test]
async fn cmp_01_imports_that_are_served_load_and_work() {
    let world = World::new();
    for case in KNOWN_IMPORTS {
        world.publish("hostile", case.component()).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert!(world.timed("valid").await.0.result.is_ok(), "{}", case.name);
    }
    let component = world.publish("probe", chiton_hostile::probe()).await.unwrap();
    assert!(component.imports().iter().any(|import| import.starts_with("wasi:filesystem/types@")));
}

/// CMP-03, CMP-04: missing, mistyped and further exports, among them names that the host itself serves.
#[tokio::test]
async fn cmp_03_04_wrong_exports_are_refused_at_load() {
    let world = World::new();
    for case in WRONG_EXPORTS {
        let refused = world.publish("hostile", case.component()).await.err();
        let Some(LoadError::Contract(_) | LoadError::Export(_) | LoadError::ListTools(_)) = refused else {
            panic!("{}: {refused:?}", case.name);
        };
    }
    assert_eq!(world.records(Verdict::Refused).len(), WRONG_EXPORTS.len(), "one record for each");
    world.publish("valid", Text::valid().component()).await.unwrap();
    assert!(world.timed("valid").await.0.result.is_ok());
}

#[tokio::test]
async fn cmp_05_files_that_are_no_component_are_refused_in_one_sentence() {
    let world = World::new();
    for (name, bytes) in files::all() {
        let refused = world.publish("hostile", bytes).await.err();
        let refused = refused.unwrap_or_else(|| panic!("{name} was loaded"));
        assert!(!refused.to_string().contains('\n'), "{name}: {refused}");
    }
    for (name, bytes) in [("core", files::core_module()), ("preview 1", files::preview1_command())] {
        let refused = world.publish("hostile", bytes).await;
        assert!(matches!(refused, Err(LoadError::NotAComponent(_))), "{name}: {refused:?}");
    }
    world.assert_alive().await;
}

#[tokio::test]
async fn cmp_06_features_that_are_off_are_refused_and_the_others_work() {
    let world = World::new();
    for case in FEATURES_OFF {
        let refused = world.publish("hostile", case.component()).await;
        assert!(matches!(refused, Err(LoadError::Malformed(_))), "{}: {refused:?}", case.name);
    }
    for case in FEATURES_ON {
        world.publish("hostile", case.component()).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert!(world.timed("valid").await.0.result.is_ok(), "{}", case.name);
    }
}

#[tokio::test]
async fn cmp_07_names_like_one_that_is_taken_are_refused_and_the_first_keeps_its_place() {
    let world = World::new();
    let first = world.publish("file", tool("read_file")).await.unwrap();
    for imitation in
        ["read_file", "Read_File", "READ_FILE", "read-file", "readfile", "read__file", "read_fi1e", "read_flle"]
    {
        let bytes = listing(&[Tool::named("harmless"), Tool::named(imitation)]);
        let refused = world.publish("imitation", bytes).await;
        assert!(matches!(refused, Err(LoadError::Collision { .. })), "{imitation}: {refused:?}");
        let snapshot = world.sandbox.snapshot();
        assert_eq!(snapshot.iter().count(), 1, "nothing of a refused component is there");
        assert_eq!(snapshot.get("read_file").unwrap().component.digest(), first.digest());
    }
    world.publish("other", tool("read_files")).await.unwrap();
    assert!(world.timed("read_files").await.0.result.is_ok());
    // Its own new version may of course have the name.
    world.publish("file", listing(&[Tool::named("read_file"), Tool::named("grep")])).await.unwrap();
    assert!(world.timed("grep").await.0.result.is_ok());
}

#[tokio::test]
async fn cmp_08_one_component_cannot_have_a_tool_twice() {
    let world = World::new();
    for twin in ["same", "Same", "sa-me"] {
        let refused = world.publish("hostile", listing(&[Tool::named("same"), Tool::named(twin)])).await;
        assert!(matches!(refused, Err(LoadError::Definition { .. })), "{twin}: {refused:?}");
    }
    world.publish("fine", listing(&[Tool::named("same"), Tool::named("other")])).await.unwrap();
}

#[tokio::test]
async fn definitions_that_break_a_rule_are_refused() {
    let world = World::new();
    let named = |name: &str| Tool::named(name);
    let described = |length: usize| Tool { description: "d".repeat(length), ..Tool::named("tool") };
    let taking = |parameters: &str| Tool { parameters: parameters.to_owned(), ..Tool::named("tool") };
    let refused = [
        ("an empty name", named("")),
        ("a long name", named(&"n".repeat(65))),
        ("a space", named("read file")),
        ("an escape", named("\u{1b}[2Jtool")),
        ("another alphabet", named("r\u{435}ad_file")),
        ("a path", named("../tool")),
        ("a long description", described(4097)),
        ("a schema that is no JSON", taking("{")),
        ("a schema that is no object", taking("true")),
        ("a schema of an array", taking(r#"{"type":"array"}"#)),
        ("a schema that breaks its own rules", taking(r#"{"type":"object","properties":{"a":{"type":"banana"}}}"#)),
        ("a long schema", taking(&format!(r#"{{"type":"object","title":"{}"}}"#, "t".repeat(64 << 10)))),
        ("a deep schema", taking(&format!(r#"{{"type":"object","x":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000)))),
    ];
    for (name, tool) in refused {
        let result = world.publish("hostile", listing(&[tool])).await;
        assert!(matches!(result, Err(LoadError::Definition { .. })), "{name}: {result:?}");
    }
    let many: Vec<Tool> = (0..129).map(|index| Tool::named(&format!("tool{index:03}x"))).collect();
    assert!(matches!(world.publish("hostile", listing(&many)).await, Err(LoadError::ListTools(_))));
    for (name, tool) in [
        ("a name of 64", named(&"n".repeat(64))),
        ("a description of 4 KiB", described(4096)),
        ("a useful schema", taking(r#"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#)),
    ] {
        world.publish("fine", listing(&[tool])).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn arguments_that_break_the_schema_never_reach_the_tool() {
    let world = World::new();
    let parameters =
        r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"],"additionalProperties":false}"#;
    let bytes = listing(&[Tool { parameters: parameters.to_owned(), ..Tool::named("tool") }]);
    world.publish("strict", bytes).await.unwrap();
    for (arguments, place) in
        [(json!({ "path": 1 }), "/path"), (json!({}), "path"), (json!({ "path": "p", "more": 1 }), "more")]
    {
        let refused = world.call("tool", arguments).await.result.unwrap_err();
        assert!(matches!(&refused, CallError::InvalidArguments(reason) if reason.contains(place)), "{refused}");
    }
    assert!(world.call("tool", json!({ "path": "p" })).await.result.is_ok());
}

#[tokio::test]
async fn hidden_characters_of_a_description_are_not_shown() {
    let world = World::new();
    let description = "Reads\u{1b}[31m\u{202e} a\u{200b} file\u{e0041}.".to_owned();
    let bytes = listing(&[Tool { description, ..Tool::named("tool") }]);
    let component = world.publish("hidden", bytes).await.unwrap();
    assert_eq!(component.tools()[0].description, "Reads[31m a file.");
}

/// CMP-14: what runs is named by its bytes, and other bytes have another name.
#[tokio::test]
async fn cmp_14_what_is_compiled_is_what_was_hashed() {
    let world = World::new();
    let (approved, swapped) = (tool("approved"), tool("swapped"));
    let component = world.sandbox.load(approved.clone()).await.unwrap();
    assert_eq!(component.digest(), Digest::of(&approved));
    assert_eq!(component.tools()[0].name, "approved");
    let other = world.sandbox.load(swapped.clone()).await.unwrap();
    assert_eq!(other.digest(), Digest::of(&swapped));
    assert_ne!(other.digest(), component.digest());
    let known = world.sandbox.load_cached(Digest::of(&approved)).await.unwrap();
    assert_eq!(known.tools()[0].name, "approved");
    assert!(world.sandbox.load_cached(Digest::of(b"never seen")).await.is_none());
}

#[tokio::test]
async fn cmp_14_a_changed_definition_changes_the_digest_that_is_approved() {
    let world = World::new();
    let with = |tool: Tool| listing(&[tool]);
    let changed = [
        Tool::named("tool"),
        Tool { description: "Answers later.".to_owned(), ..Tool::named("tool") },
        Tool { parameters: r#"{"type":"object","title":"t"}"#.to_owned(), ..Tool::named("tool") },
        Tool { effects: 2, ..Tool::named("tool") },
    ];
    let mut digests = Vec::new();
    for tool in changed {
        let component = world.sandbox.load(with(tool)).await.unwrap();
        digests.push(component.definitions_digest());
    }
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 4);
    // The same definitions in other bytes have the same digest of definitions.
    let padded = Text::valid().tools(&[Tool::named("tool")]).with("module", "(func)").component();
    let component = world.sandbox.load(padded).await.unwrap();
    assert!(digests.contains(&component.definitions_digest()));
}

/// CMP-22: nothing of the bot's own can be changed through a grant that lies above it.
#[tokio::test]
async fn cmp_22_the_bots_own_files_are_out_of_reach_of_every_grant() {
    let home = tempfile::tempdir().unwrap();
    let home_path = home.path().canonicalize().unwrap();
    let own = home_path.join(".chiton");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("approvals"), "approved").unwrap();
    std::fs::write(home_path.join("notes"), "notes").unwrap();
    let world = World::custom(|options| {
        options.cache_dir = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("code");
        options.protected = vec![own.clone()];
    })
    .probing(vec![FileGrant::directory(&home_path, Access::Write).unwrap()])
    .await;
    for op in [
        json!({ "op": "read", "path": ".chiton/approvals" }),
        json!({ "op": "write", "path": ".chiton/approvals", "text": "mine" }),
        json!({ "op": "unlink", "path": ".chiton/approvals" }),
        json!({ "op": "rename", "path": ".chiton", "to": "elsewhere" }),
        json!({ "op": "rename", "path": "notes", "to": ".chiton/approvals" }),
        json!({ "op": "mkdir", "path": ".chiton/skills" }),
        json!({ "op": "open", "path": ".chiton", "flags": ["read", "directory"] }),
    ] {
        world.forget_records();
        let refused = world.op(op.clone()).await.unwrap();
        assert!(refused.is_err(), "{op}: {refused:?}");
        assert_eq!(world.records(Verdict::Denied).len(), 1, "{op}: {:?}", world.records(Verdict::Denied));
    }
    assert_eq!(std::fs::read_to_string(own.join("approvals")).unwrap(), "approved");
    assert_eq!(world.value(json!({ "op": "read", "path": "notes" })).await, json!("notes"));
}

#[tokio::test]
async fn an_unknown_tool_is_answered_with_the_nearest_name() {
    let world = World::new();
    world.publish("file", tool("read_file")).await.unwrap();
    let unknown = world.call("raed_file", json!({})).await.result.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no tool 'raed_file'; did you mean 'read_file'?");
    let far = world.call("\u{1b}[2J", json!({})).await.result.unwrap_err();
    assert!(matches!(&far, CallError::UnknownTool { nearest: None, .. }) && !far.to_string().contains('\u{1b}'));
}

/// S3: what the tool calls a denial is one denial in the trail, also when the host saw it first.
#[tokio::test]
async fn a_denial_that_the_host_saw_and_the_tool_reports_is_recorded_once() {
    let world = World::new().probing(vec![]).await;
    let told = json!({ "ops": [{ "op": "fail", "kind": "denied", "text": "files=/home/ann:read" }] });
    let outcome = world.call("probe_read", told).await;
    let error = outcome.result.unwrap_err();
    assert!(error.to_string().contains("chiton grant add probe files=/home/ann:read"), "{error}");
    assert_eq!(world.records(Verdict::Denied).len(), 1);
    world.forget_records();
    let both = json!({ "ops": [
        { "op": "dns", "name": "localhost" },
        { "op": "fail", "kind": "denied", "text": "network" },
    ] });
    world.call("probe_none", both).await;
    assert_eq!(world.records(Verdict::Denied).len(), 1, "{:?}", world.records(Verdict::Denied));
}

#[tokio::test]
async fn a_flood_of_denials_is_counted_and_not_written_out() {
    let world = World::new().probing(vec![]).await;
    let ops: Vec<_> = (0..3_000).map(|_| json!({ "op": "dns", "name": "localhost" })).collect();
    let parts = world.call("probe_none", json!({ "ops": ops })).await.result.unwrap();
    assert!(matches!(&parts[..], [Part::Json(_)]));
    let denials = world.records(Verdict::Denied);
    assert_eq!(denials.len(), 101);
    assert!(denials[100].target.contains("2900"), "{:?}", denials[100]);
}

#[tokio::test]
async fn grants_of_a_refused_component_go_nowhere() {
    let world = World::new();
    world.publish("file", tool("read_file")).await.unwrap();
    let imitation = world.sandbox.load(listing(&[Tool::named("Read_File")])).await.unwrap();
    let place = FileGrant::directory(world.directory.path(), Access::Write).unwrap();
    let grants = Grants { files: vec![place], ..Grants::default() };
    assert!(world.sandbox.publish("imitation", imitation, grants).is_err());
    assert!(world.sandbox.snapshot().get("read_file").unwrap().grants.files.is_empty());
}
