//! Which addresses may be connected to. Pure functions over the IANA special-purpose registries
//! (RFC 6890 and successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// A host of the public Internet.
    Public,
    /// This machine or a private network: reached only with a `private:` grant.
    Private,
    /// A cloud's metadata service or link-local: never reached, since what answers there gives out credentials.
    Metadata,
    /// Not an address of a host, or an obsolete tunnel: never reached.
    Reserved,
}

use AddressClass::{Metadata, Private, Public, Reserved};

/// Network, prefix length, class; the first match decides.
const V4: &[(Ipv4Addr, u32, AddressClass)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, Reserved), // this network; 0.0.0.0 reaches loopback on Linux
    (Ipv4Addr::new(10, 0, 0, 0), 8, Private), // RFC 1918
    (Ipv4Addr::new(100, 100, 100, 200), 32, Metadata), // Alibaba Cloud
    (Ipv4Addr::new(100, 64, 0, 0), 10, Private), // shared address space, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8, Private), // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32, Metadata), // Azure
    (Ipv4Addr::new(169, 254, 0, 0), 16, Metadata), // link-local, where most clouds answer
    (Ipv4Addr::new(172, 16, 0, 0), 12, Private), // RFC 1918
    (Ipv4Addr::new(192, 0, 0, 192), 32, Metadata), // Oracle Cloud
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reserved), // IETF protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reserved), // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reserved), // 6to4 relays, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16, Private), // RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15, Private), // benchmarking, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reserved), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reserved), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 3, Reserved), // multicast, reserved, broadcast
];

/// As [`V4`]; what is in none of these rows is public inside 2000::/3 and reserved outside.
const V6: &[(Ipv6Addr, u32, AddressClass)] = &[
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 1), 128, Private), // loopback
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32, Metadata), // Amazon
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0), 32, Metadata), // Google Cloud
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Private), // unique local
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Metadata), // link-local
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Reserved), // Teredo, benchmarking, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Reserved), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Reserved), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Reserved), // documentation
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Public), // global unicast
];

/// NAT64 (RFC 6052, 2.1): the last four octets are the address that is reached in the end.
const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);
/// Interface identifiers of ISATAP (RFC 5214, 6.1), which hold an IPv4 address too.
const ISATAP: [u16; 2] = [0x0000, 0x0200];

impl AddressClass {
    /// The class of an address. Forms that hold an IPv4 address are judged by that address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }

    /// Whether a connection may be made: to public addresses always, to private ones with a grant.
    #[must_use]
    pub fn reachable(self, private_granted: bool) -> bool {
        match self {
            Public => true,
            Private => private_granted,
            Metadata | Reserved => false,
        }
    }
}

fn of_v4(address: Ipv4Addr) -> AddressClass {
    let bits = u32::from(address);
    let row = V4.iter().find(|(network, length, _)| (bits ^ u32::from(*network)) >> (32 - length) == 0);
    row.map_or(Public, |(_, _, class)| *class)
}

fn of_v6(address: Ipv6Addr) -> AddressClass {
    let bits = u128::from(address);
    let low = Ipv4Addr::from(bits as u32);
    if address.to_ipv4_mapped().is_some() || bits >> 32 == u128::from(NAT64) >> 32 {
        return of_v4(low);
    }
    let segments = address.segments();
    if ISATAP.contains(&segments[4]) && segments[5] == 0x5efe && of_v4(low) != Public {
        return Reserved;
    }
    let row = V6.iter().find(|(network, length, _)| (bits ^ u128::from(*network)) >> (128 - length) == 0);
    row.map_or(Reserved, |(_, _, class)| *class)
}
