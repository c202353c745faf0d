//! A grant that is accepted reads back to itself, and what is closed is closed however it is spelt.
//! The input is a grant, a place, a name, and what is done to the name, one a line.

use std::path::{Component, Path, PathBuf};

use crate::grant::FileGrant;
use crate::place::{Protected, in_git_directory, within};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (value, place, name, spelling) = (line(), line(), line(), line());
    reads_back(value);
    let place: PathBuf = Path::new(place).components().collect();
    let plain = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::RootDir);
    if !place.is_absolute() || !place.components().all(plain) || place.parent().is_none() {
        return;
    }
    protects(&place);
    let spelt = PathBuf::from(respelt(&place.to_string_lossy(), spelling));
    assert!(within(&place, &place) && within(&spelt, &place), "{spelt:?} is {place:?}");
    if !name.is_empty() && plain_name(name) {
        assert!(within(&spelt.join(name), &place), "{name:?} in {spelt:?}");
        assert!(!within(&place, &spelt.join(name)), "{place:?} in {name:?}");
        assert!(!within(&place.with_file_name(format!("{name}-")), &place.with_file_name(name)), "{name:?}");
    }
    for git in [".git", "git~1"] {
        let git = respelt(git, spelling) + [".", " ", "::$INDEX_ALLOCATION", ""][spelling.len() % 4];
        assert!(in_git_directory(&place.join(&git)), "{git:?}");
        assert!(in_git_directory(&Path::new(&git).join("hooks")), "{git:?}");
    }
}

fn reads_back(value: &str) {
    let Ok(grant) = FileGrant::parse(value, &std::env::temp_dir()) else { return };
    let shown = grant.to_string();
    assert!(grant.path.is_dir() && grant.path.is_absolute(), "{shown}");
    let again = shown.strip_prefix("files=").map(|value| FileGrant::parse(value, Path::new("/nowhere")));
    assert_eq!(again.and_then(Result::ok).as_ref(), Some(&grant), "of {value:?}");
    assert!(value.ends_with(&format!(":{}", grant.access)), "{value:?} gives {shown}");
}

fn protects(place: &Path) {
    let protected = Protected::new(&[place.to_owned()]);
    let inside = protected.inside(Path::new("/"));
    assert!(matches!(&inside[..], [found] if protected.is(found)), "{place:?} is protected as {inside:?}");
}

fn plain_name(name: &str) -> bool {
    !name.contains('/') && ![".", ".."].contains(&name)
}

/// The same name on a volume that folds case and ignores some characters.
fn respelt(name: &str, spelling: &str) -> String {
    let mut changes = spelling.bytes();
    let mut respelt = String::new();
    for letter in name.chars() {
        let change = changes.next().unwrap_or_default();
        respelt.push(if change & 1 == 1 { letter.to_ascii_uppercase() } else { letter });
        if change & 2 == 2 && letter != '/' {
            respelt.push(['\u{200c}', '\u{202e}', '\u{206a}', '\u{feff}'][usize::from(change >> 2) % 4]);
        }
    }
    respelt
}
