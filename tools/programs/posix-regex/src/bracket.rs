//! Bracket expressions: `[a-z]`, `[^[:alpha:]_]`, `[[.-.][=a=]]`.

use crate::Syntax;
use crate::reader::{Reader, push_plain};

const UNMATCHED: &str = "Unmatched [, [^, [:, [., or [=";
const BAD_RANGE: &str = "Invalid range end";

/// What a bracket expression lists.
enum Element {
    Character(char),
    Class(&'static str),
}

impl Reader<'_> {
    /// Behind `[`. A `]` that comes first is itself, and so is a `-` at either end.
    pub(crate) fn bracket(&mut self) -> Result<(), &'static str> {
        self.refuse_bare_class()?;
        self.out.push('[');
        if self.accept('^') {
            self.out.push_str(if self.dialect.within_lines { "^\\n" } else { "^" });
        }
        let mut first = true;
        while first || !self.accept(']') {
            first = false;
            match self.element()? {
                Element::Class(class) => self.out.push_str(class),
                Element::Character(low) => {
                    push_plain(&mut self.out, low);
                    let rest = self.rest.as_str();
                    if rest.starts_with('-') && !rest.starts_with("-]") {
                        self.accept('-');
                        let Element::Character(high) = self.element()? else { return Err(BAD_RANGE) };
                        if high < low {
                            return Err(BAD_RANGE);
                        }
                        self.out.push('-');
                        push_plain(&mut self.out, high);
                    }
                }
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:space:]` alone is a slip, which GNU's grep and sed tell.
    fn refuse_bare_class(&self) -> Result<(), &'static str> {
        let inside = self.rest.as_str().split(']').next().unwrap_or_default();
        let bare = inside.len() > 2 && inside.starts_with(':') && inside.ends_with(':');
        match self.dialect.syntax {
            Syntax::Basic | Syntax::Extended | Syntax::Egrep if bare => {
                Err("character class syntax is [[:space:]], not [:space:]")
            }
            _ => Ok(()),
        }
    }

    fn element(&mut self) -> Result<Element, &'static str> {
        let next = self.rest.next().ok_or(UNMATCHED)?;
        let rest = self.rest.as_str();
        Ok(match next {
            '[' if rest.starts_with([':', '.', '=']) => {
                let (kind, rest) = rest.split_at(1);
                let (name, rest) = rest.split_once(&format!("{kind}]")).ok_or(UNMATCHED)?;
                self.rest = rest.chars();
                let mut characters = name.chars();
                match (kind, characters.next(), characters.next()) {
                    (":", ..) => Element::Class(class(name).ok_or("Invalid character class name")?),
                    (_, Some(character), None) => Element::Character(character),
                    _ => return Err("Invalid collation character"),
                }
            }
            '\\' => Element::Character(match self.dialect.escapes.and_then(|escapes| escapes.take(&mut self.rest)) {
                Some(character) => character,
                None if self.dialect.syntax == Syntax::Awk => self.rest.next().ok_or(UNMATCHED)?,
                None => '\\',
            }),
            character => Element::Character(character),
        })
    }
}

/// A class of POSIX by its name, for all of Unicode.
fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "alpha" => r"\p{Alphabetic}",
        "blank" => r"\t\p{Zs}",
        "cntrl" => r"\p{Cc}",
        "digit" => "0-9",
        "graph" => r"[^\p{C}\p{Z}]",
        "lower" => r"\p{Lowercase}",
        "print" => r"[^\p{C}]",
        "punct" => r"\p{P}\p{S}",
        "space" => r"\s",
        "upper" => r"\p{Uppercase}",
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    })
}
