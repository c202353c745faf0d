//! `chiton doctor`

use super::{look, print_json, print_line};
use crate::builtin::{self, BuiltIn};
use crate::control;
use crate::exit::{Exit, Failure};
use crate::model;
use crate::process;
use crate::settings::Settings;
use crate::terminal::style::Style;
use crate::tools;
use chiton_providers::Model;
use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
use serde::Serialize;
use std::fs::File;
use std::time::{Duration, Instant};

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    Warning,
    Bad,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    name: &'static str,
    state: State,
    detail: String,
}

/// Looks at everything that the program needs. Fails if something is bad.
pub async fn run(json: bool) -> Result<(), Failure> {
    let mut findings = vec![finding("version", Ok(env!("CARGO_PKG_VERSION").to_owned()))];
    findings.extend(machine());
    findings.push(warning("walls", walls().await));
    match Settings::load() {
        Ok(settings) => home(&settings, &mut findings).await,
        Err(failure) => findings.push(finding("home", Err(failure.message))),
    }
    if json {
        print_json(&serde_json::to_value(&findings).map_err(Failure::because(Exit::Failure))?)?;
    } else {
        for Finding { name, state, detail } in &findings {
            let mark = match state {
                State::Good => Style::Good.paint("✓"),
                State::Warning => Style::Notice.paint("!"),
                State::Bad => Style::Bad.paint("✗"),
            };
            print_line(&format!("{mark} {name:12} {detail}"))?;
        }
    }
    let bad = findings.iter().filter(|finding| finding.state == State::Bad).count();
    match bad {
        0 => Ok(()),
        _ => Err(Failure::new(
            Exit::Failure,
            format!("{bad} of {} checks failed; see the lines marked ✗", findings.len()),
        )),
    }
}

fn finding(name: &'static str, result: Result<String, String>) -> Finding {
    let (state, detail) = match result {
        Ok(detail) => (State::Good, detail),
        Err(detail) => (State::Bad, detail),
    };
    Finding { name, state, detail }
}

fn warning(name: &'static str, result: Result<String, String>) -> Finding {
    let found = finding(name, result);
    match found.state {
        State::Bad => Finding { state: State::Warning, ..found },
        _ => found,
    }
}

/// The kernel, the engine and this process.
fn machine() -> Vec<Finding> {
    let engine = chiton_sandbox::check_engine();
    vec![
        warning(
            "user",
            match process::is_root() {
                true => Err("this is root; run chiton as an ordinary user".to_owned()),
                false => Ok(format!("uid {}", rustix::process::geteuid().as_raw())),
            },
        ),
        warning("privacy", privacy()),
        warning("open files", open_files()),
        finding("openat2", openat2()),
        warning(
            "pagemap",
            match process::open_to_itself(|| File::open("/proc/self/pagemap")) {
                Ok(_) => Ok("memory of ended calls is reset quickly".to_owned()),
                Err(error) => Err(format!("/proc/self/pagemap cannot be opened ({error}); calls are a little slower")),
            },
        ),
        warning("namespaces", namespaces()),
        finding("engine", engine.map(|()| "the WASM engine starts".to_owned()).map_err(|error| error.to_string())),
    ]
}

/// What stands around a program of the machine that is granted to a tool.
async fn walls() -> Result<String, String> {
    let walls = crate::ports::walls().await?;
    let told: Vec<_> = walls
        .missing()
        .map(|state| {
            let reason = state.missing.as_deref().unwrap_or_default();
            format!("{} is missing ({reason}): {}", state.wall, state.wall.without())
        })
        .collect();
    if told.is_empty() {
        let names: Vec<_> = walls.states.iter().map(|state| state.wall.to_string()).collect();
        return Ok(format!("native programs would run behind: {}", names.join(", ")));
    }
    Err(told.join("; "))
}

fn privacy() -> Result<String, String> {
    let dumpable = dumpable_behavior().is_ok_and(|behavior| behavior == DumpableBehavior::NotDumpable);
    let no_core = getrlimit(Resource::Core).maximum == Some(0);
    match dumpable && no_core {
        true => Ok("no core dumps, no debuggers of other programs".to_owned()),
        false => Err("the system does not keep other programs of yours from reading this one's memory".to_owned()),
    }
}

fn open_files() -> Result<String, String> {
    match getrlimit(Resource::Nofile).current {
        Some(most) if most < 1_024 => Err(format!("only {most} are allowed; raise the limit with `ulimit -n 4096`")),
        Some(most) => Ok(format!("{most} allowed")),
        None => Ok("no limit".to_owned()),
    }
}

#[cfg(target_os = "linux")]
fn openat2() -> Result<String, String> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    openat2(
        CWD,
        ".",
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
    )
    .map(|_| "the kernel confines paths".to_owned())
    .map_err(|error| format!("the kernel cannot confine paths ({error}); Linux 5.6 or later is needed"))
}

#[cfg(not(target_os = "linux"))]
fn openat2() -> Result<String, String> {
    Ok("not on this system; paths are confined step by step".to_owned())
}

fn namespaces() -> Result<String, String> {
    let most = std::fs::read_to_string("/proc/sys/user/max_user_namespaces").unwrap_or_default();
    match most.trim().parse::<u64>() {
        Ok(most) if most > 0 => Ok("user namespaces are allowed".to_owned()),
        _ => Err("user namespaces are off; native programs would run without them".to_owned()),
    }
}

/// The home, its database, its tools and its model.
async fn home(settings: &Settings, findings: &mut Vec<Finding>) {
    let home = settings.home.root().display();
    findings.push(match settings.home.warnings() {
        [] => finding("home", Ok(format!("{home} is private"))),
        repaired => warning("home", Err(repaired.join("; "))),
    });
    findings.push(finding(
        "config",
        Ok(match settings.home.config().exists() {
            true => format!("{} is good", settings.document.name()),
            false => "there is none; the defaults hold".to_owned(),
        }),
    ));
    findings.push(finding("database", database(settings).await));
    findings.push(finding(
        "host",
        Ok(match control::is_served(&settings.home.socket()).await {
            true => "a chiton runs in this home".to_owned(),
            false => "none runs in this home now".to_owned(),
        }),
    ));
    findings.push(finding("tools", built_in(settings).await));
    findings.push(match model::configured(&settings.config) {
        Ok(None) => warning("model", Err(model::none_configured().message)),
        Err(failure) => finding("model", Err(failure.message)),
        Ok(Some(model)) => finding("model", reach(&model).await),
    });
}

async fn database(settings: &Settings) -> Result<String, String> {
    let version = chiton_store::sqlite_version();
    let Some(store) = look(settings).map_err(|failure| failure.message)? else {
        return Ok(format!("there is none yet; SQLite {version}"));
    };
    let problems = store.check().await.map_err(|error| error.to_string())?;
    match problems.first() {
        None => Ok(format!("sound; SQLite {version}")),
        Some(problem) => Err(format!("it is damaged ({problem}); restore a backup or move it aside")),
    }
}

async fn built_in(settings: &Settings) -> Result<String, String> {
    let sandbox = tools::sandbox(settings, tools::no_audit()).map_err(|failure| failure.message)?;
    let mut cached = 0;
    let mut tools = 0;
    for (name, _) in builtin::GRANTS {
        let Some(built_in) = BuiltIn::named(name) else { continue };
        cached += usize::from(sandbox.is_cached(built_in.digest));
        let component = built_in.load(&sandbox).await.map_err(|error| error.to_string())?;
        tools += component.tools().len();
    }
    let count = builtin::GRANTS.len();
    Ok(format!("{tools} built in; {cached} of {count} components were compiled before"))
}

async fn reach(model: &Model) -> Result<String, String> {
    let begun = Instant::now();
    let title = &model.title;
    match tokio::time::timeout(PATIENCE, model.provider.models()).await {
        Err(_) => Err(format!("{} does not answer within {} s", model.provider.name(), PATIENCE.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(models)) => {
            let took = begun.elapsed().as_millis();
            let called = |name: &str| chiton_providers::title(model.provider.name(), name);
            let listed = models.is_empty() || models.iter().any(|name| called(name) == called(&model.name));
            let known = if listed { "" } else { ", but the provider does not list it" };
            Ok(format!("{title} is reachable in {took} ms{known}"))
        }
    }
}
