//! Arguments as models write them, turned into the types that the schema asks for.
//!
//! Only what has one meaning is turned; everything else is left for the validator to name.

use serde_json::{Map, Value};

/// Deepest nesting that is looked at.
const DEEPEST: usize = 32;

/// Casts the fields of `arguments` to the types in `schema`.
pub(crate) fn cast(arguments: &mut Map<String, Value>, schema: &Value) {
    cast_object(arguments, schema, schema, 0);
}

fn cast_object(object: &mut Map<String, Value>, schema: &Value, root: &Value, depth: usize) {
    let schema = resolve(schema, root);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    object.retain(|name, value| {
        let Some(property) = properties.get(name) else { return true };
        // Models write null for "not given".
        !(value.is_null() && !required(name) && !accepts(property, root, "null"))
    });
    for (name, value) in object.iter_mut() {
        if let Some(property) = properties.get(name) {
            cast_value(value, property, root, depth + 1);
        }
    }
}

fn cast_value(value: &mut Value, schema: &Value, root: &Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let schema = resolve(schema, root);
    let given = kind(value);
    let fits = accepts(schema, root, given) || (given == "integer" && accepts(schema, root, "number"));
    if !fits {
        let turned = CASTS
            .iter()
            .filter(|(from, to, _)| given == *from && accepts(schema, root, to))
            .find_map(|(_, _, turn)| turn(value));
        if let Some(turned) = turned {
            *value = turned;
        }
    }
    match value {
        Value::Object(object) => cast_object(object, branch(schema, root, "object"), root, depth),
        Value::Array(items) => {
            let schema = branch(schema, root, "array");
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| cast_value(item, schema, root, depth + 1));
            }
        }
        _ => {}
    }
}

type Cast = fn(&Value) -> Option<Value>;

/// From what, to what, how; the first that gives a value wins.
const CASTS: [(&str, &str, Cast); 8] = [
    ("string", "integer", |value| text(value)?.parse::<i64>().ok().map(Value::from)),
    ("string", "number", |value| text(value)?.parse::<f64>().ok().and_then(finite)),
    ("string", "boolean", |value| truth(text(value)?)),
    ("string", "array", |value| serde_json::from_str(text(value)?).ok().filter(Value::is_array)),
    ("string", "object", |value| serde_json::from_str(text(value)?).ok().filter(Value::is_object)),
    ("number", "integer", whole),
    ("integer", "string", |value| Some(Value::String(value.to_string()))),
    ("number", "string", |value| Some(Value::String(value.to_string()))),
];

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim)
}

fn finite(number: f64) -> Option<Value> {
    serde_json::Number::from_f64(number).map(Value::Number)
}

fn whole(value: &Value) -> Option<Value> {
    let number = value.as_f64()?;
    // Beyond 2^53 a float no longer names one integer.
    (number.fract() == 0.0 && number.abs() < 9e15).then(|| Value::from(number as i64))
}

fn truth(word: &str) -> Option<Value> {
    const WORDS: [(&str, bool); 8] = [
        ("true", true),
        ("yes", true),
        ("on", true),
        ("1", true),
        ("false", false),
        ("no", false),
        ("off", false),
        ("0", false),
    ];
    let found = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, truth)| Value::Bool(*truth))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether `schema` names `kind` among its types. A schema without types accepts everything.
fn accepts(schema: &Value, root: &Value, kind: &str) -> bool {
    let schema = resolve(schema, root);
    if let Some(branches) = branches(schema) {
        return branches.iter().any(|branch| accepts_plain(resolve(branch, root), kind));
    }
    accepts_plain(schema, kind)
}

fn accepts_plain(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => schema
            .get("enum")
            .and_then(Value::as_array)
            .is_none_or(|values| values.iter().any(|value| self::kind(value) == kind)),
    }
}

fn branches(schema: &Value) -> Option<&Vec<Value>> {
    ["anyOf", "oneOf"].iter().find_map(|word| schema.get(word)).and_then(Value::as_array)
}

/// The branch of `schema` that describes values of `kind`.
fn branch<'a>(schema: &'a Value, root: &'a Value, kind: &str) -> &'a Value {
    let found = branches(schema).and_then(|branches| {
        branches.iter().map(|branch| resolve(branch, root)).find(|branch| accepts_plain(branch, kind))
    });
    found.unwrap_or(schema)
}

/// Follows one local reference, which is all that derived schemas have.
fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    target.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn after(schema: Value, arguments: Value) -> Value {
        let Value::Object(mut arguments) = arguments else { panic!("an object") };
        cast(&mut arguments, &schema);
        Value::Object(arguments)
    }

    fn one(schema: Value, value: Value) -> Value {
        let schema = json!({"type": "object", "properties": {"x": schema}, "required": ["x"]});
        after(schema, json!({"x": value}))["x"].clone()
    }

    #[test]
    fn what_has_one_meaning_is_turned() {
        for (schema, given, wanted) in [
            ("integer", json!("5"), json!(5)),
            ("integer", json!(" 5 "), json!(5)),
            ("integer", json!(5.0), json!(5)),
            ("number", json!("0.5"), json!(0.5)),
            ("boolean", json!("yes"), json!(true)),
            ("boolean", json!("False"), json!(false)),
            ("string", json!(5), json!("5")),
            ("array", json!("[1]"), json!([1])),
            ("object", json!("{\"a\":1}"), json!({"a": 1})),
        ] {
            assert_eq!(one(json!({"type": schema}), given), wanted);
        }
    }

    #[test]
    fn what_has_no_clear_meaning_is_left_for_the_validator() {
        for (schema, given) in [
            ("integer", json!("five")),
            ("integer", json!(5.5)),
            ("integer", json!(1e300)),
            ("number", json!("inf")),
            ("boolean", json!("maybe")),
            ("boolean", json!(2)),
            ("array", json!("{}")),
            ("object", json!("[]")),
            ("string", json!(true)),
        ] {
            assert_eq!(one(json!({"type": schema}), given.clone()), given);
        }
    }

    #[test]
    fn what_fits_already_is_never_touched() {
        assert_eq!(one(json!({"type": ["string", "integer"]}), json!("5")), json!("5"));
        assert_eq!(one(json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!("5")), json!("5"));
        assert_eq!(one(json!({"type": "number"}), json!(5)), json!(5));
        assert_eq!(one(json!({}), json!("5")), json!("5"));
    }

    #[test]
    fn nullable_types_are_seen_through() {
        assert_eq!(one(json!({"type": ["integer", "null"]}), json!("7")), json!(7));
        assert_eq!(one(json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), json!("7")), json!(7));
        assert_eq!(one(json!({"type": ["integer", "null"]}), json!(null)), json!(null));
    }

    #[test]
    fn null_for_an_optional_field_means_not_given() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["b"]});
        assert_eq!(after(schema, json!({"a": null, "b": null, "c": null})), json!({"b": null, "c": null}));
    }

    #[test]
    fn items_and_references_are_followed() {
        let schema = json!({
            "type": "object",
            "properties": {"edits": {"type": "array", "items": {"$ref": "#/$defs/Edit"}}},
            "$defs": {"Edit": {"type": "object", "properties": {"all": {"type": "boolean"}}}}
        });
        assert_eq!(after(schema, json!({"edits": [{"all": "no"}]})), json!({"edits": [{"all": false}]}));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"properties": {"x": {"$ref": "#"}}, "$ref": "#"});
        let mut deep = json!({});
        for _ in 0..200 {
            deep = json!({"x": deep});
        }
        after(schema, deep);
    }
}
