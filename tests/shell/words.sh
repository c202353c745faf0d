# Cases of the shell corpus; see README.md.

#### plain words
echo a b   c

#### single quotes keep everything
echo 'a  $b `c` \n "d"'

#### double quotes expand
x=1; echo "a  $x \$x \"q\" \\ \n"

#### backslash outside quotes
echo a\ b \$x \\ \"

#### ansi quotes
echo $'a\tb\n\x41\u00e9\101\\\''

#### adjacent quotes join
echo a"b"'c'\d

#### empty words
printf '<%s>' "" '' $nothing "$nothing"; echo

#### line continuation
echo a\
b \
c

#### line continuation in double quotes
echo "a\
b"

#### comment
echo a # b
echo c#d

#### semicolons and newlines
echo a; echo b
echo c

#### tilde
echo ~ ~/x "~" '~' a~

#### tilde in assignment
x=~/a; y=/b:~/c; echo $x $y

#### brace list
echo a{b,c,d}e {x,y}{1,2}

#### brace sequence
echo {1..5} {a..e} {5..1} {1..9..3} {e..a..2}

#### brace padding
echo {01..10} {-2..2} {08..11}

#### brace nested
echo {a,b{1,2},c} a{,x}b

#### brace not expanded
echo {a} {} {a,b "x{a,b}" '{a,b}' \{a,b\}

#### brace with expansion
x=1; echo {$x,2}{a,b} ${x}{3,4}

#### brace with quotes inside
echo {"a b",c}d

#### splitting
x="a  b	c"; printf '<%s>' $x; echo

#### no splitting in quotes
x="a  b"; printf '<%s>' "$x"; echo

#### ifs of other characters
IFS=:; x=a:b::c; printf '<%s>' $x; echo

#### ifs mixed with spaces
IFS=': '; x='a : b:c  d'; printf '<%s>' $x; echo

#### ifs empty
IFS=; x='a b'; printf '<%s>' $x; echo

#### ifs leading and trailing
IFS=:; x=':a:'; printf '<%s>' $x; echo

#### literal text is not split
IFS=x; echo axb; y=axb; echo $y

#### splitting joins with neighbours
x=" b "; printf '<%s>' a$x'c'; echo

#### positional as fields
set -- "a b" c; printf '<%s>' "$@"; echo; printf '<%s>' $@; echo; printf '<%s>' "$*"; echo

#### joined with ifs
set -- a b c; IFS=,; echo "$*" "${*}"

#### no positional
set --; printf '<%s>' "$@"; echo; printf '<%s>' "a$@b"; echo

#### embedded at
set -- 1 2 3; printf '<%s>' "x$@y"; echo

#### empty and at together
set --; printf '<%s>' "" "$@" ""; echo

#### command substitution
echo $(echo a; echo b) "$(echo a; echo b)"

#### command substitution trims newlines
x=$(printf 'a\n\n\n'); echo "<$x>"

#### nested command substitution
echo $(echo $(echo $(echo deep)))

#### backquotes
echo `echo a` "`echo b c`" `echo \`echo d\``

#### quotes inside substitution
echo "$(echo "a  b" 'c  d')"

#### substitution with parenthesis in quotes
echo $(echo ")" '(' \))

#### substitution with comment
echo $(echo a # b )
)

#### substitution with here-document
echo "$(cat <<X
a)b 'c'
X
)"

#### substitution with case in parentheses
echo $(case a in (a) echo yes;; (*) echo no;; esac)

#### arithmetic in words
echo $((1+2)) "$((3*4))" $(( (1+2)*3 ))x

#### subshell at the start of a substitution
echo $( (echo a; echo b) | cat )

#### substitution status
x=$(false); echo $?; x=$(exit 3); echo $?

#### dollar alone
echo $ "$" a$ '$'

#### unset is nothing
echo [$unset] ["$unset"]

#### exclamation is text
echo a!b "c!d" !

#### words like keywords
echo if then fi for do done { }

#### assignment like words
echo a=b --x=y "a=b"

#### carriage of quotes in variables
x='"a b"'; printf '<%s>' $x; echo

#### utf-8
x=äöü€; echo ${#x} ${x:1:2} "${x%€}"

#### hash in the middle
echo a#b '#c' \#d

#### long pipeline of expansions
a=1 b=2 c=3; echo "$a$b$c ${a}${b}${c}" $a$b
