# Cases of the shell corpus; see README.md.

#### define and call
f() { echo "f: $1 $2 $#"; }; f a b; f "x y"

#### function keyword
function g { echo g; }; function h() { echo h; }; g; h

#### return
f() { return 3; echo no; }; f; echo $?; f && echo yes || echo no

#### return default
f() { false; return; }; f; echo $?

#### local
x=1; f() { local x=2; echo $x; g; }; g() { echo "g $x"; }; f; echo $x

#### local without value
x=1; f() { local x; echo "<$x>"; x=3; }; f; echo $x

#### local keeps status apart
f() { local a=1 b=2; echo $a$b; }; f; echo "<$a$b>"

#### recursion
fact() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1-1))) )); fi; }; fact 6

#### arguments come back
set -- a b; f() { shift; echo "$@"; }; f x y z; echo "$@"

#### function in pipeline
f() { while read x; do echo "<$x>"; done; }; printf 'a\nb\n' | f | cat

#### function with redirection
f() { echo out; echo err >&2; } 2>/dev/null; f

#### function redefines
f() { echo 1; }; f() { echo 2; }; f

#### function hides program
ls() { echo mine; }; ls; unset -f ls; touch z; ls

#### function sets globals
f() { y=5; }; f; echo $y

#### prefix assignment for function
f() { echo "<$v>"; }; v=1 f; echo "<$v>"

#### body of subshell
f() (x=2; echo $x); x=1; f; echo $x

#### nested definition
f() { g() { echo inner; }; }; f; g

#### unset function
f() { :; }; unset -f f; f; echo $?

#### exit inside function
f() { exit 4; }; f; echo no

#### function status of last
f() { true; false; }; f; echo $?

#### function with here-document
f() { cat <<X
hello $1
X
}; f you

#### dynamic scope
a() { local v=in; b; }; b() { v=changed; }; v=out; a; echo $v

#### declare in function is local
f() { declare v=1; }; v=0; f; echo $v

#### declare global
f() { declare -g v=1; }; v=0; f; echo $v

#### functions in subshell and substitution
f() { echo "f$1"; }; echo $(f 1) "$(f 2)"; (f 3)

#### shift and loop
f() { while [ $# -gt 0 ]; do echo "$1"; shift; done; }; f a b c

#### local array
f() { local -a a=(1 2 3); echo ${a[@]}; }; a=x; f; echo $a

#### return in loop
f() { for i in 1 2 3; do [ $i = 2 ] && return 9; echo $i; done; }; f; echo $?

#### positional in function
f() { echo $# "$*"; set -- q; echo $1; }; f a b c

#### type of function
f() { :; }; type -t f; type -t echo; type -t if

#### mutual recursion
e() { [ $1 = 0 ] && echo even || o $(($1-1)); }; o() { [ $1 = 0 ] && echo odd || e $(($1-1)); }; e 7

#### local of readonly outer fails softly
f() { local IFS=,; set -- 1 2; echo "$*"; }; f; set -- 1 2; echo "$*"

#### name with dash
my-func() { echo dash; }; my-func
