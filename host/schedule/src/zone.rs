//! Time zones by their IANA names.

use crate::error::TimingError;
use jiff::tz::{self, TimeZone};

/// How alike two names must be for one to be suggested, from 0 to 1.
const ALIKE: f64 = 0.8;

/// The zone of an IANA name such as `Europe/Berlin`, in whatever case.
///
/// # Errors
/// [`TimingError::UnknownZone`], with the name that is spelt most like it.
pub fn zone(name: &str) -> Result<TimeZone, TimingError> {
    let wanted = name.trim();
    TimeZone::get(wanted).map_err(|_| TimingError::UnknownZone { name: name.to_owned(), nearest: nearest(wanted) })
}

/// The zone spelt most like `name`, which may be a city without its continent.
fn nearest(name: &str) -> Option<String> {
    let wanted = name.to_lowercase().replace(' ', "_");
    let likeness = |zone: &str| {
        let zone = zone.to_lowercase();
        let city = zone.rsplit('/').next().unwrap_or(&zone);
        strsim::jaro_winkler(&wanted, &zone).max(strsim::jaro_winkler(&wanted, city))
    };
    let zones = tz::db().available().map(|zone| zone.to_string());
    let rated = zones.map(|zone| (likeness(&zone), zone)).filter(|(likeness, _)| *likeness >= ALIKE);
    rated.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, zone)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_in_any_case() {
        assert_eq!(zone("europe/berlin").unwrap().iana_name(), Some("Europe/Berlin"));
        assert_eq!(zone(" UTC ").unwrap().iana_name(), Some("UTC"));
    }

    #[test]
    fn an_unknown_zone_comes_with_the_one_that_was_probably_meant() {
        for (given, meant) in [
            ("Europe/Berln", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("new york", "America/New_York"),
            ("Asia/Katmandou", "Asia/Katmandu"),
        ] {
            let error = zone(given).unwrap_err();
            assert!(error.to_string().ends_with(&format!("did you mean '{meant}'?")), "{error}");
        }
        let error = zone("qqqq").unwrap_err();
        assert!(error.to_string().contains("use an IANA name"), "{error}");
    }
}
