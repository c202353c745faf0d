# Cases of the shell corpus; see README.md.

#### out and append
echo a > f; echo b >> f; cat f; echo c > f; cat f

#### in
printf '1\n2\n' > f; cat < f; wc -l < f

#### stderr
ls nothere 2> e; echo $?; wc -l < e

#### stderr to stdout
{ echo out; echo err >&2; } 2>&1 | sort

#### order matters
{ echo out; echo err >&2; } 2>&1 > f; echo --; cat f

#### both
{ echo o; echo e >&2; } &> f; sort f; { echo o2; echo e2 >&2; } &>> f; sort f

#### both old style
{ echo o; echo e >&2; } >& f; sort f

#### clobber operator
set -C; echo a > f; echo b > f; echo $?; echo c >| f; cat f

#### numbered
exec 3> f; echo a >&3; echo b >&3; exec 3>&-; cat f

#### numbered input
printf 'a\nb\nc\n' > f; exec 4< f; read x <&4; read y <&4; echo $x $y; exec 4<&-

#### swap
f() { echo out; echo err >&2; }; f 3>&1 1>&2 2>&3 3>&- 2>/dev/null

#### closed output
echo a >&-; echo "status $?"

#### bad descriptor
echo a >&7; echo $?

#### missing file
cat < nothere; echo $?

#### missing directory
echo a > nodir/f; echo $?

#### into a directory
mkdir d; echo a > d; echo $?

#### dev null
echo a > /dev/null; cat < /dev/null; ls nothere 2>/dev/null; echo $?

#### here-document
cat <<X
a $((1+1)) $HOME
  b
X

#### here-document quoted
cat <<'X'
a $((1+1)) $HOME \n `x`
X

#### here-document with tabs
cat <<-X
	a
		b
	X

#### here-document escapes
x=1; cat <<X
\$x $x \\ \` "q" 'q' \a
X

#### two here-documents
cat <<A; cat <<B
a
A
b
B

#### here-document in loop
for i in 1 2; do cat <<X
i=$i
X
done

#### here-document to pipeline
cat <<X | tr a-z A-Z
hello
X

#### here-document with command substitution
cat <<X
$(echo a; echo b) `echo c`
X

#### here-string
cat <<< "a b"; x=1; cat <<< $x; wc -c <<< abc

#### read from here-string
read a b <<< "x y z"; echo $a; echo $b

#### redirection before command
> f echo hi; cat f; < f cat

#### redirection only
> f; ls f; wc -c < f

#### redirected group
{ echo a; cat; } <<< in > f; cat f

#### redirected subshell
(echo a; echo b) > f; cat f

#### redirected if and while
if true; then echo x; fi > f; while read l; do echo "<$l>"; done < f

#### variable file name
n=my.txt; echo a > $n; cat "$n"; echo b > "a b"; cat "a b"

#### ambiguous
x="a b"; echo hi > $x; echo $?

#### append creates
echo a >> new; cat new

#### both directions
echo hello > f; cat <> f

#### exec redirects the rest
exec > f; echo hidden; exec >&2; cat f >/dev/null; echo x 2>/dev/null >/dev/null

#### stderr kept apart in substitution
x=$(ls nothere 2>&1 >/dev/null); [ -n "$x" ] && echo got

#### here-document empty
cat <<X
X
echo end

#### moved descriptor
exec 3> f; echo a >&3-; echo b 1>&3; exec 3>&-; cat f

#### reads share one position
printf '1\n2\n3\n' > f; { read a; read b; cat; } < f; echo $a $b

#### program and builtin share one position
{ echo a; ls -d .; echo b; } > f; cat f

#### many redirections of one command
echo x > a > b > c; cat c; wc -c < a

#### dev stdout and stderr
echo a > /dev/stdout; echo b > /dev/stderr

#### failed redirection stops a builtin
echo no > nodir/x && echo yes; echo $?

#### unterminated line in here-document loop
while read -r line || [ -n "$line" ]; do echo "[$line]"; done <<< 'a\b c'
