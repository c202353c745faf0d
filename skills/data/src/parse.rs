//! From the words of a query to what they mean.

use crate::expression::{Expression, FUNCTIONS, is_aggregate};
use crate::token::{self, Kind, Token};
use crate::value::Value;

/// A whole query.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) distinct: bool,
    pub(crate) outputs: Vec<Output>,
    pub(crate) from: Source,
    pub(crate) joins: Vec<Join>,
    pub(crate) filter: Option<Expression>,
    pub(crate) groups: Vec<Expression>,
    pub(crate) having: Option<Expression>,
    /// Each with whether it descends.
    pub(crate) order: Vec<(Expression, bool)>,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

/// What is selected.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// All columns, or those of one table.
    All(Option<String>),
    /// An expression and its name.
    One(Expression, String),
}

/// A file and how the query calls it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) name: String,
}

/// A further file.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) source: Source,
    /// Whether rows without a partner stay.
    pub(crate) left: bool,
    pub(crate) on: Expression,
}

/// Words that end an expression or a source, so that they are no names.
const KEYWORDS: [&str; 33] = [
    "select", "from", "where", "group", "order", "by", "having", "limit", "offset", "as", "on", "join", "left",
    "inner", "outer", "right", "full", "cross", "union", "and", "or", "not", "is", "in", "like", "between", "case",
    "when", "then", "else", "end", "asc", "desc",
];

/// How deep expressions may be nested.
const DEEPEST: usize = 50;

/// Reads a query.
pub(crate) fn query(text: &str) -> Result<Query, String> {
    let mut parser = Parser { text, tokens: token::read(text)?, at: 0, depth: 0 };
    let query = parser.query()?;
    match parser.at < parser.tokens.len() {
        false => Ok(query),
        true => Err(parser.unexpected("the end of the query")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, String>;

impl Parser<'_> {
    fn query(&mut self) -> Parsed<Query> {
        self.expect("select")?;
        let distinct = self.takes("distinct");
        let outputs = self.list(Self::output)?;
        self.expect("from")?;
        let from = self.source()?;
        let mut joins = Vec::new();
        while let Some(join) = self.join()? {
            joins.push(join);
        }
        let filter = if self.takes("where") { Some(self.expression()?) } else { None };
        let groups = if self.takes("group") { self.by()?.list(Self::expression)? } else { Vec::new() };
        let having = if self.takes("having") { Some(self.expression()?) } else { None };
        let order = if self.takes("order") { self.by()?.list(Self::ordered)? } else { Vec::new() };
        let limit = if self.takes("limit") { self.count()? } else { usize::MAX };
        let offset = if self.takes("offset") { self.count()? } else { 0 };
        Ok(Query { distinct, outputs, from, joins, filter, groups, having, order, limit, offset })
    }

    fn by(&mut self) -> Parsed<&mut Self> {
        self.expect("by")?;
        Ok(self)
    }

    fn output(&mut self) -> Parsed<Output> {
        if self.takes("*") {
            return Ok(Output::All(None));
        }
        if let [Kind::Word(table) | Kind::Name(table), Kind::Sign("."), Kind::Sign("*")] = self.ahead::<3>().as_slice()
        {
            let table = table.clone();
            self.at += 3;
            return Ok(Output::All(Some(table)));
        }
        let start = self.at;
        let expression = self.expression()?;
        let written = self.text[self.tokens[start].start..self.tokens[self.at - 1].end].to_owned();
        let name = match (self.alias()?, &expression) {
            (Some(alias), _) => alias,
            (None, Expression::Name(parts)) => parts.last().cloned().unwrap_or_default(),
            (None, _) => written,
        };
        Ok(Output::One(expression, name))
    }

    /// A name after `as`, or one that stands alone.
    fn alias(&mut self) -> Parsed<Option<String>> {
        let wanted = self.takes("as");
        let name = match self.peek() {
            Some(Kind::Word(word)) if !KEYWORDS.contains(&word.to_lowercase().as_str()) => Some(word.clone()),
            Some(Kind::Name(name)) => Some(name.clone()),
            _ if wanted => return Err(self.unexpected("a name")),
            _ => None,
        };
        self.at += usize::from(name.is_some());
        Ok(name)
    }

    fn source(&mut self) -> Parsed<Source> {
        let file = match self.peek() {
            Some(Kind::Text(file) | Kind::Name(file)) => file.clone(),
            Some(Kind::Word(word)) if !KEYWORDS.contains(&word.to_lowercase().as_str()) => word.clone(),
            _ => return Err(self.unexpected("the path of a file in single quotes")),
        };
        self.at += 1;
        let stem = file.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default().to_owned();
        Ok(Source { name: self.alias()?.unwrap_or(stem), file })
    }

    fn join(&mut self) -> Parsed<Option<Join>> {
        let left = self.takes("left");
        if left {
            self.takes("outer");
        }
        let inner = !left && self.takes("inner");
        match self.takes("join") {
            true => {}
            false if left || inner => return Err(self.unexpected("'join'")),
            false => return Ok(None),
        }
        let source = self.source()?;
        self.expect("on")?;
        Ok(Some(Join { source, left, on: self.expression()? }))
    }

    fn ordered(&mut self) -> Parsed<(Expression, bool)> {
        let expression = self.expression()?;
        let descends = self.takes("desc");
        if !descends {
            self.takes("asc");
        }
        Ok((expression, descends))
    }

    fn count(&mut self) -> Parsed<usize> {
        let count = match self.peek() {
            Some(Kind::Number(number)) => number.parse().ok(),
            _ => None,
        };
        self.at += 1;
        count.ok_or_else(|| {
            self.at -= 1;
            self.unexpected("a whole number")
        })
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.binary(0)
    }

    /// An expression of operators that bind at least as strongly as `least`.
    fn binary(&mut self, least: u8) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("expressions are nested more than {DEEPEST} times"));
        }
        let mut left = self.unary()?;
        while let Some((operator, strength)) = self.operator().filter(|(_, strength)| *strength >= least) {
            left = match operator.as_str() {
                "is" | "in" | "like" | "between" | "not" => self.predicate(left)?,
                _ => {
                    self.at += 1;
                    Expression::Binary(Box::new(left), operator, Box::new(self.binary(strength + 1)?))
                }
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// The operator ahead, and how strongly it binds.
    fn operator(&self) -> Option<(String, u8)> {
        let operator = match self.peek()? {
            Kind::Word(word) => word.to_lowercase(),
            Kind::Sign(sign) => (*sign).to_owned(),
            _ => return None,
        };
        let strength = match operator.as_str() {
            "or" => 1,
            "and" => 2,
            "is" | "in" | "like" | "between" | "not" => 4,
            "=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=" => 5,
            "+" | "-" => 6,
            "*" | "/" | "%" => 7,
            "||" => 8,
            _ => return None,
        };
        Some((operator, strength))
    }

    /// `is [not] null`, `[not] in`, `[not] like` and `[not] between`.
    fn predicate(&mut self, left: Expression) -> Parsed<Expression> {
        let left = Box::new(left);
        let (is, mut negated) = (self.takes("is"), self.takes("not"));
        let found = if is {
            negated |= self.takes("not");
            self.expect("null")?;
            Expression::IsNull(left)
        } else if self.takes("in") {
            self.expect("(")?;
            let list = self.list(Self::expression)?;
            self.expect(")")?;
            Expression::In(left, list)
        } else if self.takes("like") {
            Expression::Like(left, Box::new(self.binary(5)?))
        } else {
            self.expect("between")?;
            let low = self.binary(5)?;
            self.expect("and")?;
            let high = self.binary(5)?;
            let from = Expression::Binary(left.clone(), ">=".to_owned(), Box::new(low));
            let to = Expression::Binary(left, "<=".to_owned(), Box::new(high));
            Expression::Binary(Box::new(from), "and".to_owned(), Box::new(to))
        };
        Ok(if negated { Expression::Not(Box::new(found)) } else { found })
    }

    fn unary(&mut self) -> Parsed<Expression> {
        if self.takes("not") {
            return Ok(Expression::Not(Box::new(self.binary(3)?)));
        }
        if self.takes("-") {
            let zero = Box::new(Expression::Constant(Value::Integer(0)));
            return Ok(Expression::Binary(zero, "-".to_owned(), Box::new(self.binary(8)?)));
        }
        if self.takes("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.takes("case") {
            return self.case();
        }
        self.leaf()
    }

    fn case(&mut self) -> Parsed<Expression> {
        let operand = if self.peeks("when") { None } else { Some(self.expression()?) };
        let mut branches = Vec::new();
        while self.takes("when") {
            let condition = self.expression()?;
            let condition = match &operand {
                Some(operand) => Expression::Binary(Box::new(operand.clone()), "=".to_owned(), Box::new(condition)),
                None => condition,
            };
            self.expect("then")?;
            branches.push((condition, self.expression()?));
        }
        let otherwise = if self.takes("else") { self.expression()? } else { Expression::Constant(Value::Null) };
        self.expect("end")?;
        Ok(Expression::Case(branches, Box::new(otherwise)))
    }

    /// A constant, a column or a function.
    fn leaf(&mut self) -> Parsed<Expression> {
        let Some(kind) = self.peek().cloned() else { return Err(self.unexpected("an expression")) };
        self.at += 1;
        let constant = match &kind {
            Kind::Text(text) => Some(Value::Text(text.clone())),
            Kind::Number(number) => Some(Value::number(number).ok_or_else(|| format!("'{number}' is no number"))?),
            Kind::Word(word) => match word.to_lowercase().as_str() {
                "null" => Some(Value::Null),
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => None,
        };
        match (constant, kind) {
            (Some(value), _) => Ok(Expression::Constant(value)),
            (None, Kind::Word(word)) if self.peeks("(") => self.function(word.to_lowercase()),
            (None, Kind::Word(word)) if !KEYWORDS.contains(&word.to_lowercase().as_str()) => self.column(word),
            (None, Kind::Name(name)) => self.column(name),
            _ => {
                self.at -= 1;
                Err(self.unexpected("an expression"))
            }
        }
    }

    fn column(&mut self, first: String) -> Parsed<Expression> {
        let mut parts = vec![first];
        while self.takes(".") {
            match self.peek() {
                Some(Kind::Word(part) | Kind::Name(part)) => parts.push(part.clone()),
                _ => return Err(self.unexpected("the name of a column")),
            }
            self.at += 1;
        }
        Ok(Expression::Name(parts))
    }

    fn function(&mut self, name: String) -> Parsed<Expression> {
        self.expect("(")?;
        let distinct = self.takes("distinct");
        let arguments = match () {
            () if name == "count" && self.takes("*") => vec![Expression::Constant(Value::Bool(true))],
            () if self.peeks(")") => Vec::new(),
            () => self.list(Self::expression)?,
        };
        self.expect(")")?;
        if is_aggregate(&name) {
            return match <[Expression; 1]>::try_from(arguments) {
                Ok([of]) => Ok(Expression::Aggregate { name, distinct, of: Box::new(of) }),
                Err(_) => Err(format!("{name}() takes one argument")),
            };
        }
        let known = FUNCTIONS.iter().find(|known| known.0 == name);
        let (_, counts, _) = known.ok_or_else(|| format!("there is no function {name}(); {}", functions()))?;
        match counts.contains(&arguments.len()) && !distinct {
            true => Ok(Expression::Call(name, arguments)),
            false => Err(format!("{name}() does not take these arguments")),
        }
    }

    fn list<T>(&mut self, one: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![one(self)?];
        while self.takes(",") {
            list.push(one(self)?);
        }
        Ok(list)
    }

    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn ahead<const COUNT: usize>(&self) -> Vec<Kind> {
        self.tokens.iter().skip(self.at).take(COUNT).map(|token| token.kind.clone()).collect()
    }

    /// Whether the keyword or sign comes next.
    fn peeks(&self, wanted: &str) -> bool {
        match self.peek() {
            Some(Kind::Word(word)) => word.eq_ignore_ascii_case(wanted),
            Some(Kind::Sign(sign)) => *sign == wanted,
            _ => false,
        }
    }

    /// Takes the keyword or sign, if it comes next.
    fn takes(&mut self, wanted: &str) -> bool {
        let found = self.peeks(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &str) -> Parsed<()> {
        if self.takes(wanted) { Ok(()) } else { Err(self.unexpected(&format!("'{wanted}'"))) }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.tokens.get(self.at) {
            Some(token) => format!("'{}' stands where {wanted} is expected", &self.text[token.start..token.end]),
            None => format!("the query ends where {wanted} is expected"),
        }
    }
}

fn functions() -> String {
    let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.0).collect();
    format!("there are count, sum, avg, min, max, {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        query(text).unwrap_err()
    }

    #[test]
    fn a_whole_query_is_read() {
        let query = query(
            "SELECT DISTINCT p.name, count(*) AS n FROM 'data/people.csv' p LEFT JOIN cities ON p.city = cities.name \
             WHERE age BETWEEN 20 AND 30 AND NOT name LIKE 'A%' GROUP BY p.name HAVING count(*) > 1 \
             ORDER BY n DESC, 1 LIMIT 5 OFFSET 2;",
        )
        .unwrap();
        assert_eq!((query.from.file.as_str(), query.from.name.as_str()), ("data/people.csv", "p"));
        assert_eq!((query.joins[0].source.file.as_str(), query.joins[0].left), ("cities", true));
        assert_eq!((query.limit, query.offset, query.order.len(), query.groups.len()), (5, 2, 2, 1));
        assert!(query.distinct && query.order[0].1 && !query.order[1].1);
    }

    #[test]
    fn what_is_not_understood_is_named_with_what_is_expected() {
        assert_eq!(reason("delete from x"), "'delete' stands where 'select' is expected");
        assert_eq!(reason("select a from x where"), "the query ends where an expression is expected");
        assert_eq!(
            reason("select a from x union select b from y"),
            "'union' stands where the end of the query is expected"
        );
        assert_eq!(
            reason("select a from (select 1)"),
            "'(' stands where the path of a file in single quotes is expected"
        );
        assert!(reason("select foo(a) from x").starts_with("there is no function foo(); there are count, sum"));
        assert_eq!(reason("select round(a, 1, 2) from x"), "round() does not take these arguments");
    }

    #[test]
    fn endless_nesting_is_refused() {
        assert!(reason(&format!("select {}1 from x", "(".repeat(10_000))).contains("nested more than 50 times"));
        assert!(reason(&format!("select {}1 from x", "- ".repeat(10_000))).contains("nested"));
    }
}
