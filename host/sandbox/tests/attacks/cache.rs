//! CMP-15: the code cache gives out only what this installation compiled for exactly these bytes.

use crate::world::World;
use chiton_hostile::tool;
use chiton_sandbox::{Compiler, ComponentBytes, Digest, LoadError, Part, Sandbox, SandboxOptions};
use serde_json::json;
use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A compiler that fails, so that whatever loads came from the cache.
fn no_compiler() -> Compiler {
    Compiler::Child { program: PathBuf::from("/bin/false"), arguments: Vec::<OsString>::new() }
}

fn cached(directory: &Path) -> Sandbox {
    World::custom(|options| {
        options.cache_dir = directory.to_owned();
        options.compiler = no_compiler();
    })
    .sandbox
}

/// A world whose cache holds the tool `cached`, and the file that holds its code.
async fn filled() -> (World, PathBuf, Vec<u8>) {
    let world = World::custom(|_| {});
    let bytes = tool("cached");
    world.publish("cached", bytes.clone()).await.unwrap();
    let entry = entry(&world.directory.path().join("code"), &bytes);
    (world, entry, bytes)
}

fn entry(cache: &Path, bytes: &[u8]) -> PathBuf {
    let digest = Digest::of(bytes).to_string();
    let found = std::fs::read_dir(cache).unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let code = |path: &PathBuf| path.to_string_lossy().contains(&digest) && path.extension().is_none();
    let mut found: Vec<_> = found.filter(code).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Whether a fresh sandbox on this cache runs the bytes without compiling them.
async fn runs_from_cache(cache: &Path, bytes: &[u8]) -> bool {
    match cached(cache).load(bytes.to_vec()).await {
        Ok(component) => component.tools()[0].name == "cached",
        Err(LoadError::Compile(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn cmp_15_code_that_was_compiled_here_is_used_again() {
    let (world, _, bytes) = filled().await;
    let cache = world.directory.path().join("code");
    assert!(runs_from_cache(&cache, &bytes).await);
    let again = cached(&cache);
    let component = again.load_cached(Digest::of(&bytes)).await.expect("no bytes are needed");
    again.publish("cached", component, Default::default()).unwrap();
    let outcome = again.call(World::request("cached", json!({}))).await;
    assert_eq!(outcome.result.unwrap(), [Part::Text("done".to_owned())]);
}

#[tokio::test]
async fn cmp_15_the_cache_is_private_to_its_owner() {
    let (world, entry, _) = filled().await;
    let cache = world.directory.path().join("code");
    assert_eq!(std::fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(entry).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(cache.join("key")).unwrap().mode() & 0o777, 0o600);
    // A directory that somebody opened to others is closed again.
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    cached(&cache);
    assert_eq!(std::fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn cmp_15_code_with_any_changed_byte_is_not_run() {
    let (world, entry, bytes) = filled().await;
    let cache = world.directory.path().join("code");
    let good = std::fs::read(&entry).unwrap();
    for at in [0, 100, good.len() / 2, good.len() - 33, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&entry, &bad).unwrap();
        assert!(!runs_from_cache(&cache, &bytes).await, "byte {at}");
        assert!(!entry.exists(), "a damaged entry goes");
    }
    for length in [0, 1, 31, 32, good.len() / 2, good.len() - 1] {
        std::fs::write(&entry, &good[..length]).unwrap();
        assert!(!runs_from_cache(&cache, &bytes).await, "{length} bytes");
    }
    std::fs::write(&entry, [&good[..], b"more"].concat()).unwrap();
    assert!(!runs_from_cache(&cache, &bytes).await);
    std::fs::write(&entry, &good).unwrap();
    assert!(runs_from_cache(&cache, &bytes).await, "the good one still works");
}

#[tokio::test]
async fn cmp_15_code_of_another_component_is_not_run_under_this_name() {
    let (world, entry_of_cached, bytes) = filled().await;
    let cache = world.directory.path().join("code");
    let other = tool("other");
    world.publish("other", other.clone()).await.unwrap();
    std::fs::copy(entry(&cache, &other), &entry_of_cached).unwrap();
    assert!(!runs_from_cache(&cache, &bytes).await);
}

#[tokio::test]
async fn cmp_15_code_under_another_key_is_not_run() {
    let (world, entry_of_cached, bytes) = filled().await;
    let cache = world.directory.path().join("code");
    let (foreign, foreign_entry, _) = filled().await;
    std::fs::copy(foreign_entry, &entry_of_cached).unwrap();
    assert!(!runs_from_cache(&cache, &bytes).await, "code of another installation");
    drop(foreign);
    for key in [vec![], vec![0; 7], vec![0; 1000]] {
        std::fs::write(cache.join("key"), &key).unwrap();
        assert!(!runs_from_cache(&cache, &bytes).await, "a key of {} bytes is replaced", key.len());
        assert_ne!(std::fs::read(cache.join("key")).unwrap(), key);
    }
}

/// CMP-15, LOC-03: a link or a FIFO in place of an entry is neither followed nor waited for.
#[tokio::test]
async fn cmp_15_links_and_pipes_in_the_cache_are_not_followed() {
    let (world, entry, bytes) = filled().await;
    let cache = world.directory.path().join("code");
    let aside = world.directory.path().join("aside");
    std::fs::rename(&entry, &aside).unwrap();
    symlink(&aside, &entry).unwrap();
    assert!(!runs_from_cache(&cache, &bytes).await, "a link");
    let _ = std::fs::remove_file(&entry);
    let made = std::process::Command::new("mkfifo").arg(&entry).status().unwrap();
    assert!(made.success());
    let waited = tokio::time::timeout(std::time::Duration::from_secs(5), runs_from_cache(&cache, &bytes)).await;
    assert_eq!(waited, Ok(false), "a FIFO");
    let _ = std::fs::remove_file(&entry);
    std::fs::rename(&aside, &entry).unwrap();
    assert!(runs_from_cache(&cache, &bytes).await);
}

#[tokio::test]
async fn cmp_15_a_link_in_place_of_the_cache_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (real, link) = (place.path().join("real"), place.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    let options = |cache_dir: &Path| SandboxOptions {
        cache_dir: cache_dir.to_owned(),
        compiler: no_compiler(),
        audit: Arc::new(|_| {}),
        ceiling: Default::default(),
        total_memory: 1 << 30,
        protected: Vec::new(),
        closed_to_skills: Vec::new(),
    };
    let refused = Sandbox::new(options(&link)).err().map(|error| error.to_string());
    assert!(refused.is_some_and(|error| error.contains("link")));
    assert!(Sandbox::new(options(&real)).is_ok());
}

/// Machine code from outside is no component, however well it is made.
#[tokio::test]
async fn cmp_15_compiled_code_given_as_a_component_is_refused() {
    let (world, entry, _) = filled().await;
    let mut code = std::fs::read(entry).unwrap();
    code.truncate(code.len() - 32);
    let refused = world.sandbox.load(code).await;
    assert!(matches!(refused, Err(LoadError::NotAComponent(_))), "{refused:?}");
    world.assert_alive().await;
}

#[tokio::test]
async fn a_compiler_that_dies_lies_or_hangs_up_is_an_error_and_not_a_crash() {
    for (program, arguments) in [
        ("/bin/false", vec![]),
        ("/bin/true", vec![]),
        ("/bin/echo", vec!["no machine code"]),
        ("/bin/sh", vec!["-c", "kill -9 $$"]),
        ("/nonexistent/compiler", vec![]),
    ] {
        let world = World::custom(|options| {
            let arguments = arguments.iter().map(OsString::from).collect();
            options.compiler = Compiler::Child { program: PathBuf::from(program), arguments };
        });
        let refused = world.publish("hostile", tool("any")).await;
        assert!(matches!(refused, Err(LoadError::Compile(_) | LoadError::Host(_))), "{program}: {refused:?}");
        let kept = world.sandbox.load_cached(Digest::of(&tool("any"))).await;
        assert!(kept.is_none(), "{program}: {kept:?}");
    }
}

/// Gives the bytes of the tool `cached`, and counts how often it was asked.
fn source(bytes: &[u8]) -> (ComponentBytes, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (bytes, count) = (bytes.to_vec(), asked.clone());
    let give = move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(bytes.clone())
    };
    (Arc::new(give), asked)
}

#[tokio::test]
async fn a_known_component_needs_neither_bytes_nor_code_before_its_first_call() {
    let (world, entry, bytes) = filled().await;
    let again = cached(&world.directory.path().join("code"));
    let (give, asked) = source(&bytes);
    let component = again.load_known(Digest::of(&bytes), give).await.unwrap();
    assert_eq!(component.tools()[0].name, "cached");
    again.publish("cached", component, Default::default()).unwrap();
    let outcome = again.call(World::request("cached", json!({}))).await;
    assert_eq!(outcome.result.unwrap(), [Part::Text("done".to_owned())]);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(entry.exists());
}

#[tokio::test]
async fn code_that_is_gone_at_the_first_call_is_compiled_anew_from_the_same_bytes_only() {
    for (given, works) in [(tool("cached"), true), (tool("other"), false)] {
        let (world, entry, bytes) = filled().await;
        let code = world.directory.path().join("code");
        let again = World::custom(|options| options.cache_dir = code).sandbox;
        let component = again.load_known(Digest::of(&bytes), source(&given).0).await.unwrap();
        again.publish("cached", component, Default::default()).unwrap();
        std::fs::remove_file(&entry).unwrap();
        let outcome = again.call(World::request("cached", json!({}))).await;
        assert_eq!(outcome.result.is_ok(), works, "{:?}", outcome.result);
        assert_eq!(entry.exists(), works);
    }
}

#[tokio::test]
async fn cmp_15_what_a_component_says_of_itself_is_believed_only_under_its_mac() {
    let (world, entry, bytes) = filled().await;
    let cache = world.directory.path().join("code");
    let listing = PathBuf::from(format!("{}.tools", entry.display()));
    let mut changed = std::fs::read(&listing).unwrap();
    let place = changed.windows(6).position(|name| name == b"cached").unwrap();
    changed[place] = b'k';
    std::fs::write(&listing, changed).unwrap();
    let (give, asked) = source(&bytes);
    let component = cached(&cache).load_known(Digest::of(&bytes), give).await.unwrap();
    assert_eq!(component.tools()[0].name, "cached");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the component was asked again");

    // Neither is the machine code of a component taken for its listing.
    std::fs::copy(&entry, &listing).unwrap();
    let (give, asked) = source(&bytes);
    assert!(cached(&cache).load_known(Digest::of(&bytes), give).await.is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
