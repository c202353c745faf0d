//! The values of a manifest that are more than text: versions, sizes, times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A version: `major.minor.patch`, and `-pre` for what comes before it.
// The order of its fields is the order of versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Version {
    numbers: [u64; 3],
    released: bool,
    before: Vec<Part>,
}

/// A part of what comes before a version. Numbers are less than words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Number(u64),
    Word(String),
}

/// Bytes, written such as `64 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Size(
    /// Their number.
    pub u64,
);

/// A span of time, written such as `30 s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Time(
    /// How long it is.
    pub Duration,
);

const SIZES: &[(&str, u64)] = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIMES: &[(&str, u64)] = &[("min", 60_000), ("s", 1_000), ("ms", 1)];

fn quantity(text: &str, units: &[(&str, u64)], example: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = text.split_once(' ')?;
        let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
        number.checked_mul(units.iter().find(|row| row.0 == unit)?.1)
    };
    read().ok_or_else(|| {
        let names: Vec<_> = units.iter().map(|row| row.0).collect();
        format!("write a number above 0, a blank and one of {}, such as \"{example}\"", names.join(", "))
    })
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        quantity(&text, SIZES, "64 MiB").map(Self)
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        quantity(&text, TIMES, "30 s").map(|millis| Self(Duration::from_millis(millis)))
    }
}

fn write_quantity(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let fits = units.iter().find(|row| value.is_multiple_of(row.1)).unwrap_or(&("", 1));
    write!(f, "{} {}", value / fits.1, fits.0)
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quantity(f, self.0, SIZES)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quantity(f, self.0.as_millis() as u64, TIMES)
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = |part: &str| -> Option<u64> {
            let plain = part == "0" || (!part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit()));
            part.parse().ok().filter(|_| plain)
        };
        let part = |part: &str| -> Option<Part> {
            let word = part.bytes().any(|byte| !byte.is_ascii_digit());
            let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if word { plain.then(|| Part::Word(part.to_owned())) } else { number(part).map(Part::Number) }
        };
        let read = || {
            let (numbers, pre) = text.split_once('-').map_or((&*text, None), |(numbers, pre)| (numbers, Some(pre)));
            let numbers: Vec<u64> = numbers.split('.').map(number).collect::<Option<_>>()?;
            let before = pre.into_iter().flat_map(|pre| pre.split('.')).map(part).collect::<Option<_>>()?;
            Some(Self { numbers: numbers.try_into().ok()?, released: pre.is_none(), before })
                .filter(|_| text.len() <= 64)
        };
        read()
            .ok_or_else(|| "a version is written MAJOR.MINOR.PATCH or MAJOR.MINOR.PATCH-PRE, such as 0.1.0".to_owned())
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        self.before.iter().enumerate().try_for_each(|(index, part)| {
            f.write_str(if index == 0 { "-" } else { "." })?;
            match part {
                Part::Number(number) => write!(f, "{number}"),
                Part::Word(word) => f.write_str(word),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Result<Version, String> {
        Version::try_from(text.to_owned())
    }

    #[test]
    fn versions_are_ordered_as_semver_says() {
        let order = [
            "0.1.0-1",
            "0.1.0-alpha",
            "0.1.0-alpha.1",
            "0.1.0-alpha.beta",
            "0.1.0-beta.2",
            "0.1.0-beta.11",
            "0.1.0",
            "0.1.1",
            "0.2.0",
            "0.10.0",
            "1.0.0",
        ];
        let versions: Vec<Version> = order.iter().map(|text| version(text).unwrap()).collect();
        assert!(versions.is_sorted_by(|one, next| one < next));
        assert!(versions.iter().zip(order).all(|(version, text)| version.to_string() == text));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.x",
            "+1.2.3",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3+b",
            "1.2.-3",
            "1.2.3-01",
        ] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_and_times_are_read_and_shown_with_their_unit() {
        let size = |text: &str| Size::try_from(text.to_owned());
        let time = |text: &str| Time::try_from(text.to_owned());
        assert_eq!(size("64 MiB"), Ok(Size(64 << 20)));
        assert_eq!(size("1 B").unwrap().to_string(), "1 B");
        assert_eq!(size("2048 KiB").unwrap().to_string(), "2 MiB");
        assert_eq!(time("30 s"), Ok(Time(Duration::from_secs(30))));
        assert_eq!(time("1500 ms").unwrap().to_string(), "1500 ms");
        for bad in ["64", "64MB", "0 MiB", "-1 MiB", "1.5 MiB", "99999999999999 GiB", " MiB", "64  MiB"] {
            assert!(size(bad).unwrap_err().contains("such as \"64 MiB\""), "{bad}");
        }
        assert!(time("1 h").is_err());
    }
}
