//! Which addresses are public, line by line.

use std::net::IpAddr;

use chiton_egress::AddressClass::{self, Metadata, Private, Public, Reserved};

const CLASSES: &[(&str, AddressClass)] = &[
    ("1.1.1.1", Public),
    ("8.8.8.8", Public),
    ("9.255.255.255", Public),
    ("11.0.0.0", Public),
    ("100.63.255.255", Public),
    ("100.128.0.0", Public),
    ("126.255.255.255", Public),
    ("128.0.0.0", Public),
    ("169.253.255.255", Public),
    ("169.255.0.0", Public),
    ("172.15.255.255", Public),
    ("172.32.0.0", Public),
    ("192.0.1.0", Public),
    ("192.167.255.255", Public),
    ("192.169.0.0", Public),
    ("198.17.255.255", Public),
    ("198.20.0.0", Public),
    ("223.255.255.255", Public),
    ("10.0.0.0", Private),
    ("10.255.255.255", Private),
    ("100.64.0.0", Private),
    ("100.127.255.255", Private),
    ("127.0.0.1", Private),
    ("127.255.255.255", Private),
    ("172.16.0.0", Private),
    ("172.31.255.255", Private),
    ("192.168.0.0", Private),
    ("192.168.255.255", Private),
    ("198.18.0.0", Private),
    ("198.19.255.255", Private),
    ("100.100.100.200", Metadata),
    ("168.63.129.16", Metadata),
    ("169.254.0.0", Metadata),
    ("169.254.169.254", Metadata),
    ("169.254.170.2", Metadata),
    ("169.254.255.255", Metadata),
    ("192.0.0.192", Metadata),
    ("0.0.0.0", Reserved),
    ("0.255.255.255", Reserved),
    ("192.0.0.1", Reserved),
    ("192.0.2.1", Reserved),
    ("192.88.99.1", Reserved),
    ("198.51.100.1", Reserved),
    ("203.0.113.1", Reserved),
    ("224.0.0.1", Reserved),
    ("239.255.255.255", Reserved),
    ("240.0.0.1", Reserved),
    ("255.255.255.255", Reserved),
    ("2606:4700::1111", Public),
    ("2001:4860:4860::8888", Public),
    ("2a00:1450:4001::1", Public),
    ("2001:200::1", Public),
    ("::1", Private),
    ("fc00::1", Private),
    ("fd12:3456::1", Private),
    ("fdff:ffff::1", Private),
    ("fd00:ec2::254", Metadata),
    ("fd20:ce::254", Metadata),
    ("fe80::1", Metadata),
    ("febf::1", Metadata),
    ("::", Reserved),
    ("::2", Reserved),
    ("100::1", Reserved),
    ("2001::1", Reserved),
    ("2001:2::1", Reserved),
    ("2001:20::1", Reserved),
    ("2001:db8::1", Reserved),
    ("2002:7f00:1::", Reserved),
    ("2002:808:808::", Reserved),
    ("3fff::1", Reserved),
    ("4000::1", Reserved),
    ("5f00::1", Reserved),
    ("fec0::1", Reserved),
    ("ff02::1", Reserved),
    // Forms that hold an IPv4 address.
    ("::ffff:8.8.8.8", Public),
    ("::ffff:127.0.0.1", Private),
    ("::ffff:10.0.0.1", Private),
    ("::ffff:169.254.169.254", Metadata),
    ("::ffff:0.0.0.0", Reserved),
    ("::127.0.0.1", Reserved),
    ("::169.254.169.254", Reserved),
    ("::ffff:0:127.0.0.1", Reserved),
    ("64:ff9b::8.8.8.8", Public),
    ("64:ff9b::127.0.0.1", Private),
    ("64:ff9b::169.254.169.254", Metadata),
    ("64:ff9b:1::10.0.0.1", Reserved),
    ("2606:4700::5efe:127.0.0.1", Reserved),
    ("2606:4700::200:5efe:10.0.0.1", Reserved),
    ("2606:4700::5efe:8.8.8.8", Public),
];

#[test]
fn net_02_every_special_range_has_its_class_up_to_the_edge() {
    for (text, class) in CLASSES {
        assert_eq!(AddressClass::of(text.parse::<IpAddr>().unwrap()), *class, "{text}");
    }
}

#[test]
fn net_03_metadata_services_are_out_of_reach_with_every_grant() {
    for (class, plain, private) in
        [(Public, true, true), (Private, false, true), (Metadata, false, false), (Reserved, false, false)]
    {
        assert_eq!((class.reachable(false), class.reachable(true)), (plain, private), "{class:?}");
    }
}
