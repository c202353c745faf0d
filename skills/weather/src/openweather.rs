//! <https://openweathermap.org/forecast5>: five days in steps of three hours, with a key in the query.

use crate::report::{Day, Moment};
use crate::{Question, Report, unknown};
use chiton_sdk::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Name of the secret with the key.
pub(crate) const KEY: &str = "OPENWEATHER_KEY";
const FORECAST: &str = "https://api.openweathermap.org/data/2.5/forecast";
/// Metres in a second to kilometres in an hour.
const KILOMETRES: f64 = 3.6;

#[derive(Deserialize)]
struct Forecast {
    list: Vec<Step>,
    city: City,
}

#[derive(Deserialize)]
struct City {
    name: String,
    country: String,
}

#[derive(Deserialize)]
struct Step {
    dt_txt: String,
    main: Temperature,
    weather: Vec<Sky>,
    wind: Wind,
    /// Millimetres in a time, such as `3h`.
    #[serde(default)]
    rain: BTreeMap<String, f64>,
    #[serde(default)]
    snow: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Temperature {
    temp: f64,
    temp_min: f64,
    temp_max: f64,
}

#[derive(Deserialize)]
struct Sky {
    description: String,
}

#[derive(Deserialize)]
struct Wind {
    speed: f64,
}

pub(crate) fn ask(question: &Question) -> Result<Report, Failure> {
    let place = match &question.within {
        Some(within) => format!("{},{within}", question.city),
        None => question.city.clone(),
    };
    // The placeholder is no secret: the host puts the key in its place on the way out.
    let response = http::Request::get(FORECAST)
        .query("q", &place)
        .query("units", "metric")
        .query("appid", &secrets::placeholder(KEY)?)
        .send()?;
    match response.status {
        401 => Err(Failure::Failed(format!(
            "OpenWeather refuses the key in the secret {KEY}; set a valid one, or remove it and Open-Meteo is asked"
        ))),
        404 => Err(unknown(&place)),
        _ => response.success()?.json().map(report),
    }
}

fn report(forecast: Forecast) -> Report {
    let Forecast { list, city } = forecast;
    let now = list.first().map(|step| Moment {
        celsius: step.main.temp,
        sky: step.sky(),
        wind: step.wind.speed * KILOMETRES,
    });
    let same_day = list.chunk_by(|before, after| before.date() == after.date());
    Report {
        place: format!("{}, {} (OpenWeather)", city.name, city.country),
        now: now.unwrap_or_default(),
        days: same_day.filter_map(day).collect(),
    }
}

/// The day that these steps make; its sky is that at its middle.
fn day(steps: &[Step]) -> Option<Day> {
    let numbers = |number: fn(&Step) -> f64| steps.iter().map(number);
    Some(Day {
        date: steps.first()?.date().to_owned(),
        coldest: numbers(|step| step.main.temp_min).fold(f64::INFINITY, f64::min),
        warmest: numbers(|step| step.main.temp_max).fold(f64::NEG_INFINITY, f64::max),
        sky: steps.get(steps.len() / 2)?.sky(),
        water: numbers(|step| step.rain.values().chain(step.snow.values()).sum()).sum(),
        wind: numbers(|step| step.wind.speed).fold(0.0, f64::max) * KILOMETRES,
    })
}

impl Step {
    fn date(&self) -> &str {
        self.dt_txt.split(' ').next().unwrap_or_default()
    }

    fn sky(&self) -> String {
        self.weather.first().map(|sky| sky.description.clone()).unwrap_or_default()
    }
}
