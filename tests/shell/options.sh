# Cases of the shell corpus; see README.md.

#### errexit
set -e; echo a; false; echo b

#### errexit not in conditions
set -e; if false; then :; fi; false || echo a; ! true; while false; do :; done; echo b

#### errexit with and list
set -e; false && true; echo a; true && false; echo b

#### errexit in function
f() { false; echo no; }; set -e; f; echo no

#### errexit function in condition
f() { false; echo yes; }; set -e; if f; then echo a; fi; f || echo b

#### errexit in subshell
set -e; (false; echo no); echo no

#### errexit in substitution
set -e; x=$(false); echo no

#### errexit in local substitution
set -e; f() { local x=$(false); echo yes; }; f

#### errexit in pipeline
set -e; false | true; echo a; set -o pipefail; false | true; echo b

#### errexit off again
set -e; set +e; false; echo a

#### errexit in group
set -e; { false; echo no; }; echo no

#### errexit and arithmetic
set -e; ((1)); echo a; ((0)) || echo b; ((0)); echo no

#### errexit with test command
set -e; [[ a == a ]]; [ a = a ]; echo a; [[ a == b ]]; echo no

#### nounset
set -u; echo a; echo $nothing; echo b

#### nounset with default
set -u; echo ${nothing:-d} ${nothing-e} "${nothing+f}" $# "$@"

#### nounset positional
set -u; echo $1

#### nounset in arithmetic
set -u; echo $((nothing+1)); echo no

#### nounset arrays
set -u; a=(); echo "${a[@]}" ${#a[@]}; echo ok

#### xtrace goes to stderr
set -x; echo a; set +x 2>/dev/null

#### noexec from invocation
bash -n -c 'echo no'; echo $?

#### options of sh
bash -e -c 'false; echo no'; echo $?; bash -u -c 'echo $x' 2>/dev/null; echo $?; bash -ec 'echo a'

#### arguments of sh
bash -c 'echo $0 $1 $#' name a b; echo 'echo in $1' | bash -s x

#### script from input
printf 'echo a\necho b\n' | bash

#### status of sh
bash -c 'exit 5'; echo $?; bash -c false; echo $?; bash nothere 2>/dev/null; echo $?

#### noclobber
set -o noclobber; echo a > f; echo b > f; echo $?; cat f

#### allexport
set -a; V=1; bash -c 'echo $V'; set +a

#### combined letters
set -eu; echo $-| grep -c e

#### pipefail off
set -o pipefail; set +o pipefail; false | true; echo $?

#### unknown option
set -o nosuch; echo $?

#### syntax error
echo a; if; echo b

#### unclosed quote
echo "abc

#### unexpected word
echo a; done

#### errexit inside loop
set -e; for i in 1 2; do echo $i; false; done; echo no

#### errexit and case
set -e; case a in a) false;; esac; echo no

#### errexit with trap
set -e; trap 'echo bye $?' EXIT; false; echo no

#### errexit after background
set -e; false & wait; echo yes
