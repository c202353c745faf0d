//! What the weather is, in words.

use chiton_sdk::prelude::*;
use std::fmt::Write;

/// Units of an answer.
#[arguments]
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Units {
    #[default]
    Metric,
    Imperial,
}

/// The weather of a place, in metric units.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Report {
    /// The place, and who says so.
    pub(crate) place: String,
    pub(crate) now: Moment,
    pub(crate) days: Vec<Day>,
}

/// The weather now.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Moment {
    pub(crate) celsius: f64,
    pub(crate) sky: String,
    /// km/h.
    pub(crate) wind: f64,
}

/// The weather of a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Day {
    pub(crate) date: String,
    pub(crate) coldest: f64,
    pub(crate) warmest: f64,
    pub(crate) sky: String,
    /// mm of rain and melted snow.
    pub(crate) water: f64,
    /// km/h.
    pub(crate) wind: f64,
}

impl Units {
    fn degrees(self, celsius: f64) -> (f64, &'static str) {
        if self == Self::Metric { (celsius, "°C") } else { (celsius * 1.8 + 32.0, "°F") }
    }

    fn speed(self, kilometres: f64) -> String {
        if self == Self::Metric {
            format!("{kilometres:.0} km/h")
        } else {
            format!("{:.0} mph", kilometres / 1.609_344)
        }
    }

    fn water(self, millimetres: f64) -> String {
        if self == Self::Metric { format!("{millimetres:.1} mm") } else { format!("{:.2} in", millimetres / 25.4) }
    }
}

impl Report {
    /// One line for the place, one for now, and one for each of the first `most` days.
    pub(crate) fn words(&self, units: Units, most: usize) -> String {
        let Moment { celsius, sky, wind } = &self.now;
        let (degrees, unit) = units.degrees(*celsius);
        let mut words = format!("{}\nnow: {degrees:.1} {unit}, {sky}, wind {}", self.place, units.speed(*wind));
        for day in self.days.iter().take(most) {
            let ((coldest, _), (warmest, unit)) = (units.degrees(day.coldest), units.degrees(day.warmest));
            let _ = write!(words, "\n{}: {coldest:.0} to {warmest:.0} {unit}, {}", day.date, day.sky);
            if day.water > 0.0 {
                let _ = write!(words, ", {}", units.water(day.water));
            }
            let _ = write!(words, ", wind up to {}", units.speed(day.wind));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_day_tells_no_rain_and_imperial_units_are_converted() {
        let day = Day {
            date: "2026-07-01".into(),
            coldest: 10.0,
            warmest: 25.0,
            sky: "clear sky".into(),
            water: 0.0,
            wind: 16.1,
        };
        let now = Moment { celsius: 20.0, sky: "clear sky".into(), wind: 0.0 };
        let report = Report { place: "Bern".into(), now, days: vec![day.clone(), day] };
        assert_eq!(
            report.words(Units::Imperial, 1),
            "Bern\nnow: 68.0 °F, clear sky, wind 0 mph\n2026-07-01: 50 to 77 °F, clear sky, wind up to 10 mph"
        );
    }
}
