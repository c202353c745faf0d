//! Sessions that come, go and are copied at the owner's word.

use super::Host;
use crate::config;
use crate::exit::{Exit, Failure};
use crate::transcript;
use chiton_store::{Removed, SessionState, Store, StoreError};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::Path;

/// What is known of a session, or the nearest key.
pub async fn known(store: &Store, key: &str) -> Result<SessionState, Failure> {
    if let Some(state) = store.session(key).await? {
        return Ok(state);
    }
    let sessions = store.sessions().await?;
    let advice = match config::nearest(key, sessions.iter().map(|row| row.session.as_str())) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "`chiton session list` shows all".to_owned(),
    };
    Err(Failure::new(Exit::NotFound, format!("there is no session '{key}'; {advice}")))
}

/// What was asked cannot be done with these sessions; else the database is to blame.
fn asked(error: StoreError) -> Failure {
    let wrong = matches!(error, StoreError::Taken(_) | StoreError::NoKey(_) | StoreError::NoMessage { .. });
    Failure::new(if wrong { Exit::Usage } else { Exit::State }, error)
}

impl Host {
    pub(super) async fn import_session(&self, file: &Path, key: Option<String>) -> Result<Value, Failure> {
        let unread = |error| format!("cannot read {}: {error}; check the path", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| Failure::new(Exit::NotFound, unread(error)))?;
        let mut read = transcript::read(&text)
            .map_err(|Failure { exit, message }| Failure::new(exit, format!("{}: {message}", file.display())))?;
        let key = key.or(read.key.take()).ok_or_else(|| {
            Failure::new(Exit::Usage, "the file does not name its session; name one with --key, such as terminal:old")
        })?;
        let first = read.messages.first().map(|message| message.at_ms);
        let created_at = read.created_at.or(first).unwrap_or_else(|| Timestamp::now().as_millisecond());
        let messages = read.messages.len();
        let turns = self.store().import_session(&key, created_at, read.messages).await.map_err(asked)?;
        Ok(json!({ "session": key, "turns": turns, "messages": messages }))
    }

    pub(super) async fn fork_session(&self, from: &str, to: &str) -> Result<Value, Failure> {
        known(self.store(), from).await?;
        let turns = self.store().fork(from, to, None).await.map_err(asked)?;
        Ok(json!({ "session": to, "turns": turns }))
    }

    pub(super) async fn delete_session(&self, key: &str) -> Result<Value, Failure> {
        known(self.store(), key).await?;
        // The session itself goes last: as long as it is there, a deletion that was cut off can be asked for again.
        let mut own = Vec::new();
        for helper in chiton_agent::own_sessions(key) {
            own.extend(self.remove(&helper).await?.sessions);
        }
        let home = &self.settings().home;
        chiton_agent::forget(Some(&home.scratch()), Some(&home.undo()), key);
        let mut removed = self.remove(key).await?;
        removed.sessions.extend(own);
        self.without_files(&removed)
    }

    async fn remove(&self, key: &str) -> Result<Removed, Failure> {
        // Before and after: what is remembered of it must not be sent again.
        let forget = || self.inner.agent.get().map(|agent| agent.forget(Some(key)));
        forget();
        let removed = self.store().delete_session(key).await?;
        forget();
        Ok(removed)
    }

    pub(super) async fn delete_person(&self, sender: &str) -> Result<Value, Failure> {
        match self.store().delete_person(sender).await? {
            none if none == Removed::default() => {
                let message = format!("nothing was kept of a sender '{sender}'; check how the channel names them");
                Err(Failure::new(Exit::NotFound, message))
            }
            mut removed => {
                // In chats with others only a part went.
                self.inner.agent.get().inspect(|agent| agent.forget(None));
                for key in removed.sessions.clone() {
                    for own in std::iter::once(key.clone()).chain(chiton_agent::own_sessions(&key)) {
                        removed.sessions.extend(self.remove(&own).await?.sessions);
                    }
                }
                self.without_files(&removed)
            }
        }
    }

    /// Removes the files that were put aside for these sessions.
    fn without_files(&self, removed: &Removed) -> Result<Value, Failure> {
        let home = &self.settings().home;
        for key in &removed.sessions {
            chiton_agent::forget(Some(&home.scratch()), Some(&home.undo()), key);
        }
        Ok(json!(removed))
    }
}
