# Cases of the shell corpus; see README.md.

#### two
echo hello | cat

#### three
printf 'c\na\nb\n' | sort | head -2

#### status is the last
false | true; echo $?; true | false; echo $?

#### pipefail
set -o pipefail; false | true; echo $?; true | true; echo $?; (exit 3) | (exit 4) | true; echo $?

#### pipe status
true | false | (exit 3); echo ${PIPESTATUS[@]}

#### stderr in the pipe
ls nothere |& wc -l

#### negated
! true | false; echo $?

#### variables are lost
x=1; echo 2 | read x; echo $x

#### last stage is a subshell
echo a | { read x; echo "in $x"; }; echo "out $x"

#### first stage is a loop
for i in 3 1 2; do echo $i; done | sort

#### middle stage is a loop
printf '1\n2\n' | while read x; do echo $((x*10)); done | tail -1

#### first stage is a function
f() { echo "$1"; echo b; }; f a | cat

#### stage sees variables and functions
v="a b"; f() { echo "<$v>"; }; { f; echo $v; } | cat

#### stage sees arrays and options
a=(1 2); set -f; { echo ${a[1]} *; } | cat

#### stage sees positional and directory
mkdir d; cd d; set -- p q; { echo "$2"; basename "$PWD"; } | cat

#### stage sees status
false; { echo $?; } | cat

#### head ends yes
yes | head -3

#### loop that never ends is ended
while true; do echo y; done | head -2

#### seq and head
seq 100000 | head -1; echo ${PIPESTATUS[0]} > /dev/null; echo ok

#### big data
seq 20000 | sort -rn | head -1; seq 20000 | wc -l

#### builtin writes a lot into a pipe
printf '%05000d\n' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 | wc -c

#### builtin before a program that reads nothing
echo data | true; echo $?

#### substitution in a stage
echo $(echo a | tr a b) | cat

#### here-document into pipeline
cat <<X | while read l; do echo "<$l>"; done
1
2
X

#### pipeline in if
if echo abc | grep -q b; then echo found; fi

#### pipeline in while condition
echo 3 > n; while [ "$(cat n)" -gt 0 ]; do x=$(cat n); echo $((x-1)) | tee n; done

#### grep and sed
printf 'apple\nbanana\ncherry\n' | grep an | sed 's/an/AN/g'

#### newline after bar
echo a |
cat |
tr a b

#### subshell stages
(echo a; echo b) | (read x; cat)

#### redirection in stages
echo a | cat > f | cat; cat f

#### stderr of the first stage
{ echo err >&2; echo out; } 2>/dev/null | cat

#### exit in a stage
echo a | exit 3; echo $?; exit 4 | cat; echo $?

#### process substitution as input file
cat <(echo a) <(echo b); diff <(echo x) <(echo x) && echo same

#### process substitution behind a redirection
while read x; do y=$x; done < <(printf '1\n2\n'); echo $y

#### sort uniq
printf 'b\na\nb\n' | sort | uniq -c | sed 's/^ *//'

#### xargs
printf 'a b\nc\n' | xargs echo

#### tee
echo x | tee f | cat; cat f

#### empty input
true | wc -c; : | cat; echo end

#### assignment in stage
x=1 | cat; echo "<$x>"

#### case in stage
echo b | { read x; case $x in b) echo B;; esac; }

#### nested pipelines
{ echo a | cat; echo b | cat; } | sort -r

#### brace group as last with exit code
true | { false; }; echo $?

#### time keyword
time true 2>/dev/null; echo $?

#### wait for all
{ sleep 0.05; echo late; } | cat

#### stage function with local
f() { local n=$1; while [ $n -gt 0 ]; do echo $n; n=$((n-1)); done; }; f 3 | paste -sd,
