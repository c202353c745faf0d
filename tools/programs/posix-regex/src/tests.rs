use crate::{Dialect, Escapes, Syntax};

const GREP: Dialect = Dialect { syntax: Syntax::Basic, escapes: None, within_lines: true };
const EGREP: Dialect = Dialect { syntax: Syntax::Egrep, ..GREP };
const SED: Dialect = Dialect { syntax: Syntax::Basic, escapes: Some(Escapes::Sed), within_lines: false };
const SED_E: Dialect = Dialect { syntax: Syntax::Extended, ..SED };
const AWK: Dialect = Dialect { syntax: Syntax::Awk, escapes: Some(Escapes::Awk), within_lines: false };
const FIND: Dialect = Dialect { syntax: Syntax::Emacs, escapes: None, within_lines: false };

/// An expression, a text and what is found in it, as the GNU program has it.
const FOUND: &[(Dialect, &str, &str, Option<&str>)] = &[
    // Operators are bare or behind a backslash.
    (GREP, r"a+b?(c)|{1}", "a+b?(c)|{1}", Some("a+b?(c)|{1}")),
    (GREP, r"\(a\|b\)\{2,3\}x\+", "ababxx", Some("babxx")),
    (EGREP, "(a|b){2,3}x+", "ababxx", Some("babxx")),
    (SED, r"^\(a\|b\)\{2\}$", "ab", Some("ab")),
    (SED_E, r"a\(b", "a(b", Some("a(b")),
    (FIND, r"\(a\|b\)+(c)?|{2}", "ab(c|{2}", Some("ab(c|{2}")),
    (FIND, r"a\{2\}", "aa", None),
    (GREP, "a.c", "abc", Some("abc")),
    // Intervals.
    (EGREP, "a{,2}", "aaa", Some("aa")),
    (SED, r"a\{2,\}", "aaa", Some("aaa")),
    (EGREP, "a{2}{2}", "aaaa", Some("aaaa")),
    (EGREP, "a{b}{,x}", "a{b}{,x}", Some("a{b}{,x}")),
    (EGREP, "{\"a", "{\"a", Some("{\"a")),
    (AWK, "a{", "a{", Some("a{")),
    // A repetition of a repetition does not make it lazy; one of nothing depends on the language.
    (EGREP, "a+?", "aa", Some("aa")),
    (EGREP, "(ab)*?", "abab", Some("abab")),
    (SED_E, "a{1}*", "aa", Some("aa")),
    (GREP, "*a", "a*a", Some("*a")),
    (GREP, "^*a", "*a", Some("*a")),
    (GREP, r"\(*a\)\|*b", "*b", Some("*b")),
    (SED, r"\(^*a\)", "*a", Some("*a")),
    (GREP, r"\{1\}", "{1}", Some("{1}")),
    (EGREP, "*a|{2}b", "*b", Some("b")),
    (AWK, "(*a)", "a*a", Some("*a")),
    (FIND, r"\(+x\)", "a+x", Some("+x")),
    // Anchors.
    (GREP, "a^b$c", "a^b$c", Some("a^b$c")),
    (GREP, r"\(^a$\)", "a", Some("a")),
    (GREP, "^^a", "^a", Some("^a")),
    (SED, r"x\|^a$\|y", "a", Some("a")),
    (EGREP, "a^b$", "a^b$", None),
    (FIND, "a^b", "a^b", Some("a^b")),
    (GREP, r"\<a\+\>", "b aa c", Some("aa")),
    (GREP, r"\`\(a\)\1\'", "aa", Some("aa")),
    (SED, r"o\b\w*", "foo", Some("o")),
    (SED, r"\Bo", "oo", Some("o")),
    (AWK, r"\yb", "ab b", Some("b")),
    // Back-references.
    (SED, r"\(.\)\1", "hello", Some("ll")),
    (EGREP, r"(a)(b)\2\1", "abba", Some("abba")),
    (SED_E, r"(a)\10*", "aa00", Some("aa00")),
    // Classes and escapes.
    (GREP, r"\w\W\s\S", "é  -", Some("é  -")),
    (GREP, r"\.\-\/\t", "a.-/t", Some(".-/t")),
    (SED, r"\t\x41\o102\d067\cA\n", "\tABC\x01\n", Some("\tABC\x01\n")),
    (SED, r"a\x2a", "aa*", Some("a*")),
    (AWK, r"\t\x41\102\/\b", "\tAB/\x08", Some("\tAB/\x08")),
    (AWK, r"a\", "a\\", Some("a\\")),
    (EGREP, "a)", "a)", Some("a)")),
    // Brackets.
    (GREP, r"[\d]*", r"\d", Some(r"\d")),
    (GREP, "[]a-c-]*", "]-ab", Some("]-ab")),
    (SED, r"[]x]\.[^]]", "].a", Some("].a")),
    (GREP, "[a&&b~~^[]*", "&&~^[ab", Some("&&~^[ab")),
    (GREP, "[^[:alpha:]_]", "aé_\n1", Some("1")),
    (SED, "[^a]", "a\n", Some("\n")),
    (SED, r"[\n\x42-D]*", "\nBCD\\", Some("\nBCD")),
    (SED, r"[\]]", r"\]", Some(r"\]")),
    (AWK, r"[\]a\-z\w]*", "]a-zwb", Some("]a-zw")),
    (GREP, "[[.-.]-0[=x=]]*", "-./0x", Some("-./0x")),
    (GREP, "[+--]*", "+,-.", Some("+,-")),
    (EGREP, "[[:upper:][:digit:]]+[[:punct:]][^[:graph:]]", "aÉ1$ ", Some("É1$ ")),
];

/// What is refused, in GNU's words.
const REFUSED: &[(Dialect, &str, &str)] = &[
    (EGREP, "(a", "Unmatched ( or \\("),
    (GREP, r"a\)", "Unmatched ) or \\)"),
    (SED_E, "a)", "Unmatched ) or \\)"),
    (GREP, "a\\", "Trailing backslash"),
    (GREP, "[a", "Unmatched [, [^, [:, [., or [="),
    (GREP, "[[:alpha:", "Unmatched [, [^, [:, [., or [="),
    (GREP, "[[:word:]]", "Invalid character class name"),
    (GREP, "[[.space.]]", "Invalid collation character"),
    (SED, "[:space:]", "character class syntax is [[:space:]], not [:space:]"),
    (GREP, "[z-a]", "Invalid range end"),
    (GREP, "[a-[:digit:]]", "Invalid range end"),
    (SED, r"a\{1", "Unmatched \\{"),
    (SED_E, "a{b}", "Invalid content of \\{\\}"),
    (EGREP, "a{2,1}", "Invalid content of \\{\\}"),
    (SED_E, "a|*b", "Invalid preceding regular expression"),
    (SED_E, "^+", "Invalid preceding regular expression"),
    (SED, r"\(a\1\)", "Invalid back reference"),
    (EGREP, r"\2(a)(b)", "Invalid back reference"),
];

#[test]
fn expressions_find_what_they_find_in_gnu() {
    for (dialect, pattern, text, found) in FOUND {
        let translated = dialect.translate(pattern).unwrap();
        let fancy = fancy_regex::Regex::new(&translated.pattern).unwrap();
        let by_fancy = fancy.find(text).unwrap().map(|found| found.as_str());
        assert_eq!(by_fancy, *found, "{dialect:?} {pattern:?} as {:?}", translated.pattern);
        if !translated.refers_back {
            let plain = regex::Regex::new(&translated.pattern).unwrap();
            assert_eq!(plain.find(text).map(|found| found.as_str()), *found, "{:?}", translated.pattern);
        }
    }
}

#[test]
fn broken_expressions_are_refused_in_the_words_of_gnu() {
    for (dialect, pattern, problem) in REFUSED {
        assert_eq!(dialect.translate(pattern), Err(*problem), "{dialect:?} {pattern:?}");
    }
}

#[test]
fn only_references_need_backtracking() {
    assert!(GREP.translate(r"\(a\)\1").unwrap().refers_back);
    assert!(!GREP.translate(r"\(a\)\<").unwrap().refers_back);
}

#[test]
fn a_bracket_expression_tells_its_length() {
    assert_eq!(AWK.bracket(r"^a\]]b"), Some((r"[^a\]]".to_owned(), 5)));
    assert_eq!(AWK.bracket("a"), None);
}
