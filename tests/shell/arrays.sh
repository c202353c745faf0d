# Cases of the shell corpus; see README.md.

#### basic
a=(x "y z" w); echo ${a[0]} "${a[1]}" ${#a[@]} "${a[*]}"

#### all elements
a=(1 "2 3" 4); printf '<%s>' "${a[@]}"; echo; printf '<%s>' ${a[@]}; echo

#### set and append
a[3]=d; a+=(e f); echo ${!a[@]} ${a[@]}; a[0]=z; echo ${a[@]}

#### negative index
a=(1 2 3); echo ${a[-1]} ${a[-2]}; a[-1]=9; echo ${a[@]}

#### unset element
a=(1 2 3); unset 'a[1]'; echo ${a[@]} ${#a[@]} ${!a[@]}; unset a; echo "<${a[@]}>"

#### slices
a=(a b c d e); echo ${a[@]:1:2} ${a[@]:3} ${a[@]: -2}

#### first element without index
a=(x y); echo $a; a=z; echo ${a[@]}

#### length of element
a=(abc de); echo ${#a[0]} ${#a[1]} ${#a}

#### copy
a=(1 "2 3"); b=("${a[@]}"); echo ${#b[@]} "${b[1]}"

#### loop over keys
a=(x y z); for i in "${!a[@]}"; do echo "$i=${a[$i]}"; done

#### operations on all
a=(one.c two.c); echo ${a[@]%.c} ${a[@]/o/0} ${a[@]^}

#### explicit indices
a=([2]=c [0]=a x); echo ${!a[@]} ${a[@]}

#### associative
declare -A m; m[k]=v; m["a b"]=c; echo ${m[k]} "${m[a b]}" ${#m[@]}

#### associative literal
declare -A m=([one]=1 [two]=2); for k in $(printf '%s\n' "${!m[@]}" | sort); do echo $k=${m[$k]}; done

#### associative with variable keys
declare -A m; k='x y'; m[$k]=1; m["$k"]+=2; echo "${m[$k]}"

#### associative unset
declare -A m=([a]=1 [b]=2); unset 'm[a]'; echo ${!m[@]} ${m[a]-gone}

#### is set
declare -A m=([a]=); [[ -v m[a] ]] && echo yes; [[ -v m[z] ]] || echo no

#### counting
declare -A c; for w in a b a c a; do c[$w]=$(( ${c[$w]:-0} + 1 )); done; echo ${c[a]} ${c[b]}

#### mapfile
mapfile -t l < <(printf 'a\nb c\n'); echo ${#l[@]} "${l[1]}"

#### mapfile from here-document
mapfile -t l <<X
1
2
X
echo ${l[0]}-${l[1]}

#### readarray keeps newlines
readarray l <<< "x"; printf '<%s>' "${l[0]}"

#### from command output
a=($(echo 1 2 3)); echo ${#a[@]}

#### read into array
read -a a <<< "x y z"; echo ${a[2]} ${#a[@]}

#### split by ifs
IFS=, read -ra p <<< "a,b,c"; echo "${p[@]}" ${#p[@]}

#### join
a=(1 2 3); IFS=-; echo "${a[*]}"

#### empty array
a=(); echo ${#a[@]} "${a[@]:-none}"; for x in "${a[@]}"; do echo never; done

#### index arithmetic
a=(5 6 7); i=1; echo ${a[i]} ${a[i+1]} ${a[$i-1]}

#### pass to function
f() { echo $#; }; a=("x y" z); f "${a[@]}"; f ${a[@]}; f "${a[*]}"

#### declare -p
declare -a a=(x "y z"); declare -p a; v='q"r'; declare -p v; declare -i n=5; declare -p n

#### multi-line
a=(
  one   # comment
  two
)
echo ${a[1]}

#### array in pipeline
a=(c a b); printf '%s\n' "${a[@]}" | sort | paste -sd' '

#### append to element
a=(x y); a[1]+=z; echo ${a[1]}

#### arithmetic on elements
a=(1 2); ((a[0]+=5)); let a[1]*=3; echo ${a[@]}

#### nested quoting in elements
x='a b'; a=("$x" '$x' "'$x'"); printf '<%s>' "${a[@]}"; echo
