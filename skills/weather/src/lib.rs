//! The skill `weather`: now and the next days, from Open-Meteo without a key or from OpenWeather with one.

mod open_meteo;
mod openweather;
mod report;

use chiton_sdk::prelude::*;
use report::{Report, Units};

/// Days without a wish.
const USUAL_DAYS: u8 = 3;
/// Most days that both services know.
const MOST_DAYS: u8 = 5;
/// Longest name of a place, in characters.
const LONGEST_CITY: usize = 100;

/// Tells the weather of a place: now, and the forecast for up to 5 days.
#[tool(effects(uses_network))]
fn weather(arguments: Weather) -> ToolResult {
    let question = arguments.question()?;
    let report = if secrets::available(openweather::KEY) {
        call::progress("asking OpenWeather");
        openweather::ask(&question)?
    } else {
        call::progress("asking Open-Meteo");
        open_meteo::ask(&question)?
    };
    Ok(report.words(question.units, question.days))
}

#[arguments]
struct Weather {
    /// Name of the city, with the country or region where the name is common, such as 'Bern, CH'.
    city: String,
    /// Days of forecast, 1 to 5; 1 is today (default 3).
    #[schemars(range(min = 1, max = 5))]
    days: Option<u8>,
    /// Units of the answer (default metric).
    #[serde(default)]
    units: Units,
}

/// What is asked of a service.
struct Question {
    city: String,
    /// The country or region, if one is named.
    within: Option<String>,
    days: usize,
    units: Units,
}

impl Weather {
    fn question(&self) -> Result<Question, Failure> {
        let (city, within) = match self.city.split_once(',') {
            Some((city, within)) => (city.trim(), Some(within.trim()).filter(|within| !within.is_empty())),
            None => (self.city.trim(), None),
        };
        if city.is_empty() || self.city.chars().count() > LONGEST_CITY {
            return Err(Failure::InvalidArguments(
                "name the city in 1 to 100 characters, such as 'Bern, CH'".to_owned(),
            ));
        }
        let days = usize::from(self.days.unwrap_or(USUAL_DAYS).clamp(1, MOST_DAYS));
        Ok(Question { city: city.to_owned(), within: within.map(str::to_owned), days, units: self.units })
    }
}

/// A place that the service does not know.
fn unknown(city: &str) -> Failure {
    Failure::NotFound(format!("no place called '{city}' is known; check the spelling, or name the next larger town"))
}

chiton_sdk::export!(weather);

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(city: &str) -> Result<Question, Failure> {
        Weather { city: city.to_owned(), days: None, units: Units::Metric }.question()
    }

    #[test]
    fn a_country_after_a_comma_narrows_the_search() {
        let question = asked(" Bern , CH").unwrap();
        assert_eq!((question.city.as_str(), question.within.as_deref(), question.days), ("Bern", Some("CH"), 3));
        assert_eq!(asked("Bern,").unwrap().within, None);
    }

    #[test]
    fn an_empty_or_endless_name_is_refused_before_anybody_is_asked() {
        for wrong in ["", " ,CH", &"x".repeat(101)] {
            assert!(matches!(asked(wrong), Err(Failure::InvalidArguments(_))));
        }
    }
}
