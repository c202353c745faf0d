//! The bot's own files over time: every text of them is kept, so that a change can be seen and undone.
//!
//! What a turn writes there after it read words of strangers could be their words. Such a text is not shown to
//! the model as its own until the owner accepts it; the text before it is shown meanwhile.

use crate::agent::Room;
use crate::prompt::Changed;
use crate::text_file;
use chiton_store::{Revision, StoreError};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// How the reason of a revision begins that waits for the owner's word.
const WAITING: &str = "after outside words";
const FOUND: &str = "found";

impl Room {
    /// Takes what changed in the bot's own files. `tainted`: a turn that has read words of strangers may have done it.
    pub(crate) async fn look(&self, tainted: bool) -> Result<(), StoreError> {
        let changes = self.prompt.lock().unwrap_or_else(PoisonError::into_inner).changes();
        for Changed { file, text, writable } in changes {
            let tainted = writable && (tainted || self.tainted_turns.load(Ordering::SeqCst) > 0);
            let newest = self.store.revisions(&file).await?.into_iter().next();
            let waiting = match &newest {
                Some(newest) if self.store.revision(newest.id).await?.as_deref() == Some(&text) => waits(newest),
                None if text.is_empty() => false,
                _ => {
                    self.store.keep_revision(&file, &text, if tainted { WAITING } else { FOUND }).await?;
                    tainted
                }
            };
            let shown = if waiting { self.accepted(&file).await?.unwrap_or_default() } else { text };
            self.prompt.lock().unwrap_or_else(PoisonError::into_inner).set(&file, shown, waiting);
        }
        Ok(())
    }

    /// The newest text of a file that waits for nobody.
    async fn accepted(&self, file: &str) -> Result<Option<String>, StoreError> {
        let revisions = self.store.revisions(file).await?;
        match revisions.iter().find(|revision| !waits(revision)) {
            Some(accepted) => self.store.revision(accepted.id).await,
            None => Ok(None),
        }
    }

    fn waiting_files(&self) -> Vec<String> {
        self.prompt.lock().unwrap_or_else(PoisonError::into_inner).waiting()
    }

    /// What the owner is told of the memory: what it says, and what waits for a word.
    pub(crate) async fn memory_told(&self) -> Result<String, StoreError> {
        self.look(false).await?;
        let newest = self.store.revisions("MEMORY.md").await?.into_iter().next();
        let text = match &newest {
            Some(newest) => self.store.revision(newest.id).await?.unwrap_or_default(),
            None => String::new(),
        };
        let mut told = format!("memory/MEMORY.md:\n\n{text}\n");
        for file in self.waiting_files() {
            let old = self.accepted(&file).await?.unwrap_or_default();
            let newest = self.store.revisions(&file).await?.into_iter().next();
            let new = match newest {
                Some(newest) => self.store.revision(newest.id).await?.unwrap_or_default(),
                None => String::new(),
            };
            told.push_str(&format!(
                "\n{file} was changed by a turn that had read words of strangers:\n\n```diff\n{}```\n",
                difference(&old, &new)
            ));
        }
        told.push_str(match self.waiting_files().is_empty() {
            true => "\n`/memory undo` takes the last change back.",
            false => "\n`/memory accept` lets these changes hold, `/memory undo` takes them back.",
        });
        Ok(told)
    }

    /// Lets the changes hold that wait for the owner's word; the names of the files.
    pub(crate) async fn accept_memory(&self) -> Result<Vec<String>, StoreError> {
        let files = self.waiting_files();
        for file in &files {
            if let Some(newest) = self.store.revisions(file).await?.into_iter().next() {
                self.store.judge_revision(newest.id, "accepted").await?;
                let text = self.store.revision(newest.id).await?.unwrap_or_default();
                self.prompt.lock().unwrap_or_else(PoisonError::into_inner).set(file, text, false);
            }
        }
        Ok(files)
    }

    /// Puts the text before the last change back: of every file that waits, else of the memory.
    pub(crate) async fn undo_memory(&self) -> Result<Vec<String>, StoreError> {
        let mut files = self.waiting_files();
        if files.is_empty() {
            files.push("MEMORY.md".to_owned());
        }
        let mut restored = Vec::new();
        for file in files {
            let revisions = self.store.revisions(&file).await?;
            let before = revisions.iter().skip(1).find(|revision| !waits(revision));
            let Some(before) = before else { continue };
            let Some(text) = self.store.revision(before.id).await? else { continue };
            let below = crate::workspace::place_of(&self.settings.workspace, &file);
            match text_file::replace(&self.settings.workspace, &below, &text) {
                Ok(()) => restored.push(file.clone()),
                Err(error) => tracing::warn!("{file} is not restored: {error}"),
            }
        }
        self.look(false).await?;
        Ok(restored)
    }
}

/// A turn that has read words of strangers, as long as it runs.
pub(crate) struct Tainted<'a>(Option<&'a Room>);

impl<'a> Tainted<'a> {
    pub(crate) fn new(room: &'a Room, tainted: bool) -> Self {
        let room = tainted.then_some(room);
        if let Some(room) = room {
            room.tainted_turns.fetch_add(1, Ordering::SeqCst);
        }
        Self(room)
    }
}

impl Drop for Tainted<'_> {
    fn drop(&mut self) {
        if let Some(room) = self.0 {
            room.tainted_turns.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn waits(revision: &Revision) -> bool {
    revision.reason == WAITING
}

/// The lines that went and came, in the order of the texts.
fn difference(old: &str, new: &str) -> String {
    let lines = |sign: char, from: &str, other: &str| -> String {
        from.lines()
            .filter(|line| !other.lines().any(|there| there == *line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    lines('-', old, new) + &lines('+', new, old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_went_and_what_came() {
        assert_eq!(difference("a\nb\nc", "a\nc\nd"), "- b\n+ d\n");
        assert_eq!(difference("a", "a"), "");
    }
}
