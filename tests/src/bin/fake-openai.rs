//! `fake-openai SCRIPT.json [--port N] [--log FILE] [--until-eof]`: runs the fake model and prints its URL.
//!
//! `--log` appends every request as a line of JSON; `--until-eof` ends it when standard input closes.

use chiton_tests::fake_openai::{FakeOpenAi, Recorded, Script};
use std::fs::File;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Mutex;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let (mut script, mut port, mut log, mut until_eof) = (None, 0, None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => port = arguments.next().and_then(|text| text.parse().ok()).ok_or("--port needs a number")?,
            "--log" => log = Some(arguments.next().ok_or("--log needs a file")?),
            "--until-eof" => until_eof = true,
            path => script = Some(path.to_string()),
        }
    }
    let path = script.ok_or("usage: fake-openai SCRIPT.json [--port N] [--log FILE] [--until-eof]")?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let script: Script = serde_json::from_str(&text).map_err(|error| format!("{path} is no script: {error}"))?;
    let log = log.map(|path| open_log(&path)).transpose()?;
    let fake = FakeOpenAi::start_on(port, script, move |recorded| write_line(log.as_ref(), recorded))
        .map_err(|error| format!("port {port} cannot be had: {error}"))?;
    println!("{}", fake.base_url());
    wait(until_eof);
    Ok(())
}

fn open_log(path: &str) -> Result<Mutex<File>, String> {
    let file = File::options().create(true).append(true).open(path);
    file.map(Mutex::new).map_err(|error| format!("{path} cannot be written: {error}"))
}

fn write_line(log: Option<&Mutex<File>>, recorded: &Recorded) {
    let Some(Ok(mut file)) = log.map(Mutex::lock) else {
        return;
    };
    if let Ok(line) = serde_json::to_string(recorded) {
        let _ = writeln!(file, "{line}");
    }
}

fn wait(until_eof: bool) {
    if until_eof {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        return;
    }
    loop {
        std::thread::park();
    }
}
