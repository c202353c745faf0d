//! Two tools: one reads a file, the other asks a service.

use chiton_sdk::prelude::*;
use serde::Deserialize;

/// Counts the words of a text file.
#[tool(name = "my_skill_words", effects(reads_files))]
fn count_words(arguments: CountWords) -> ToolResult {
    let place = paths::file(&arguments.path, Access::Read)?;
    let text = std::fs::read_to_string(&place).map_err(|error| place.failure(error))?;
    Ok(format!("{place} has {} words", text.split_whitespace().count()))
}

#[arguments]
struct CountWords {
    /// Path of the file.
    path: String,
}

/// Tells the weather of a city.
#[tool(name = "my_skill_weather", effects(uses_network))]
fn weather(arguments: Weather) -> ToolResult {
    let Weather { city, days } = arguments;
    // It stands for the value, which only the host knows.
    let key = secrets::placeholder("MY_SKILL_KEY")?;
    call::progress(&format!("asking for the weather of {city}"));
    let response = http::Request::get("https://api.example.com/v1/weather")
        .query("city", &city)
        .query("days", &days.to_string())
        .query("key", &key)
        .send()?;
    if response.status == 404 {
        return Err(Failure::NotFound(format!("the service knows no city '{city}'; try a larger one nearby")));
    }
    let Answer { sky, degrees } = response.success()?.json()?;
    Ok(format!("{city}: {sky}, {degrees:.0} degrees"))
}

#[arguments]
struct Weather {
    /// Name of the city.
    city: String,
    /// For how many days.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 7))]
    days: u8,
}

fn one() -> u8 {
    1
}

/// What the service answers.
#[derive(Deserialize)]
struct Answer {
    sky: String,
    degrees: f64,
}

chiton_sdk::export!(count_words, weather);
