//! Signatures in minisign's format over a statement of what a skill is and asks for.

use crate::package::SIGNATURE;
use crate::{Package, Version, inert};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use minisign_verify::PublicKey;

/// The publisher's key.
pub const KEY: &str = "skill.pub";
/// The statement that another key follows.
pub const ROTATION: &str = "skill.rotation";
/// Its signature, by the key before.
pub const ROTATION_SIGNATURE: &str = "skill.rotation.minisig";

/// Who signed a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Nobody.
    None,
    /// The holder of a key.
    By {
        /// The key's id: 16 hexadecimal digits, as minisign shows it.
        id: String,
        /// The key in minisign's base64.
        key: String,
    },
}

/// A signature that cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// A file that is missing or damaged.
    #[error("'{0}' is missing or is no file of minisign; ask the publisher for a whole package")]
    Unreadable(&'static str),
    /// The signature is not one of this skill by this key.
    #[error("the signature in '{0}' is not one of this skill by its key; do not use it, and tell the publisher")]
    Wrong(&'static str),
    /// A skill that was signed before has no signature.
    #[error("the skill was signed before and is not now; get the signed package, or remove the skill and add it anew")]
    Stripped,
    /// Another key, which the one before does not know.
    #[error(
        "the skill is signed by the key {now}, not by {before}; get a package with the old key's rotation statement, or remove the skill and add it anew"
    )]
    OtherKey {
        /// The new key's id.
        now: String,
        /// The pinned key.
        before: String,
    },
    /// An older version than the one that is there.
    #[error("version {new} is older than {floor}; use `chiton skill rollback` to go back to a version that was there")]
    Downgrade {
        /// The version that is offered.
        new: String,
        /// The highest that was there.
        floor: Version,
    },
}

/// What a publisher signs: name, version, digest of the files and grants, one a line.
#[must_use]
pub fn statement(package: &Package) -> String {
    let version = package.version().map_or("none".to_owned(), ToString::to_string);
    let mut grants = package.asked();
    grants.sort();
    let grants: String = grants.iter().map(|grant| format!("grant {grant}\n")).collect();
    let (name, digest) = (package.name(), package.digest());
    format!("chiton skill statement 1\nname {name}\nversion {version}\ntree {digest}\n{grants}")
}

/// What the holder of the key `old` signs to hand over to the key `new`.
#[must_use]
pub fn rotation(old: &str, new: &str) -> String {
    format!("chiton key rotation 1\n{old}\n{new}\n")
}

/// Who signed the package.
///
/// # Errors
/// When there is a signature that cannot be read or is of something else.
pub fn verify(package: &Package) -> Result<Signature, SignatureError> {
    if !package.files().contains_key(SIGNATURE) {
        return Ok(Signature::None);
    }
    let key = key_of(package)?;
    check(package, SIGNATURE, &statement(package), &key)?;
    Ok(Signature::By { id: key_id(&key), key })
}

/// Whether the package hands over from the pinned key to its own, by a statement that the pinned key signed.
///
/// # Errors
/// When there is a statement that cannot be read or that the pinned key did not sign.
pub fn rotates(package: &Package, pinned: &str) -> Result<bool, SignatureError> {
    if !package.files().contains_key(ROTATION) {
        return Ok(false);
    }
    let expected = rotation(pinned, &key_of(package)?);
    if text(package, ROTATION)? != expected {
        return Ok(false);
    }
    check(package, ROTATION_SIGNATURE, &expected, pinned)?;
    Ok(true)
}

/// Who signed the package, if that may follow the pinned key: it is the same, or the pinned one handed over to it.
///
/// # Errors
/// When the signature cannot be trusted, is gone, or is by another key.
pub fn verify_pinned(package: &Package, pinned: Option<&str>) -> Result<Signature, SignatureError> {
    let signature = verify(package)?;
    match (&signature, pinned) {
        (_, None) => Ok(signature),
        (Signature::None, Some(_)) => Err(SignatureError::Stripped),
        (Signature::By { key, .. }, Some(pinned)) if key == pinned || rotates(package, pinned)? => Ok(signature),
        (Signature::By { id, .. }, Some(pinned)) => {
            Err(SignatureError::OtherKey { now: id.clone(), before: inert::brief(&key_id(pinned), 80) })
        }
    }
}

/// Refuses a version below the highest that was there, and a package without one.
///
/// # Errors
/// When it is older.
pub fn not_older(package: &Package, floor: &Version) -> Result<(), SignatureError> {
    match package.version() {
        Some(version) if version >= floor => Ok(()),
        other => {
            let new = other.map_or("none".to_owned(), ToString::to_string);
            Err(SignatureError::Downgrade { new, floor: floor.clone() })
        }
    }
}

/// The publisher's key in minisign's base64, from a file with or without a comment.
fn key_of(package: &Package) -> Result<String, SignatureError> {
    let key = text(package, KEY)?.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    PublicKey::from_base64(key).map_err(|_| SignatureError::Unreadable(KEY))?;
    Ok(key.to_owned())
}

fn check(package: &Package, file: &'static str, statement: &str, key: &str) -> Result<(), SignatureError> {
    let signature = minisign_verify::Signature::decode(text(package, file)?);
    let signature = signature.map_err(|_| SignatureError::Unreadable(file))?;
    let key = PublicKey::from_base64(key).map_err(|_| SignatureError::Unreadable(KEY))?;
    key.verify(statement.as_bytes(), &signature, false).map_err(|_| SignatureError::Wrong(file))
}

fn text<'a>(package: &'a Package, file: &'static str) -> Result<&'a str, SignatureError> {
    let found = package.files().get(file).and_then(|found| str::from_utf8(&found.bytes).ok());
    found.ok_or(SignatureError::Unreadable(file))
}

/// The id in a key: its bytes 3 to 10, the last first.
fn key_id(key: &str) -> String {
    let bytes = STANDARD.decode(key).unwrap_or_default();
    bytes.get(2..10).unwrap_or_default().iter().rev().map(|byte| format!("{byte:02X}")).collect()
}
