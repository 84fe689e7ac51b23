# A persistent bash that runs blocks: `bash boot.bash NONCE CONTROL ANSWERS SOURCE STATE [BLOCK]`.
#
# CONTROL gives a block's number a line; its text is in the file SOURCE. Nothing comes over ANSWERS:
# its descriptor keeps the pipe, whatever a block does to 1 and 2. stdout and stderr are that one
# pipe; marks in it, `RS nonce KIND number US`, say which line is active (L) and that a block has
# ended (E). A block that exits the shell hands its state, in the file STATE, to a fresh bash in the
# same process, which starts by ending that BLOCK. Runs under bash 3.2 too.
__oi_boot=$0 __oi_args=("${@:1:5}") __oi_nonce=$1 __oi_control=$2 __oi_output=$3
__oi_file=/dev/fd/$4 __oi_state=/dev/fd/$5
BASH_ARGV0=bash
eval "exec $__oi_output>&1"
shopt -s expand_aliases
set +H

__oi_mark() { printf '\x1e%s%s%d\x1f' "$__oi_nonce" "$1" "$2" >&"$__oi_output"; }

# Before each command: mark its line, if it is one of this block and not of a function that an
# earlier block defined. After an interrupt, 2 makes bash leave all that the block has entered. A
# trap costs much more than a builtin command, so after a while the hot loop goes on without; an
# interrupt sets it again. The last argument is the user's `$_`, and so stays what it is.
__oi_debug() { # LINE FILE FUNCTION $_
  if ((__oi_interrupted)); then
    [[ $2 != "$__oi_boot" ]] && return 2
    return 0
  fi
  ((++__oi_count < 10000)) || trap - DEBUG
  [[ $1 == "$__oi_line" || $2 != "$__oi_file" || $BASH_COMMAND == "$__oi_source" ]] && return 0
  [[ $__oi_earlier == *$'\n'"$3"$'\n'* ]] && return 0
  __oi_line=$1
  __oi_mark L "$1"
}
__oi_source='. "$__oi_file"' # the current command, for bash, in the EXIT trap
__oi_trap='__oi_debug "$LINENO" "${BASH_SOURCE[0]}" "${FUNCNAME[0]-}" "$_"'

__oi_interrupt() {
  ((__oi_running)) || return 0
  __oi_interrupted=1
  trap "$__oi_trap" DEBUG
}

# The block has left the shell: `exit`, `set -e`, an unset variable under `set -u`.
__oi_exit() {
  trap - DEBUG
  {
    printf 'cd %q\n' "$PWD"
    declare -p | grep -avE '^declare -[^ ]*r|^declare -[^ ]+ (BASH|DIRSTACK|EPOCH|EUID|FUNCNAME|GROUPS|LINENO|PIPESTATUS|PPID|RANDOM|SECONDS|SHLVL|SRANDOM|UID|_=|__oi_)'
    declare -f | sed '/^__oi_[a-z]* ()/,/^}/d'
    alias -p
  } >"$__oi_state" 2>/dev/null
  exec 1>&"$__oi_output" 2>&1
  exec "$BASH" --noprofile --norc "$__oi_boot" "${__oi_args[@]}" "$__oi_id"
}

if [[ $6 ]]; then
  . "$__oi_state" 2>/dev/null
  __oi_mark E "$6"
fi
set --
while :; do
  read -r -u "$__oi_control" __oi_id || { (($? > 128)) && continue; break; }
  compgen -A function >"$__oi_state"
  IFS= read -r -d '' __oi_earlier <"$__oi_state"
  __oi_earlier=$'\n'$__oi_earlier
  __oi_interrupted=0 __oi_line= __oi_count=0 __oi_running=1
  trap __oi_exit EXIT
  trap __oi_interrupt INT
  shopt -s extdebug
  set -T
  trap "$__oi_trap" DEBUG
  . "$__oi_file"
  trap - DEBUG
  __oi_running=0
  shopt -u extdebug
  set +Teux
  exec 1>&"$__oi_output" 2>&1
  __oi_mark E "$__oi_id"
done
trap - EXIT
