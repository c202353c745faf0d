# Cases of the shell corpus; see README.md.

#### default
unset x; e=; echo ${x:-d} ${x-d} ${e:-d} "${e-d}" ${x:-a b}

#### default with quotes
printf '<%s>' ${x:-"a b" c} "${x:-a b}"; echo

#### assign default
echo ${x:=v} $x; e=; echo "${e:=w}" "$e" ; f=; echo "<${f=z}>"

#### alternative
x=1; e=; echo ${x:+alt} ${e:+alt} "${e+alt}" "<${u+alt}>"

#### error when unset
echo before; echo ${u:?message}; echo after

#### error with default message
(: ${u?}) ; echo $?

#### length
x=hello; echo ${#x} ${#u}; set -- a b c; echo ${#} $# ${#@} ${#*}

#### remove prefix
x=a/b/c.tar.gz; echo ${x#*/} ${x##*/} ${x#nothing}

#### remove suffix
x=a/b/c.tar.gz; echo ${x%.*} ${x%%.*} ${x%/*}

#### remove with quoted pattern
x='a*b*c'; echo "${x#*\*}" "${x##*"*"}" "${x%'*'*}"

#### remove with variable pattern
x=abcabc; p='*b'; echo ${x#$p} ${x##$p} "${x#"$p"}"

#### replace
x=banana; echo ${x/a/A} ${x//a/A} ${x/#b/B} ${x/%a/A} ${x//an} ${x/z/y}

#### replace with pattern
x=hello; echo ${x/l*/L} ${x//[el]/_} ${x//?/.}

#### replace with slash
x=a/b/c; echo ${x//\//-} "${x////-}"

#### replace with spaces
x='a b c'; echo "${x// /_}" "${x// /}"

#### replace with variables
x=foobar; a=foo b='new thing'; echo "${x/$a/$b}"

#### substring
x=abcdef; echo ${x:2} ${x:1:3} ${x: -2} ${x:0:-2} ${x:(-3):2} "<${x:6}>" "<${x:9}>"

#### substring with expressions
x=abcdef; n=2; echo ${x:n} ${x:n+1:n} ${x:$n:1}

#### substring of positional
set -- a b c d; echo ${@:2} ${@:2:2} ${@: -1} "${@:1:1}"

#### case change
x='hello World'; echo ${x^} ${x^^} ${x,,} "${x^^[lo]}" ; y=ABC; echo ${y,} ${y,,}

#### indirect
a=b b=c; echo ${!a} "${!a}"

#### indirect positional
set -- x y; n=2; echo ${!n}

#### names with prefix
pre_a=1 pre_b=2; echo ${!pre_*} "${!pre_@}"

#### quote transformation
x="a b'c"; echo ${x@Q}

#### upper and lower transformation
x=aBc; echo ${x@U} ${x@L} ${x@u}

#### positional beyond nine
set -- 1 2 3 4 5 6 7 8 9 ten eleven; echo $10 ${10} ${11}

#### special parameters
echo $# $? ; false; echo $?; (exit 42); echo $?

#### zero
echo $0

#### option letters
set -u; case $- in *u*) echo has u;; esac

#### nested defaults
echo ${a:-${b:-${c:-deep}}}

#### default from command
echo ${x:-$(echo made)} ${x:-`echo two`}

#### braces in default
echo "${x:-{a,b}}" ${x:-'}'} "${x:-"}"}"

#### quotes in default between quotes
echo "${x:-'a'}" "${x:-"b c"}" "${x:-\"d\"}"

#### expansion of positional with default
set -- ; echo "${1:-none}" "${@:-none}"

#### alternative keeps fields
set -- "a b" c; printf '<%s>' ${1+"$@"}; echo

#### length of special
x=12345; echo "${#x}" $((${#x}+1))

#### unset and empty
unset v; echo "${v-unset}"; v=; echo "${v-unset}${v:-empty}"

#### prefix of list
set -- foo.c bar.c; echo "${@%.c}" "${@/o/0}" "${@#f}"

#### bad substitution
echo ${x!y}; echo not here

#### pattern with brackets
x=[abc]d; echo "${x#\[}" "${x%]*}" "${x#[[]}"

#### assignment of results
p=/usr/local/bin; d=${p%/*} b=${p##*/}; echo $d $b

#### append to variable
x=a; x+=b; x+="c d"; echo "$x"

#### tilde after default
echo ${x:-~} "${x:-~}"
