//! Variables: their values, attributes and the scopes of functions.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Value {
    /// Declared, but not set.
    Unset,
    Text(String),
    Indexed(BTreeMap<i64, String>),
    Associative(BTreeMap<String, String>),
}

/// What `declare` says about a variable beside its value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub(crate) exported: bool,
    pub(crate) readonly: bool,
    pub(crate) integer: bool,
    pub(crate) lower: bool,
    pub(crate) upper: bool,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variable {
    pub(crate) value: Value,
    pub(crate) attributes: Attributes,
}

impl Default for Variable {
    fn default() -> Self {
        Self { value: Value::Unset, attributes: Attributes::default() }
    }
}

impl Variable {
    /// The value as one text: of an array its first element.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Unset => None,
            Value::Text(text) => Some(text),
            Value::Indexed(elements) => elements.get(&0).map(String::as_str),
            Value::Associative(elements) => elements.get("0").map(String::as_str),
        }
    }

    /// One element.
    pub(crate) fn element(&self, key: &Key) -> Option<&str> {
        match (&self.value, key) {
            (Value::Associative(elements), Key::Name(name)) => elements.get(name).map(String::as_str),
            (Value::Indexed(elements), Key::Index(index)) => {
                elements.get(&from_end(elements, *index)?).map(String::as_str)
            }
            (Value::Text(text), Key::Index(0 | -1)) => Some(text),
            _ => None,
        }
    }

    /// All elements in their order.
    pub(crate) fn elements(&self) -> Vec<String> {
        match &self.value {
            Value::Unset => Vec::new(),
            Value::Text(text) => vec![text.clone()],
            Value::Indexed(elements) => elements.values().cloned().collect(),
            Value::Associative(elements) => elements.values().cloned().collect(),
        }
    }

    /// All keys in the order of the elements.
    pub(crate) fn keys(&self) -> Vec<String> {
        match &self.value {
            Value::Unset => Vec::new(),
            Value::Text(_) => vec!["0".to_owned()],
            Value::Indexed(elements) => elements.keys().map(i64::to_string).collect(),
            Value::Associative(elements) => elements.keys().cloned().collect(),
        }
    }

    /// Sets one element; a text becomes an array.
    ///
    /// # Errors
    /// When an index counts back beyond the first element.
    pub(crate) fn set_element(&mut self, key: Key, text: String) -> Result<(), BadSubscript> {
        match (&mut self.value, key) {
            (Value::Associative(elements), Key::Name(name)) => {
                elements.insert(name, text);
            }
            (Value::Indexed(elements), Key::Index(index)) => {
                let index = from_end(elements, index).ok_or(BadSubscript)?;
                elements.insert(index, text);
            }
            (value, Key::Index(index)) if index >= 0 => {
                let first = match std::mem::replace(value, Value::Unset) {
                    Value::Text(first) => Some((0, first)),
                    _ => None,
                };
                *value = Value::Indexed(first.into_iter().chain([(index, text)]).collect());
            }
            _ => return Err(BadSubscript),
        }
        Ok(())
    }

    /// Removes one element.
    pub(crate) fn remove_element(&mut self, key: &Key) {
        match (&mut self.value, key) {
            (Value::Associative(elements), Key::Name(name)) => drop(elements.remove(name)),
            (Value::Indexed(elements), Key::Index(index)) => {
                if let Some(index) = from_end(elements, *index) {
                    elements.remove(&index);
                }
            }
            (value, Key::Index(0)) => *value = Value::Unset,
            _ => {}
        }
    }
}

/// An index that counts back beyond the first element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadSubscript;

/// An element's place in an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Index(i64),
    Name(String),
}

/// Negative indices count from the end.
fn from_end(elements: &BTreeMap<i64, String>, index: i64) -> Option<i64> {
    let index = if index >= 0 { index } else { elements.keys().next_back().map_or(0, |last| last + 1) + index };
    (index >= 0).then_some(index)
}

/// All variables, and what functions have hidden.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Variables {
    map: BTreeMap<String, Variable>,
    /// One for each function that is running: what its locals hide.
    scopes: Vec<BTreeMap<String, Option<Variable>>>,
}

impl Variables {
    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.map.get(name)
    }

    /// The value as one text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.map.get(name)?.text()
    }

    /// The variable, made if there is none.
    pub(crate) fn entry(&mut self, name: &str) -> &mut Variable {
        self.map.entry(name.to_owned()).or_default()
    }

    /// Puts a variable in place of whatever is there, read-only or not.
    pub(crate) fn put(&mut self, name: &str, variable: Option<Variable>) {
        match variable {
            Some(variable) => drop(self.map.insert(name.to_owned(), variable)),
            None => drop(self.map.remove(name)),
        }
    }

    /// Sets a text that the shell itself keeps, such as `PWD`.
    pub(crate) fn set_own(&mut self, name: &str, text: impl Into<String>) {
        self.entry(name).value = Value::Text(text.into());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Variable)> {
        self.map.iter()
    }

    /// What a program gets: the exported texts.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let exported = self.map.iter().filter(|(_, variable)| variable.attributes.exported);
        exported.filter_map(|(name, variable)| Some((name.clone(), variable.text()?.to_owned()))).collect()
    }

    /// A function begins.
    pub(crate) fn push_scope(&mut self) {
        self.scopes.push(BTreeMap::new());
    }

    /// A function ends: what its locals hid comes back.
    pub(crate) fn pop_scope(&mut self) {
        for (name, hidden) in self.scopes.pop().unwrap_or_default() {
            self.put(&name, hidden);
        }
    }

    pub(crate) fn in_function(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// Makes a variable local to the running function, unset; it stays exported if it was.
    pub(crate) fn make_local(&mut self, name: &str) {
        let Some(scope) = self.scopes.last_mut() else { return };
        if scope.contains_key(name) {
            return;
        }
        let hidden = self.map.remove(name);
        let exported = hidden.as_ref().is_some_and(|variable| variable.attributes.exported);
        scope.insert(name.to_owned(), hidden);
        let attributes = Attributes { exported, ..Attributes::default() };
        self.map.insert(name.to_owned(), Variable { value: Value::Unset, attributes });
    }
}
