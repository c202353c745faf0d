//! Hostile archives, built by hand, with their allowed twins.

use super::{files, package, rule};
use chiton_skills::{Package, Rule};
use flate2::{Compression, write::GzEncoder};
use std::io::{Cursor, Write as _};
use tar::EntryType;
use zip::write::SimpleFileOptions;

/// A member of a tar archive, its name written as it is.
fn member(kind: EntryType, name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.set_link_name("SKILL.md").unwrap();
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str) -> Vec<u8> {
    member(EntryType::Regular, name, 0o644, b"text")
}

fn tar(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1024]].concat()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(members: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in members {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The archive with one name in place of another of its length, wherever it stands.
fn renamed(mut archive: Vec<u8>, old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    for at in 0..archive.len() - old.len() {
        if archive[at..].starts_with(old.as_bytes()) {
            archive[at..at + new.len()].copy_from_slice(new.as_bytes());
        }
    }
    archive
}

fn unpack(archive: &[u8]) -> Result<Package, chiton_skills::PackageError> {
    Package::unpack("weather", archive)
}

#[test]
fn an_archive_of_each_kind_holds_the_same_skill() {
    let direct = package(&[("SKILL.md", "text"), ("a/b.txt", "text")]);
    let members = [file("SKILL.md"), member(EntryType::Directory, "a/", 0o755, b""), file("a/b.txt")];
    let around = [file("weather-1/SKILL.md"), file("weather-1/a/b.txt"), file("weather-1/.git/config")];
    let dotted = [member(EntryType::Directory, "./", 0o755, b""), file("./SKILL.md"), file("./a/b.txt")];
    for members in [&members[..], &around, &dotted] {
        for archive in [tar(members), gz(&tar(members))] {
            assert_eq!(unpack(&archive).unwrap().digest(), direct.digest());
        }
    }
    let zip =
        zip_of(&[("top/SKILL.md", 0o644, b"text"), ("top/a/b.txt", 0o644, b"text"), ("__MACOSX/top/._x", 0o644, b"")]);
    assert_eq!(unpack(&zip).unwrap().digest(), direct.digest());
}

#[test]
fn cmp_17_places_outside_are_refused() {
    for name in ["../evil", "a/../../evil", "/etc/evil", "..", "a/..", "a\\..\\evil", "a//b", "./../evil"] {
        let archive = tar(&[file("SKILL.md"), file(name)]);
        assert!(matches!(rule(unpack(&archive)), Rule::Outside | Rule::Letters), "{name}");
        let stand_in = "x".repeat(name.len());
        let zip = renamed(zip_of(&[("SKILL.md", 0o644, b"text"), (&stand_in, 0o644, b"text")]), &stand_in, name);
        assert!(matches!(rule(unpack(&zip)), Rule::Outside | Rule::Letters), "{name} in a zip");
    }
    assert!(unpack(&tar(&[file("SKILL.md"), file("a/..b/c..d")])).is_ok());
}

#[test]
fn cmp_17_what_is_hidden_in_a_folder_that_is_left_out_is_still_judged() {
    assert_eq!(rule(unpack(&tar(&[file("SKILL.md"), file(".git/../../evil")]))), Rule::Outside);
}

#[test]
fn cmp_17_links_devices_and_set_user_id_are_refused() {
    for (kind, mode, broken) in [
        (EntryType::Symlink, 0o777, Rule::Link),
        (EntryType::Link, 0o644, Rule::Link),
        (EntryType::Char, 0o644, Rule::Kind),
        (EntryType::Block, 0o644, Rule::Kind),
        (EntryType::Fifo, 0o644, Rule::Kind),
        (EntryType::Regular, 0o4755, Rule::SetId),
        (EntryType::Regular, 0o2755, Rule::SetId),
    ] {
        let archive = tar(&[file("SKILL.md"), member(kind, "a", mode, b"")]);
        assert_eq!(rule(unpack(&archive)), broken, "{kind:?} {mode:o}");
    }
    let executable = tar(&[file("SKILL.md"), member(EntryType::Regular, "a", 0o755, b"")]);
    assert!(unpack(&executable).unwrap().files()["a"].executable);
}

#[test]
fn cmp_17_a_link_and_then_a_file_through_it_writes_nothing() {
    let members = [file("SKILL.md"), member(EntryType::Symlink, "a", 0o777, b""), file("a/evil")];
    assert_eq!(rule(unpack(&tar(&members))), Rule::Link);
}

#[test]
fn cmp_17_links_in_a_zip_are_refused() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("SKILL.md", SimpleFileOptions::default()).unwrap();
    zip.add_symlink("a", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert_eq!(rule(unpack(&zip.finish().unwrap().into_inner())), Rule::Link);
}

#[test]
fn cmp_17_two_members_of_one_place_are_refused() {
    assert_eq!(rule(unpack(&tar(&[file("SKILL.md"), file("a"), file("a")]))), Rule::Twice);
    assert_eq!(rule(unpack(&tar(&[file("SKILL.md"), file("a"), file("./a")]))), Rule::Twice);
    let zip =
        renamed(zip_of(&[("SKILL.md", 0o644, b"x"), ("aaaa", 0o644, b"x"), ("bbbb", 0o644, b"y")]), "bbbb", "aaaa");
    assert_eq!(rule(unpack(&zip)), Rule::Twice);
}

#[test]
fn cmp_17_names_that_differ_in_case_only_are_refused() {
    for (one, other) in [("a.txt", "A.TXT"), ("é.txt", "É.txt"), ("a/x", "A/y"), ("a", "a/b")] {
        let all = files(&[("SKILL.md", "x"), (one, "x"), (other, "x")]);
        assert_eq!(rule(Package::new("weather", all)), Rule::Clash, "{one} and {other}");
    }
    assert_eq!(rule(unpack(&tar(&[file("SKILL.md"), file("skill.md")]))), Rule::Clash);
    assert!(unpack(&tar(&[file("SKILL.md"), file("a/x"), file("a/y"), file("b")])).is_ok());
}

#[test]
fn res_12_more_members_than_the_cap_are_refused() {
    let many: Vec<_> = (0..300).map(|number| file(&format!("f{number}"))).collect();
    assert_eq!(rule(unpack(&gz(&tar(&many)))), Rule::Many);
    let folders: Vec<_> =
        (0..2_000).map(|number| member(EntryType::Directory, &format!("d{number}/"), 0o755, b"")).collect();
    assert_eq!(rule(unpack(&gz(&tar(&folders)))), Rule::Many);
}

#[test]
fn res_12_a_small_archive_does_not_become_a_large_skill() {
    let zeros = vec![0; 40 << 20];
    let bomb = tar(&[file("SKILL.md"), member(EntryType::Regular, "zeros", 0o644, &zeros)]);
    assert_eq!(rule(unpack(&gz(&bomb))), Rule::Bomb);
    let left_out = tar(&[file("SKILL.md"), member(EntryType::Regular, "target/zeros", 0o644, &zeros)]);
    assert_eq!(rule(unpack(&gz(&left_out))), Rule::Bomb);
    assert_eq!(rule(unpack(&zip_of(&[("SKILL.md", 0o644, b"x"), ("zeros", 0o644, &zeros)]))), Rule::Bomb);
    let small = tar(&[file("SKILL.md"), member(EntryType::Regular, "zeros", 0o644, &zeros[..500_000])]);
    assert!(unpack(&gz(&small)).is_ok(), "a megabyte is always free");
}

#[test]
fn res_12_an_archive_in_an_archive_is_a_file() {
    let inner = gz(&tar(&[file("../evil")]));
    let outer = tar(&[file("SKILL.md"), member(EntryType::Regular, "inner.tar.gz", 0o644, &inner)]);
    assert_eq!(unpack(&outer).unwrap().files()["inner.tar.gz"].bytes, inner);
}

#[test]
fn what_is_damaged_or_no_archive_says_so() {
    let whole = gz(&tar(&[file("SKILL.md"), file("a")]));
    for archive in [&b"hello"[..], b"", b"PK\x03\x04garbage", b"\x1f\x8bgarbage", &whole[..whole.len() / 2]] {
        let error = unpack(archive).unwrap_err().to_string();
        assert!(error.contains("is no archive") || error.contains("is no skill"), "{error}");
    }
}

#[test]
fn a_published_archive_is_the_same_each_time_and_unpacks_to_the_same_skill() {
    let mut all = files(&[("SKILL.md", "x"), ("scripts/a.sh", "ls"), ("skill.minisig", "s")]);
    all.get_mut("scripts/a.sh").unwrap().executable = true;
    let whole = Package::new("weather", all).unwrap();
    let archive = whole.to_archive().unwrap();
    assert_eq!(archive, whole.to_archive().unwrap());
    let back = Package::unpack("other", &archive);
    assert_eq!(back.unwrap().files(), whole.files());
}
