//! Programs of the machine, behind the walls of the native room.

use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use async_trait::async_trait;
use chiton_native::{
    Directory, Limits, Native, NativeError, Options, Pinned, ProgramGrant, Request, Search, Walls, select,
};
use chiton_sandbox::ports::{Caller, NativeCommand, NativePrograms, PortError};
use chiton_sandbox::{Access, FileGrant};
use std::path::Path;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Stands between the words of a grant and the file that they are pinned to. No grant can hold it.
const PIN: char = '#';

/// A grant of a row with the file that it means now, which is the only one it will ever mean.
pub fn pinned(value: &str) -> Result<String, chiton_native::GrantError> {
    if read(value).is_some() {
        return Ok(value.to_owned());
    }
    // Writable directories are compared at each run, with those of that call.
    let pinned = Pinned::resolve(ProgramGrant::parse(value)?, &Search::default(), &[])?;
    let kept = serde_json::to_string(&pinned).unwrap_or_default();
    Ok(format!("{value}{PIN}{kept}"))
}

/// A grant without the file it is pinned to, as the owner writes it.
pub fn unpinned(grant: &str) -> &str {
    grant.split_once(PIN).map_or(grant, |(words, _)| words)
}

/// A grant for people, `programs=` with its file.
pub fn shown(value: &str) -> String {
    match (value.split_once(PIN), read(value)) {
        (Some((words, _)), Some(pinned)) => format!("{words} (only {})", pinned.path.display()),
        _ => value.to_owned(),
    }
}

fn read(value: &str) -> Option<Pinned> {
    serde_json::from_str(value.split_once(PIN)?.1).ok()
}

/// What walls this machine gives.
pub async fn walls() -> Result<Walls, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let native = Native::new(Options::new(program, vec!["__native".into()]));
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let folder = Directory::open(folder.path(), true).map_err(|error| error.to_string())?;
    native.walls(&folder).await.map_err(|error| error.to_string())
}

/// The native room.
pub struct Machine {
    native: Native,
}

impl Machine {
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::because(Exit::State))?;
        let mut options = Options::new(program, vec!["__native".into()]);
        // What is granted inside it, such as the workspace, is seen all the same.
        options.hidden = vec![settings.home.root().to_owned()];
        Ok(Self { native: Native::new(options) })
    }
}

#[async_trait]
impl NativePrograms for Machine {
    async fn run(&self, caller: &Caller, programs: &[String], command: NativeCommand) -> Result<u8, PortError> {
        let NativeCommand { argv, working_directory, files, stdin, stdout, stderr } = command;
        let granted: Vec<Pinned> = programs.iter().filter_map(|value| read(value)).collect();
        let program = select(&granted, &argv).map_err(|error| told(error, &argv))?;
        let open = |grant: &FileGrant| Directory::open(&grant.path, grant.access == Access::Write);
        let directories: Vec<Directory> =
            files.iter().map(open).collect::<Result<_, _>>().map_err(|error| told(error, &argv))?;
        let request = Request {
            program,
            argv: &argv,
            cwd: Path::new(&working_directory),
            directories: &directories,
            limits: Limits { time: caller.deadline.saturating_duration_since(Instant::now()), ..Limits::default() },
        };
        // Dropping the run ends every process of it.
        let cancel = CancellationToken::new();
        let ended = self.native.run(request, Some(stdin), stdout, stderr, &cancel).await;
        ended.map(|exit| exit.code).map_err(|error| told(error, &argv))
    }
}

fn told(error: NativeError, argv: &[String]) -> PortError {
    let (text, target) = (error.to_string(), argv.join(" "));
    match error {
        NativeError::Denied { grant, .. } => PortError::Denied { grant, target },
        NativeError::WallMissing { .. } | NativeError::Refused(_) => PortError::Refused { rule: text, target },
        NativeError::TimedOut(_) => PortError::TimedOut(text),
        NativeError::Cancelled | NativeError::Failed(_) => PortError::Failed(text),
    }
}
