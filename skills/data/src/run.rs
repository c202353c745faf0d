//! A query on tables: join, filter, group, select, order.

use crate::expression::{Aggregate, Expression, Scope};
use crate::parse::{Join, Output, Query, Source};
use crate::table::Table;
use crate::value::Value;
use std::collections::{HashMap, HashSet};

/// Most rows that a join may make.
const MOST_ROWS: usize = 1_000_000;

/// The columns of all files of a query.
#[derive(Default)]
struct Columns(Vec<Column>);

struct Column {
    /// What the query calls the file.
    table: String,
    name: String,
}

/// What a query gives for one row or group, and what it is ordered by.
struct Line {
    order: Vec<Value>,
    values: Vec<Value>,
}

/// Runs a query; `read` gives the table of a file.
pub(crate) fn run<E: From<String>>(query: Query, read: impl Fn(&Source) -> Result<Table, E>) -> Result<Table, E> {
    let mut columns = Columns::default();
    let mut rows = columns.add(&query.from, read(&query.from)?);
    for join in &query.joins {
        let (left, table) = (columns.0.len(), read(&join.source)?);
        let right = columns.add(&join.source, table);
        rows = columns.join(join, left, rows, &right)?;
    }
    Ok(columns.select(query, rows)?)
}

impl Columns {
    /// Adds a file's columns and gives its rows.
    fn add(&mut self, source: &Source, table: Table) -> Vec<Vec<Value>> {
        let column = |name| Column { table: source.name.clone(), name };
        self.0.extend(table.columns.into_iter().map(column));
        table.rows
    }

    /// Where the column is that a query names: `column`, `table.column`, and each with dots inside.
    fn find(&self, parts: &[String]) -> Result<usize, String> {
        let same = |one: &str, two: &str| one.to_lowercase() == two.to_lowercase();
        let whole = parts.join(".");
        let of_table = |column: &Column| {
            parts.split_first().is_some_and(|(table, rest)| {
                !rest.is_empty() && same(&column.table, table) && same(&column.name, &rest.join("."))
            })
        };
        let found = |fits: &dyn Fn(&Column) -> bool| {
            let places = self.0.iter().enumerate().filter(|(_, column)| fits(column));
            places.map(|(index, _)| index).collect::<Vec<_>>()
        };
        let places = match found(&of_table) {
            places if places.is_empty() => found(&|column| same(&column.name, &whole)),
            places => places,
        };
        match places.as_slice() {
            [place] => Ok(*place),
            [] => {
                let names: Vec<&str> = self.0.iter().map(|column| column.name.as_str()).collect();
                Err(format!("there is no column '{whole}'; the columns are {}", names.join(", ")))
            }
            [one, two, ..] => Err(format!(
                "the column '{whole}' is in several files; write {}.{whole} or {}.{whole}",
                self.0[*one].table, self.0[*two].table
            )),
        }
    }

    fn bind(&self, expression: Expression, aggregates: Option<&mut Vec<Aggregate>>) -> Result<Expression, String> {
        expression.bind(&mut Scope { column: &|parts| self.find(parts), aggregates })
    }

    /// Puts the rows of a further file, whose columns begin at `left`, beside those that fit.
    fn join(
        &self,
        join: &Join,
        left: usize,
        rows: Vec<Vec<Value>>,
        right: &[Vec<Value>],
    ) -> Result<Vec<Vec<Value>>, String> {
        let on = self.bind(join.on.clone(), None)?;
        let index = index(&on, left, right);
        let nulls = vec![Value::Null; self.0.len() - left];
        let mut joined = Vec::new();
        for row in rows {
            let before = joined.len();
            let whole = |other: &Vec<Value>| row.iter().chain(other).cloned().collect::<Vec<Value>>();
            let fits = |row: &Vec<Value>| on.value(row, &[]).truth() == Some(true);
            match &index {
                Some((column, partners)) => {
                    let partners = partners.get(&loose(&row[*column])).map(Vec::as_slice).unwrap_or_default();
                    joined.extend(partners.iter().map(|partner| whole(&right[*partner])).filter(fits));
                }
                None => joined.extend(right.iter().map(whole).filter(fits)),
            }
            if join.left && joined.len() == before {
                joined.push(whole(&nulls));
            }
            if joined.len() > MOST_ROWS {
                return Err(format!(
                    "the join makes more than {MOST_ROWS} rows; join on a column that tells rows apart"
                ));
            }
        }
        Ok(joined)
    }

    fn select(&self, query: Query, mut rows: Vec<Vec<Value>>) -> Result<Table, String> {
        if let Some(filter) = query.filter {
            let filter = self.bind(filter, None)?;
            rows.retain(|row| filter.value(row, &[]).truth() == Some(true));
        }
        let outputs = self.outputs(query.outputs)?;
        let named = |expression: Expression| behind_name(expression, &outputs);
        let groups: Vec<Expression> = query.groups.into_iter().map(named).collect::<Result<_, _>>()?;
        let groups = groups.into_iter().map(|group| self.bind(group, None)).collect::<Result<Vec<_>, _>>()?;
        let mut aggregates = Vec::new();
        let mut bind = |expression: Expression| self.bind(expression, Some(&mut aggregates));
        let having = query.having.map(&mut bind).transpose()?;
        let mut order = Vec::new();
        for (expression, descends) in query.order {
            order.push((bind(named(expression)?)?, descends));
        }
        let names: Vec<String> = outputs.iter().map(|(_, name)| name.clone()).collect();
        let outputs = outputs.into_iter().map(|(one, _)| bind(one)).collect::<Result<Vec<_>, _>>()?;
        let result = |row: &[Value], computed: &[Value]| Line {
            order: order.iter().map(|(expression, _)| expression.value(row, computed)).collect(),
            values: outputs.iter().map(|output| output.value(row, computed)).collect(),
        };
        let mut results: Vec<Line> = match groups.is_empty() && aggregates.is_empty() && having.is_none() {
            true => rows.iter().map(|row| result(row, &[])).collect(),
            false => grouped(&rows, &groups)
                .into_iter()
                .map(|rows| (aggregates.iter().map(|one| one.over(rows.iter().copied())).collect::<Vec<_>>(), rows))
                .filter(|(computed, rows)| having.as_ref().is_none_or(|having| holds(having, rows, computed)))
                .map(|(computed, rows)| result(first(&rows), &computed))
                .collect(),
        };
        if query.distinct {
            let mut seen = HashSet::new();
            results.retain(|result| seen.insert(key(&result.values)));
        }
        results.sort_by(|one, two| {
            let pairs = one.order.iter().zip(&two.order).zip(&order);
            let differ = |((one, two), (_, descends)): ((&Value, &Value), &(_, bool))| match descends {
                true => two.order(one),
                false => one.order(two),
            };
            pairs.map(differ).find(|ordering| ordering.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        let kept = results.into_iter().skip(query.offset).take(query.limit);
        Ok(Table { columns: names, rows: kept.map(|result| result.values).collect() })
    }

    /// What is selected, with `*` written out.
    fn outputs(&self, outputs: Vec<Output>) -> Result<Vec<(Expression, String)>, String> {
        let mut all = Vec::new();
        for output in outputs {
            match output {
                Output::One(expression, name) => all.push((expression, name)),
                Output::All(table) => {
                    let before = all.len();
                    let fits =
                        |column: &Column| table.as_ref().is_none_or(|table| table.eq_ignore_ascii_case(&column.table));
                    let columns = self.0.iter().enumerate().filter(|(_, column)| fits(column));
                    all.extend(columns.map(|(index, column)| (Expression::Column(index), column.name.clone())));
                    if all.len() == before {
                        return Err(format!("no file is called '{}' here", table.unwrap_or_default()));
                    }
                }
            }
        }
        Ok(all)
    }
}

/// The output that a number or a name stands for, else the expression itself.
fn behind_name(expression: Expression, outputs: &[(Expression, String)]) -> Result<Expression, String> {
    let output = match &expression {
        Expression::Constant(Value::Integer(number)) => {
            let place = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            let output = place.and_then(|place| outputs.get(place));
            Some(output.ok_or_else(|| format!("there is no selected column {number}"))?)
        }
        Expression::Name(parts) => match parts.as_slice() {
            [only] => outputs.iter().find(|(_, name)| name == only),
            _ => None,
        },
        _ => None,
    };
    Ok(output.map_or(expression, |(output, _)| output.clone()))
}

/// The rows of each group, in the order in which the groups are met. Without expressions all rows are one group.
fn grouped<'a>(rows: &'a [Vec<Value>], by: &[Expression]) -> Vec<Vec<&'a Vec<Value>>> {
    if by.is_empty() {
        return vec![rows.iter().collect()];
    }
    let (mut places, mut groups) = (HashMap::new(), Vec::<Vec<&Vec<Value>>>::new());
    for row in rows {
        let values: Vec<Value> = by.iter().map(|expression| expression.value(row, &[])).collect();
        let place = *places.entry(key(&values)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(row);
    }
    groups
}

fn holds(having: &Expression, rows: &[&Vec<Value>], computed: &[Value]) -> bool {
    having.value(first(rows), computed).truth() == Some(true)
}

/// The row whose values stand for those of the group.
fn first<'a>(rows: &[&'a Vec<Value>]) -> &'a [Value] {
    rows.first().map_or(&[], |row| row.as_slice())
}

/// What tells equal rows from others. The length keeps a text from reaching into the next.
fn key(values: &[Value]) -> String {
    values.iter().map(Value::key).map(|key| format!("{}:{key}", key.len())).collect()
}

/// For a condition that a column of each side is equal: the column of the rows so far, and the further rows by theirs.
fn index(on: &Expression, left: usize, right: &[Vec<Value>]) -> Option<(usize, HashMap<String, Vec<usize>>)> {
    let Expression::Binary(one, operator, two) = on else { return None };
    if operator == "and" {
        return index(one, left, right).or_else(|| index(two, left, right));
    }
    let (Expression::Column(one), Expression::Column(two)) = (&**one, &**two) else { return None };
    let (before, behind) = (*one.min(two), *one.max(two));
    if !operator.starts_with('=') || before >= left || behind < left {
        return None;
    }
    let mut partners = HashMap::<String, Vec<usize>>::new();
    for (place, row) in right.iter().enumerate() {
        partners.entry(loose(&row[behind - left])).or_default().push(place);
    }
    Some((before, partners))
}

/// The same text for all values that may be equal.
fn loose(value: &Value) -> String {
    value.real().map_or_else(|| value.to_string().to_lowercase(), |real| Value::Real(real).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        let text = match name {
            "people" => "name,city,age\nAnn,Bern,31\nBob,Basel,25\nCleo,Bern,\nDan,Chur,40\n",
            _ => "name,people\nBern,134000\nBasel,173000\n",
        };
        Table::from_csv(text, ',').unwrap()
    }

    fn asked(query: &str) -> Result<String, String> {
        let query = crate::parse::query(query)?;
        let table = run(query, |source| Ok::<_, String>(table(&source.file)))?;
        let line = |row: &Vec<Value>| row.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
        Ok(table.rows.iter().map(line).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn rows_are_filtered_ordered_and_cut() {
        assert_eq!(asked("select name from people where age > 26 order by age desc").unwrap(), "Dan Ann");
        assert_eq!(
            asked("select name, age + 1 as next from people order by next limit 2 offset 1").unwrap(),
            "Bob,26 Ann,32"
        );
        assert_eq!(asked("select distinct city from people order by 1").unwrap(), "Basel Bern Chur");
    }

    #[test]
    fn groups_have_counts_sums_and_conditions() {
        let query = "select city, count(*), count(age), avg(age) from people group by city having count(*) > 1";
        assert_eq!(asked(query).unwrap(), "Bern,2,1,31");
        assert_eq!(asked("select count(*), sum(age), min(name), max(age) from people").unwrap(), "4,96,Ann,40");
        assert_eq!(asked("select count(*), sum(age) from people where age > 99").unwrap(), "0,");
        assert_eq!(asked("select count(distinct city) from people").unwrap(), "3");
        assert_eq!(
            asked("select upper(city) c, count(*) n from people group by c order by n desc, c limit 1").unwrap(),
            "BERN,2"
        );
    }

    #[test]
    fn files_are_joined_and_rows_without_a_partner_stay_if_wanted() {
        let join = |kind| {
            format!(
                "select p.name, c.people from people p {kind} join cities c on c.name = p.city and 1 = 1 order by 1"
            )
        };
        assert_eq!(asked(&join("")).unwrap(), "Ann,134000 Bob,173000 Cleo,134000");
        assert_eq!(asked(&join("left")).unwrap(), "Ann,134000 Bob,173000 Cleo,134000 Dan,");
        let unequal = "select count(*) from people a join people b on a.age < b.age";
        assert_eq!(asked(unequal).unwrap(), "3");
    }

    #[test]
    fn a_name_that_is_not_there_tells_those_that_are() {
        assert_eq!(
            asked("select size from people").unwrap_err(),
            "there is no column 'size'; the columns are name, city, age"
        );
        assert!(
            asked("select name from people p join cities c on p.city = c.name")
                .unwrap_err()
                .contains("write p.name or c.name")
        );
        assert!(asked("select name from people where count(*) > 1").unwrap_err().contains("go into 'having'"));
        assert_eq!(asked("select name from people order by 7").unwrap_err(), "there is no selected column 7");
        assert_eq!(asked("select x.* from people").unwrap_err(), "no file is called 'x' here");
    }
}
