//! What skills and their files may be called.

use crate::inert;
use crate::package::Rule;

/// Most parts of a place.
pub const MOST_DEPTH: usize = 8;

/// Whether this is a skill's name: `[a-z0-9-]{1,64}`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}

/// The name that is meant by a title such as `My Skill`. Only letters that cannot look like others are taken.
pub(crate) fn meant(title: &str) -> Option<String> {
    let name = title.trim().to_ascii_lowercase().replace([' ', '_', '.'], "-");
    is_name(&name).then_some(name)
}

/// Whether careless eyes take one name for the other.
#[must_use]
pub fn confusable(name: &str, other: &str) -> bool {
    let (folded, others) = (folded(name), folded(other));
    // Of short names too many lie one letter apart.
    let apart = usize::from(folded.len().min(others.len()) > 3);
    name != other && strsim::damerau_levenshtein(&folded, &others) <= apart
}

/// A name without separators, letters that look alike made one. The sandbox holds names of tools to the same.
fn folded(name: &str) -> String {
    let alike = |letter: char| match letter.to_ascii_lowercase() {
        '0' => 'o',
        '1' | 'i' => 'l',
        '5' => 's',
        other => other,
    };
    name.chars().filter(char::is_ascii_alphanumeric).map(alike).collect()
}

/// Whether `place` leads to something below a folder: relative, plain, and as it looks.
pub(crate) fn check_place(place: &str) -> Result<(), Rule> {
    let parts: Vec<&str> = place.split('/').collect();
    if parts.iter().any(|part| matches!(*part, "" | "." | "..") || part.len() > 255) {
        return Err(Rule::Outside);
    }
    if place.contains('\\') || inert::line(place) != place {
        return Err(Rule::Letters);
    }
    // Archives may have a folder around everything.
    if parts.len() > MOST_DEPTH + 1 { Err(Rule::Deep) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmp_10_a_name_is_plain_letters() {
        for good in ["a", "weather", "csv-2", &"x".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "Weather", "wea ther", "we\u{202e}ather", "wea\u{200b}ther", "w\u{0435}ather", "a/b", "a.b"] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(!is_name(&"x".repeat(65)));
    }

    #[test]
    fn a_title_in_plain_letters_means_a_name_and_one_in_others_means_none() {
        assert_eq!(meant(" My_Skill 2.0").as_deref(), Some("my-skill-2-0"));
        assert_eq!(meant("w\u{0435}ather"), None);
        assert_eq!(meant("we\u{202e}ather"), None);
    }

    #[test]
    fn cmp_19_names_that_look_alike_are_told_from_names_that_do_not() {
        for alike in ["wheather", "weathr", "w-eather", "weatber", "waether"] {
            assert!(confusable("weather", alike), "{alike}");
        }
        assert!(confusable("g00gle-maps", "google-maps") && confusable("gist", "g1st"));
        for other in ["weather", "leather-bag", "calendar"] {
            assert!(!confusable("weather", other), "{other}");
        }
        assert!(!confusable("csv", "css"), "short names lie close to one another");
    }

    #[test]
    fn cmp_16_a_place_lies_below_its_folder() {
        for good in ["a", "weather.wasm", "scripts/a.py", ".env", "Grüße/你好.md", "a..b"] {
            assert_eq!(check_place(good), Ok(()), "{good}");
        }
        for (bad, rule) in [
            ("", Rule::Outside),
            ("/etc/passwd", Rule::Outside),
            ("../x", Rule::Outside),
            ("a/../b", Rule::Outside),
            ("a//b", Rule::Outside),
            ("./a", Rule::Outside),
            ("a/", Rule::Outside),
            ("a\\..\\b", Rule::Letters),
            ("a\nb", Rule::Letters),
            ("a\u{202e}gpj.sh", Rule::Letters),
            ("1/2/3/4/5/6/7/8/9/10", Rule::Deep),
        ] {
            assert_eq!(check_place(bad), Err(rule), "{bad:?}");
        }
    }
}
