//! Draws the tour: `picture PROGRAM OUTPUT.svg` runs `PROGRAM chat` without input, in a real terminal
//! (made by `script` of util-linux) and an empty home, and writes its last screen as SVG.

use std::fmt::Write as _;
use std::process::{Command, ExitCode, Stdio};

const COLUMNS: u16 = 98;
const ROWS: u16 = 120;
const CELL_WIDTH: f32 = 8.4;
const LINE_HEIGHT: f32 = 19.0;
const MARGIN: f32 = 18.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, output] = arguments.as_slice() else {
        eprintln!("usage: picture PROGRAM OUTPUT.svg");
        return ExitCode::from(2);
    };
    match draw(program, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("picture: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(program: &str, output: &str) -> std::io::Result<()> {
    let home = tempfile::tempdir()?;
    let shown = Command::new("script")
        .args(["-qfec", &format!("stty cols {COLUMNS} rows 40; {program} chat </dev/null"), "/dev/null"])
        .env("CHITON_HOME", home.path().join("home"))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .output()?;
    let mut screen = vt100::Parser::new(ROWS, COLUMNS, 0);
    screen.process(&shown.stdout);
    std::fs::write(output, svg(screen.screen()))
}

fn svg(screen: &vt100::Screen) -> String {
    let text = |row: u16| screen.contents_between(row, 0, row, COLUMNS);
    // Warnings about the machine that draws the picture stand above the title.
    let first = (0..ROWS).find(|row| text(*row).starts_with("Chiton:")).unwrap_or(0);
    let last = (first..ROWS).rev().find(|row| !text(*row).trim().is_empty()).unwrap_or(first);
    let used = last + 1 - first;
    let width = f32::from(COLUMNS).mul_add(CELL_WIDTH, 2.0 * MARGIN);
    let height = f32::from(used).mul_add(LINE_HEIGHT, 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#14181d\"/>\n"
    );
    for row in 0..used {
        for (column, text, fill, style) in runs(screen, first + row) {
            let x = f32::from(column).mul_add(CELL_WIDTH, MARGIN);
            let y = f32::from(row + 1).mul_add(LINE_HEIGHT, MARGIN - 5.0);
            let length = text.chars().count() as f32 * CELL_WIDTH;
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" xml:space=\"preserve\" fill=\"{fill}\"{style}>{}</text>",
                escaped(&text)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The pieces of one row that look alike: first column, text, colour, further attributes.
fn runs(screen: &vt100::Screen, row: u16) -> Vec<(u16, String, &'static str, &'static str)> {
    let mut runs: Vec<(u16, String, &'static str, &'static str)> = Vec::new();
    for column in 0..COLUMNS {
        let Some(cell) = screen.cell(row, column) else { continue };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let fill = if cell.dim() { "#7d8794" } else { colour(cell.fgcolor()) };
        let style = match (cell.bold(), cell.italic()) {
            (true, _) => " font-weight=\"bold\"",
            (false, true) => " font-style=\"italic\"",
            (false, false) => "",
        };
        match runs.last_mut() {
            Some((_, run, same_fill, same_style)) if *same_fill == fill && *same_style == style => run.push_str(text),
            _ => runs.push((column, text.to_owned(), fill, style)),
        }
    }
    runs.retain(|(_, text, ..)| !text.trim().is_empty());
    runs
}

fn colour(colour: vt100::Color) -> &'static str {
    match colour {
        vt100::Color::Idx(1 | 9) => "#ff7b72",
        vt100::Color::Idx(2 | 10) => "#7ee787",
        vt100::Color::Idx(3 | 11) => "#e3b341",
        vt100::Color::Idx(4 | 12) => "#79c0ff",
        vt100::Color::Idx(5 | 13) => "#d2a8ff",
        vt100::Color::Idx(6 | 14) => "#76e3ea",
        _ => "#d5dbe3",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
