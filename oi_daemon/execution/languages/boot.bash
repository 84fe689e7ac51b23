# A persistent bash that runs blocks: `bash boot.bash NONCE CONTROL ANSWERS SOURCE STATE INPUT [BLOCK]`.
#
# CONTROL gives a block's number a line; its text is in the file SOURCE. Nothing comes over ANSWERS:
# its descriptor keeps the pipe, whatever a block does to 1 and 2, as that of INPUT keeps the standard
# input. stdout and stderr are that one pipe; marks in it, `RS nonce KIND number US`, say which line is active (L) and that a block has
# ended (E). A block that exits the shell hands its state, in the file STATE, to a fresh bash in the
# same process, which starts by ending that BLOCK. Runs under bash 3.2 too.
__oi_boot=$0 __oi_args=("${@:1:6}") __oi_nonce=$1 __oi_control=$2 __oi_output=$3
__oi_file=/dev/fd/$4 __oi_state=/dev/fd/$5 __oi_input=$6 __oi_user_exit= __oi_notices=0 __oi_rest=
BASH_ARGV0=bash
if [[ ! $7 ]]; then eval "exec $__oi_output>&1 $__oi_input<&0"; fi
shopt -s expand_aliases
set +H

__oi_mark() { printf '\x1e%s%s%d\x1f' "$__oi_nonce" "$1" "$2" >&"$__oi_output"; }

# Before each command: mark its line, if it is one of this block and not of a function that an
# earlier block defined. After an interrupt, 2 makes bash leave all that the block has entered. A
# trap costs much more than a builtin command, so after a while the hot loop goes on without; so does
# a block that has itself traced. An interrupt sets it again. The last argument is the user's `$_`,
# and so stays what it is.
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
__oi_source='. "$__oi_file"' # the current command, for bash, in the EXIT trap
__oi_trap='__oi_debug "$LINENO" "${BASH_SOURCE[0]}" "${FUNCNAME[0]-}" "$_"'

__oi_interrupt() {
  ((__oi_running)) || return 0
  __oi_interrupted=1
  builtin trap "$__oi_trap" DEBUG
}

# Before a `read` from the block's own input: bash shows its prompt on a terminal only, so ask with it.
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
  ((++__oi_notices))
  printf '{"number":%d,"input":"%s","password":%s,"stdin":true}\n' \
    "$__oi_notices" "$prompt" "$password" >&"$__oi_control"
  __oi_mark D "$__oi_notices"
}

# What a `read` of some characters, which asked, has left of the line that it was answered with.
__oi_drop_rest() {
  read -r -t 1 -u "$__oi_input" __oi_rest
  __oi_rest=
}

# The EXIT trap is ours. The user's is kept, and run when a block leaves the shell.
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

# A signal that stands for a crash would leave the shell by the EXIT trap as well, without a word.
__oi_crash() { # SIGNAL
  printf '[The shell was killed (SIG%s). Its variables are kept.]\n' "$1" >&"$__oi_output"
  exit
}
for __oi_signal in ABRT BUS FPE ILL SEGV; do
  builtin trap "__oi_crash $__oi_signal" "$__oi_signal"
done

__oi_status() { return "$1"; }

# The block has left the shell: `exit`, `set -e`, an unset variable under `set -u`.
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
  { set +Teux; } 2>/dev/null
  builtin trap - DEBUG
  __oi_running=0
  shopt -u extdebug
  exec <&"$__oi_input" >&"$__oi_output" 2>&1
  __oi_mark E "$__oi_id"
done
builtin trap - EXIT
