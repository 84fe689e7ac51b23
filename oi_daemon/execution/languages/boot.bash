# A persistent bash that runs blocks: `bash boot.bash NONCE CONTROL ANSWERS SOURCE STATE INPUT [BLOCK]`.
#
# Over CONTROL, the daemon sends a block's number on a line; the block's text is in the file SOURCE.
# stdout and stderr are one pipe, with marks in it, `RS nonce KIND number US`, whose kind is L (this line
# is active), D (the control message with this number belongs here), X (the block's exit status) or E
# (the block has ended). Nothing is sent over ANSWERS: its descriptor is used for a copy of the pipe, and
# INPUT for one of the standard input, because a block may redirect 0, 1 and 2. A block that exits the
# shell writes its state to the file STATE; a new bash in the same process reads that, and begins by
# marking the end of that BLOCK.
# This runs under bash 3.2 too.
__oi_boot=$0 __oi_args=("${@:1:6}") __oi_nonce=$1 __oi_control=$2 __oi_output=$3
__oi_file=/dev/fd/$4 __oi_state=/dev/fd/$5 __oi_input=$6 __oi_user_exit= __oi_messages=0 __oi_rest=
BASH_ARGV0=bash
if [[ ! $7 ]]; then eval "exec $__oi_output>&1 $__oi_input<&0"; fi
shopt -s expand_aliases
set +H

__oi_mark() { printf '\x1e%s%s%d\x1f' "$__oi_nonce" "$1" "$2" >&"$__oi_output"; }

# Called before each command: mark its line, if it is in this block and not in a function that an
# earlier block defined. After an interrupt, the return code 2 makes bash leave all functions and files
# of the block. A trap takes much longer than a builtin command, so it is removed after 5,000 commands,
# and for a block that traces itself with `set -x`; an interrupt sets it again. The last argument is the
# user's `$_`, which bash sets to the last argument of each command: so it stays what it is.
__oi_debug() { # LINE FILE FUNCTION $_
  if ((__oi_interrupted)); then
    [[ $2 != "$__oi_boot" ]] && return 2
    return 0
  fi
  [[ ! $__oi_rest ]] || __oi_drop_rest
  if ((++__oi_count >= 5000)) || [[ $BASH_COMMAND == set\ -*x* ]]; then builtin trap - DEBUG; fi
  if [[ $1 != "$__oi_line" && $2 == "$__oi_file" && $BASH_COMMAND != "$__oi_source" ]]; then
    [[ $__oi_earlier == *$'\n'"$3"$'\n'* ]] && return 0
    __oi_line=$1
    __oi_mark L "$1"
  fi
  [[ $BASH_COMMAND != *read\ *-* ]] || __oi_ask
}
__oi_source='. "$__oi_file"' # what bash takes for the current command in the EXIT trap
__oi_trap='__oi_debug "$LINENO" "${BASH_SOURCE[0]}" "${FUNCNAME[0]-}" "$_"'

__oi_interrupt() {
  ((__oi_running)) || return 0
  __oi_interrupted=1
  builtin trap "$__oi_trap" DEBUG
}

# Called before a `read`: if it has a prompt or hides the input, request a line with that prompt, because
# bash itself shows it only on a terminal.
__oi_ask() {
  local prompt= password=false rest= option OPTARG OPTIND=1
  [[ $BASH_COMMAND =~ ^([A-Za-z_]+=[^\ ]*\ )?read\  && $BASH_COMMAND != *[\`\<\>]* ]] || return 0
  [[ -p /dev/fd/0 && /dev/fd/0 -ef /dev/fd/$__oi_input && $BASH_COMMAND != *'$('* ]] || return 0
  eval "set -- ${BASH_COMMAND#*read }"
  while getopts :ersa:d:i:n:N:p:t:u: option; do
    case $option in
      p) prompt=$OPTARG ;;
      s) password=true ;;
      n | N) rest=1 ;;
      t | u) return 0 ;;
    esac
  done
  [[ $prompt || $password == true ]] || return 0
  __oi_rest=$rest
  prompt=${prompt//\\/\\\\} prompt=${prompt//\"/\\\"} prompt=${prompt//[[:cntrl:]]/ }
  ((++__oi_messages))
  printf '{"number":%d,"input":"%s","password":%s,"stdin":true}\n' \
    "$__oi_messages" "$prompt" "$password" >&"$__oi_control"
  __oi_mark D "$__oi_messages"
}

# Drop the rest of a line of which a `read -n` has taken only some characters.
__oi_drop_rest() {
  read -r -t 1 -u "$__oi_input" __oi_rest
  __oi_rest=
}

# Replaces the builtin: the EXIT trap stays ours, and the user's is run when a block exits the shell.
trap() {
  builtin trap "$@" || return
  ((BASH_SUBSHELL == 0)) || return 0
  builtin trap -p EXIT >"$__oi_state"
  local set=
  IFS= read -r -d '' set <"$__oi_state" || :
  [[ $set == *__oi_exit* ]] && return 0
  __oi_user_exit=$set
  builtin trap "$__oi_on_exit" EXIT
}
__oi_on_exit='{ __oi_code=$?; set +eux; } 2>/dev/null; __oi_exit'

# Called for a signal that means a crash: say so, because the EXIT trap alone would exit in silence.
__oi_crash() { # SIGNAL
  printf '[The shell was killed (SIG%s). Its variables are kept.]\n' "$1" >&"$__oi_output"
  exit $((128 + $(kill -l "$1")))
}
for __oi_signal in ABRT BUS FPE ILL SEGV; do
  builtin trap "__oi_crash $__oi_signal" "$__oi_signal"
done

__oi_status() { return "$1"; }

# Called when a block exits the shell: by `exit`, by `set -e`, by an unset variable under `set -u`.
__oi_exit() {
  builtin trap - DEBUG EXIT
  eval "set -- $__oi_user_exit" # trap -- ACTION EXIT
  if [[ $3 ]]; then
    __oi_status "$__oi_code"
    (eval "$3") # it may exit
  fi
  {
    printf 'cd %q\n' "$PWD"
    declare -p | grep -avE '^declare -[^ ]*r|^declare -[^ ]+ (BASH|DIRSTACK|EPOCH|EUID|FUNCNAME|GROUPS|LINENO|PIPESTATUS|PPID|RANDOM|SECONDS|SHLVL|SRANDOM|UID|_=|__oi_)'
    declare -f | sed '/^__oi_[a-z]* ()/,/^}/d'
    alias -p
  } >"$__oi_state" 2>/dev/null
  exec <&"$__oi_input" >&"$__oi_output" 2>&1
  ((__oi_interrupted)) || __oi_mark X "$__oi_code"
  exec "$BASH" --noprofile --norc "$__oi_boot" "${__oi_args[@]}" "$__oi_id"
}

if [[ $7 ]]; then
  . "$__oi_state" 2>/dev/null
  __oi_mark E "$7"
fi
set --
while :; do
  read -r -u "$__oi_control" __oi_id || { (($? > 128)) && continue; break; }
  compgen -A function >"$__oi_state"
  IFS= read -r -d '' __oi_earlier <"$__oi_state" || :
  __oi_earlier=$'\n'$__oi_earlier
  __oi_interrupted=0 __oi_line= __oi_rest= __oi_count=0 __oi_running=1
  builtin trap "$__oi_on_exit" EXIT
  builtin trap __oi_interrupt INT
  shopt -s extdebug
  set -T
  builtin trap "$__oi_trap" DEBUG
  . "$__oi_file"
  { __oi_code=$?; set +Teux; } 2>/dev/null
  builtin trap - DEBUG
  __oi_running=0
  shopt -u extdebug
  exec <&"$__oi_input" >&"$__oi_output" 2>&1
  ((__oi_interrupted)) || __oi_mark X "$__oi_code"
  __oi_mark E "$__oi_id"
done
builtin trap - EXIT
