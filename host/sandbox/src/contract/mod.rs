//! The released versions of the contract, one module each. A component is served in the version it
//! was built for; newer versions never strand it.

pub(crate) mod v0_1;

use crate::Effects;
use crate::state::State;
use wasmtime::component::{Linker, ResourceType, Val};

/// What a refused function of a capability interface gives back.
#[derive(Clone, Copy)]
enum Refusal {
    /// `result<_, failure>` with `denied`.
    Denied,
    /// `result<_, error-code>` of `wasi:sockets`.
    AccessDenied,
    /// `false`.
    False,
}

/// Interfaces that link for everybody and do nothing: no port serves them in this host, so every
/// call is refused and audited.
const REFUSED: [(&str, &[&str], Effects, Refusal); 11] = [
    ("chiton:tool/http@0.1.0", &["fetch"], Effects::USES_NETWORK, Refusal::Denied),
    ("chiton:tool/storage@0.1.0", &["get", "set", "remove", "keys"], Effects::WRITES_FILES, Refusal::Denied),
    ("chiton:tool/secrets@0.1.0", &["available"], Effects::USES_NETWORK, Refusal::False),
    (
        "chiton:tool/programs@0.1.0",
        &["pipe", "spawn", "[method]process.wait", "[method]process.kill"],
        Effects::RUNS_PROGRAMS,
        Refusal::Denied,
    ),
    ("chiton:tool/schedule@0.1.0", &["add", "jobs", "remove"], Effects::SCHEDULES, Refusal::Denied),
    ("chiton:tool/messaging@0.1.0", &["send"], Effects::SENDS_MESSAGES, Refusal::Denied),
    ("chiton:tool/agents@0.1.0", &["start", "wait", "cancel"], Effects::SPAWNS, Refusal::Denied),
    ("chiton:tool/tools-invoke@0.1.0", &["invoke"], Effects::SPAWNS, Refusal::Denied),
    ("chiton:tool/model@0.1.0", &["ask"], Effects::SPAWNS, Refusal::Denied),
    ("wasi:sockets/tcp-create-socket@0.2.12", &["create-tcp-socket"], Effects::USES_NETWORK, Refusal::AccessDenied),
    ("wasi:sockets/udp-create-socket@0.2.12", &["create-udp-socket"], Effects::USES_NETWORK, Refusal::AccessDenied),
];

/// Puts everything that may link into `linker`.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    v0_1::link(linker)?;
    linker.allow_shadowing(true);
    crate::files::add_to_linker(linker, State::files)?;
    for (interface, functions, effect, refusal) in REFUSED {
        let mut instance = linker.instance(interface)?;
        if interface.contains("/programs@") {
            instance.resource("process", ResourceType::host::<NoProcess>(), |_, _| Ok(()))?;
        }
        for function in functions {
            refuse(&mut instance, interface, function, effect, refusal)?;
        }
    }
    let mut lookup = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    refuse(
        &mut lookup,
        "wasi:sockets/ip-name-lookup@0.2.12",
        "resolve-addresses",
        Effects::USES_NETWORK,
        Refusal::AccessDenied,
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The type behind `programs.process`; no value of it exists.
enum NoProcess {}

fn refuse(
    instance: &mut wasmtime::component::LinkerInstance<'_, State>,
    interface: &'static str,
    function: &str,
    effect: Effects,
    refusal: Refusal,
) -> wasmtime::Result<()> {
    let name = function.to_owned();
    instance.func_new(function, move |mut store, _type, _arguments, results| {
        let grant = crate::error::grant_for(effect);
        store.data_mut().deny(interface, &name, grant);
        if let Some(result) = results.first_mut() {
            *result = match refusal {
                Refusal::Denied => failure(grant),
                Refusal::AccessDenied => Val::Result(Err(Some(Box::new(Val::Enum("access-denied".to_owned()))))),
                Refusal::False => Val::Bool(false),
            };
        }
        Ok(())
    })
}

fn failure(grant: &str) -> Val {
    let denied = Val::Variant("denied".to_owned(), Some(Box::new(Val::String(grant.to_owned()))));
    Val::Result(Err(Some(Box::new(denied))))
}
