//! Version 0.1.0 of the contract.

use crate::state::State;
use crate::{Effects, Part};
use wasmtime::component::{HasSelf, Linker};

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "chiton:tool/everything",
    imports: {
        "chiton:tool/log.write": trappable,
        "chiton:tool/call-context": trappable,
        "chiton:tool/secrets": trappable,
        "chiton:tool/script": trappable,
        "chiton:tool/programs.available": trappable,
        "chiton:tool/programs.pipe": trappable,
        "chiton:tool/programs.share-input": trappable,
        "chiton:tool/programs.share-output": trappable,
        "chiton:tool/programs.[method]process.kill": trappable,
        "chiton:tool/programs.[method]process.subscribe": trappable,
        default: async | trappable,
    },
    exports: { default: async },
    with: {
        "wasi:io/error": wasmtime_wasi::p2::bindings::io::error,
        "wasi:io/poll": wasmtime_wasi::p2::bindings::io::poll,
        "wasi:io/streams": wasmtime_wasi::p2::bindings::io::streams,
        "chiton:tool/programs.process": crate::program::Process,
    },
});

use chiton::tool::{call_context, log, progress};

pub(crate) use EverythingPre as Prepared;
pub(crate) use chiton::tool::{
    agents, exit_code, http, memory, messaging, programs, proposals, schedule, script, secrets, tool_types,
};
pub(crate) use exports::chiton::tool::tools::{Definition, Failure, Part as WirePart};

/// Bytes that are kept of one progress line.
const PROGRESS_LINE: usize = 1 << 10;
/// Bytes that are kept of one log line.
const LOG_LINE: usize = 4 << 10;

/// Links what is served. The functions of each capability are denied to calls that have none of it.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type Own = HasSelf<State>;
    tool_types::add_to_linker::<State, Own>(linker, |state| state)?;
    log::add_to_linker::<State, Own>(linker, |state| state)?;
    progress::add_to_linker::<State, Own>(linker, |state| state)?;
    call_context::add_to_linker::<State, Own>(linker, |state| state)?;
    http::add_to_linker::<State, Own>(linker, |state| state)?;
    secrets::add_to_linker::<State, Own>(linker, |state| state)?;
    programs::add_to_linker::<State, Own>(linker, |state| state)?;
    exit_code::add_to_linker::<State, Own>(linker, |state| state)?;
    schedule::add_to_linker::<State, Own>(linker, |state| state)?;
    messaging::add_to_linker::<State, Own>(linker, |state| state)?;
    agents::add_to_linker::<State, Own>(linker, |state| state)?;
    memory::add_to_linker::<State, Own>(linker, |state| state)?;
    script::add_to_linker::<State, Own>(linker, |state| state)?;
    proposals::add_to_linker::<State, Own>(linker, |state| state)
}

impl tool_types::Host for State {}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.call.log_line(level_name(level), &printable(&message, LOG_LINE));
        Ok(())
    }
}

impl progress::Host for State {
    async fn report(&mut self, text: String) -> wasmtime::Result<()> {
        if let Some(progress) = &self.call.progress {
            // A reader that went away does not matter to the tool.
            let _ = progress.send(printable(&text, PROGRESS_LINE)).await;
        }
        Ok(())
    }
}

impl call_context::Host for State {
    fn mounts(&mut self) -> wasmtime::Result<Vec<call_context::Mount>> {
        let mount = |grant: &crate::FileGrant| call_context::Mount {
            path: grant.path.display().to_string(),
            writable: grant.access == crate::Access::Write,
        };
        Ok(self.call.rights.files.iter().map(mount).collect())
    }

    fn remaining_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(self.call.remaining().as_millis() as u64)
    }

    fn scratch(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.call.rights.scratch.as_ref().map(|path| path.display().to_string()))
    }
}

fn level_name(level: log::Level) -> &'static str {
    match level {
        log::Level::Debug => "debug",
        log::Level::Info => "info",
        log::Level::Warn => "warn",
        log::Level::Error => "error",
    }
}

/// The first `limit` bytes of a line, without control characters.
fn printable(text: &str, limit: usize) -> String {
    let mut kept = String::new();
    for character in text.chars() {
        let character = if character.is_control() { ' ' } else { character };
        if kept.len() + character.len_utf8() > limit {
            break;
        }
        kept.push(character);
    }
    kept
}

/// The effects of a definition in the host's terms.
pub(crate) fn effects(declared: tool_types::Effects) -> Effects {
    let table = [
        (tool_types::Effects::READS_FILES, Effects::READS_FILES),
        (tool_types::Effects::WRITES_FILES, Effects::WRITES_FILES),
        (tool_types::Effects::USES_NETWORK, Effects::USES_NETWORK),
        (tool_types::Effects::RUNS_PROGRAMS, Effects::RUNS_PROGRAMS),
        (tool_types::Effects::SENDS_MESSAGES, Effects::SENDS_MESSAGES),
        (tool_types::Effects::SCHEDULES, Effects::SCHEDULES),
        (tool_types::Effects::SPAWNS, Effects::SPAWNS),
        (tool_types::Effects::DESTRUCTIVE, Effects::DESTRUCTIVE),
    ];
    table.into_iter().filter(|(theirs, _)| declared.contains(*theirs)).fold(Effects::NONE, |all, (_, ours)| all | ours)
}

/// A result part in the host's terms.
pub(crate) fn part(part: WirePart) -> Part {
    match part {
        WirePart::Text(text) => Part::Text(text),
        WirePart::Json(json) => Part::Json(json),
        WirePart::Image(blob) => Part::Image { mime: blob.mime, data: blob.data },
        WirePart::File(blob) => Part::File { mime: blob.mime, data: blob.data },
    }
}
