# Cases of the shell corpus; see README.md.

#### star
touch a.txt b.txt c.md; echo *.txt *

#### question and class
touch a1 a2 ab; echo a? a[0-9] a[!0-9] a[[:alpha:]]

#### no match stays
echo *.none "[x]"

#### quoted is literal
touch a b; echo "*" '*' \*

#### hidden files
touch .h v; echo *; echo .h*

#### directories
mkdir -p d/e; touch d/1 d/e/2; echo d/* */e */*/2 d/

#### in variables
touch x.c y.c; p='*.c'; echo $p "$p"

#### partly quoted
touch 'a b.txt' ab.txt; for f in "a "*.txt; do echo "<$f>"; done

#### nullglob
shopt -s nullglob; echo a *.none b

#### dotglob
shopt -s dotglob; touch .a b; echo *

#### globstar
shopt -s globstar; mkdir -p d/e; touch d/1.c d/e/2.c 0.c; echo **/*.c; echo d/**

#### noglob
set -f; touch a; echo *; set +f; echo *

#### extglob
shopt -s extglob
touch a.c b.c c.h d.o
echo !(*.c) @(a|b).c *.@(c|h)

#### trailing slash
mkdir d1 d2; touch f; echo */

#### sorted
touch B a C b; LC_ALL=C; echo *

#### range
touch a b c d; echo [b-c] [!a-b]

#### bracket as text
touch '[a]'; echo [[]a] '[a]'

#### for over files with spaces
touch 'x y' 'z w'; for f in *; do echo "<$f>"; done

#### in assignment no expansion
touch a b; x=*; echo "$x"

#### in case no files
touch abc; case abc in a*) echo m;; esac

#### failglob
shopt -s failglob
echo *.none
echo "status $?"

#### dot and parent
mkdir d; touch d/x; cd d; echo ./* ../d/*

#### absolute
touch q; for f in "$PWD"/*; do basename "$f"; done

#### class with caret
touch a1 ab; echo a[^0-9]

#### escaped in class
touch 'a-b' 'a]b'; echo a[-]b a[]]b

#### glob after brace
touch a1 b1 a2; echo {a,b}[0-9]

#### glob in array
touch 1.x 2.x; a=(*.x); echo ${#a[@]} ${a[1]}

#### glob in here-string is text
touch a; cat <<< *
