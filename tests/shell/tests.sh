# Cases of the shell corpus; see README.md.

#### strings
[ a = a ] && echo 1; [ a != b ] && echo 2; [ -z "" ] && echo 3; [ -n x ] && echo 4; [ x ] && echo 5; [ "" ] || echo 6

#### numbers
[ 1 -lt 2 ] && [ 2 -le 2 ] && [ 3 -gt 2 ] && [ 3 -ge 3 ] && [ 1 -eq 1 ] && [ 1 -ne 2 ] && echo ok

#### files
touch f; echo x > g; mkdir d; ln -s g l; [ -e f ] && [ -f f ] && [ -d d ] && [ -s g ] && [ ! -s f ] && [ -L l ] && [ -h l ] && [ ! -e nothere ] && echo ok

#### and or in test
[ a = a -a b = b ] && echo 1; [ a = b -o b = b ] && echo 2; [ ! a = b ] && echo 3; [ \( a = a \) ] && echo 4

#### one and two arguments
[ -f ] && echo one; [ ! ] && echo two; [ ! "" ] && echo three; [ ]; echo $?

#### operators as strings
[ "!" = "!" ] && echo 1; [ "-f" = "-f" ] && echo 2; [ "(" = "(" ] && echo 3

#### integer expected
[ a -eq 1 ]; echo $?

#### too many
[ a b c d ]; echo $?

#### missing bracket
[ a = a; echo $?

#### newer
touch -d '2020-01-01' old; touch new; [ new -nt old ] && echo newer; [ old -ot new ] && echo older; [ old -ef old ] && echo same

#### extended strings
[[ abc == a* ]] && echo 1; [[ abc == "a*" ]] || echo 2; [[ abc != b* ]] && echo 3; [[ a < b ]] && echo 4; [[ b > a ]] && echo 5

#### extended without splitting
x="a b"; [[ $x = "a b" ]] && echo 1; [[ -n $x ]] && echo 2; [[ $nothing ]] || echo 3; [[ -z $nothing ]] && echo 4

#### extended logic
[[ a == a && b == b ]] && echo 1; [[ a == b || b == b ]] && echo 2; [[ ! a == b ]] && echo 3; [[ ( a == a ) && ! ( b == c ) ]] && echo 4

#### extended numbers
x=5; [[ x -eq 5 && $x -lt 6+1 ]] && echo ok

#### regular expression
[[ abc123 =~ ^([a-z]+)([0-9]+)$ ]] && echo ${BASH_REMATCH[0]} ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}

#### regular expression in variable
r='^a.c$'; [[ abc =~ $r ]] && echo yes; [[ a.c =~ "$r" ]] || echo no

#### regular expression quoted part
[[ a.c =~ a"."c ]] && echo 1; [[ abc =~ a"."c ]] || echo 2

#### regular expression classes
[[ "foo bar" =~ [[:space:]] ]] && echo 1; [[ x-1 =~ ^[[:alpha:]]-[[:digit:]]$ ]] && echo 2

#### regular expression alternatives
[[ cat =~ ^(cat|dog)$ ]] && echo ${BASH_REMATCH[1]}; [[ 2024-01-02 =~ ([0-9]{4})-([0-9]{2}) ]] && echo ${BASH_REMATCH[2]}

#### pattern alternatives
[[ foo.txt == *.@(txt|md) ]] && echo 1; [[ foo == !(bar) ]] && echo 2; [[ aaa == +(a) ]] && echo 3

#### pattern from variable
p='a*'; [[ abc == $p ]] && echo 1; [[ abc == "$p" ]] || echo 2

#### variable is set
v=; [[ -v v ]] && echo 1; [[ -v nothing ]] || echo 2

#### extended files
touch f; [[ -f f && ! -d f ]] && echo ok; [[ -e nothere ]] || echo gone

#### no match keeps going
[[ a == b ]]; echo $?

#### test command
test a = a; echo $?; test a = b; echo $?; test -d .; echo $?

#### option test
set -f; [ -o noglob ] && echo on; [[ -o errexit ]] || echo off

#### empty variable in brackets
x=; [ "$x" = "" ] && echo empty; [ -n "$x" ]; echo $?

#### case insensitive
shopt -s nocasematch; [[ ABC == abc ]] && echo same

#### negative numbers
[ -5 -lt 0 ] && echo neg; [ " 5 " -eq 5 ] && echo spaces

#### double equals in single brackets
[ a == a ] && echo ok

#### string order in single brackets
[ a \< b ] && echo less; [ b \> a ] && echo more

#### readable and executable
touch r; [ -r r ] && [ -w r ] && [ -x . ] && echo ok; [ -x r ] || echo plain
