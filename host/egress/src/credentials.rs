//! Secrets on their way into a request: where placeholders may stand, and what the host puts in.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    allowance::Allowance,
    error::EgressError,
    placeholder::{self, MARK, placeholder},
    redactor::Patterns,
    secret::{SecretSlot, SecretSource, Slot},
    target,
};

/// Shortest secret that is sent: a shorter one could not be told from other text in an answer.
pub const MIN_SECRET_BYTES: usize = 8;

/// Every spelling of the beginning of a placeholder.
pub(crate) fn marks() -> Patterns {
    Patterns::new(&[MARK.into()])
}

/// Takes the placeholders out of a guest's request, so that no later step can send one.
///
/// # Errors
/// [`EgressError::Denied`] or [`EgressError::Refused`] when a placeholder, in whatever spelling, stands
/// anywhere but in the slot that its grant names. Whether a secret exists makes no difference.
pub(crate) fn take_placeholders(
    marks: &Patterns,
    allowance: &Allowance,
    method: &Method,
    url: &mut Url,
    fields: &mut HeaderMap,
    body: &Bytes,
) -> Result<(), EgressError> {
    for slot in allowance.secrets.iter().filter(|slot| slot.covers(url)).collect::<Vec<_>>() {
        let text = placeholder(slot.name());
        match slot.slot() {
            Slot::Header { field, before, after } => {
                let whole = format!("{before}{text}{after}");
                if fields.get_all(field).iter().any(|value| value.as_bytes() == whole.as_bytes()) {
                    fields.remove(field);
                }
            }
            Slot::Query { key } => remove_parameter(url, |name, value| name == key && value == text),
        }
    }
    refuse_marks(marks, method, url, fields, body)
}

fn refuse_marks(
    marks: &Patterns,
    method: &Method,
    url: &Url,
    fields: &HeaderMap,
    body: &Bytes,
) -> Result<(), EgressError> {
    for (field, value) in fields {
        if marks.found_in(value.as_bytes()) {
            let name = placeholder::name_in(value.as_bytes());
            let grant = format!("secrets={name} {} header={field}: {{}}", target::origin(url));
            return Err(EgressError::Denied { grant, target: target::shown(url) });
        }
    }
    if let Some((key, value)) = url.query_pairs().find(|(_, value)| marks.found_in(value.as_bytes())) {
        let name = placeholder::name_in(value.as_bytes());
        let grant = format!("secrets={name} {} query={key}", target::origin(url));
        return Err(EgressError::Denied { grant, target: target::shown(url) });
    }
    if [method.as_str().as_bytes(), url.as_str().as_bytes(), body].into_iter().any(|text| marks.found_in(text)) {
        let rule = "the placeholder of a secret may stand only in the header or query field of its grant";
        return Err(EgressError::Refused { rule: rule.to_owned(), target: target::origin(url) });
    }
    Ok(())
}

/// What is put into one hop of a request.
pub(crate) struct Injection {
    /// The URL with the secrets of query slots.
    pub url: Url,
    /// The secrets that were used; to be found in the answer.
    pub secrets: Vec<SecretString>,
}

/// Puts the secrets of all slots that cover `url` into one hop. Values of the guest in the same place
/// are replaced.
///
/// # Errors
/// When a secret is not set, or cannot be sent safely.
pub(crate) fn inject(
    allowance: &Allowance,
    source: &dyn SecretSource,
    url: &Url,
    fields: &mut HeaderMap,
) -> Result<Injection, EgressError> {
    let mut slots: Vec<_> = allowance.secrets.iter().filter(|slot| slot.covers(url)).collect();
    // The most specific comes last and so wins its place.
    slots.sort_by_key(|slot| slot.specificity());
    let mut injection = Injection { url: url.clone(), secrets: Vec::new() };
    for slot in slots {
        let refused = |rule: String| EgressError::Refused { rule, target: target::shown(url) };
        let secret = source.get(slot.name()).ok_or_else(|| refused(not_set(slot)))?;
        if secret.expose_secret().len() < MIN_SECRET_BYTES {
            return Err(refused(format!("the secret {} is shorter than 8 bytes", slot.name())));
        }
        match slot.slot() {
            Slot::Header { field, before, after } => {
                let value = format!("{before}{}{after}", secret.expose_secret());
                let mut value = HeaderValue::from_str(&value)
                    .map_err(|_| refused(format!("the secret {} is no text for a header", slot.name())))?;
                value.set_sensitive(true);
                fields.insert(field, value);
            }
            Slot::Query { key } => {
                remove_parameter(&mut injection.url, |name, _| name == key);
                injection.url.query_pairs_mut().append_pair(key, secret.expose_secret());
            }
        }
        injection.secrets.push(secret);
    }
    Ok(injection)
}

fn not_set(slot: &SecretSlot) -> String {
    format!("the secret {} is not set; set it, or remove its grant", slot.name())
}

/// Removes the fields that a guest or the host meant for the origin that is left.
pub(crate) fn forget(allowance: &Allowance, left: &Url, fields: &mut HeaderMap) {
    for field in [http::header::AUTHORIZATION, http::header::COOKIE] {
        fields.remove(field);
    }
    for slot in allowance.secrets.iter().filter(|slot| slot.covers(left)) {
        if let Slot::Header { field, .. } = slot.slot() {
            fields.remove(field);
        }
    }
}

fn remove_parameter(url: &mut Url, remove: impl Fn(&str, &str) -> bool) {
    if !url.query_pairs().any(|(name, value)| remove(&name, &value)) {
        return;
    }
    // The other parameters keep their spelling: some origins sign it.
    let kept: Vec<&str> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|part| !url::form_urlencoded::parse(part.as_bytes()).any(|(name, value)| remove(&name, &value)))
        .collect();
    let query = kept.join("&");
    url.set_query((!query.is_empty()).then_some(&query));
}
