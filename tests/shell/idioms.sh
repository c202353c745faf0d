# Cases of the shell corpus; see README.md.

#### script directory
cat > s <<'X'
d=$(cd "$(dirname "$0")" && pwd); basename "$d"
X
mkdir q; mv s q; sh q/s

#### count files
touch a b c; ls | wc -l | tr -d ' '; echo $(ls | wc -l)

#### read key value file
printf 'a=1\nb=2\n# c\n' > conf; while IFS='=' read -r k v; do case $k in \#*|'') continue;; esac; echo "$k -> $v"; done < conf

#### find with loop
mkdir -p d/e; touch d/1.txt d/e/2.txt; find d -name '*.txt' | sort | while IFS= read -r f; do echo "${f##*/}"; done

#### find exec
touch a.x b.x; find . -name '*.x' -exec basename {} \; | sort

#### find xargs
mkdir d; echo hi > d/a; echo ho > d/b; find d -type f | sort | xargs cat

#### rename loop
touch 1.jpeg 2.jpeg; for f in *.jpeg; do mv "$f" "${f%.jpeg}.jpg"; done; ls

#### default argument
f() { local name=${1:-world}; echo "hello $name"; }; f; f you

#### require argument
f() { : "${1:?usage}"; echo $1; }; (f) 2>/dev/null; echo $?; f x

#### temporary file
t=$(mktemp); echo data > "$t"; cat "$t"; rm -f "$t"; [ -e "$t" ] || echo gone

#### heredoc into file
cat > out.txt <<X
line one
line two
X
wc -l < out.txt

#### append log
log() { printf '%s: %s\n' "$1" "$2" >> log.txt; }; log info a; log warn b; cat log.txt

#### sum a column
printf 'a 1\nb 2\nc 3\n' > f; t=0; while read -r _ n; do t=$((t+n)); done < f; echo $t

#### grep and test
echo 'needle in hay' > f; if grep -q needle f; then echo found; else echo lost; fi

#### sed in place through a file
echo 'a b' > f; sed 's/a/x/' f > f2 && mv f2 f; cat f

#### parse options by hand
p() { while [ $# -gt 0 ]; do case $1 in -v|--verbose) v=1;; --name=*) n=${1#*=};; -n) n=$2; shift;; --) shift; break;; *) break;; esac; shift; done; echo "v=$v n=$n rest=$*"; }; p -v --name=x a b; v=; p -n y -- -z

#### retry loop
i=0; until [ $i -ge 3 ] || false; do i=$((i+1)); echo try $i; done

#### string contains
s='hello world'; case $s in *world*) echo yes;; esac; [[ $s == *lo\ wo* ]] && echo also

#### split a path
p=/a/b/c.d.e; echo ${p%/*} ${p##*/} ${p##*.} ${p%.*}

#### upper first letters
for w in alpha beta; do printf '%s ' "${w^}"; done; echo

#### reverse words
set -- a b c; r=; for x; do r="$x${r:+ $r}"; done; echo $r

#### max of list
m=0; for n in 3 9 4; do (( n > m )) && m=$n; done; echo $m

#### fibonacci
a=0 b=1; for ((i=0;i<10;i++)); do printf '%d ' $a; ((t=a+b, a=b, b=t)); done; echo

#### fizz
for i in {1..15}; do if ((i%15==0)); then echo FizzBuzz; elif ((i%3==0)); then echo Fizz; elif ((i%5==0)); then echo Buzz; else echo $i; fi; done | tail -4

#### strict mode
set -euo pipefail; IFS=$'\n\t'; x=$(printf 'a b\nc\n'); for l in $x; do echo "<$l>"; done

#### cleanup trap
d=$(mktemp -d); trap 'rm -rf "$d"; echo cleaned' EXIT; touch $d/x; ls $d

#### stderr message and exit
die() { echo "$*" >&2; exit 2; }; [ -f nothere ] || die missing; echo no

#### json by printf
printf '{"name": "%s", "n": %d}\n' 'a b' 5

#### csv columns
printf 'n,v\na,1\nb,2\n' | tail -n +2 | cut -d, -f2 | paste -sd+

#### comm of two lists
printf 'a\nb\n' > 1; printf 'b\nc\n' > 2; comm -12 1 2

#### unique counts
printf 'x\ny\nx\n' | sort | uniq -c | sort -rn | while read n w; do echo "$w:$n"; done

#### directory check and create
[ -d out ] || mkdir -p out/deep; [ -d out/deep ] && echo made

#### loop with index
i=0; for x in a b c; do echo "$((++i)). $x"; done

#### pad numbers
for i in 1 10 100; do printf '%03d\n' $i; done

#### nested functions and arrays
stack=(); push() { stack+=("$1"); }; pop() { echo "${stack[-1]}"; unset 'stack[-1]'; }; push a; push b; pop; echo ${#stack[@]}

#### menu by case
choose() { case ${1,,} in y|yes) echo ok;; n*) echo no;; ?) echo one;; *) echo many;; esac; }; choose YES; choose Nope; choose q; choose zzz

#### line numbers
printf 'a\nb\n' | { n=0; while read -r l; do n=$((n+1)); echo "$n: $l"; done; echo "total $n"; }

#### head and tail of a file
seq 10 > f; head -2 f; tail -1 f; sed -n '4,5p' f

#### quoted command in variable
cmd=(printf '%s|' 'a b' c); "${cmd[@]}"; echo

#### date arithmetic by numbers
h=7 m=5; printf '%02d:%02d\n' $((h+1)) $((m*2))

#### test and set
: "${CONFIG:=default}"; echo $CONFIG

#### tr and cut
echo 'Hello World' | tr 'a-z' 'A-Z' | cut -d' ' -f2

#### basename suffix
for f in a.sh b.sh; do basename "$f" .sh; done

#### until file exists
( sleep 0.05; touch flag ) & until [ -e flag ]; do sleep 0.02; done; wait; echo there
