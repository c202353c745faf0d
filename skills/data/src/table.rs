//! Tables, as CSV and JSON files hold them and as a model reads them.

use crate::value::Value;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::fmt::Write;

/// Signs that separate the fields of a line; the most frequent in the first line is taken.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// Most characters of a cell that are shown.
const LONGEST_CELL: usize = 200;

/// Named columns and rows of values.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Table {
    /// The table in the text of a file with this ending of its name. An error is the end of a sentence about the file.
    pub(crate) fn read(text: &str, ending: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match ending {
            "json" => {
                let json = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
                Self::from_json(json)
            }
            "jsonl" | "ndjson" => {
                let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
                let read = |(number, line)| {
                    serde_json::from_str(line).map_err(|error| format!("has no JSON in line {}: {error}", number + 1))
                };
                Self::from_json(Json::Array(lines.map(read).collect::<Result<_, _>>()?))
            }
            "csv" | "tsv" | "txt" => {
                let head = text.lines().next().unwrap_or_default();
                let frequent = SEPARATORS.into_iter().rev().max_by_key(|separator| head.matches(*separator).count());
                Self::from_csv(text, frequent.unwrap_or(','))
            }
            _ => Err("is of no known kind; its name must end in .csv, .tsv, .json, .jsonl or .ndjson".to_owned()),
        }
    }

    /// The first line names the columns. A column whose cells are all numbers holds numbers.
    pub(crate) fn from_csv(text: &str, separator: char) -> Result<Self, String> {
        let broken = |error: csv::Error| match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => format!(
                "has {len} fields in line {}, but {expected_len} columns; quote fields that contain '{separator}'",
                pos.as_ref().map_or(0, csv::Position::line)
            ),
            _ => format!("is no CSV: {error}"),
        };
        let mut reader = csv::ReaderBuilder::new().delimiter(separator as u8).from_reader(text.as_bytes());
        let columns: Vec<String> =
            reader.headers().map_err(broken)?.iter().map(|name| name.trim().to_owned()).collect();
        if columns.iter().all(String::is_empty) {
            return Err("is empty; the first line must name the columns".to_owned());
        }
        let records = reader.records().collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let numeric: Vec<bool> = (0..columns.len())
            .map(|column| {
                let cells = records.iter().filter_map(|record| record.get(column));
                cells.map(str::trim).filter(|cell| !cell.is_empty()).all(|cell| Value::number(cell).is_some())
            })
            .collect();
        let value = |(cell, numeric): (&str, &bool)| match cell.trim() {
            "" => Value::Null,
            cell if *numeric => Value::number(cell).unwrap_or(Value::Null),
            cell => Value::Text(cell.to_owned()),
        };
        let rows = records.iter().map(|record| record.iter().zip(&numeric).map(value).collect());
        Ok(Self { columns, rows: rows.collect() })
    }

    /// A list of objects, or an object with one such list. Fields of objects inside get names with dots.
    fn from_json(json: Json) -> Result<Self, String> {
        let objects = match json {
            Json::Array(list) => list,
            Json::Object(fields) => {
                let is_table = |value: &&Json| {
                    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Json::is_object))
                };
                let tables: Vec<&Json> = fields.values().filter(is_table).collect();
                match tables.as_slice() {
                    [Json::Array(list)] => list.clone(),
                    [] => vec![Json::Object(fields)],
                    _ => return Err("has several lists of objects; keep one of them in a file of its own".to_owned()),
                }
            }
            _ => return Err("holds no list of objects, so it has no columns".to_owned()),
        };
        let (mut table, mut places) = (Self::default(), HashMap::new());
        for (number, object) in objects.into_iter().enumerate() {
            let Json::Object(fields) = object else {
                return Err(format!("has something else than an object at place {}", number + 1));
            };
            let mut row = vec![Value::Null; table.columns.len()];
            for (name, value) in fields {
                table.put(&mut row, &mut places, name, value);
            }
            table.rows.push(row);
        }
        let width = table.columns.len();
        table.rows.iter_mut().for_each(|row| row.resize(width, Value::Null));
        Ok(table)
    }

    /// Puts a field into a row, and into a new column if it has none.
    fn put(&mut self, row: &mut Vec<Value>, places: &mut HashMap<String, usize>, name: String, json: Json) {
        let value = match json {
            Json::Object(fields) if !fields.is_empty() => {
                for (inner, json) in fields {
                    self.put(row, places, format!("{name}.{inner}"), json);
                }
                return;
            }
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(value),
            Json::String(text) => Value::Text(text),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Value::Integer(integer),
                (None, real) => real.map_or(Value::Null, Value::Real),
            },
            other => Value::Text(other.to_string()),
        };
        let place = *places.entry(name).or_insert_with_key(|name| {
            self.columns.push(name.clone());
            self.columns.len() - 1
        });
        row.resize(self.columns.len(), Value::Null);
        row[place] = value;
    }

    /// As a Markdown table of at most `most` rows, with a line that tells what is left out.
    pub(crate) fn markdown(&self, most: usize) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.columns.iter().map(|name| cell(name)).collect());
        text.push_str(&line(self.columns.iter().map(|_| "---".to_owned()).collect()));
        for row in self.rows.iter().take(most) {
            text.push_str(&line(row.iter().map(|value| cell(&value.to_string())).collect()));
        }
        let rows = self.rows.len();
        let _ = match rows > most {
            true => write!(text, "(the first {most} of {rows} rows; use limit and offset, or count and group them)"),
            false => write!(text, "({rows} row{})", if rows == 1 { "" } else { "s" }),
        };
        text
    }

    /// Each column with the kind of its values and an example.
    pub(crate) fn description(&self) -> Self {
        let described = |(place, name): (usize, &String)| {
            let values = || self.rows.iter().filter_map(move |row| row.get(place)).filter(|value| !value.is_null());
            let kind = |value: &Value| match value {
                Value::Integer(_) | Value::Real(_) => "number",
                Value::Bool(_) => "true or false",
                _ => "text",
            };
            let first = values().next().cloned().unwrap_or(Value::Null);
            let same = values().all(|value| kind(value) == kind(&first));
            let kind = if same { kind(&first) } else { "mixed" };
            let empty = self.rows.len() - values().count();
            vec![Value::Text(name.clone()), Value::Text(kind.to_owned()), Value::Integer(empty as i64), first]
        };
        Self {
            columns: ["column", "kind", "empty", "example"].map(str::to_owned).to_vec(),
            rows: self.columns.iter().enumerate().map(described).collect(),
        }
    }
}

/// A cell in one line, without what would end it.
fn cell(text: &str) -> String {
    let plain = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    match plain.char_indices().nth(LONGEST_CELL) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ending: &str) -> Result<String, String> {
        Table::read(text, ending).map(|table| table.markdown(10))
    }

    #[test]
    fn csv_is_read_with_any_usual_separator_and_column_kind() {
        let table = Table::read("\u{feff}zip;name;size\n01234;\"a;b\";1.5\n04000;;2\n", "csv").unwrap();
        assert_eq!(table.columns, ["zip", "name", "size"]);
        assert_eq!(table.rows[0], [Value::Text("01234".into()), Value::Text("a;b".into()), Value::Real(1.5)]);
        assert_eq!(table.rows[1][1], Value::Null);
    }

    #[test]
    fn json_objects_may_lie_in_a_field_and_hold_objects() {
        let json = r#"{"count": 2, "items": [{"a": {"b": 1}, "c": [1, 2]}, {"d": true}]}"#;
        assert_eq!(
            read(json, "json").unwrap(),
            "| a.b | c | d |\n| --- | --- | --- |\n| 1 | [1,2] |  |\n|  |  | true |\n(2 rows)"
        );
        assert_eq!(Table::read("{\"a\":1}\n\n{\"a\":2}", "jsonl").unwrap().rows.len(), 2);
    }

    #[test]
    fn what_is_no_table_says_what_to_do() {
        for (text, ending, reason) in [
            ("a,b\n1,2\n1,2,3\n", "csv", "has 3 fields in line 3, but 2 columns; quote fields that contain ','"),
            ("", "csv", "is empty; the first line must name the columns"),
            ("{", "json", "is no JSON: "),
            ("3", "json", "holds no list of objects"),
            ("[1]", "json", "has something else than an object at place 1"),
            ("{}\n{", "jsonl", "has no JSON in line 2"),
            ("x", "xls", "is of no known kind; its name must end in .csv"),
        ] {
            let error = read(text, ending).unwrap_err();
            assert!(error.starts_with(reason), "{error}");
        }
    }

    #[test]
    fn cells_stay_inside_their_line() {
        let table = Table { columns: vec!["a".into()], rows: vec![vec![Value::Text("x\n| y".into())]; 3] };
        assert_eq!(
            table.markdown(1),
            "| a |\n| --- |\n| x \\| y |\n(the first 1 of 3 rows; use limit and offset, or count and group them)"
        );
    }
}
