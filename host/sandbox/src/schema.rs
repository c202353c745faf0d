//! Argument schemas: written by strangers, evaluated on the host, so bounded before they are used.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Most bytes of a schema.
const MAX_SCHEMA: usize = 64 << 10;
/// Most values of a schema once its references are followed: references to references could make
/// one validation take for ever.
const MAX_EXPANDED: usize = 20_000;

/// Most bytes of the arguments of one call.
const MAX_ARGUMENTS: usize = 1 << 20;
/// Most values in the arguments of one call.
const MAX_VALUES: usize = 10_000;
/// Deepest nesting of schemas and arguments.
const MAX_DEPTH: usize = 64;

/// A schema that is safe to evaluate.
pub(crate) struct Schema(Validator);

impl Schema {
    /// Reads and bounds a schema; the error is the reason for a refusal.
    pub(crate) fn parse(text: &str) -> Result<(Value, Self), String> {
        if text.len() > MAX_SCHEMA {
            return Err(format!("its schema has more than {MAX_SCHEMA} bytes"));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| format!("its schema is no JSON: {error}"))?;
        if value.get("type").and_then(Value::as_str) != Some("object") {
            return Err("its schema must have \"type\": \"object\"".to_owned());
        }
        let mut budget = MAX_EXPANDED;
        expand(&value, &value, 0, &mut budget)?;
        let validator = jsonschema::draft202012::options()
            // A pattern from a stranger must not backtrack for ever on the host.
            .with_pattern_options(PatternOptions::regex())
            .build(&value)
            .map_err(|error| format!("its schema is invalid: {}", crate::imports::shown(&error.to_string())))?;
        Ok((value, Self(validator)))
    }

    /// Checks the arguments of a call; the error names the field.
    pub(crate) fn validate(&self, arguments: &Value) -> Result<(), String> {
        check_size(arguments)?;
        let Err(error) = self.0.validate(arguments) else {
            return Ok(());
        };
        let path = error.instance_path().to_string();
        let place = match path.as_str() {
            "" => "the arguments".to_owned(),
            path => format!("'{}'", crate::imports::shown(path)),
        };
        let reason: String = error.masked().to_string().chars().take(300).collect();
        Err(format!("{place}: {reason}"))
    }
}

/// Walks a schema as an evaluator would, through its references, and gives up when it is too much.
fn expand(schema: &Value, root: &Value, depth: usize, budget: &mut usize) -> Result<(), String> {
    *budget = budget
        .checked_sub(1)
        .ok_or_else(|| format!("its schema has more than {MAX_EXPANDED} values once its references are followed"))?;
    if depth > MAX_DEPTH {
        return Err(format!("its schema nests or refers deeper than {MAX_DEPTH}"));
    }
    match schema {
        Value::Array(items) => items.iter().try_for_each(|item| expand(item, root, depth + 1, budget)),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
                ("$ref", Value::String(target)) => {
                    let pointer = target.strip_prefix('#').ok_or("its schema refers outside itself")?;
                    let target = root.pointer(pointer).ok_or("its schema refers to nothing")?;
                    expand(target, root, depth + 1, budget)
                }
                ("$dynamicRef" | "$recursiveRef" | "$id" | "$anchor" | "$dynamicAnchor", _) => {
                    Err(format!("its schema uses '{key}'; only \"$ref\" to a JSON pointer is accepted"))
                }
                // Definitions cost what refers to them.
                ("$defs" | "definitions", _) => Ok(()),
                (_, value) => expand(value, root, depth + 1, budget),
            })
        }
        _ => Ok(()),
    }
}

/// Refuses arguments that are too large or too deep to be looked at.
fn check_size(arguments: &Value) -> Result<(), String> {
    if !arguments.is_object() {
        return Err("the arguments must be a JSON object".to_owned());
    }
    let (mut bytes, mut values) = (0, 0);
    let mut open = vec![(arguments, 1)];
    while let Some((value, depth)) = open.pop() {
        values += 1;
        bytes += match value {
            Value::String(text) => text.len(),
            Value::Array(items) => {
                open.extend(items.iter().map(|item| (item, depth + 1)));
                0
            }
            Value::Object(fields) => {
                open.extend(fields.values().map(|field| (field, depth + 1)));
                fields.keys().map(String::len).sum()
            }
            _ => 8,
        };
        if depth > MAX_DEPTH {
            return Err(format!("the arguments nest deeper than {MAX_DEPTH}"));
        }
        if values > MAX_VALUES {
            return Err(format!("the arguments have more than {MAX_VALUES} values"));
        }
        if bytes > MAX_ARGUMENTS {
            return Err(format!("the arguments have more than {MAX_ARGUMENTS} bytes"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_error_names_the_field_that_breaks_the_schema() {
        let schema = Schema::parse(
            r##"{"type":"object","properties":{"edits":{"type":"array","items":{"$ref":"#/$defs/edit"}}},
                "$defs":{"edit":{"type":"object","properties":{"line":{"type":"integer"}}}}}"##,
        )
        .unwrap()
        .1;
        schema.validate(&json!({"edits": [{"line": 3}]})).unwrap();
        let error = schema.validate(&json!({"edits": [{"line": 3}, {"line": "x"}]})).unwrap_err();
        assert!(error.starts_with("'/edits/1/line':"), "{error}");
    }

    #[test]
    fn a_schema_whose_references_multiply_is_refused() {
        let mut definitions = serde_json::Map::new();
        for level in 0..40 {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            definitions.insert(format!("l{level}"), json!({"allOf": [next, next]}));
        }
        definitions.insert("l40".to_owned(), json!({}));
        let bomb = json!({"type": "object", "allOf": [{"$ref": "#/$defs/l0"}], "$defs": definitions});
        assert!(Schema::parse(&bomb.to_string()).is_err());
        let endless = r##"{"type":"object","properties":{"a":{"$ref":"#"}}}"##;
        assert!(Schema::parse(endless).is_err());
        let outside = r#"{"type":"object","properties":{"a":{"$ref":"https://example.org/s"}}}"#;
        assert!(Schema::parse(outside).is_err());
    }

    #[test]
    fn res_10_arguments_that_are_too_deep_or_too_many_are_refused_and_large_text_is_not() {
        let schema = Schema::parse(r#"{"type":"object"}"#).unwrap().1;
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(schema.validate(&json!({"a": deep})).is_err());
        assert!(schema.validate(&json!({"a": vec![0; 20_000]})).is_err());
        assert!(schema.validate(&json!({"a": "x".repeat(2 << 20)})).is_err());
        schema.validate(&json!({"a": "x".repeat(900_000)})).unwrap();
    }
}
