//! From names to addresses that may be connected to. Resolved once per connection, all addresses checked.

use std::{
    error::Error as StdError,
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns;
use thiserror::Error;

use crate::address::AddressClass;

/// Most addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 64;

/// Finds the addresses of names. The addresses it gives are checked, so it need not be trusted.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of a name.
    ///
    /// # Errors
    /// When the name cannot be resolved.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// `localhost` and the names below it, which stand for this machine only (RFC 6761, 6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// Which addresses a connection may go to. Connections of different routes never share a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    /// Private addresses too.
    pub private: bool,
    /// The port, if the host itself listens on it somewhere; then the host's own addresses are refused.
    pub own_port: Option<u16>,
}

/// Why an address, and with it the name, was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum AddressRefused {
    /// The class is not reachable by this route.
    #[error("the name resolves to an address that may not be reached")]
    Class(AddressClass),
    /// The host itself listens there.
    #[error("the name resolves to the bot's own address")]
    Own,
}

/// The addresses on which the host itself listens.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnAddresses(Vec<SocketAddr>);

impl OwnAddresses {
    pub(crate) fn new(addresses: Vec<SocketAddr>) -> Self {
        Self(addresses)
    }

    /// The port, if the host listens on it.
    pub(crate) fn own_port(&self, port: u16) -> Option<u16> {
        self.0.iter().any(|own| own.port() == port).then_some(port)
    }

    fn contain(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.0.iter().filter(|own| own.port() == port).any(|own| {
            let listening = own.ip().to_canonical();
            listening == address || (listening.is_unspecified() && is_of_this_machine(address))
        })
    }
}

/// Only an address of an interface of this machine can be bound to; nothing is sent.
fn is_of_this_machine(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

impl Route {
    /// Checks one address.
    pub(crate) fn check(self, address: IpAddr, own: &OwnAddresses) -> Result<(), AddressRefused> {
        let class = AddressClass::of(address);
        if !class.reachable(self.private) {
            return Err(AddressRefused::Class(class));
        }
        match self.own_port {
            Some(port) if own.contain(address, port) => Err(AddressRefused::Own),
            _ => Ok(()),
        }
    }
}

/// The resolver that connections use: gives checked addresses or none.
pub(crate) struct CheckedResolver {
    pub inner: Arc<dyn Resolver>,
    pub route: Route,
    pub own: Arc<OwnAddresses>,
}

impl dns::Resolve for CheckedResolver {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let (inner, route, own) = (Arc::clone(&self.inner), self.route, Arc::clone(&self.own));
        Box::pin(async move {
            let addresses = inner.resolve(name.as_str()).await?;
            check_all(name.as_str(), &addresses, route, &own)?;
            // Port 0 stands for the port of the URL.
            let checked: Vec<_> = addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(Box::new(checked.into_iter()) as dns::Addrs)
        })
    }
}

fn check_all(
    name: &str,
    addresses: &[IpAddr],
    route: Route,
    own: &OwnAddresses,
) -> Result<(), Box<dyn StdError + Send + Sync>> {
    if addresses.is_empty() || addresses.len() > MAX_ADDRESSES {
        return Err("the name has no address, or too many".into());
    }
    for &address in addresses {
        if is_localhost(name) && !address.to_canonical().is_loopback() {
            return Err(AddressRefused::Class(AddressClass::Reserved).into());
        }
        route.check(address, own)?;
    }
    Ok(())
}
