//! A program of many deeds: the first argument says which. For tests of what the host makes of each.
//!
//! `exit CODE` · `deep-exit CODE` · `echo WORDS` · `cat` · `head LINES` · `yes` · `deaf`, which writes and never listens
//! to errors · `flood BYTES` · `count`, which tells how many bytes it reads · `grow MIB` · `sleep MS` · `panic` ·
//! `environment` · `where` · `read FILE` · `write FILE` · `tick FILE`, which counts in it for ever · `tree DEPTH`, which starts itself twice at each level ·
//! `run PROGRAM ARGUMENTS` · `fetch URL`.

use chiton_program::Command;
use std::ffi::OsString;
use std::io::{BufRead, Read, Write};

chiton_program::main!(run);

fn run(arguments: Vec<OsString>) -> u8 {
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    match words.as_slice() {
        ["exit", code] => code.parse().unwrap_or(255),
        ["deep-exit", code] => std::process::exit(code.parse().unwrap_or(255)),
        ["echo", rest @ ..] => say(&rest.join(" ")),
        ["cat"] => copy(),
        ["head", lines] => head(lines.parse().unwrap_or(10)),
        ["yes"] => yes(),
        ["deaf"] => deaf(),
        ["flood", bytes] => flood(bytes.parse().unwrap_or(0)),
        ["count"] => count(),
        ["grow", mib] => grow(mib.parse().unwrap_or(0)),
        ["sleep", ms] => sleep(ms.parse().unwrap_or(0)),
        ["panic"] => panic!("as asked"),
        ["environment"] => say(&std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect::<String>()),
        ["where"] => {
            say(&std::env::current_dir().map_or_else(|error| error.to_string(), |path| path.display().to_string()))
        }
        ["read", file] => told(std::fs::read_to_string(file).map(|text| say(&text))),
        ["write", file] => told(std::fs::write(file, "written").map(|()| 0)),
        ["tick", file] => tick(file),
        ["tree", depth] => tree(depth.parse().unwrap_or(0)),
        ["run", rest @ ..] => told(start(rest)),
        ["fetch", url] => fetch(url),
        _ => 64,
    }
}

fn say(text: &str) -> u8 {
    told(writeln!(std::io::stdout(), "{text}").map(|()| 0))
}

fn told(result: std::io::Result<u8>) -> u8 {
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        1
    })
}

fn copy() -> u8 {
    told(std::io::copy(&mut std::io::stdin(), &mut std::io::stdout()).map(|_| 0))
}

fn head(lines: usize) -> u8 {
    std::io::stdin().lock().lines().map_while(Result::ok).take(lines).map(|line| say(&line)).max().unwrap_or(0)
}

fn yes() -> u8 {
    let lines = "y\n".repeat(2048);
    while std::io::stdout().write_all(lines.as_bytes()).is_ok() {}
    0
}

fn deaf() -> u8 {
    let lines = "x\n".repeat(2048);
    loop {
        let _ = std::io::stdout().write_all(lines.as_bytes());
    }
}

fn flood(bytes: usize) -> u8 {
    let piece = [b'x'; 16 << 10];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(piece.len());
        if std::io::stdout().write_all(&piece[..now]).is_err() {
            return 1;
        }
        left -= now;
    }
    0
}

fn count() -> u8 {
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    while let Ok(read @ 1..) = std::io::stdin().read(&mut buffer) {
        total += read;
    }
    say(&total.to_string())
}

fn grow(mib: usize) -> u8 {
    let mut held: Vec<Vec<u8>> = Vec::new();
    for _ in 0..mib {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(1 << 20).is_err() {
            eprintln!("got {} MiB", held.len());
            return 3;
        }
        piece.resize(1 << 20, 1);
        held.push(piece);
    }
    say(&held.iter().map(Vec::len).sum::<usize>().to_string())
}

fn sleep(ms: u64) -> u8 {
    std::thread::sleep(std::time::Duration::from_millis(ms));
    0
}

fn tick(file: &str) -> u8 {
    for count in 0_u64.. {
        if std::fs::write(file, count.to_string()).is_err() {
            return 1;
        }
        sleep(10);
    }
    0
}

fn tree(depth: u32) -> u8 {
    if depth == 0 {
        return sleep(200);
    }
    let next = (depth - 1).to_string();
    told(start(&["deeds", "tree", &next]).and_then(|_| start(&["deeds", "tree", &next])))
}

fn start(words: &[&str]) -> std::io::Result<u8> {
    Command::new(words).run().map_err(std::io::Error::other)
}

fn fetch(url: &str) -> u8 {
    use chiton_program::http::{Request, fetch};
    let request =
        Request { method: "GET".into(), url: url.into(), headers: Vec::new(), body: Vec::new(), redirects: 0 };
    match fetch(&request) {
        Ok(response) => say(&format!("{} {}", response.status, String::from_utf8_lossy(&response.body))),
        Err(failure) => {
            eprintln!("{failure:?}");
            22
        }
    }
}
