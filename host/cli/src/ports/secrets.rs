//! Where the values of secrets come from: `secrets` in the configuration.

use crate::config::Secret;
use chiton_egress::{SecretSource, SecretString};
use std::collections::BTreeMap;

/// Most bytes of a secret in a file.
const MAX_BYTES: u64 = 64 << 10;

/// The secrets of a configuration. One in a file is read whenever it is used, so that it can be changed at any time.
pub struct Configured(BTreeMap<String, Secret>);

impl Configured {
    pub fn of(secrets: &BTreeMap<String, Secret>) -> Self {
        Self(secrets.clone())
    }
}

impl SecretSource for Configured {
    fn get(&self, name: &str) -> Option<SecretString> {
        match self.0.get(name)? {
            Secret::Value(value) => Some(value.clone()),
            Secret::File(place) => {
                let path = crate::settings::expand_home(&place.file);
                let size = std::fs::metadata(&path).ok()?.len();
                let text = (size <= MAX_BYTES).then(|| std::fs::read_to_string(&path).ok())??;
                Some(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
        }
    }
}
