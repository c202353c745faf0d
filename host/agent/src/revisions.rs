//! The bot's own files over time: every text of them is kept, so that a change can be seen and undone.
//!
//! What a turn writes there after it read words of strangers could be their words. Such a text is not shown to
//! the model as its own until the owner accepts it; the text before it is shown meanwhile.

use crate::agent::Room;
use crate::inert::inert;
use crate::prompt::{Changed, Prompt};
use crate::text_file;
use crate::workspace::place_of;
use chiton_store::{Revision, StoreError};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

/// The reason of a revision that waits for the owner's word, and that of any other.
const WAITING: &str = "after outside words";
const FOUND: &str = "found";

impl Room {
    /// Takes what changed in the bot's own files. `tainted`: a turn that has read words of strangers may have done it.
    pub(crate) async fn look(&self, tainted: bool) -> Result<(), StoreError> {
        // One look at a time, and the question who may have written is asked before the files are.
        let _alone = self.looking.lock().await;
        let tainted = tainted || self.tainted_turns.load(Ordering::SeqCst) > 0;
        let changes = self.prompt().changes(self.sandbox.snapshot().skills());
        for change in changes {
            if let Err(error) = self.take(change, tainted).await {
                self.prompt().look_again();
                return Err(error);
            }
        }
        Ok(())
    }

    fn prompt(&self) -> MutexGuard<'_, Prompt> {
        self.prompt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, change: Changed, tainted: bool) -> Result<(), StoreError> {
        let Changed { file, text, writable } = change;
        let newest = self.newest(&file).await?;
        let accepted = self.accepted(&file).await?;
        let waiting = match &newest {
            Some((revision, known)) if *known == text => waits(revision),
            None if text.is_empty() => false,
            // What is added to a text that waits does not make that text the owner's.
            Some((revision, _)) if waits(revision) && writable && accepted.as_ref() != Some(&text) => {
                self.store.rewrite_revision(revision.id, &text).await?;
                true
            }
            _ => {
                let waiting = tainted && writable;
                self.store.keep_revision(&file, &text, if waiting { WAITING } else { FOUND }).await?;
                waiting
            }
        };
        let shown = if waiting { accepted.unwrap_or_default() } else { text };
        self.prompt().set(&file, &shown, waiting);
        Ok(())
    }

    /// The newest text of a file.
    async fn newest(&self, file: &str) -> Result<Option<(Revision, String)>, StoreError> {
        let Some(newest) = self.store.revisions(file).await?.into_iter().next() else { return Ok(None) };
        let text = self.store.revision(newest.id).await?.unwrap_or_default();
        Ok(Some((newest, text)))
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
        self.prompt().waiting()
    }

    /// What the owner is told of the memory: what it says, and what waits for a word.
    pub(crate) async fn memory_told(&self) -> Result<String, StoreError> {
        self.look(false).await?;
        let text = self.accepted("MEMORY.md").await?.unwrap_or_default();
        let mut told = format!("memory/MEMORY.md:\n\n{}\n", inert(&text));
        let mut seen = HashMap::new();
        for file in self.waiting_files() {
            let old = self.accepted(&file).await?.unwrap_or_default();
            let new = self.newest(&file).await?.map(|(_, text)| text).unwrap_or_default();
            told.push_str(&format!(
                "\n{file} was changed by a turn that had read words of strangers:\n\n{}",
                inert(&difference(&old, &new))
            ));
            seen.insert(file, new);
        }
        told.push_str(match seen.is_empty() {
            true => "\n`/memory undo` takes the last change back.",
            false => "\n`/memory accept` lets these changes hold, `/memory undo` takes them back.",
        });
        *self.seen_memory.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(told)
    }

    /// Lets the changes hold that the owner has seen; the names of the files.
    pub(crate) async fn accept_memory(&self) -> Result<Vec<String>, StoreError> {
        self.look(false).await?;
        let seen = std::mem::take(&mut *self.seen_memory.lock().unwrap_or_else(PoisonError::into_inner));
        let mut files = Vec::new();
        for (file, text) in seen {
            let newest = self.newest(&file).await?.filter(|(newest, now)| waits(newest) && *now == text);
            if let Some((newest, _)) = newest {
                self.store.judge_revision(newest.id, "accepted").await?;
                self.prompt().set(&file, &text, false);
                files.push(file);
            }
        }
        Ok(files)
    }

    /// Puts the text before the last change back: of every file that waits, else of the memory. A file that was not
    /// there before is removed.
    pub(crate) async fn undo_memory(&self) -> Result<Vec<String>, StoreError> {
        let waiting = self.waiting_files();
        let files = if waiting.is_empty() { vec!["MEMORY.md".to_owned()] } else { waiting.clone() };
        let mut restored = Vec::new();
        for file in files {
            let revisions = self.store.revisions(&file).await?;
            let before = revisions.iter().skip(1).find(|revision| !waits(revision));
            let text = match before {
                Some(before) => self.store.revision(before.id).await?,
                None => None,
            };
            let (root, below) = (&self.settings.workspace, place_of(&self.settings.workspace, &file));
            let done = match &text {
                Some(text) => text_file::replace(root, &below, text),
                None if waiting.contains(&file) => text_file::remove(root, &below),
                None => continue,
            };
            match done {
                Ok(()) => restored.push(file.clone()),
                Err(error) => tracing::warn!("{file} is not restored: {error}"),
            }
        }
        self.look(false).await?;
        Ok(restored)
    }
}

/// A turn that may have read words of strangers, as long as it runs.
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

impl Tainted<'_> {
    pub(crate) fn holds(&self) -> bool {
        self.0.is_some()
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

/// The lines that went and came, each in a line of its own that no text can leave: four spaces make it literal.
fn difference(old: &str, new: &str) -> String {
    let lines = |sign: char, from: &str, other: &str| -> String {
        let count = |text: &str, line: &str| text.lines().filter(|there| *there == line).count();
        let gone = from.lines().filter(|line| count(other, line) < count(from, line));
        gone.map(|line| format!("    {sign} {line}\n")).collect()
    };
    match lines('-', old, new) + &lines('+', new, old) {
        none if none.is_empty() => "    (the same lines in another order)\n".to_owned(),
        lines => lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_went_and_what_came() {
        assert_eq!(difference("a\nb\nc", "a\nc\nd"), "    - b\n    + d\n");
        assert_eq!(difference("a", "a\na"), "    + a\n    + a\n");
        assert!(difference("a\nb", "b\na").contains("another order"));
    }
}
