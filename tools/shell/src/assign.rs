//! Assignments.

use crate::error::{Flow, Run};
use crate::shell::Shell;
use crate::system::System;
use crate::variables::{Key, Value};
use brush_parser::ast;
use std::collections::BTreeMap;

/// An assignment whose value is expanded.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    /// As written.
    pub(crate) subscript: Option<String>,
    /// `+=`
    pub(crate) append: bool,
    pub(crate) value: Assigned,
}

/// The value of an assignment.
#[derive(Debug, Clone)]
pub(crate) enum Assigned {
    Text(String),
    /// Elements with their subscripts as written.
    Array(Vec<(Option<String>, String)>),
}

impl<S: System> Shell<S> {
    /// Expands the value of an assignment.
    pub(crate) fn expand_assignment(&mut self, assignment: &ast::Assignment) -> Run<Assignment> {
        let (name, subscript) = match &assignment.name {
            ast::AssignmentName::VariableName(name) => (name.clone(), None),
            ast::AssignmentName::ArrayElementName(name, subscript) => (name.clone(), Some(subscript.clone())),
        };
        let value = match &assignment.value {
            ast::AssignmentValue::Scalar(word) => Assigned::Text(self.assigned_text(&word.value)?),
            ast::AssignmentValue::Array(elements) => {
                let mut expanded = Vec::new();
                for (key, word) in elements {
                    match key {
                        Some(key) => expanded.push((Some(key.value.clone()), self.text(&word.value)?)),
                        None => {
                            let fields = self.fields([word.value.as_str()].into_iter())?;
                            expanded.extend(fields.into_iter().map(|field| (None, field)));
                        }
                    }
                }
                Assigned::Array(expanded)
            }
        };
        Ok(Assignment { name, subscript, append: assignment.append, value })
    }

    /// Carries an assignment out.
    pub(crate) fn assign(&mut self, assignment: &Assignment) -> Run<()> {
        self.check_writable(&assignment.name)?;
        match (&assignment.value, &assignment.subscript) {
            (Assigned::Text(text), None) => self.assign_scalar(&assignment.name, text, assignment.append),
            (Assigned::Text(text), Some(subscript)) => {
                let key = self.key(&assignment.name, subscript)?;
                let before = self.state.variables.get(&assignment.name).and_then(|variable| variable.element(&key));
                let before = before.filter(|_| assignment.append).unwrap_or_default().to_owned();
                let text = self.attributed(&assignment.name, &before, text)?;
                let outcome = self.state.variables.entry(&assignment.name).set_element(key, text);
                outcome.map_err(|_| self.bad_subscript(&assignment.name, subscript))
            }
            (Assigned::Array(elements), _) => self.assign_array(&assignment.name, elements, assignment.append),
        }
    }

    /// Sets a variable, or the first element of an array, to a text.
    pub(crate) fn assign_text(&mut self, name: &str, text: &str) -> Run<()> {
        self.check_writable(name)?;
        self.assign_scalar(name, text, false)
    }

    /// Sets an indexed array.
    pub(crate) fn assign_list(&mut self, name: &str, elements: Vec<String>) -> Run<()> {
        self.check_writable(name)?;
        self.state.variables.entry(name).value = Value::Indexed((0..).zip(elements).collect());
        Ok(())
    }

    fn assign_scalar(&mut self, name: &str, text: &str, append: bool) -> Run<()> {
        let before = self.state.variables.text(name).filter(|_| append).unwrap_or_default().to_owned();
        let text = self.attributed(name, &before, text)?;
        let all_exported = self.state.options.is_on("allexport");
        let variable = self.state.variables.entry(name);
        match &mut variable.value {
            Value::Indexed(elements) => drop(elements.insert(0, text)),
            Value::Associative(elements) => drop(elements.insert("0".to_owned(), text)),
            value => *value = Value::Text(text),
        }
        variable.attributes.exported |= all_exported;
        Ok(())
    }

    fn assign_array(&mut self, name: &str, elements: &[(Option<String>, String)], append: bool) -> Run<()> {
        let associative = matches!(self.state.variables.entry(name).value, Value::Associative(_));
        if !append {
            let empty = if associative { Value::Associative(BTreeMap::new()) } else { Value::Indexed(BTreeMap::new()) };
            self.state.variables.entry(name).value = empty;
        }
        let mut next = match &self.state.variables.entry(name).value {
            Value::Indexed(elements) => elements.keys().next_back().map_or(0, |last| last + 1),
            Value::Text(_) => 1,
            _ => 0,
        };
        if let Value::Text(text) = self.state.variables.entry(name).value.clone() {
            self.state.variables.entry(name).value = Value::Indexed(BTreeMap::from([(0, text)]));
        } else if self.state.variables.entry(name).value == Value::Unset {
            self.state.variables.entry(name).value = Value::Indexed(BTreeMap::new());
        }
        if associative && elements.iter().all(|(key, _)| key.is_none()) {
            // `m=(key value key value)`
            for pair in elements.chunks(2) {
                let [(_, key), rest @ ..] = pair else { continue };
                let value = rest.first().map(|(_, value)| value.clone()).unwrap_or_default();
                let _ = self.state.variables.entry(name).set_element(Key::Name(key.clone()), value);
            }
            return Ok(());
        }
        for (subscript, text) in elements {
            let key = match subscript {
                Some(subscript) => self.key(name, subscript)?,
                None => Key::Index(next),
            };
            if let Key::Index(index) = key {
                next = index.wrapping_add(1);
            }
            let text = self.attributed(name, "", text)?;
            if self.state.variables.entry(name).set_element(key, text).is_err() {
                return Err(self.bad_subscript(name, subscript.as_deref().unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// The value as the attributes of the variable want it.
    fn attributed(&mut self, name: &str, before: &str, text: &str) -> Run<String> {
        let attributes = self.state.variables.get(name).map(|variable| variable.attributes).unwrap_or_default();
        if attributes.integer {
            let before = if before.is_empty() { 0 } else { self.arithmetic(before)? };
            return Ok(before.wrapping_add(self.arithmetic(text)?).to_string());
        }
        let joined = format!("{before}{text}");
        Ok(if attributes.lower {
            joined.to_lowercase()
        } else if attributes.upper {
            joined.to_uppercase()
        } else {
            joined
        })
    }

    /// The place of an element: a name for associative arrays, else a number.
    pub(crate) fn key(&mut self, name: &str, subscript: &str) -> Run<Key> {
        let associative =
            self.state.variables.get(name).is_some_and(|variable| matches!(variable.value, Value::Associative(_)));
        if associative { Ok(Key::Name(self.text(subscript)?)) } else { Ok(Key::Index(self.arithmetic(subscript)?)) }
    }

    pub(crate) fn check_writable(&mut self, name: &str) -> Run<()> {
        if self.state.variables.get(name).is_some_and(|variable| variable.attributes.readonly) {
            return Err(Flow::Discard(self.fail(1, &format!("{name}: readonly variable"))));
        }
        Ok(())
    }

    fn bad_subscript(&mut self, name: &str, subscript: &str) -> Flow {
        Flow::Discard(self.fail(1, &format!("{name}[{subscript}]: bad array subscript")))
    }
}
