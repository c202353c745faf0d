//! Certificates: good ones of a test authority, and bad ones.

use std::sync::{Arc, OnceLock};

use chiton_egress::CertificateDer;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use time::{Duration, OffsetDateTime};
use tokio_rustls::{TlsAcceptor, rustls};

/// The authority that the tests' engines trust.
pub struct Authority {
    pub root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

pub fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        Authority { root, issuer: Issuer::new(params, key) }
    })
}

/// A good certificate for these names.
pub fn good(names: &[&str]) -> TlsAcceptor {
    signed(params(names))
}

/// A certificate that ended yesterday.
pub fn expired(names: &[&str]) -> TlsAcceptor {
    let mut params = params(names);
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(30);
    params.not_after = now - Duration::days(1);
    signed(params)
}

/// A certificate that nobody has signed but itself.
pub fn self_signed(names: &[&str]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names).self_signed(&key).unwrap().der().clone();
    acceptor(certificate, &key, &[b"http/1.1"])
}

/// A good certificate, and HTTP/2 only.
pub fn good_h2(names: &[&str]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names).signed_by(&key, &authority().issuer).unwrap().der().clone();
    acceptor(certificate, &key, &[b"h2"])
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn signed(params: CertificateParams) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority().issuer).unwrap().der().clone();
    acceptor(certificate, &key, &[b"http/1.1"])
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair, protocols: &[&[u8]]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}
