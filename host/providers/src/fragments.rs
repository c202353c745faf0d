//! Messages in the form of one protocol, each translated once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of messages and their translations in each of the two generations.
const GENERATION: usize = 8 << 20;

/// Whose words a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The instructions.
    System,
    /// The user.
    User,
    /// A tool, answering a call.
    Tool,
    /// The model.
    Model,
}

/// One message, translated: JSON blocks with commas between them, as the protocol wants them.
#[derive(Debug)]
pub struct Fragment {
    /// Who speaks.
    pub role: Role,
    /// The blocks; empty when nothing of the message is sent.
    pub json: String,
}

/// A message and its translation. The message is held so that its address cannot become that of another one.
type Kept = (Arc<str>, Arc<Fragment>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<(usize, bool), Kept>,
    old: HashMap<(usize, bool), Kept>,
    bytes: usize,
    tools: Option<(String, Arc<str>)>,
}

/// Translations by the identity of their message: what was not asked for lately is forgotten.
#[derive(Debug, Default)]
pub struct Fragments(Mutex<Generations>);

impl Fragments {
    /// The translation of `message` in one of two flavours.
    pub fn of(&self, message: &Arc<str>, flavour: bool, translate: impl FnOnce() -> Fragment) -> Arc<Fragment> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::as_ptr(message).addr(), flavour);
        if let Some((_, fragment)) = kept.young.get(&key) {
            return fragment.clone();
        }
        let entry = kept.old.remove(&key).unwrap_or_else(|| (message.clone(), Arc::new(translate())));
        let fragment = entry.1.clone();
        kept.bytes += message.len() + fragment.json.len();
        if kept.bytes > GENERATION {
            kept.old = std::mem::take(&mut kept.young);
            kept.bytes = message.len() + fragment.json.len();
        }
        kept.young.insert(key, entry);
        fragment
    }

    /// The translation of the tools, which are nearly always those of the request before.
    pub fn of_tools(&self, tools: &str, translate: impl FnOnce() -> String) -> Arc<str> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &kept.tools {
            Some((known, translated)) if known == tools => translated.clone(),
            _ => {
                let translated: Arc<str> = translate().into();
                kept.tools = Some((tools.to_string(), translated.clone()));
                translated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(json: &str) -> Fragment {
        Fragment { role: Role::User, json: json.into() }
    }

    #[test]
    fn a_message_is_translated_once_and_an_equal_one_elsewhere_is_another() {
        let fragments = Fragments::default();
        let (first, second): (Arc<str>, Arc<str>) = ("m".into(), "m".into());
        assert_eq!(fragments.of(&first, false, || fragment("a")).json, "a");
        assert_eq!(fragments.of(&first, false, || panic!("it was translated already")).json, "a");
        assert_eq!(fragments.of(&second, false, || fragment("b")).json, "b");
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_was_used_lately_stays() {
        let fragments = Fragments::default();
        let used: Arc<str> = "used".into();
        for _ in 0..40 {
            fragments.of(&used, false, || fragment("once"));
            fragments.of(&"x".repeat(1 << 20).into(), false, || fragment(""));
        }
        assert_eq!(fragments.of(&used, false, || panic!("it was forgotten")).json, "once");
        let kept = fragments.0.lock().unwrap();
        let bytes: usize = kept.young.values().chain(kept.old.values()).map(|(message, _)| message.len()).sum();
        assert!(bytes <= 2 * GENERATION, "{bytes}");
    }

    #[test]
    fn an_address_is_never_that_of_a_message_that_is_gone() {
        let fragments = Fragments::default();
        for number in 0..100 {
            let message: Arc<str> = number.to_string().into();
            assert_eq!(*fragments.of(&message, false, || fragment(&message)).json, *message);
        }
    }

    #[test]
    fn other_tools_are_translated_anew() {
        let fragments = Fragments::default();
        assert_eq!(&*fragments.of_tools("[1]", || "a".into()), "a");
        assert_eq!(&*fragments.of_tools("[1]", || panic!()), "a");
        assert_eq!(&*fragments.of_tools("[2]", || "b".into()), "b");
    }
}
