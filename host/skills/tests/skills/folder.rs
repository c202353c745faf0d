//! Skills in folders.

use super::{files, manifest, package, rule};
use chiton_skills::{Code, Engine, File, Files, Package, PackageError, Rule};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

struct Folder {
    _home: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("weather");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("SKILL.md"), "---\ndescription: Tells the weather.\n---\nAsk.").unwrap();
        Self { _home: home, path }
    }

    fn write(&self, place: &str, text: &str) -> PathBuf {
        let path = self.path.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

#[test]
fn a_folder_is_read_with_its_files_and_is_called_as_it_is() {
    let folder = Folder::new();
    folder.write("scripts/ask.sh", "curl");
    fs::set_permissions(folder.path.join("scripts/ask.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    for left_out in [".git/config", "target/debug/x", "web/node_modules/a.js", "scripts/__pycache__/a.pyc"] {
        folder.write(left_out, "x");
    }
    let read = Package::read(&folder.path).unwrap();
    assert_eq!((read.name(), read.description().as_str()), ("weather", "Tells the weather."));
    assert_eq!(read.files().keys().collect::<Vec<_>>(), ["SKILL.md", "scripts/ask.sh"]);
    assert!(read.files()["scripts/ask.sh"].executable && !read.files()["SKILL.md"].executable);
    assert_eq!(read.code(), Code::None);
}

#[test]
fn cmp_16_a_linked_folder_is_refused() {
    let folder = Folder::new();
    let link = folder.path.with_file_name("linked");
    symlink(&folder.path, &link).unwrap();
    assert_eq!(rule(Package::read(&link)), Rule::Link);
    assert_eq!(rule(Package::read(&link.join(""))), Rule::Link);
    assert!(Package::read(&folder.path).is_ok());
}

#[test]
fn cmp_16_links_fifos_and_foreign_bits_inside_are_refused() {
    let inside = |make: &dyn Fn(&Path)| {
        let folder = Folder::new();
        make(&folder.path);
        rule(Package::read(&folder.path))
    };
    assert_eq!(inside(&|path| symlink("/etc/passwd", path.join("notes")).unwrap()), Rule::Link);
    assert_eq!(inside(&|path| symlink("/etc", path.join("etc")).unwrap()), Rule::Link);
    assert_eq!(inside(&|path| symlink("SKILL.md", path.join("copy")).unwrap()), Rule::Link);
    let fifo = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path.join("socket")).unwrap());
    assert_eq!(inside(&fifo), Rule::Kind);
    let set_id = |path: &Path| {
        fs::write(path.join("su"), "x").unwrap();
        fs::set_permissions(path.join("su"), fs::Permissions::from_mode(0o4755)).unwrap();
    };
    assert_eq!(inside(&set_id), Rule::SetId);
}

#[test]
fn cmp_16_code_lies_inside_the_skill() {
    for outside in ["../../x.wasm", "/etc/x.wasm", "a/../../x", "", "./x.wasm"] {
        let text = manifest(&format!("component = {outside:?}"));
        let error = Package::new("weather", files(&[("skill.toml", &text)])).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("leads out of the skill"), "{error}");
    }
    let text = manifest("component = \"bin/weather.wasm\"");
    assert_eq!(rule(Package::new("weather", files(&[("skill.toml", &text)]))), Rule::Missing);
    let whole = package(&[("skill.toml", &text), ("bin/weather.wasm", "\0asm")]);
    assert_eq!(whole.code(), Code::Component { file: "bin/weather.wasm", bytes: b"\0asm" });
}

#[test]
fn a_script_is_known_by_its_file_name_and_its_engine() {
    let text = manifest("engine = \"python\"\nscript = \"src/weather.py\"");
    let whole = package(&[("skill.toml", &text), ("src/weather.py", "print(1)")]);
    assert_eq!(whole.code(), Code::Script { engine: Engine::Python, name: "weather.py", text: "print(1)" });
    let mut broken = files(&[("skill.toml", &text)]);
    broken.insert("src/weather.py".to_owned(), File { bytes: vec![0xff], executable: false });
    assert_eq!(rule(Package::new("weather", broken)), Rule::Encoding);
}

#[test]
fn res_12_the_caps_hold_for_files_bytes_and_depth() {
    let many = |count: usize| {
        let mut all = files(&[("SKILL.md", "x")]);
        all.extend((1..count).map(|number| (format!("file{number}"), File::default())));
        Package::new("weather", all)
    };
    assert!(many(256).is_ok());
    assert_eq!(rule(many(257)), Rule::Many);
    let sized = |place: &str, bytes: usize| {
        let mut all = files(&[("SKILL.md", "x")]);
        all.insert(place.to_owned(), File { bytes: vec![b'x'; bytes], executable: false });
        Package::new("weather", all)
    };
    assert!(sized("SKILL.md", 1 << 20).is_ok() && sized("big", (64 << 20) - 1).is_ok());
    assert_eq!(rule(sized("SKILL.md", (1 << 20) + 1)), Rule::Large);
    assert_eq!(rule(sized("big", 64 << 20)), Rule::Large);
    assert!(sized("1/2/3/4/5/6/7/8", 1).is_ok());
    assert_eq!(rule(sized("1/2/3/4/5/6/7/8/9", 1)), Rule::Deep);
    let folder = Folder::new();
    (0..300).for_each(|number| drop(folder.write(&format!("f{number}"), "")));
    assert_eq!(rule(Package::read(&folder.path)), Rule::Many);
}

#[test]
fn one_name_is_given_and_the_names_agree() {
    let named = |name: &str| format!("---\nname: {name}\n---\n");
    let new = |hint: &str, all: &[(&str, &str)]| Package::new(hint, files(all));
    assert_eq!(new("x", &[("SKILL.md", &named("rain"))]).unwrap().name(), "rain");
    assert_eq!(new("x", &[("SKILL.md", &named("My Rain"))]).unwrap().name(), "my-rain");
    assert_eq!(new("rain", &[("SKILL.md", "No head.")]).unwrap().name(), "rain");
    assert!(new("x", &[("skill.toml", &manifest("")), ("SKILL.md", &named("weather"))]).is_ok());
    let two = new("x", &[("skill.toml", &manifest("")), ("SKILL.md", &named("rain"))]);
    assert!(matches!(two, Err(PackageError::TwoNames(..))));
    assert!(matches!(new("x", &[("README.md", "x")]), Err(PackageError::Nothing(_))));
    assert!(matches!(new("x", &[("SKILL.md", "---\ndescription: [\n---\n")]), Err(PackageError::Instructions(_))));
}

#[test]
fn cmp_10_a_name_that_hides_something_is_refused_and_not_repeated() {
    for name in ["we\u{202e}ather", "wea\u{200b}ther", "w\u{435}ather", "weather\u{1b}[2J", "weather\u{e0041}"] {
        let text = format!("---\nname: {name}\n---\n");
        let error = Package::new("weather", files(&[("SKILL.md", &text)])).unwrap_err().to_string();
        assert!(!error.contains(['\u{202e}', '\u{200b}', '\u{1b}', '\u{e0041}']), "{error:?}");
    }
}

#[test]
fn the_digest_knows_every_name_bit_and_byte_but_the_signature() {
    let one = package(&[("SKILL.md", "x"), ("a", "bc")]);
    let digest = |change: &dyn Fn(&mut Files)| {
        let mut all = one.files().clone();
        change(&mut all);
        Package::new("weather", all).unwrap().digest()
    };
    assert_eq!(digest(&|_| ()), one.digest());
    assert_eq!(digest(&|all| drop(all.insert("skill.minisig".to_owned(), File::default()))), one.digest());
    let changed = [
        digest(&|all| all.get_mut("a").unwrap().executable = true),
        digest(&|all| all.get_mut("a").unwrap().bytes = b"bd".to_vec()),
        digest(&|all| drop(all.insert("b".to_owned(), File::default()))),
        digest(&|all| {
            let file = all.remove("a").unwrap();
            all.insert("ab".to_owned(), File { bytes: file.bytes[1..].to_vec(), executable: false });
        }),
    ];
    let all: std::collections::BTreeSet<_> = changed.into_iter().chain([one.digest()]).collect();
    assert_eq!(all.len(), 5);
}

#[test]
fn a_stored_skill_reads_back_and_is_the_owners_alone() {
    let home = tempfile::tempdir().unwrap();
    let mut all = files(&[("SKILL.md", "x"), ("scripts/deep/a.sh", "ls")]);
    all.get_mut("scripts/deep/a.sh").unwrap().executable = true;
    let whole = Package::new("weather", all).unwrap();
    let into = home.path().join("0.1.0");
    fs::create_dir(home.path().join(".0.1.0.new")).unwrap();
    whole.store(&into).unwrap();
    let read = Package::read(&into).unwrap();
    assert_eq!(read.digest(), whole.digest());
    let mode = |place: &str| fs::metadata(into.join(place)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("scripts"), mode("SKILL.md"), mode("scripts/deep/a.sh")], [0o700, 0o700, 0o600, 0o700]);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left over");
    assert_eq!(rule(whole.store(&into)), Rule::Exists);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}
