//! The skill `data`: CSV and JSON files as tables, asked in SQL.

mod expression;
mod parse;
mod run;
mod table;
mod token;
mod value;

use chiton_sdk::prelude::*;
use std::path::Path;
use table::Table;

/// Largest file, in bytes.
const LARGEST_FILE: u64 = 32 << 20;
/// Most rows that are shown.
const MOST_ROWS: usize = 200;
/// Longest query, in bytes.
const LONGEST_QUERY: usize = 10_000;

/// Asks CSV and JSON files a question in SQL. A file is a table: select city, avg(price) from 'data/flats.csv'
/// where rooms > 2 group by city order by 2 desc limit 5. Joins files with each other. Use describe_data first.
#[tool(effects(reads_files))]
fn query_data(arguments: QueryData) -> ToolResult {
    let query = match arguments.sql.as_str() {
        sql if sql.len() <= LONGEST_QUERY => parse::query(sql),
        _ => Err(format!("it has more than {LONGEST_QUERY} bytes")),
    };
    let query = query.map_err(wrong)?;
    let table = run::run(query, |source| read(&source.file).map_err(Trouble::Reading));
    match table {
        Ok(table) => Ok(table.markdown(MOST_ROWS)),
        Err(Trouble::Reading(failure)) => Err(failure),
        Err(Trouble::Query(reason)) => Err(wrong(reason)),
    }
}

#[arguments]
struct QueryData {
    /// One select statement; paths of files stand in single quotes where tables are named.
    sql: String,
}

/// Tells the columns of a CSV or JSON file: their names, kinds, empty cells and an example.
#[tool(effects(reads_files))]
fn describe_data(arguments: DescribeData) -> ToolResult {
    let table = read(&arguments.path)?;
    Ok(format!("{} rows\n{}", table.rows.len(), table.description().markdown(MOST_ROWS)))
}

#[arguments]
struct DescribeData {
    /// Path of the file.
    path: String,
}

/// Why a query has no result.
enum Trouble {
    Reading(Failure),
    Query(String),
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Query(reason)
    }
}

fn wrong(reason: String) -> Failure {
    Failure::InvalidArguments(format!("the query is wrong: {reason}"))
}

/// The table in a file.
fn read(path: &str) -> Result<Table, Failure> {
    let place = paths::file(path, Access::Read)?;
    let failed = |reason: String| Failure::Failed(format!("'{place}' {reason}"));
    if std::fs::metadata(&place).map_err(|error| place.failure(error))?.len() > LARGEST_FILE {
        return Err(failed(format!("has more than {} MiB; split it into smaller files", LARGEST_FILE >> 20)));
    }
    let bytes = std::fs::read(&place).map_err(|error| place.failure(error))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("is no UTF-8 text; save it as UTF-8".to_owned()))?;
    let ending = Path::new(path).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    Table::read(&text, &ending.unwrap_or_default()).map_err(failed)
}

chiton_sdk::export!(query_data, describe_data);
