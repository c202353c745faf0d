//! What one caller may reach, and the verdict on one request.

use http::Method;
use url::{Host, Url};

use crate::{
    address::AddressClass,
    entry::Entry,
    error::{EgressError, GrammarError},
    secret::SecretSlot,
    target,
};

/// The grants of one caller. Empty means that nothing is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Where requests may go.
    pub network: Vec<Entry>,
    /// Which secrets the host adds to them.
    pub secrets: Vec<SecretSlot>,
}

/// Leave to send one request, as far as names tell. Addresses are checked when they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// Whether the name may resolve to a private address.
    pub private: bool,
    /// Whether only wildcard entries allow the request; their names are counted.
    pub wildcard: bool,
}

impl Allowance {
    /// Reads the values of the `network` and the `secrets` grants.
    ///
    /// # Errors
    /// The first value that is no valid grant.
    pub fn parse(network: &[String], secrets: &[String]) -> Result<Self, GrammarError> {
        Ok(Self {
            network: network.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            secrets: secrets.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        })
    }

    /// The verdict on a request to a canonical URL (see [`crate::canonical_url`]).
    ///
    /// # Errors
    /// [`EgressError::Denied`] with the missing grant, or [`EgressError::Refused`].
    pub fn check(&self, method: &Method, url: &Url) -> Result<Permit, EgressError> {
        let mut permit: Option<Permit> = None;
        for entry in self.network.iter().filter(|entry| entry.allows(method, url)) {
            let so_far = permit.unwrap_or(Permit { private: false, wildcard: true });
            permit = Some(Permit {
                private: so_far.private || entry.is_private(),
                wildcard: so_far.wildcard && entry.is_wildcard(),
            });
        }
        let class = literal_class(url);
        if let Some(class @ (AddressClass::Metadata | AddressClass::Reserved)) = class {
            return Err(unreachable_address(class, url));
        }
        match permit {
            Some(permit) if permit.private || class != Some(AddressClass::Private) => Ok(permit),
            Some(_) => Err(missing_private(url)),
            None => Err(self.missing(method, url, class)),
        }
    }

    fn missing(&self, method: &Method, url: &Url, class: Option<AddressClass>) -> EgressError {
        let covering = self.network.iter().find(|entry| entry.covers(url));
        let private = class == Some(AddressClass::Private) || covering.is_some_and(Entry::is_private);
        let grant = format!(
            "network={}{}{}",
            if private { "private:" } else { "" },
            // An entry that covers the URL lacks only the method.
            covering.map(|_| format!("{method} ")).unwrap_or_default(),
            target::origin(url)
        );
        EgressError::Denied { grant, target: target::shown(url) }
    }
}

/// The class of a host that is written as an address.
fn literal_class(url: &Url) -> Option<AddressClass> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(AddressClass::of(address.into())),
        Host::Ipv6(address) => Some(AddressClass::of(address.into())),
    }
}

/// The denial of a host that is, or resolves to, a private address.
pub(crate) fn missing_private(url: &Url) -> EgressError {
    EgressError::Denied { grant: format!("network=private:{}", target::origin(url)), target: target::shown(url) }
}

/// The refusal of a host that is, or resolves to, an address that is never reached.
pub(crate) fn unreachable_address(class: AddressClass, url: &Url) -> EgressError {
    let rule = match class {
        AddressClass::Metadata => "link-local addresses and metadata services are never reached",
        _ => "the host stands for an address that belongs to no public host",
    };
    EgressError::Refused { rule: rule.to_owned(), target: target::shown(url) }
}
