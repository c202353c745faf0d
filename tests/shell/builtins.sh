# Cases of the shell corpus; see README.md.

#### echo options
echo -n a; echo b; echo -e 'a\tb\nc'; echo -E 'a\n'; echo -ne 'x\n'; echo -x; echo --

#### echo stops at c
echo -e 'a\cb'; echo end

#### a script knows its own file
mkdir d; printf 'echo "in ${BASH_SOURCE[0]}"\n' > d/lib.sh
printf 'here=$(dirname "${BASH_SOURCE[0]}")\nf() { echo "f $BASH_SOURCE"; }\nsource "$here/lib.sh"\nf\necho "${BASH_SOURCE[0]}"\n' > d/main.sh
bash d/main.sh; echo "[$BASH_SOURCE]"

#### printf strings
printf '%s|%5s|%-5s|%.2s\n' a b c defg

#### printf numbers
printf '%d %5d %-5d| %05d %+d %x %X %o %u\n' 1 2 3 4 5 255 255 8 7

#### printf floats
printf '%f %.2f %8.3f %e %g %g\n' 1.5 2.345 3.14159 12345.678 0.0001 100000000

#### printf reuses the format
printf '%s-%s\n' a b c; printf '%s\n' x y z

#### printf escapes
printf 'a\tb\\n\n%%\n'; printf '%b\n' 'x\ty'; printf '\101\x42\n'

#### printf quotes
printf '%q\n' 'a b' "it's" plain '' '$x'

#### printf into variable
printf -v x '%03d' 7; echo $x

#### printf width from argument
printf '%*d|%-*d|%.*f\n' 5 1 4 2 1 3.14159

#### printf characters and codes
printf '%c%c\n' abc def; printf '%d\n' "'A" 0x1f 010

#### printf without arguments
printf '%s %d\n'; printf 'plain\n'

#### printf bad number
printf '%d\n' abc; echo $?

#### cd and pwd
mkdir -p a/b; cd a/b; basename $PWD; cd ..; basename "$(pwd)"; cd - > /dev/null; basename $PWD; cd nowhere; echo $?

#### cd home
HOME=$PWD/h; mkdir h; cd; basename $PWD; echo ${OLDPWD##*/} | wc -l

#### read splits
echo 'a b c d' | { read x y; echo "<$x><$y>"; }

#### read raw
printf 'a\\tb\n' | { read -r x; echo "$x"; }; printf 'a\\tb\n' | { read x; echo "$x"; }

#### read trims
echo '  a  b  ' | { read x; echo "<$x>"; }; echo '  a  ' | { IFS= read -r x; echo "<$x>"; }

#### read status at the end
read x < /dev/null; echo $?; printf 'no newline' | { read x; echo $? $x; }

#### read reply
echo ' line ' | { read; echo "<$REPLY>"; }

#### read with delimiter
printf 'a:b:' | { read -d : x; read -d : y; echo $x $y; }

#### read characters
printf 'abcdef' | { read -n 3 x; read -N 2 y; echo $x $y; }

#### read continues lines
printf 'a\\\nb\n' | { read x; echo $x; }

#### read with other ifs
echo 'a:b:c' | { IFS=: read x y z; echo $x $y $z; }; echo 'a::c' | { IFS=: read x y z; echo "<$x><$y><$z>"; }

#### read more names than fields
echo a | { read x y z; echo "<$x><$y><$z>"; }

#### export
export E=1; bash -c 'echo $E'; F=2; bash -c 'echo "<$F>"'; export F; bash -c 'echo $F'

#### export and unexport
export E=1; export -n E; bash -c 'echo "<$E>"'

#### prefix assignment
X=1 bash -c 'echo $X'; echo "<$X>"; X=2 Y=3 env | grep -c '^[XY]='

#### readonly
readonly r=1; r=2
echo $? $r

#### readonly unset
readonly r=1; unset r; echo $?

#### unset
x=1; unset x; echo "<${x-none}>"; unset nothing; echo $?

#### shift
set -- a b c; shift; echo $@; shift 2; echo $#; shift; echo $?

#### set positional
set -- a "b c"; echo $# "$2"; set x y; echo $1; set --; echo $#

#### eval
x='echo hi'; eval $x; eval 'y=5'; echo $y; eval "echo \$y"; eval; echo $?

#### eval syntax error
eval 'if'; echo $?

#### source
echo 'v=7; f() { echo "f $1"; }; echo "args $@"' > lib; . ./lib x y; echo $v; f z; source ./lib

#### source return
printf 'echo a\nreturn 3\necho b\n' > lib; . ./lib; echo $?

#### source missing
. ./nothere; echo $?

#### type
type -t cat > /dev/null && echo program; type nothere_x; echo $?; type -t for

#### command -v
command -v echo; command -v nothere_x; echo $?; f() { :; }; command -v f

#### command passes functions over
echo() { printf 'mine\n'; }; echo a; command echo a; builtin echo b

#### true false colon
true; echo $?; false; echo $?; : $(echo x); echo $?

#### getopts
set -- -a -b val rest; while getopts ab: o; do echo $o $OPTARG; done; shift $((OPTIND-1)); echo $@

#### getopts joined
f() { local OPTIND o; while getopts xyz: o; do echo "$o:$OPTARG"; done; }; f -xy -zval

#### getopts unknown
getopts a o -q 2>/dev/null; echo $o $?

#### getopts silent
while getopts :a: o -a; do echo $o $OPTARG; done; getopts :b p -z; echo $p

#### trap on exit
trap 'echo bye' EXIT; echo hi

#### trap sees status
trap 'echo $?' EXIT; exit 3

#### trap keeps the status
trap 'true' EXIT; exit 3

#### trap changes the status
trap 'exit 9' EXIT; exit 3

#### trap in subshell
(trap 'echo sub' EXIT; echo in); echo out

#### trap removed
trap 'echo no' EXIT; trap - EXIT; echo end

#### wait for all
echo a & wait; echo b

#### kill a job
sleep 30 & kill $!; wait $! 2>/dev/null; [ $? -gt 128 ] && echo killed

#### exec replaces
exec echo replaced; echo no

#### exec missing
(exec nothere_x) 2>/dev/null; echo $?

#### not found
nothere_x; echo $?

#### not found in path
./nothere; echo $?; /bin/nothere_x; echo $?

#### directory as command
mkdir d; ./d; echo $?

#### script file
printf '#!/bin/sh\necho "script $1"\n' > s; chmod +x s; ./s arg; sh s two

#### script without interpreter line
printf 'echo "plain $1"\n' > s; chmod +x s; ./s arg

#### absolute program path
/bin/echo hi; /usr/bin/basename a/b

#### let and test
let 'a=2*3'; test $a -eq 6 && echo six

#### times and umask
umask 022; echo $?; hash -r; echo $?

#### shopt query
shopt -q nullglob; echo $?; shopt -s nullglob; shopt -q nullglob; echo $?

#### declare attributes
declare -u U=abc; declare -l L=ABC; declare -r R=1; echo $U $L $R

#### declare exported
declare -x D=5; bash -c 'echo $D'

#### pwd in substitution
mkdir x; echo "$(cd x; pwd)" | grep -c '/x$'

#### colon with redirection
: > f; wc -c < f

#### printf of many
printf '%s ' {1..10}; echo

#### dot with path of directory
mkdir l; echo 'echo lib' > l/x; . l/x

#### test builtin messages
[ 1 -eq ]; echo $?

#### readonly list
readonly a=1 b=2; echo $a$b

#### export several
export A=1 B=2; env | grep '^[AB]=' | sort

#### variables of the shell
echo $IFS | wc -c; echo "$OPTIND"
