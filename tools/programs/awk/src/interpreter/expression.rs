//! Values of expressions.

use std::cmp::Ordering;
use std::rc::Rc;

use regex::Regex;

use super::{Cell, FS, Interpreter, MOST_CALLS, NF, Outcome, Stop, trouble};
use crate::ast::{Expression, Place, Target};
use crate::value::Value;

impl Interpreter {
    /// The value of an expression.
    pub(super) fn evaluate(&mut self, expression: &Expression) -> Outcome<Value> {
        match expression {
            Expression::Number(number) => Ok(Value::Number(*number)),
            Expression::Text(text) => Ok(Value::Text(text.clone())),
            Expression::Regex(regex) => {
                let record = self.field(0.0)?;
                Ok(Value::truth(regex.is_match(&record.string(""))))
            }
            Expression::Read(target) => self.load(target),
            Expression::Assign(target, value) => {
                let value = self.evaluate(value)?;
                self.store(target, value)
            }
            Expression::Update(target, operator, value) => {
                let value = self.evaluate(value)?.number();
                let before = self.load(target)?.number();
                let after = arithmetic(operator, before, value)?;
                self.store(target, Value::Number(after))
            }
            Expression::Step(target, by, gives_before) => {
                let before = self.load(target)?.number();
                let after = self.store(target, Value::Number(before + by))?;
                Ok(if *gives_before { Value::Number(before) } else { after })
            }
            Expression::Choice(test, one, other) => {
                let chosen = if self.evaluate(test)?.is_true() { one } else { other };
                self.evaluate(chosen)
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                match *operator {
                    "<" | "<=" | "==" | "!=" | ">" | ">=" => Ok(Value::truth(self.compare(operator, &left, &right))),
                    _ => arithmetic(operator, left.number(), right.number()).map(Value::Number),
                }
            }
            Expression::And(left, right) => {
                Ok(Value::truth(self.evaluate(left)?.is_true() && self.evaluate(right)?.is_true()))
            }
            Expression::Or(left, right) => {
                Ok(Value::truth(self.evaluate(left)?.is_true() || self.evaluate(right)?.is_true()))
            }
            Expression::Join(left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                Ok(Value::text(format!("{}{}", self.text(&left), self.text(&right))))
            }
            Expression::Match(text, regex, wanted) => {
                let text = self.evaluate(text)?;
                let regex = self.regex(regex)?;
                Ok(Value::truth(regex.is_match(&self.text(&text)) == *wanted))
            }
            Expression::In(subscripts, array) => {
                let key = self.key(subscripts)?;
                let array = self.array(*array)?;
                let found = array.borrow().contains_key(&key);
                Ok(Value::truth(found))
            }
            Expression::Not(value) => Ok(Value::truth(!self.evaluate(value)?.is_true())),
            Expression::Minus(value) => Ok(Value::Number(-self.evaluate(value)?.number())),
            Expression::Plus(value) => Ok(Value::Number(self.evaluate(value)?.number())),
            // A list where one value is wanted is the subscript of several dimensions.
            Expression::Group(values) => self.key(values).map(Value::Text),
            Expression::Builtin(name, values) => self.builtin(name, values),
            Expression::Call(function, values) => self.call(*function, values),
            Expression::Getline(source, target) => self.getline(source, target.as_ref()),
        }
    }

    /// An expression where a pattern is wanted: a literal as it is, anything else as text.
    #[inline(never)]
    pub(super) fn regex(&mut self, expression: &Expression) -> Outcome<Rc<Regex>> {
        if let Expression::Regex(regex) = expression {
            return Ok(regex.clone());
        }
        let text = self.evaluate(expression)?;
        let text = self.text(&text);
        self.pattern_of(&text)
    }

    #[inline(never)]
    fn load(&mut self, target: &Target) -> Outcome<Value> {
        match target {
            Target::Variable(Place::Global(NF)) => self.field_count().map(Value::Number),
            Target::Variable(place) => match self.cell(*place) {
                Cell::Value(value) => Ok(value.clone()),
                Cell::Unset => Ok(Value::Unset),
                Cell::Array(_) => trouble("an array is used as a scalar"),
            },
            Target::Field(number) => {
                let number = self.evaluate(number)?.number();
                self.field(number)
            }
            Target::Element(array, subscripts) => {
                let key = self.key(subscripts)?;
                let array = self.array(*array)?;
                // Reading makes the element, as POSIX says.
                let value = array.borrow_mut().entry(key).or_default().clone();
                Ok(value)
            }
        }
    }

    /// Assigns and gives the value.
    #[inline(never)]
    pub(super) fn store(&mut self, target: &Target, value: Value) -> Outcome<Value> {
        match target {
            Target::Variable(Place::Global(NF)) => self.set_field_count(value.number())?,
            Target::Variable(place) => {
                if *place == Place::Global(FS) {
                    // The record that is already read is split as it was.
                    self.field_count()?;
                }
                match self.cell(*place) {
                    Cell::Array(_) => return trouble("an array is used as a scalar"),
                    cell => *cell = Cell::Value(value.clone()),
                }
            }
            Target::Field(number) => {
                let number = self.evaluate(number)?.number();
                self.set_field(number, value.clone())?;
            }
            Target::Element(array, subscripts) => {
                let key = self.key(subscripts)?;
                let array = self.array(*array)?;
                array.borrow_mut().insert(key, value.clone());
            }
        }
        Ok(value)
    }

    #[inline(never)]
    fn compare(&self, operator: &str, left: &Value, right: &Value) -> bool {
        let order = if left.is_numeric() && right.is_numeric() {
            left.number().partial_cmp(&right.number())
        } else {
            Some(self.text(left).cmp(&self.text(right)))
        };
        match operator {
            "<" => order == Some(Ordering::Less),
            "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            ">" => order == Some(Ordering::Greater),
            ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            "==" => order == Some(Ordering::Equal),
            _ => order != Some(Ordering::Equal),
        }
    }

    #[inline(never)]
    fn call(&mut self, number: usize, values: &[Expression]) -> Outcome<Value> {
        if self.frames.len() >= MOST_CALLS {
            return trouble(format!("functions call each other more than {MOST_CALLS} deep"));
        }
        let program = self.program.clone();
        let function = &program.functions[number];
        if values.len() > function.parameters {
            return trouble("a function is called with more arguments than it has parameters");
        }
        let mut frame = Vec::with_capacity(function.parameters);
        for value in values {
            frame.push(match value {
                // A bare name may be an array, or become one in there.
                Expression::Read(Target::Variable(place)) if *place != Place::Global(NF) => self.cell(*place).clone(),
                _ => Cell::Value(self.evaluate(value)?),
            });
        }
        frame.resize(function.parameters, Cell::Unset);
        self.frames.push(frame);
        let outcome = self.block(&function.body);
        let frame = self.frames.pop().unwrap_or_default();
        for (value, cell) in values.iter().zip(frame) {
            if let (Expression::Read(Target::Variable(place)), Cell::Array(_)) = (value, &cell)
                && let unset @ Cell::Unset = self.cell(*place)
            {
                *unset = cell;
            }
        }
        match outcome {
            Ok(()) => Ok(Value::Unset),
            Err(Stop::Return(value)) => Ok(value),
            Err(stop) => Err(stop),
        }
    }
}

fn arithmetic(operator: &str, left: f64, right: f64) -> Outcome<f64> {
    match operator {
        "/" | "%" if right == 0.0 => {
            trouble(if operator == "/" { "division by zero" } else { "division by zero in %" })
        }
        "+" => Ok(left + right),
        "-" => Ok(left - right),
        "*" => Ok(left * right),
        "/" => Ok(left / right),
        "%" => Ok(left % right),
        _ => Ok(left.powf(right)),
    }
}
