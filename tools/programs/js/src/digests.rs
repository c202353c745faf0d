//! Digests for `crypto`: what scripts sign requests and name files with.

use crate::host;
use boa_engine::{Context, JsNativeError, JsResult, JsValue};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// One algorithm: its name as Node writes it, without a key, and with one.
type Row = (&'static str, fn(&[u8]) -> Vec<u8>, fn(&[u8], &[u8]) -> Option<Vec<u8>>);

const ALGORITHMS: [Row; 5] = [
    ("md5", plain::<Md5>, |key, data| keyed(Hmac::<Md5>::new_from_slice(key).ok()?, data)),
    ("sha1", plain::<Sha1>, |key, data| keyed(Hmac::<Sha1>::new_from_slice(key).ok()?, data)),
    ("sha256", plain::<Sha256>, |key, data| keyed(Hmac::<Sha256>::new_from_slice(key).ok()?, data)),
    ("sha384", plain::<Sha384>, |key, data| keyed(Hmac::<Sha384>::new_from_slice(key).ok()?, data)),
    ("sha512", plain::<Sha512>, |key, data| keyed(Hmac::<Sha512>::new_from_slice(key).ok()?, data)),
];

fn plain<D: Digest>(data: &[u8]) -> Vec<u8> {
    D::digest(data).to_vec()
}

fn keyed(mut mac: impl Mac, data: &[u8]) -> Option<Vec<u8>> {
    mac.update(data);
    Some(mac.finalize().into_bytes().to_vec())
}

/// The digest of bytes, or with a key their HMAC: `digest(name, data, key?)`.
pub(crate) fn digest(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let asked = host::text(arguments, 0, context)?;
    let name = asked.to_ascii_lowercase().replace('-', "");
    let Some((_, plain, keyed)) = ALGORITHMS.iter().find(|(known, ..)| *known == name) else {
        let known = ALGORITHMS.map(|(known, ..)| known).join(", ");
        return Err(JsNativeError::error()
            .with_message(format!("the digest '{asked}' is not offered; take one of {known}"))
            .into());
    };
    let data = host::bytes(arguments, 1, context)?;
    let digest = match arguments.get(2) {
        Some(key) if !key.is_undefined() => keyed(&host::bytes(arguments, 2, context)?, &data),
        _ => Some(plain(&data)),
    };
    let digest = digest.ok_or_else(|| JsNativeError::error().with_message("the key does not fit"))?;
    host::array(digest, context)
}
