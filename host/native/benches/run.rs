//! What the walls cost: `/usr/bin/true` and `git version` started directly and through `Native`, by turns.
//! Prints the best, the median and the 95th percentile of each in milliseconds.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    use chiton_native::{Directory, Limits, Native, Options, Pinned, ProgramGrant, Request, Search};
    use std::time::{Duration, Instant};
    use tokio_util::sync::CancellationToken;

    const ROUNDS: usize = 200;

    let child = env!("CARGO_BIN_EXE_chiton-native-child").into();
    let native = Native::new(Options::new(child, Vec::new()));
    let place = tempfile::tempdir()?;
    let directories = [Directory::open(place.path(), true)?];
    let cwd = directories[0].path().to_owned();
    for command in ["true", "git version"] {
        let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let pinned = Pinned::resolve(ProgramGrant::parse(command)?, &Search::default(), &[])?;
        let (mut direct, mut walled) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            tokio::process::Command::new(&pinned.path).args(&argv[1..]).output().await?;
            direct.push(start.elapsed());

            let request = Request {
                program: &pinned,
                argv: &argv,
                cwd: &cwd,
                directories: &directories,
                limits: Limits::default(),
            };
            let none: Option<tokio::io::Empty> = None;
            let start = Instant::now();
            native.run(request, none, tokio::io::sink(), tokio::io::sink(), &CancellationToken::new()).await?;
            walled.push(start.elapsed());
        }
        let at = |times: &mut Vec<Duration>, percent: usize| {
            times.sort_unstable();
            times[times.len() * percent / 100].as_secs_f64() * 1000.0
        };
        for (name, times) in [("directly", &mut direct), ("behind the walls", &mut walled)] {
            println!(
                "{command} {name}: best {:.2} ms, p50 {:.2} ms, p95 {:.2} ms",
                at(times, 0),
                at(times, 50),
                at(times, 95)
            );
        }
    }
    Ok(())
}
