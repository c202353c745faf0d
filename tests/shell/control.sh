# Cases of the shell corpus; see README.md.

#### if
if true; then echo a; fi; if false; then echo b; else echo c; fi

#### elif
x=2; if [ $x = 1 ]; then echo one; elif [ $x = 2 ]; then echo two; else echo many; fi

#### if status
if false; then :; fi; echo $?

#### and or
true && echo a; false && echo b; false || echo c; true || echo d; false || false || echo e; true && false || echo f

#### not
! true; echo $?; ! false; echo $?; if ! false; then echo yes; fi

#### while
i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done

#### until
i=3; until [ $i -eq 0 ]; do echo $i; i=$((i-1)); done

#### for list
for x in a "b c" d; do echo "<$x>"; done

#### for positional
set -- x "y z"; for a; do echo "<$a>"; done; for a in "$@"; do echo "[$a]"; done

#### for nothing
for x in $nothing; do echo never; done; echo $?

#### for over braces and globs
touch b.txt a.txt; for f in *.txt {1..2}; do echo $f; done

#### for newline before do
for x in 1 2
do
  echo $x
done

#### break and continue
for i in 1 2 3 4 5; do if [ $i = 2 ]; then continue; fi; if [ $i = 4 ]; then break; fi; echo $i; done

#### break two levels
for i in 1 2; do for j in a b; do echo $i$j; break 2; done; done; echo end

#### continue two levels
for i in 1 2; do for j in a b; do echo $i$j; continue 2; done; done

#### break from while true
i=0; while true; do i=$((i+1)); [ $i -gt 3 ] && break; done; echo $i

#### while reads lines
printf 'a b\nc d\n' | while read x y; do echo "$y $x"; done

#### case
for x in apple banana cherry 7; do case $x in a*) echo A;; b*|c*) echo BC;; [0-9]) echo digit;; *) echo other;; esac; done

#### case quoted pattern
x='*'; case abc in "$x") echo literal;; $x) echo pattern;; esac

#### case with parentheses
case x in (x) echo yes;; esac

#### case falls through
case a in a) echo 1;& b) echo 2;; c) echo 3;; esac; case a in a) echo 1;;& [a-z]) echo 2;; *) echo 3;; esac

#### case without match
case x in y) echo no;; esac; echo $?

#### case empty body
case x in x) ;; esac; echo $?

#### case on separate lines
case "$(echo b)" in
  a)
    echo A
    ;;
  b)
    echo B
    ;;
esac

#### group
{ echo a; echo b; } | cat; { echo c; }

#### subshell keeps variables apart
x=1; (x=2; echo $x); echo $x

#### subshell keeps directory apart
mkdir d; (cd d; pwd); pwd

#### subshell status
(exit 5); echo $?; (false); echo $?

#### exit in subshell
(echo a; exit 3; echo b); echo $?

#### exit ends
echo a; exit 7; echo b

#### exit status of last
false; exit

#### nested loops
for i in 1 2; do for j in a b; do printf '%s%s ' $i $j; done; done; echo

#### while with pipeline condition
i=0; while echo $i | grep -q '[0-2]'; do i=$((i+1)); done; echo $i

#### loop output redirected
for i in 1 2 3; do echo $i; done > f; cat f

#### loop input redirected
printf '1\n2\n' > f; while read x; do echo "got $x"; done < f

#### until with break status
until false; do break; done; echo $?

#### semicolon after do newline
for i in 1
do
echo $i
done; echo after

#### multi-line and or
true &&
echo a ||
echo b

#### if with several commands
if false; true; then echo yes; fi

#### case in loop with continue
for i in a b c; do case $i in b) continue;; esac; echo $i; done

#### select of nothing in for
for i in; do echo x; done; echo none

#### deep nesting
if true; then if true; then while true; do for i in 1; do case 1 in 1) { (echo deep); };; esac; done; break; done; fi; fi

#### c for without parts
i=0; for ((;;)); do ((i++ >= 3)) && break; done; echo $i

#### colon and true
:; echo $?; : a b c; while :; do break; done

#### exit code of list
true; false; echo $?

#### async then wait
sleep 0.05 & wait; echo done

#### background status
(exit 3) & wait $!; echo $?

#### background output
{ echo from background; } & wait; echo end
