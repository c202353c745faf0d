//! Files that came with a message to the terminal: kept in the home before the message counts as delivered.

use super::{Host, keep};
use crate::exit::Failure;
use chiton_store::OutboxId;
use std::path::PathBuf;

/// Longest name that a file keeps, in characters: with four bytes each, and a number, a file system takes it.
const LONGEST_NAME: usize = 50;

impl Host {
    /// Keeps the files of a message and gives their paths. Doing it again gives the same files.
    pub(super) async fn keep_files(&self, outbox: OutboxId) -> Result<Vec<PathBuf>, Failure> {
        let files = self.store().attachments(outbox).await?;
        let folder = self.settings().home.received();
        let mut kept = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate() {
            let path = folder.join(format!("{}-{}-{}", outbox.0, index + 1, safe_name(&file.name)));
            keep(&path, &file.data)?;
            kept.push(path);
        }
        Ok(kept)
    }
}

/// A file name that means nothing to a shell, a terminal or a file system.
fn safe_name(name: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    name.chars().map(plain).take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::safe_name;

    #[test]
    fn a_name_from_a_tool_leads_nowhere() {
        assert_eq!(safe_name("chart of May.png"), "chart_of_May.png");
        assert_eq!(safe_name("../../.bashrc"), ".._.._.bashrc");
        assert_eq!(safe_name("\u{1b}]8;;x\u{7}\u{202e}gpj.exe\n"), "__8__x__gpj.exe_");
        assert_eq!(safe_name(&"\u{20000}".repeat(500)).len(), 200);
    }
}
