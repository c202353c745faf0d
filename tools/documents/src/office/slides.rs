//! PowerPoint presentations.

use super::blocks::Blocks;
use super::{Archive, Node};
use crate::output::Output;
use crate::pages::{self, Pages};
use crate::{Document, Error};
use std::collections::HashMap;

/// The slides in the order in which they are shown, each with its notes.
pub(crate) fn read(bytes: Vec<u8>, wanted: Option<&Pages>, most: usize) -> Result<Document, Error> {
    let mut archive = Archive::open(&bytes)?;
    let slides = slides(&mut archive)?;
    let selection = pages::select(wanted, slides.len(), "slide")?;
    let mut output = Output::new(most);
    for number in &selection.pages {
        let Some(part) = slides.get(number - 1) else { continue };
        output.end_paragraph();
        output.push(&format!("--- slide {number} ---\n"));
        let mut blocks = Blocks::new(&mut output);
        archive.walk(part, &mut |node| blocks.node(node))?;
        let notes = relations(&mut archive, part)?.into_values().find(|target| target.contains("/notesSlides/"));
        if let Some(part) = notes {
            output.end_line();
            output.push("Notes: ");
            let mut blocks = Blocks::new(&mut output);
            archive.walk(&part, &mut |node| blocks.node(node))?;
        }
        if output.full() {
            break;
        }
    }
    let (text, truncated) = output.finish();
    Ok(Document {
        title: format!("PowerPoint presentation, {}", selection.title),
        text,
        truncated,
        next: selection.next,
    })
}

/// The parts of the slides, in order.
fn slides(archive: &mut Archive<'_>) -> Result<Vec<String>, Error> {
    const PRESENTATION: &str = "ppt/presentation.xml";
    let mut identities = Vec::new();
    archive.walk_required(PRESENTATION, &mut |node| {
        if let Node::Start("sldId", attributes) = node {
            // It has an `id` of its own, and `r:id`, which the relations know.
            identities.extend(attributes.get_prefixed("id"));
        }
        true
    })?;
    let relations = relations(archive, PRESENTATION)?;
    Ok(identities.iter().filter_map(|identity| relations.get(identity).cloned()).collect())
}

/// The parts that `part` refers to, by the names it gives them.
fn relations(archive: &mut Archive<'_>, part: &str) -> Result<HashMap<String, String>, Error> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let mut relations = HashMap::new();
    archive.walk(&format!("{folder}/_rels/{file}.rels"), &mut |node| {
        if let Node::Start("Relationship", attributes) = node
            && let (Some(identity), Some(target)) = (attributes.get("Id"), attributes.get("Target"))
        {
            relations.insert(identity, join(folder, &target));
        }
        true
    })?;
    Ok(relations)
}

/// `target` as seen from `folder`, without `..`.
fn join(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').collect();
    for step in target.split('/') {
        match step {
            ".." => drop(path.pop()),
            "." => {}
            step => path.push(step),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn targets_are_seen_from_the_folder_of_the_part() {
        assert_eq!(join("ppt", "slides/slide1.xml"), "ppt/slides/slide1.xml");
        assert_eq!(join("ppt/slides", "../notesSlides/n1.xml"), "ppt/notesSlides/n1.xml");
        assert_eq!(join("ppt", "/ppt/slides/slide1.xml"), "ppt/slides/slide1.xml");
        assert_eq!(join("ppt", "../../../x"), "x");
    }
}
