//! What the corpus cannot compare with bash: refusals, limits, and properties of all texts.

use crate::arithmetic::{Names, evaluate};
use crate::error::SyntaxError;
use crate::quote::{backslashed, quote};
use crate::testing::run;
use proptest::prelude::*;

fn refusal(script: &str) -> String {
    let done = run(script);
    assert_ne!(done.code, Ok(0), "{script} is refused");
    done.errors
}

#[test]
fn constructs_that_are_not_supported_say_so_by_name() {
    for (script, words) in [
        ("select x in a b; do echo $x; done", "select is not supported"),
        ("coproc cat", "coproc is not supported"),
        ("declare -n r=x", "references are not supported"),
        ("alias a=b", "alias: not supported; define a function"),
        ("pushd /", "pushd: not supported; use cd"),
        ("trap 'echo x' USR1", "only EXIT is"),
        ("echo a > >(cat)", ">(...) is not supported"),
        ("f() { :; }; export -f f", "-f is not supported"),
        ("echo ${x@P}", "@P is not supported"),
        ("printf '%(%Y)T'", "use date"),
        (&format!("{}echo{}", "( ".repeat(30), ")".repeat(30)), "parentheses are nested deeper than 16"),
        ("echo $(case a in a) echo b;; esac)", "write the patterns of case with both parentheses"),
    ] {
        let errors = refusal(script);
        assert!(errors.contains(words), "{script}: {errors}");
    }
}

#[test]
fn an_unknown_program_is_127_and_the_hint_says_that_nothing_else_can_run() {
    let done = run("gcc x.c");
    assert_eq!(done.code, Ok(127));
    assert!(done.errors.starts_with("sh: gcc: command not found (it is none of the programs of this sandbox"));
}

#[test]
fn a_granted_secret_is_its_placeholder_and_any_other_unset_name_is_nothing() {
    assert_eq!(run("echo $GRANTED, ${GRANTED:-no}, $OTHER").output, "placeholder, placeholder,\n");
    assert_eq!(run("GRANTED=mine; echo $GRANTED").output, "mine\n");
}

#[test]
fn a_secret_is_in_no_environment_that_nobody_asked_for() {
    assert_eq!(run("export -p").output.matches("GRANTED").count(), 0);
}

#[test]
fn endless_recursion_ends_with_a_message() {
    let done = run("f() { f; }; f");
    assert_eq!(done.code, Ok(1));
    assert!(done.errors.contains("nested deeper than 100"), "{}", done.errors);
}

#[test]
fn an_endless_loop_ends_when_the_host_says_so() {
    assert_eq!(run("while :; do :; done").code, Err("enough steps".to_owned()));
    assert_eq!(
        run("trap 'while :; do :; done' EXIT; f() { while :; do :; done; }; x=$(f)").code,
        Err("enough steps".to_owned())
    );
}

#[test]
fn a_variable_that_doubles_ends_with_a_message() {
    let done = run("x=aaaaaaaa; while x=$x$x; do :; done; echo ${#x}");
    assert!(done.errors.contains("expands to more than 16 MiB"), "{}", done.errors);
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    for (open, close) in [
        ("(", ")"),
        ("{ ", "; }"),
        ("$(", ")"),
        ("${x:-", "}"),
        ("$((", "))"),
        ("if ", "; then :; fi"),
        ("\"$(echo ", ")\""),
    ] {
        let script = format!("echo {}1{}", open.repeat(5_000), close.repeat(5_000));
        run(&script);
        run(&open.repeat(5_000));
    }
}

#[test]
fn an_expansion_beside_a_here_document_is_refused_not_feared() {
    for script in
        ["cat <<E; echo ${x:-${y:=a}\nE\n", "cat <<E \"${x:-\nE\n}\"", "cat <<E $(echo\nE\n)", "cat <<\u{c}\t"]
    {
        assert_ne!(run(script).code, Ok(0), "{script}");
    }
    assert_eq!(run("x=$((1<<2)); (( y = 1<<x )); read -r z <<E; echo $x $y \"$z\"\n${x}\nE\n").output, "4 16 4\n");
}

#[test]
fn numbers_that_do_not_fit_are_refused_not_feared() {
    for script in [
        "echo 99999999999999999999>x",
        "echo {1..99999999999999999999}",
        "echo ~99999999999999999999",
        "echo ${99999999999999999999}",
        "shift 99999999999999999999",
        "printf '%99999999999d' 1 | :",
        "echo {1..999999999}",
    ] {
        run(script);
    }
}

/// Variables that are all 7.
struct Sevens;

impl Names for Sevens {
    fn get(&mut self, _: &str, _: Option<&str>) -> Result<String, SyntaxError> {
        Ok("7".to_owned())
    }

    fn set(&mut self, _: &str, _: Option<&str>, _: i64) -> Result<(), SyntaxError> {
        Ok(())
    }
}

/// An expression with its value, worked out beside the text.
fn expression() -> impl Strategy<Value = (String, Option<i64>)> {
    let leaf = (-1000_i64..1000).prop_map(|number| (format!("({number})"), Some(number)));
    leaf.prop_recursive(4, 32, 2, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "%", "&", "|", "^", "<", ">=", "==", "&&", "||", "<<"]);
        (inner.clone(), operator, inner).prop_map(|((left, a), operator, (right, b))| {
            (format!("({left} {operator} {right})"), value(operator, a, b))
        })
    })
}

fn value(operator: &str, left: Option<i64>, right: Option<i64>) -> Option<i64> {
    let left = left?;
    match (operator, left) {
        ("&&", 0) => return Some(0),
        ("||", 1.. | ..=-1) => return Some(1),
        _ => {}
    }
    let right = right?;
    Some(match operator {
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.checked_div(right)?,
        "%" => left.checked_rem(right)?,
        "&" => left & right,
        "|" => left | right,
        "^" => left ^ right,
        "<" => i64::from(left < right),
        ">=" => i64::from(left >= right),
        "==" => i64::from(left == right),
        "<<" => left.wrapping_shl(right as u32),
        _ => i64::from(right != 0),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arithmetic_agrees_with_the_values_of_its_parts((text, expected) in expression()) {
        prop_assert_eq!(evaluate(&text, &mut Sevens).ok(), expected, "{}", text);
    }

    #[test]
    fn quoted_text_is_read_back_as_it_was(text in "[^\\x00]{0,40}") {
        let script = format!("printf %s {}", quote(&text));
        prop_assert_eq!(run(&script).output, text.clone());
        let script = format!("printf %s {}", backslashed(&text));
        prop_assert_eq!(run(&script).output, text);
    }

    #[test]
    fn what_declare_prints_is_read_back_as_it_was(text in "[^\\x00]{0,40}") {
        let script = format!("x={}; y=$(declare -p x); unset x; eval \"$y\"; printf %s \"$x\"", quote(&text));
        prop_assert_eq!(run(&script).output, text);
    }

    #[test]
    fn no_text_makes_the_shell_panic(text in ".{0,80}") {
        run(&text);
    }

    #[test]
    fn no_heap_of_syntax_makes_the_shell_panic(parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..20)) {
        run(&parts.concat());
    }
}

const PARTS: [&str; 64] = [
    "echo ",
    "$x",
    "${x",
    "}",
    "{",
    "(",
    ")",
    "((",
    "))",
    "[[ ",
    " ]]",
    "\"",
    "'",
    "`",
    "$(",
    "$((",
    "\\",
    "\n",
    ";",
    "&",
    "|",
    "&&",
    "||",
    ">",
    "<",
    "<<E\n",
    "E\n",
    "if ",
    "then ",
    "fi",
    "for i in ",
    "do ",
    "done",
    "case ",
    " in ",
    "esac",
    ";;",
    "f() ",
    "x=",
    "x+=(",
    "[0]=",
    "*",
    "?",
    "[a",
    "]",
    "~",
    "#",
    "%",
    "/",
    ":-",
    "@",
    "!",
    "1",
    "9999999999",
    "..",
    ",",
    "a",
    " ",
    "=~ ",
    "-eq ",
    "$'",
    "local ",
    "set -u;",
    "é",
];
