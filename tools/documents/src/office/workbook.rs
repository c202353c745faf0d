//! Excel workbooks.

use super::{Archive, damaged};
use crate::output::Output;
use crate::pages::{self, Pages};
use crate::{Document, Error};
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use std::io::Cursor;

/// Most bytes of the parts that are kept in memory while sheets are read: the texts, the formats.
const MOST_KEPT: u64 = 16 << 20;
/// Most empty cells of a row that are shown as such; behind more of them the next cell is named.
const MOST_EMPTY: u32 = 16;

/// The cells of the selected sheets: a line for each row that has any, with its number.
pub(crate) fn read(bytes: Vec<u8>, wanted: Option<&Pages>, most: usize) -> Result<Document, Error> {
    check_sizes(&bytes)?;
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| reason(&error))?;
    let names = workbook.sheet_names();
    let selection = pages::select(wanted, names.len(), "sheet")?;
    let mut output = Output::new(most);
    for number in &selection.pages {
        let Some(name) = names.get(number - 1) else { continue };
        output.end_paragraph();
        output.push(&format!("--- sheet {number}: {name} ---\n"));
        sheet(&mut workbook, name, &mut output)?;
        if output.full() {
            break;
        }
    }
    let (text, truncated) = output.finish();
    Ok(Document { title: format!("Excel workbook, {}", selection.title), text, truncated, next: selection.next })
}

fn check_sizes(bytes: &[u8]) -> Result<(), Error> {
    let sizes = Archive::open(bytes)?.unpack(".xml")?;
    let kept = sizes.iter().filter(|(name, _)| !name.contains("/worksheets/")).map(|(_, size)| size);
    if kept.sum::<u64>() > MOST_KEPT { Err(Error::Bomb(MOST_KEPT >> 20)) } else { Ok(()) }
}

fn sheet(workbook: &mut Xlsx<Cursor<Vec<u8>>>, name: &str, output: &mut Output) -> Result<(), Error> {
    // Charts are sheets without cells.
    let mut cells = match workbook.worksheet_cells_reader(name) {
        Ok(cells) => cells,
        Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => return Ok(()),
        Err(error) => return Err(reason(&error)),
    };
    let mut at: Option<(u32, u32)> = None;
    while let Some(cell) = cells.next_cell().map_err(|error| reason(&error))? {
        let (row, column) = cell.get_position();
        let value = show(cell.get_value());
        if value.is_empty() {
            continue;
        }
        let skipped = match at {
            Some((last, before)) if last == row => column.saturating_sub(before),
            _ => {
                output.end_line();
                output.push(&format!("{}: ", u64::from(row) + 1));
                column
            }
        };
        if skipped > MOST_EMPTY {
            output.push(&format!("\t[{}] ", letters(column)));
        } else {
            output.push(&"\t".repeat(skipped as usize));
        }
        output.push(&value);
        at = Some((row, column));
        if output.full() {
            break;
        }
    }
    Ok(())
}

fn show(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(value) => value.to_string(),
        DataRef::Float(value) => value.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => one_line(text),
        DataRef::SharedString(text) => one_line(text),
        DataRef::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(moment) => show_moment(*moment),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

fn show_moment(moment: ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let whole_day = moment.as_f64().fract() == 0.0;
    if moment.is_duration() {
        let seconds = (moment.as_f64() * 86_400.0).round();
        format!("{}:{minute:02}:{second:02}", (seconds / 3600.0).trunc())
    } else if whole_day {
        format!("{year:04}-{month:02}-{day:02}")
    } else if moment.as_f64() < 1.0 {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Rows are lines and cells stand between tabs, so neither may be in a cell.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

/// The name of a column: `A`, `B`, ... `AA`.
fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + u8::try_from((rest - 1) % 26).unwrap_or_default()));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

fn reason(error: &XlsxError) -> Error {
    match error {
        XlsxError::Password => Error::Encrypted,
        error => damaged(error),
    }
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn columns_have_letters() {
        let names: Vec<String> = [0, 25, 26, 701, 702, 16_383].map(letters).to_vec();
        assert_eq!(names, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
