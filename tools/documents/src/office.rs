//! Office documents: archives of XML parts.

mod blocks;
pub(crate) mod opendocument;
pub(crate) mod slides;
pub(crate) mod word;
pub(crate) mod workbook;

use crate::{Error, damaged};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, XmlVersion};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Cursor, Read};
use zip::ZipArchive;

/// Most bytes that the parts of one document may unpack to, together.
const MOST_UNPACKED: u64 = 128 << 20;

/// A document's archive. It counts what it unpacks, whatever the archive says about sizes.
struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    left: u64,
}

/// What is met in a part. Names are local: without the prefix of their namespace.
enum Node<'n> {
    Start(&'n str, Attributes<'n>),
    End(&'n str),
    Text(&'n str),
}

/// The attributes of an element.
struct Attributes<'n>(&'n BytesStart<'n>);

impl Attributes<'_> {
    /// The value of the attribute with this local name.
    fn get(&self, name: &str) -> Option<String> {
        self.find(|key| key.local_name().as_ref() == name)
    }

    /// The value of the attribute with this local name that belongs to a namespace, such as `r:id` beside `id`.
    fn get_prefixed(&self, name: &str) -> Option<String> {
        self.find(|key| key.prefix().is_some() && key.local_name().as_ref() == name)
    }

    fn find(&self, wanted: impl Fn(QName<'_>) -> bool) -> Option<String> {
        let attribute = self.0.attributes().flatten().find(|attribute| wanted(attribute.key))?;
        attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
    }
}

impl<'b> Archive<'b> {
    fn open(bytes: &'b [u8]) -> Result<Self, Error> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
        Ok(Self { zip, left: MOST_UNPACKED })
    }

    /// Shows every node of a part to `on` until that returns `false`. Whether there is such a part.
    fn walk(&mut self, name: &str, on: &mut dyn FnMut(Node<'_>) -> bool) -> Result<bool, Error> {
        if self.zip.index_for_name(name).is_none() {
            return Ok(false);
        }
        let part = self.zip.by_name(name).map_err(|error| damaged(&error))?;
        let mut part = BufReader::new(part.take(self.left));
        let result = walk(&mut part, on);
        self.left = part.into_inner().limit();
        if self.left == 0 {
            return Err(Error::Bomb(MOST_UNPACKED >> 20));
        }
        result.map(|()| true)
    }

    /// A part that a document of this kind must have.
    fn walk_required(&mut self, name: &str, on: &mut dyn FnMut(Node<'_>) -> bool) -> Result<(), Error> {
        if self.walk(name, on)? { Ok(()) } else { Err(Error::Damaged(format!("its part {name} is missing"))) }
    }

    /// Unpacks all parts whose names end so, and gives the bytes of each.
    fn unpack(&mut self, ending: &str) -> Result<HashMap<String, u64>, Error> {
        let mut sizes = HashMap::new();
        for index in 0..self.zip.len() {
            let part = self.zip.by_index(index).map_err(|error| damaged(&error))?;
            let name = part.name().map_err(|error| damaged(&error))?.into_owned();
            if !name.ends_with(ending) {
                continue;
            }
            let size =
                std::io::copy(&mut part.take(self.left), &mut std::io::sink()).map_err(|error| damaged(&error))?;
            self.left -= size;
            if self.left == 0 {
                return Err(Error::Bomb(MOST_UNPACKED >> 20));
            }
            sizes.insert(name, size);
        }
        Ok(sizes)
    }
}

fn walk(part: &mut dyn BufRead, on: &mut dyn FnMut(Node<'_>) -> bool) -> Result<(), Error> {
    let mut reader = Reader::from_reader(part);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.allow_dangling_amp = true;
    let mut buffer = Vec::new();
    loop {
        let go_on = match reader.read_event_into(&mut buffer).map_err(|error| damaged(&error))? {
            Event::Start(element) => on(Node::Start(element.local_name().as_ref(), Attributes(&element))),
            Event::End(element) => on(Node::End(element.local_name().as_ref())),
            Event::Text(text) => on(Node::Text(&text.xml10_content())),
            Event::CData(text) => on(Node::Text(&text.xml10_content())),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => on(Node::Text(character.encode_utf8(&mut [0; 4]))),
                _ => on(Node::Text(resolve_predefined_entity(&reference).unwrap_or_default())),
            },
            Event::Eof => return Ok(()),
            _ => true,
        };
        if !go_on {
            return Ok(());
        }
        buffer.clear();
    }
}
