//! JSON Schemas for the model: small, flat, and in the words of the doc comments.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema of a tool's arguments.
pub(crate) fn of<T: JsonSchema>() -> String {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let settings = settings.with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.remove("description"); // the tool has its own
    schema.to_value().to_string()
}

/// Drops what says nothing to a model: the width of integers, and line breaks from the source.
fn tidy(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.contains("int")) {
        schema.remove("format");
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = unwrap_lines(description);
    }
}

/// Joins the lines of each paragraph, as a doc comment is wrapped for its source only. List items stay lines.
pub(crate) fn unwrap_lines(comment: &str) -> String {
    let mut text = String::with_capacity(comment.len());
    for line in comment.lines().map(str::trim) {
        let starts_anew = line.is_empty() || line.starts_with("- ") || line.starts_with("* ");
        if !text.is_empty() {
            text.push(if starts_anew || text.ends_with('\n') { '\n' } else { ' ' });
        }
        text.push_str(line);
    }
    text.trim_end().to_owned()
}
