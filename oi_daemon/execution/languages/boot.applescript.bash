# Runs blocks of AppleScript: `bash applescript.bash NONCE CONTROL SOURCE`.
#
# Over CONTROL, the daemon sends a block's number on a line; the block's text is in the file SOURCE. Each
# block is run by a new osascript, which an interrupt ends. A mark L with the line 0 says that the block
# has begun, a mark X its exit status, a mark E that it has ended.
nonce=$1 control=$2 source=/dev/fd/$3

mark() { printf '\x1e%s%s%d\x1f' "$nonce" "$1" "$2"; }

trap : INT # not '', because osascript would inherit that and ignore an interrupt
while :; do
  read -r -u "$control" number || { (($? > 128)) && continue; break; }
  mark L 0
  osascript <"$source" 2>&1
  mark X $?
  mark E "$number"
done
