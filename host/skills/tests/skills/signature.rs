//! Signatures and keys.

use super::{files, manifest};
use chiton_skills::signature::{
    KEY, ROTATION, ROTATION_SIGNATURE, Signature, SignatureError, not_older, rotates, rotation, statement, verify,
    verify_pinned,
};
use chiton_skills::{File, Files, Package, SIGNATURE, Version};
use minisign::KeyPair;
use std::io::Cursor;

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

fn sign(pair: &KeyPair, text: &str) -> File {
    let signed = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(text), None, None).unwrap();
    File { bytes: signed.into_string().into_bytes(), executable: false }
}

fn unsigned(pair: &KeyPair, more: &str) -> Files {
    let key = pair.pk.to_box().unwrap().into_string();
    files(&[("skill.toml", &manifest(more)), ("a.txt", "text"), (KEY, &key)])
}

fn new(files: Files) -> Package {
    Package::new("weather", files).unwrap()
}

fn signed(pair: &KeyPair, mut all: Files) -> Package {
    let text = statement(&new(all.clone()));
    all.insert(SIGNATURE.to_owned(), sign(pair, &text));
    new(all)
}

fn with(package: &Package, place: &str, file: File) -> Package {
    let mut all = package.files().clone();
    all.insert(place.to_owned(), file);
    new(all)
}

#[test]
fn a_signed_skill_names_its_key() {
    let pair = pair();
    let package = signed(&pair, unsigned(&pair, ""));
    let Signature::By { id, key } = verify(&package).unwrap() else { panic!("it is signed") };
    assert_eq!(key, pair.pk.to_base64());
    assert!(pair.pk.to_box().unwrap().into_string().contains(&id), "minisign writes the same id: {id}");
    assert_eq!(verify(&new(unsigned(&pair, ""))).unwrap(), Signature::None);
}

#[test]
fn what_is_signed_is_name_version_files_and_grants() {
    let pair = pair();
    let package = new(unsigned(&pair, "[grants]\nagents = true\nfiles = [{ path = \"skill\", access = \"read\" }]"));
    let expected = format!(
        "chiton skill statement 1\nname weather\nversion 0.1.0\ntree {}\ngrant agents=spawn\ngrant files=skill:read\n",
        package.digest()
    );
    assert_eq!(statement(&package), expected);
}

#[test]
fn cmp_18_a_changed_file_bit_or_grant_breaks_the_signature() {
    let pair = pair();
    let package = signed(&pair, unsigned(&pair, ""));
    let toml = |more: &str| File { bytes: manifest(more).into_bytes(), executable: false };
    for broken in [
        with(&package, "a.txt", File { bytes: b"other".to_vec(), executable: false }),
        with(&package, "a.txt", File { bytes: b"text".to_vec(), executable: true }),
        with(&package, "b.txt", File::default()),
        with(&package, "skill.toml", toml("[grants]\nagents = true")),
    ] {
        assert!(matches!(verify(&broken), Err(SignatureError::Wrong(SIGNATURE))));
    }
}

#[test]
fn cmp_18_the_signature_of_another_skill_or_by_another_key_is_wrong() {
    let (pair, other) = (pair(), pair());
    let package = signed(&pair, unsigned(&pair, ""));
    let foreign = signed(&pair, unsigned(&pair, "description = \"another\""));
    let moved = with(&package, SIGNATURE, foreign.files()[SIGNATURE].clone());
    assert!(matches!(verify(&moved), Err(SignatureError::Wrong(_))));
    let by_other = with(&package, SIGNATURE, sign(&other, &statement(&package)));
    assert!(matches!(verify(&by_other), Err(SignatureError::Wrong(_))));
}

#[test]
fn cmp_18_a_signature_that_is_damaged_or_has_no_key_is_told() {
    let pair = pair();
    let package = signed(&pair, unsigned(&pair, ""));
    let damaged = with(&package, SIGNATURE, File { bytes: b"hello".to_vec(), executable: false });
    assert!(matches!(verify(&damaged), Err(SignatureError::Unreadable(SIGNATURE))));
    let mut without = package.files().clone();
    without.remove(KEY);
    assert!(matches!(verify(&new(without)), Err(SignatureError::Unreadable(KEY))));
}

#[test]
fn cmp_18_a_pinned_key_takes_neither_nothing_nor_another() {
    let (pair, other) = (pair(), pair());
    let pinned = pair.pk.to_base64();
    let package = signed(&pair, unsigned(&pair, ""));
    assert!(verify_pinned(&package, Some(&pinned)).is_ok() && verify_pinned(&package, None).is_ok());
    let stripped = new(unsigned(&pair, ""));
    assert!(matches!(verify_pinned(&stripped, Some(&pinned)), Err(SignatureError::Stripped)));
    assert!(verify_pinned(&stripped, None).is_ok(), "what never was signed may be used");
    let foreign = signed(&other, unsigned(&other, ""));
    assert!(matches!(verify_pinned(&foreign, Some(&pinned)), Err(SignatureError::OtherKey { .. })));
}

#[test]
fn cmp_18_a_key_hands_over_to_another_by_its_own_signature_only() {
    let (old, next, thief) = (pair(), pair(), pair());
    let pinned = old.pk.to_base64();
    let handed = |signer: &KeyPair, to: &KeyPair| {
        let text = rotation(&pinned, &to.pk.to_base64());
        let mut all = unsigned(to, "");
        all.insert(ROTATION_SIGNATURE.to_owned(), sign(signer, &text));
        all.insert(ROTATION.to_owned(), File { bytes: text.into_bytes(), executable: false });
        signed(to, all)
    };
    let good = handed(&old, &next);
    assert!(rotates(&good, &pinned).unwrap() && verify_pinned(&good, Some(&pinned)).is_ok());
    let stolen = handed(&thief, &thief);
    assert!(matches!(verify_pinned(&stolen, Some(&pinned)), Err(SignatureError::Wrong(ROTATION_SIGNATURE))));
    assert!(!rotates(&good, &thief.pk.to_base64()).unwrap(), "it hands over from one key only");
}

#[test]
fn cmp_18_a_version_below_the_floor_is_refused() {
    let pair = pair();
    let package = new(unsigned(&pair, ""));
    let version = |text: &str| Version::try_from(text.to_owned()).unwrap();
    assert!(not_older(&package, &version("0.1.0")).is_ok() && not_older(&package, &version("0.1.0-beta")).is_ok());
    assert!(matches!(not_older(&package, &version("0.1.1")), Err(SignatureError::Downgrade { .. })));
    assert!(not_older(&new(files(&[("SKILL.md", "x")])), &version("0.0.1")).is_err());
}
