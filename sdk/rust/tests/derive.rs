//! What the macros make of doc comments and types.

use chiton_sdk::prelude::*;
use chiton_sdk::{Definition, Effects, Tool, generated};
use std::num::NonZeroU32;

/// Sends a parcel. The doc comment is wrapped
/// for its source only.
///
/// - but lists
/// - stay lists
#[tool(effects(uses_network, destructive))]
fn send_parcel(arguments: SendParcel) -> ToolResult<serde_json::Value> {
    Ok(serde_json::json!({
        "to": arguments.address.street,
        "count": arguments.count.map_or(1, NonZeroU32::get),
        "express": arguments.speed == Speed::Express,
        "weight": arguments.weight,
    }))
}

#[arguments]
struct SendParcel {
    /// Where it
    /// goes.
    address: Address,
    /// How many.
    count: Option<NonZeroU32>,
    /// How fast.
    #[serde(default)]
    speed: Speed,
    /// At most ten.
    #[serde(default)]
    #[schemars(range(max = 10))]
    weight: u8,
}

#[arguments]
struct Address {
    /// Street and number.
    street: String,
}

#[arguments]
#[derive(Default, PartialEq)]
enum Speed {
    #[default]
    Slow,
    Express,
}

/// Tells the time.
#[tool(name = "clock")]
fn now() -> ToolResult<&'static str> {
    Ok("noon")
}

fn definition<T: Tool>() -> Definition {
    generated::definition::<T>()
}

fn call<T: Tool>(arguments: &str) -> Result<String, String> {
    match generated::call::<T>(arguments) {
        Ok(parts) => Ok(parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Json(text) => text.as_str(),
                Part::Image(_) | Part::File(_) => "bytes",
            })
            .collect()),
        Err(Failure::InvalidArguments(reason)) => Err(reason),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn name_description_and_effects_come_from_the_function() {
    let parcel = definition::<send_parcel>();
    assert_eq!(parcel.name, "send_parcel");
    assert_eq!(
        parcel.description,
        "Sends a parcel. The doc comment is wrapped for its source only.\n\n- but lists\n- stay lists"
    );
    assert_eq!(parcel.effects, Effects::USES_NETWORK | Effects::DESTRUCTIVE);
    assert_eq!(definition::<now>().name, "clock");
    assert_eq!(definition::<now>().effects, Effects::empty());
}

#[test]
fn the_schema_comes_from_the_types_and_is_small_and_flat() {
    let schema: serde_json::Value = serde_json::from_str(&definition::<send_parcel>().parameters).unwrap();
    assert_eq!(
        schema,
        serde_json::json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "address": {
                    "type": "object",
                    "description": "Where it goes.",
                    "additionalProperties": false,
                    "properties": {"street": {"type": "string", "description": "Street and number."}},
                    "required": ["street"]
                },
                "count": {"type": ["integer", "null"], "minimum": 1, "description": "How many."},
                "speed": {"type": "string", "enum": ["slow", "express"], "default": "slow", "description": "How fast."},
                "weight": {"type": "integer", "minimum": 0, "maximum": 10, "default": 0, "description": "At most ten."}
            },
            "required": ["address"]
        })
    );
    let nothing: serde_json::Value = serde_json::from_str(&definition::<now>().parameters).unwrap();
    assert_eq!(nothing, serde_json::json!({"type": "object", "additionalProperties": false}));
}

#[test]
fn arguments_reach_the_function() {
    let answer = call::<send_parcel>(r#"{"address":{"street":"Elm 1"},"count":2,"speed":"express"}"#);
    assert_eq!(answer.as_deref(), Ok(r#"{"to":"Elm 1","count":2,"express":true,"weight":0}"#));
    assert_eq!(call::<now>("{}").as_deref(), Ok("noon"));
}

#[test]
fn wrong_arguments_name_the_field_and_never_panic() {
    let wrong = |json| call::<send_parcel>(json).unwrap_err();
    assert!(wrong(r#"{"address":{"street":7}}"#).starts_with("argument 'address.street': invalid type"));
    assert!(wrong(r#"{"address":{"street":"x"},"count":0}"#).starts_with("argument 'count'"));
    assert!(wrong(r#"{"address":{"street":"x"},"colour":1}"#).contains("unknown field `colour`"));
    assert!(wrong("{}").contains("missing field `address`"));
    assert!(wrong("not json").contains("not what the tool takes"));
    assert!(call::<now>(r#"{"x":1}"#).is_err());
}
