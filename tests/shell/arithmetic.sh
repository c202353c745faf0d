# Cases of the shell corpus; see README.md.

#### operators
echo $((7+3)) $((7-3)) $((7*3)) $((7/3)) $((7%3)) $((2**10)) $((-7/2)) $((-7%3))

#### comparison
echo $((1<2)) $((2<=2)) $((3>4)) $((4>=4)) $((1==1)) $((1!=1))

#### logic
echo $((1&&0)) $((1||0)) $((!0)) $((!5)) $((1&&2&&3))

#### bits
echo $((6&3)) $((6|3)) $((6^3)) $((~5)) $((1<<4)) $((256>>2)) $((-1>>1))

#### precedence
echo $((1+2*3)) $(((1+2)*3)) $((2*3**2)) $((1<<2+1)) $((5&3==3)) $((2-3-4)) $((2**3**2))

#### conditional
x=5; echo $((x>3?1:2)) $((x<3?1:x<6?7:8))

#### assignment
echo $((x=5)) $x $((x+=3)) $x $((x*=2)) $((x-=1)) $((x/=3)) $((x%=3)) $((x<<=3)) $((x|=1)) $((x&=6)) $((x^=1))

#### increment
x=5; echo $((x++)) $x $((++x)) $x $((x--)) $((--x)) $x

#### bases
echo $((0x1f)) $((017)) $((2#1010)) $((16#ff)) $((36#z)) $((64#_))

#### variables without dollar
a=3 b=a; echo $((a+b)) $((b*2)) $(($a+1)) $((nothing+1))

#### expression in variable
e='1+2'; echo $((e*2)) $(($e*2))

#### comma
echo $((1,2,3)) $((a=1,b=a+1,b*10))

#### overflow wraps
echo $((9223372036854775807+1)) $((-9223372036854775808))

#### division by zero
echo $((1/0)); echo same line
echo next line $?

#### not evaluated side
x=1; echo $((0&&x++)) $((1||x++)) $((1?2:x++)) $x

#### double parentheses command
((1+1)); echo $?; ((0)); echo $?; x=3; ((x++)); echo $x; ((x>3)) && echo yes

#### let
let x=1+2 'y = x * 2'; echo $x $y $?; let 0; echo $?

#### array elements
a=(1 2 3); echo $((a[0]+a[2])) $((a[1]*=5)) ${a[1]}; i=2; echo $((a[i])) $((a[i-1]))

#### white space
echo $((  1   +   2  )) $((
3
))

#### quotes are ignored
echo $(("1" + 2)) 

#### syntax error
echo $((1+)); echo not here

#### unary signs
echo $((- -3)) $((-+2)) $((+4)) $((-(-5))) $((3 - -2))

#### nested expansions
x=4; echo $(( $(echo 3) + ${x} + `echo 1` ))

#### negative exponent is an error
echo $((2**-1)); echo no

#### ternary with assignment
x=2; echo $((x==2 ? (y=7) : 0)) $y

#### octal digit error
echo $((08)); echo no

#### in c for
for ((i=0, j=10; i<3; i++, j--)); do echo $i $j; done

#### integer attribute
declare -i n=2+3; n+=4; echo $n; n='n*2'; echo $n

#### hex upper
echo $((0XFF)) $((16#Ff))

#### large shift
echo $((1<<62)) $((1<<63))

#### empty expression
echo $(( )) 

#### compare strings of digits
a=10 b=9; (( a > b )) && echo bigger
