//! Finds model servers on this machine and says whose they are.

use crate::exchange::model_names;
use crate::install_tls;
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// An OpenAI-compatible server that answers on a loopback port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalServer {
    /// The program that usually uses this port: a name in the table of vendors.
    pub vendor: &'static str,
    /// Its API, such as `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// The models it offers.
    pub models: Vec<String>,
    /// The uid that owns the listening socket; none where the system does not tell, or where it changed while the
    /// server was asked.
    pub owner_uid: Option<u32>,
}

/// The ports that Ollama, llama.cpp, vLLM and LM Studio use by default.
const USUAL_PORTS: [(&str, u16); 4] = [("ollama", 11434), ("llamacpp", 8080), ("vllm", 8000), ("lmstudio", 1234)];
const PATIENCE: Duration = Duration::from_secs(1);
const LIST_LIMIT: usize = 1 << 20;

/// Asks the usual loopback ports (Ollama, llama.cpp, vLLM, LM Studio) for their models, all at once, for at most a second.
pub async fn find_local_servers() -> Vec<LocalServer> {
    find_servers_on(&USUAL_PORTS).await
}

/// The same for the given ports.
pub async fn find_servers_on(ports: &[(&'static str, u16)]) -> Vec<LocalServer> {
    install_tls();
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([])
        .timeout(PATIENCE)
        .build();
    let Ok(client) = client else {
        return Vec::new();
    };
    let asked = ports.iter().map(|(vendor, port)| ask(&client, vendor, *port));
    join_all(asked).await.into_iter().flatten().collect()
}

async fn ask(client: &Client, vendor: &'static str, port: u16) -> Option<LocalServer> {
    let before = listener_uid(port);
    let base_url = format!("http://127.0.0.1:{port}/v1");
    let mut response = client.get(format!("{base_url}/models")).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.ok()? {
        body.extend_from_slice(&bytes);
        if body.len() > LIST_LIMIT {
            return None;
        }
    }
    let json: Value = serde_json::from_slice(&body).ok()?;
    let models = model_names(&json)?;
    let owner_uid = before.filter(|uid| listener_uid(port) == Some(*uid));
    Some(LocalServer { vendor, base_url, models, owner_uid })
}

/// The uid that owns the socket listening on `127.0.0.1:port`; none when nobody listens or the system does not tell.
pub fn listener_uid(port: u16) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let listeners: Vec<Listener> = tables
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .flat_map(|table| table.lines().skip(1).filter_map(parse_listener).collect::<Vec<_>>())
        .collect();
    owner(&listeners, port)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listener {
    address: IpAddr,
    port: u16,
    uid: u32,
}

/// The system gives a connection to the listener with the closest address, so that one is asked for first.
fn owner(listeners: &[Listener], port: u16) -> Option<u32> {
    let loopback = Ipv4Addr::LOCALHOST;
    let closest: [IpAddr; 4] =
        [loopback.into(), loopback.to_ipv6_mapped().into(), Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let at = |address: &IpAddr| listeners.iter().find(|listener| listener.port == port && listener.address == *address);
    closest.iter().find_map(at).map(|listener| listener.uid)
}

/// A line of `/proc/net/tcp` or `tcp6` in state LISTEN.
fn parse_listener(line: &str) -> Option<Listener> {
    let mut fields = line.split_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    let uid = fields.nth(3)?.parse().ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    (state == "0A").then_some(Listener { address: parse_address(address)?, port, uid })
}

/// Words of eight hexadecimal digits, each in the machine's byte order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => Some(IpAddr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (at, piece) in bytes.chunks_exact_mut(4).enumerate() {
                piece.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::from(bytes))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn listening_sockets_are_read_with_their_owners_and_others_are_not() {
        let v4 = "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000 100 0 0 10 0";
        let listener = Listener { address: Ipv4Addr::LOCALHOST.into(), port: 11434, uid: 1000 };
        assert_eq!(parse_listener(v4), Some(listener));
        assert_eq!(parse_listener(&v4.replace(" 0A ", " 01 ")), None);
        let v6 = "   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 1 1";
        assert_eq!(parse_listener(v6), Some(Listener { address: Ipv6Addr::UNSPECIFIED.into(), port: 8080, uid: 7 }));
        let mapped = v6.replacen(&"0".repeat(32), "0000000000000000FFFF00000100007F", 1);
        assert_eq!(parse_listener(&mapped).unwrap().address, IpAddr::from(Ipv4Addr::LOCALHOST.to_ipv6_mapped()));
        assert_eq!(parse_listener("nonsense"), None);
    }

    #[test]
    fn loc_06_the_owner_is_that_of_the_closest_listener() {
        let on = |address: IpAddr, uid| Listener { address, port: 1, uid };
        let (any, exact) = (on(Ipv4Addr::UNSPECIFIED.into(), 1), on(Ipv4Addr::LOCALHOST.into(), 2));
        assert_eq!(owner(&[any, exact], 1), Some(2));
        assert_eq!(owner(&[any], 1), Some(1));
        assert_eq!(owner(&[exact], 2), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn loc_06_the_owner_of_a_real_socket_is_told() {
        use std::os::unix::fs::MetadataExt;
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let me = std::fs::metadata("/proc/self").unwrap().uid();
        let port = socket.local_addr().unwrap().port();
        assert_eq!(listener_uid(port), Some(me));
        drop(socket);
        assert_eq!(listener_uid(port), None);
    }
}
