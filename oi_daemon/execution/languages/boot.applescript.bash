# Runs blocks of AppleScript: `bash applescript.bash NONCE CONTROL SOURCE`.
#
# CONTROL gives a block's number a line; its text is in the file SOURCE. Each block is a script of its
# own, run by an osascript of its own, which an interrupt ends. The mark L with no line says that it
# has begun, E that it has ended.
nonce=$1 control=$2 source=/dev/fd/$3

mark() { printf '\x1e%s%s%d\x1f' "$nonce" "$1" "$2"; }

trap : INT # and not '', which osascript would inherit
while :; do
  read -r -u "$control" number || { (($? > 128)) && continue; break; }
  mark L 0
  osascript <"$source" 2>&1
  mark E "$number"
done
