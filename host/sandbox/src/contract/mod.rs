//! The released versions of the contract, one module each. A component is served in the version it
//! was built for; newer versions never strand it.

mod ports;
pub(crate) mod v0_1;

use crate::state::State;
use wasmtime::component::{Linker, Val};

/// What a refused function of a capability interface gives back.
#[derive(Clone, Copy)]
enum Refusal {
    /// `result<_, failure>` with `denied`.
    Denied,
    /// `result<_, error-code>` of `wasi:sockets`.
    AccessDenied,
}

/// Interfaces that link for everybody and do nothing: nothing serves them in this host, so every
/// call is refused and audited under the grant that is missing.
const REFUSED: [(&str, &[&str], &str, Refusal); 6] = [
    ("chiton:tool/storage@0.1.0", &["get", "set", "remove", "keys"], "storage", Refusal::Denied),
    ("chiton:tool/tools-invoke@0.1.0", &["invoke"], "tools", Refusal::Denied),
    ("chiton:tool/model@0.1.0", &["ask"], "model", Refusal::Denied),
    ("wasi:sockets/tcp-create-socket@0.2.12", &["create-tcp-socket"], "network", Refusal::AccessDenied),
    ("wasi:sockets/udp-create-socket@0.2.12", &["create-udp-socket"], "network", Refusal::AccessDenied),
    ("wasi:sockets/ip-name-lookup@0.2.12", &["resolve-addresses"], "network", Refusal::AccessDenied),
];

/// Puts everything that may link into `linker`.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    v0_1::link(linker)?;
    linker.allow_shadowing(true);
    chiton_files::add_to_linker(linker, State::guarded_files)?;
    for (interface, functions, grant, refusal) in REFUSED {
        let mut instance = linker.instance(interface)?;
        for function in functions {
            refuse(&mut instance, interface, function, grant, refusal)?;
        }
    }
    linker.allow_shadowing(false);
    Ok(())
}

fn refuse(
    instance: &mut wasmtime::component::LinkerInstance<'_, State>,
    interface: &'static str,
    function: &str,
    grant: &'static str,
    refusal: Refusal,
) -> wasmtime::Result<()> {
    let name = function.to_owned();
    instance.func_new_async(function, move |mut store, _type, arguments, results| {
        store.data().call.subject.deny(&name, interface, grant);
        if let Some(result) = results.first_mut() {
            *result = match refusal {
                Refusal::Denied => failure(grant),
                Refusal::AccessDenied => Val::Result(Err(Some(Box::new(Val::Enum("access-denied".to_owned()))))),
            };
        }
        Box::new(async move {
            for argument in arguments {
                // A handle that is only lent must be given back, or the guest traps.
                if let Val::Resource(handle) = argument {
                    handle.resource_drop_async(&mut store).await?;
                }
            }
            Ok(())
        })
    })
}

fn failure(grant: &str) -> Val {
    let denied = Val::Variant("denied".to_owned(), Some(Box::new(Val::String(grant.to_owned()))));
    Val::Result(Err(Some(Box::new(denied))))
}
