//! The rights of a session travel with each message, so that a resumed turn has the same ones.

use chiton_sandbox::{Capabilities, Effects, FileGrant, SessionRights};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is kept of [`SessionRights`] beside the session's name.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct KeptRights {
    effects: Effects,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileGrant>>,
    #[serde(default, skip_serializing_if = "Capabilities::is_empty")]
    capabilities: Capabilities,
    /// What strangers wrote led to this message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tainted: bool,
    /// Where a sub-agent notes what it changes: with the turn that gave it its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    journal: Option<PathBuf>,
}

/// Rights as JSON, for work that is done later: neither grants nor effects that come meanwhile widen them.
pub fn frozen(rights: &SessionRights) -> String {
    serde_json::to_string(&KeptRights::of(rights)).unwrap_or_default()
}

impl KeptRights {
    fn of(rights: &SessionRights) -> Self {
        let SessionRights { effects, files, capabilities, tainted, journal, .. } = rights.clone();
        Self { effects, files, capabilities, tainted, journal }
    }
}

/// The JSON object that [`crate::Agent::submit`] keeps beside a message.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Metadata {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rights: Option<KeptRights>,
    #[serde(flatten)]
    other: serde_json::Map<String, serde_json::Value>,
}

/// `metadata` of a message with `rights` in it. Metadata that is no JSON object is dropped.
pub(crate) fn keep(metadata: Option<&str>, rights: &SessionRights) -> Option<String> {
    let mut kept: Metadata = metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    kept.rights = Some(KeptRights::of(rights));
    serde_json::to_string(&kept).ok()
}

/// `metadata` of a command: it never joins a turn.
pub(crate) fn mark_command(metadata: Option<&str>) -> Option<String> {
    let mut kept: Metadata = metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    kept.other.insert("command".to_owned(), true.into());
    serde_json::to_string(&kept).ok()
}

/// Whether a message was taken for a command.
pub(crate) fn is_command(metadata: Option<&str>) -> bool {
    let kept: Metadata = metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    kept.other.get("command") == Some(&true.into())
}

/// The rights that were kept with a message. A message whose rights cannot be read has none at all:
/// a damaged row must not run with more than was meant.
pub(crate) fn kept(session: &str, metadata: Option<&str>) -> SessionRights {
    let metadata: Option<Metadata> = metadata.and_then(|text| serde_json::from_str(text).ok());
    let all = SessionRights::of(session);
    match metadata.and_then(|metadata| metadata.rights) {
        Some(KeptRights { effects, files, capabilities, tainted, journal }) => {
            SessionRights { effects, files, capabilities, tainted, journal, ..all }
        }
        None => SessionRights { effects: Effects::NONE, ..all },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiton_sandbox::Access;

    fn rights() -> SessionRights {
        SessionRights {
            effects: Effects::READS_FILES,
            files: Some(vec![FileGrant { path: "/srv/notes".into(), access: Access::Write, quota: None }]),
            ..SessionRights::of("terminal:default")
        }
    }

    #[test]
    fn rights_survive_in_the_metadata_of_a_message() {
        let metadata = keep(Some(r#"{"reply_to":7}"#), &rights());
        assert!(metadata.as_deref().unwrap().contains("reply_to"));
        assert_eq!(kept("terminal:default", metadata.as_deref()), rights());
    }

    #[test]
    fn a_message_without_readable_rights_has_none() {
        for metadata in [None, Some("not json"), Some("{}"), Some(r#"{"rights":{"effects":"all"}}"#)] {
            assert_eq!(kept("a:b", metadata).effects, Effects::NONE, "{metadata:?}");
        }
    }
}
