//! Unified diffs as text.

use std::path::{Component, Path};

use crate::Problem;

/// The name that stands for no file.
const NO_FILE: &str = "/dev/null";

/// What a line of a hunk does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mark {
    /// Stays.
    Context,
    /// Goes.
    Removed,
    /// Comes.
    Added,
}

/// A place in a file and what changes there.
#[derive(Clone, Debug)]
pub struct Hunk {
    /// First line in the old file, from 1; 0 for an empty file.
    pub old_start: usize,
    /// First line in the new file.
    pub new_start: usize,
    /// Lines with their newline, if they have one.
    pub lines: Vec<(Mark, Vec<u8>)>,
}

impl Hunk {
    /// The lines before (or after) the change.
    pub fn side(&self, without: Mark) -> Vec<&[u8]> {
        self.lines.iter().filter(|(mark, _)| *mark != without).map(|(_, line)| line.as_slice()).collect()
    }

    /// Lines of context at the beginning and at the end.
    pub fn context(&self) -> (usize, usize) {
        let is_context = |(mark, _): &&(Mark, Vec<u8>)| *mark == Mark::Context;
        (self.lines.iter().take_while(is_context).count(), self.lines.iter().rev().take_while(is_context).count())
    }
}

/// All changes of one file.
#[derive(Debug, Default)]
pub struct FilePatch {
    /// The name behind `---`.
    pub old: String,
    /// The name behind `+++`.
    pub new: String,
    /// git's `rename from` and `rename to`.
    pub rename: Option<(String, String)>,
    /// The changes in order.
    pub hunks: Vec<Hunk>,
}

impl FilePatch {
    /// Makes it the patch that takes this one back.
    pub fn reverse(&mut self) {
        std::mem::swap(&mut self.old, &mut self.new);
        self.rename = self.rename.take().map(|(from, to)| (to, from));
        for hunk in &mut self.hunks {
            std::mem::swap(&mut hunk.old_start, &mut hunk.new_start);
            for (mark, _) in &mut hunk.lines {
                *mark = match mark {
                    Mark::Context => Mark::Context,
                    Mark::Removed => Mark::Added,
                    Mark::Added => Mark::Removed,
                };
            }
            // Removed lines come first where both meet, as diff writes them.
            let mut lines = std::mem::take(&mut hunk.lines);
            for run in lines.chunk_by_mut(|one, next| one.0 != Mark::Context && next.0 != Mark::Context) {
                run.sort_by_key(|(mark, _)| *mark == Mark::Added);
            }
            hunk.lines = lines;
        }
    }

    /// Whether there is no old file.
    pub fn creates(&self) -> bool {
        self.old == NO_FILE
            || self.hunks.first().is_some_and(|hunk| hunk.old_start == 0 && hunk.side(Mark::Added).is_empty())
    }

    /// Whether there is no new file.
    pub fn removes(&self) -> bool {
        self.new == NO_FILE
    }

    /// The file to change: of the two names the one that exists, and of two that do the shorter.
    pub fn target(&self, strip: Option<usize>) -> Option<String> {
        let from = self.rename.as_ref().map(|(from, _)| from);
        let names = [from, Some(&self.old), Some(&self.new)]
            .into_iter()
            .flatten()
            .filter(|name| *name != NO_FILE && !name.is_empty());
        let names: Vec<String> = names.filter_map(|name| stripped(name, strip)).collect();
        let existing = names.iter().filter(|name| Path::new(name).exists());
        existing.min_by_key(|name| (name.matches('/').count(), name.len())).or(names.last()).cloned()
    }

    /// Where a renamed file goes.
    pub fn renamed(&self, strip: Option<usize>) -> Option<&str> {
        let (_, to) = self.rename.as_ref()?;
        let length = stripped(to, strip)?.len();
        to.get(to.len() - length..)
    }

    /// The hunks of these indices as a patch of their own.
    pub fn rejects(&self, indices: &[usize]) -> Vec<u8> {
        let mut out = format!("--- {}\n+++ {}\n", self.old, self.new).into_bytes();
        for hunk in indices.iter().filter_map(|index| self.hunks.get(*index)) {
            let (old, new) = (hunk.side(Mark::Added).len(), hunk.side(Mark::Removed).len());
            out.extend(format!("@@ -{},{old} +{},{new} @@\n", hunk.old_start, hunk.new_start).bytes());
            for (mark, line) in &hunk.lines {
                out.push(match mark {
                    Mark::Context => b' ',
                    Mark::Removed => b'-',
                    Mark::Added => b'+',
                });
                out.extend(line);
                if !line.ends_with(b"\n") {
                    out.extend(b"\n\\ No newline at end of file\n");
                }
            }
        }
        out
    }
}

/// A name less its leading directories; none when it would lead out of the working directory.
fn stripped(name: &str, strip: Option<usize>) -> Option<String> {
    let short = match strip {
        Some(count) => name.splitn(count + 1, '/').nth(count).unwrap_or("").trim_start_matches('/'),
        None => name.rsplit('/').next().unwrap_or(name),
    };
    // `-p0` keeps an absolute name absolute, which is refused with the rest.
    let short = if strip == Some(0) { name } else { short };
    let safe = !short.is_empty()
        && Path::new(short).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    safe.then(|| short.to_owned())
}

/// Reads all patches; text between them is passed over.
pub fn parse(text: &[u8]) -> Result<Vec<FilePatch>, Problem> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut patches: Vec<FilePatch> = Vec::new();
    let mut rename_from = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let line_text = String::from_utf8_lossy(line);
        let line_text = line_text.trim_end_matches(['\n', '\r']);
        if line_text.starts_with("GIT binary patch") {
            return Err("**** git binary diffs are not supported".into());
        } else if let Some(name) = line_text.strip_prefix("rename from ") {
            rename_from = Some(name.to_owned());
        } else if let (Some(to), Some(from)) =
            (line_text.strip_prefix("rename to "), rename_from.take_if(|_| line_text.starts_with("rename to ")))
        {
            // git puts a directory before the names of `---` and `+++`, but not before these.
            let (old, new) = (format!("a/{from}"), format!("b/{to}"));
            patches.push(FilePatch { rename: Some((old.clone(), new.clone())), old, new, hunks: Vec::new() });
        } else if let Some(old) = line_text.strip_prefix("--- ")
            && let Some(new) = lines.get(at + 1).and_then(|next| next.strip_prefix(b"+++ "))
        {
            let (old, new) = (name(old), name(&String::from_utf8_lossy(new)));
            match patches.last_mut() {
                Some(patch) if patch.hunks.is_empty() && patch.rename.is_some() => {}
                _ => patches.push(FilePatch { old, new, ..FilePatch::default() }),
            }
            at += 1;
        } else if line_text.starts_with("@@ -")
            && let Some(patch) = patches.last_mut()
        {
            let (hunk, length) = hunk(line_text, &lines[at + 1..])
                .ok_or_else(|| format!("**** malformed patch at line {}: {line_text}", at + 1))?;
            patch.hunks.push(hunk);
            at += length;
        }
        at += 1;
    }
    Ok(patches)
}

/// The file name of a `---` line: up to the tab before the time.
fn name(rest: &str) -> String {
    let rest = rest.trim_end_matches(['\n', '\r']);
    rest.split('\t').next().unwrap_or(rest).trim_end().trim_matches('"').to_owned()
}

/// A hunk and how many lines after its head it takes.
fn hunk(head: &str, lines: &[&[u8]]) -> Option<(Hunk, usize)> {
    let ranges = head.strip_prefix("@@ -")?.split(" @@").next()?;
    let (old, new) = ranges.split_once(" +")?;
    let ((old_start, mut old_left), (new_start, mut new_left)) = (range(old)?, range(new)?);
    let mut hunk = Hunk { old_start, new_start, lines: Vec::new() };
    let mut taken = 0;
    while old_left > 0 || new_left > 0 || lines.get(taken).is_some_and(|line| line.starts_with(b"\\")) {
        // Mailers cut the blank off an empty line of context, and the newline off the last line.
        let line = *lines.get(taken)?;
        let (mark, rest) = match line.split_first()? {
            (b' ', rest) => (Mark::Context, rest),
            (b'-', rest) => (Mark::Removed, rest),
            (b'+', rest) => (Mark::Added, rest),
            (b'\n', _) | (b'\r', _) => (Mark::Context, line),
            (b'\\', _) => {
                let (_, last) = hunk.lines.last_mut()?;
                last.pop_if(|byte| *byte == b'\n');
                taken += 1;
                continue;
            }
            _ => return None,
        };
        old_left = if mark == Mark::Added { old_left } else { old_left.checked_sub(1)? };
        new_left = if mark == Mark::Removed { new_left } else { new_left.checked_sub(1)? };
        let mut rest = rest.to_vec();
        if !rest.ends_with(b"\n") {
            rest.push(b'\n');
        }
        hunk.lines.push((mark, rest));
        taken += 1;
    }
    Some((hunk, taken))
}

fn range(text: &str) -> Option<(usize, usize)> {
    match text.split_once(',') {
        Some((start, length)) => Some((start.parse().ok()?, length.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_of_the_directory_is_no_target() {
        assert_eq!(stripped("a/b/c.txt", Some(1)).as_deref(), Some("b/c.txt"));
        assert_eq!(stripped("a/b/c.txt", None).as_deref(), Some("c.txt"));
        assert_eq!(stripped("a/../../etc/passwd", Some(1)), None);
        assert_eq!(stripped("/etc/passwd", Some(0)), None);
    }
}
