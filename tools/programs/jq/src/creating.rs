//! Assignments that make what is not there yet.
//!
//! `null | .a.b = 1` gives `{"a":{"b":1}}` in jq and an error in jaq, whose values refuse to be indexed where there is
//! nothing. So `.a.b |= f` is read as `_at("a"; _at("b"; f))`, where `_at` makes room first (see `missing.jq`).

use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Opt, Part};

/// Names for keys that are computed, by their place in the path; longer paths stay as they are.
const KEYS: [&str; 6] = ["$__key0", "$__key1", "$__key2", "$__key3", "$__key4", "$__key5"];
const VALUE: &str = "$__value";

/// Rewrites all assignments of a filter.
pub(crate) fn rewrite(term: &mut Term<&str>) {
    each_part(term, rewrite);
    if !matches!(
        term,
        Term::BinOp(_, BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt, _)
    ) {
        return;
    }
    let Term::BinOp(target, operator, right) = std::mem::take(term) else { return };
    // The right side sees what is outside of the path, unless it is an update.
    let bound = |update| bind(*right.clone(), VALUE, update);
    let value = || Box::new(Term::Var(VALUE));
    *term = match operator {
        BinaryOp::Assign => bound(update(*target, Term::Var(VALUE))),
        BinaryOp::UpdateMath(math) => {
            bound(update(*target, Term::BinOp(Box::new(Term::Id), BinaryOp::Math(math), value())))
        }
        BinaryOp::UpdateAlt => bound(update(*target, Term::BinOp(Box::new(Term::Id), BinaryOp::Alt, value()))),
        _ => update(*target, *right),
    };
}

/// `target |= filter`.
fn update<'s>(target: Term<&'s str>, filter: Term<&'s str>) -> Term<&'s str> {
    match target {
        Term::BinOp(first, BinaryOp::Pipe(None), second) => update(*first, update(*second, filter)),
        Term::BinOp(first, BinaryOp::Comma, second) => {
            let first = update(*first, filter.clone());
            Term::BinOp(Box::new(first), BinaryOp::Pipe(None), Box::new(update(*second, filter)))
        }
        Term::Path(start, path) if path.0.len() <= KEYS.len() => {
            let mut computed = Vec::new();
            let mut inner = filter;
            for (place, (part, optional)) in path.0.into_iter().enumerate().rev() {
                inner = match (part, optional) {
                    (Part::Index(key), Opt::Essential) if is_constant(&key) => Term::Call("_at", vec![key, inner]),
                    (Part::Index(key), Opt::Essential) => {
                        computed.push((key, KEYS[place]));
                        Term::Call("_at", vec![Term::Var(KEYS[place]), inner])
                    }
                    (part, optional) => {
                        let path = Term::Path(Box::new(Term::Id), jaq_core::path::Path(vec![(part, optional)]));
                        Term::BinOp(Box::new(path), BinaryOp::Update, Box::new(inner))
                    }
                };
            }
            // Keys are computed from what the whole path starts from.
            computed.into_iter().fold(update(*start, inner), |update, (key, name)| bind(key, name, update))
        }
        Term::Id => Term::BinOp(Box::new(Term::Id), BinaryOp::Update, Box::new(filter)),
        other => Term::BinOp(Box::new(other), BinaryOp::Update, Box::new(filter)),
    }
}

fn bind<'s>(value: Term<&'s str>, name: &'s str, then: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(value), BinaryOp::Pipe(Some(Pattern::Var(name))), Box::new(then))
}

fn is_constant(key: &Term<&str>) -> bool {
    match key {
        Term::Num(_) | Term::Var(_) => true,
        Term::Neg(inner) => is_constant(inner),
        Term::Str(None, parts) => parts.iter().all(|part| !matches!(part, jaq_core::load::lex::StrPart::Term(_))),
        _ => false,
    }
}

fn each_part<'s>(term: &mut Term<&'s str>, visit: fn(&mut Term<&'s str>)) {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => {}
        Term::Str(_, parts) => parts.iter_mut().for_each(|part| {
            if let jaq_core::load::lex::StrPart::Term(term) = part {
                visit(term);
            }
        }),
        Term::Arr(Some(inner)) | Term::Neg(inner) | Term::Label(_, inner) => visit(inner),
        Term::Obj(entries) => entries.iter_mut().for_each(|(key, value)| {
            visit(key);
            value.iter_mut().for_each(visit);
        }),
        Term::BinOp(left, _, right) => {
            visit(left);
            visit(right);
        }
        Term::Fold(_, source, _, arguments) => {
            visit(source);
            arguments.iter_mut().for_each(visit);
        }
        Term::TryCatch(body, catch) => {
            visit(body);
            catch.iter_mut().for_each(|catch| visit(catch));
        }
        Term::IfThenElse(branches, otherwise) => {
            branches.iter_mut().for_each(|(condition, then)| {
                visit(condition);
                visit(then);
            });
            otherwise.iter_mut().for_each(|otherwise| visit(otherwise));
        }
        Term::Def(definitions, body) => {
            definitions.iter_mut().for_each(|definition| visit(&mut definition.body));
            visit(body);
        }
        Term::Call(_, arguments) => arguments.iter_mut().for_each(visit),
        Term::Path(start, path) => {
            visit(start);
            path.0.iter_mut().for_each(|(part, _)| match part {
                Part::Index(key) => visit(key),
                Part::Range(from, to) => from.iter_mut().chain(to).for_each(visit),
            });
        }
    }
}
