//! <https://open-meteo.com/en/docs>: free for personal use, without a key.

use crate::report::{Day, Moment};
use crate::{Question, Report, unknown};
use chiton_sdk::prelude::*;
use serde::Deserialize;

const PLACES: &str = "https://geocoding-api.open-meteo.com/v1/search";
const FORECAST: &str = "https://api.open-meteo.com/v1/forecast";
/// How many places of one name are looked at.
const MOST_PLACES: &str = "10";

/// The WMO codes of the weather, each up to the next.
const SKIES: [(u8, &str); 27] = [
    (0, "clear sky"),
    (1, "mainly clear"),
    (2, "partly cloudy"),
    (3, "overcast"),
    (45, "fog"),
    (48, "rime fog"),
    (51, "light drizzle"),
    (53, "drizzle"),
    (55, "dense drizzle"),
    (56, "light freezing drizzle"),
    (57, "freezing drizzle"),
    (61, "light rain"),
    (63, "rain"),
    (65, "heavy rain"),
    (66, "light freezing rain"),
    (67, "freezing rain"),
    (71, "light snow"),
    (73, "snow"),
    (75, "heavy snow"),
    (77, "snow grains"),
    (80, "light showers"),
    (81, "showers"),
    (82, "violent showers"),
    (85, "snow showers"),
    (86, "heavy snow showers"),
    (95, "thunderstorm"),
    (96, "thunderstorm with hail"),
];

#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    results: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    name: String,
    latitude: f64,
    longitude: f64,
    #[serde(default)]
    country: String,
    #[serde(default)]
    country_code: String,
    #[serde(default)]
    admin1: String,
}

#[derive(Deserialize)]
struct Forecast {
    current: Current,
    daily: Daily,
}

#[derive(Deserialize)]
struct Current {
    temperature_2m: f64,
    weather_code: u8,
    wind_speed_10m: f64,
}

#[derive(Deserialize)]
struct Daily {
    time: Vec<String>,
    weather_code: Vec<u8>,
    temperature_2m_min: Vec<f64>,
    temperature_2m_max: Vec<f64>,
    precipitation_sum: Vec<f64>,
    wind_speed_10m_max: Vec<f64>,
}

pub(crate) fn ask(question: &Question) -> Result<Report, Failure> {
    let places: Places = http::Request::get(PLACES)
        .query("name", &question.city)
        .query("count", MOST_PLACES)
        .send()?
        .success()?
        .json()?;
    let place = choose(places.results, question)?;
    let forecast: Forecast = http::Request::get(FORECAST)
        .query("latitude", &place.latitude.to_string())
        .query("longitude", &place.longitude.to_string())
        .query("current", "temperature_2m,weather_code,wind_speed_10m")
        .query("daily", "weather_code,temperature_2m_min,temperature_2m_max,precipitation_sum,wind_speed_10m_max")
        .query("forecast_days", &question.days.to_string())
        .query("timezone", "auto")
        .send()?
        .success()?
        .json()?;
    Ok(report(&place, forecast))
}

/// The first place in the country or region that was named, by its name or code.
fn choose(places: Vec<Place>, question: &Question) -> Result<Place, Failure> {
    let Some(within) = question.within.as_deref().map(str::to_lowercase) else {
        return places.into_iter().next().ok_or_else(|| unknown(&question.city));
    };
    let mut countries: Vec<String> = places.iter().map(|place| place.country.clone()).collect();
    let fits = |place: &Place| {
        [&place.country, &place.country_code, &place.admin1].iter().any(|region| region.to_lowercase() == within)
    };
    places.into_iter().find(fits).ok_or_else(|| {
        countries.sort();
        countries.dedup();
        match countries.join(", ").as_str() {
            "" => unknown(&question.city),
            countries => {
                Failure::NotFound(format!("places called '{}' are in {countries}; name one of these", question.city))
            }
        }
    })
}

fn report(place: &Place, forecast: Forecast) -> Report {
    let Forecast { current, daily } = forecast;
    let regions = [&place.name, &place.admin1, &place.country].map(String::as_str);
    let named: Vec<&str> = regions.into_iter().filter(|region| !region.is_empty()).collect();
    let numbers = |column: &[f64], row: usize| column.get(row).copied().unwrap_or_default();
    let days = daily.time.into_iter().enumerate().map(|(row, date)| Day {
        date,
        coldest: numbers(&daily.temperature_2m_min, row),
        warmest: numbers(&daily.temperature_2m_max, row),
        sky: sky(daily.weather_code.get(row).copied().unwrap_or_default()),
        water: numbers(&daily.precipitation_sum, row),
        wind: numbers(&daily.wind_speed_10m_max, row),
    });
    Report {
        place: format!("{} (Open-Meteo)", named.join(", ")),
        now: Moment { celsius: current.temperature_2m, sky: sky(current.weather_code), wind: current.wind_speed_10m },
        days: days.collect(),
    }
}

fn sky(code: u8) -> String {
    SKIES.iter().rev().find(|(first, _)| *first <= code).map_or("", |(_, sky)| sky).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Units;

    fn question(within: Option<&str>) -> Question {
        Question { city: "Bern".into(), within: within.map(str::to_owned), days: 1, units: Units::Metric }
    }

    fn place(country: &str, code: &str) -> Place {
        let (country, country_code) = (country.to_owned(), code.to_owned());
        Place { name: "Bern".into(), latitude: 0.0, longitude: 0.0, country, country_code, admin1: String::new() }
    }

    #[test]
    fn the_country_chooses_among_places_of_one_name() {
        let places = || vec![place("Switzerland", "CH"), place("United States", "US")];
        assert_eq!(choose(places(), &question(Some("us"))).ok().unwrap().country, "United States");
        assert_eq!(choose(places(), &question(None)).ok().unwrap().country, "Switzerland");
        let Err(Failure::NotFound(reason)) = choose(places(), &question(Some("FR"))) else { panic!("found") };
        assert_eq!(reason, "places called 'Bern' are in Switzerland, United States; name one of these");
    }

    #[test]
    fn every_code_has_words() {
        assert_eq!(
            (sky(0), sky(62), sky(255)),
            ("clear sky".into(), "light rain".into(), "thunderstorm with hail".into())
        );
    }
}
