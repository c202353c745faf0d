//! Operations on sockets. `address` is four numbers, `port` a number.
//!
//! `tcp_connect {address, port}` · `tcp_listen {port}` · `udp_send {address, port, text}` · `udp_bind {port}` ·
//! `dns {name}`.

use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::bindings::wasi::sockets::udp::OutgoingDatagram;
use crate::bindings::wasi::sockets::udp_create_socket::create_udp_socket;
use crate::{Operation, Outcome};
use serde_json::{Value, json};

pub(crate) fn run(op: &Operation) -> Option<Outcome> {
    let result = match op.name() {
        "tcp_connect" => tcp_connect(op),
        "tcp_listen" => tcp_listen(op),
        "udp_bind" => udp_bind(op),
        "udp_send" => udp_send(op),
        "dns" => look_up(op),
        _ => return None,
    };
    Some(result.map_err(|error| error.name().to_owned()))
}

fn address(op: &Operation) -> IpSocketAddress {
    let byte = |index: usize| op.0["address"][index].as_u64().unwrap_or(0) as u8;
    IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port: op.number("port", 0) as u16,
        address: (byte(0), byte(1), byte(2), byte(3)),
    })
}

fn tcp_connect(op: &Operation) -> Result<Value, ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    socket.start_connect(&instance_network(), address(op))?;
    socket.subscribe().block();
    socket.finish_connect()?;
    Ok(json!("connected"))
}

fn tcp_listen(op: &Operation) -> Result<Value, ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    socket.start_bind(&instance_network(), address(op))?;
    socket.subscribe().block();
    socket.finish_bind()?;
    socket.start_listen()?;
    socket.finish_listen()?;
    Ok(json!("listening"))
}

fn udp_bind(op: &Operation) -> Result<Value, ErrorCode> {
    let socket = create_udp_socket(IpAddressFamily::Ipv4)?;
    socket.start_bind(&instance_network(), address(op))?;
    socket.finish_bind()?;
    Ok(json!("bound"))
}

fn udp_send(op: &Operation) -> Result<Value, ErrorCode> {
    let socket = create_udp_socket(IpAddressFamily::Ipv4)?;
    let (_, outgoing) = socket.stream(Some(address(op)))?;
    let datagram = OutgoingDatagram { data: op.text("text").as_bytes().to_vec(), remote_address: None };
    outgoing.check_send()?;
    Ok(json!(outgoing.send(&[datagram])?))
}

fn look_up(op: &Operation) -> Result<Value, ErrorCode> {
    let answers = resolve_addresses(&instance_network(), op.text("name"))?;
    answers.subscribe().block();
    let first = answers.resolve_next_address()?;
    Ok(json!(format!("{first:?}")))
}
