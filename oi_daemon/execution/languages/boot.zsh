# What zsh runs: `zsh -f boot.zsh NONCE CONTROL ANSWERS SOURCE [LEFT OUTPUT INPUT]`. For each line of the control socket, a
# block's number, it runs the code in the file SOURCE, and writes marks, see `marks.py`. LEFT is the file
# in which a zsh that a block has left has kept its state, OUTPUT and INPUT are its descriptors.
# The block is evaluated within a sourced file, which keeps its `break` from our loop.

typeset -g __oi_nonce=$1 __oi_control=$2 __oi_source=$4 __oi_left=${5-} __oi_boot=$0 __oi_number= __oi_code= __oi_status=0
typeset -g __oi_answers=$3 __oi_output=${6-} __oi_input=${7-}
[[ -n $__oi_left ]] || exec {__oi_output}>&1 {__oi_input}<&0 {__oi_answers}<&-
set --

# before each command: the lines of functions are those of the line that calls them
__oi_line='[[ $ZSH_EVAL_CONTEXT != toplevel:file:eval:trap ]] || builtin printf "\x1e${__oi_nonce}L%d\x1f" $LINENO >&$__oi_output'

__oi_end() { # the block has ended
  builtin printf '\x1e%sX%d\x1f\x1e%sE%d\x1f' $__oi_nonce $1 $__oi_nonce $__oi_number >&$__oi_output
}

__oi_leave() { # a block leaves the shell: a new zsh in the same process goes on with its state
  { local __oi_exit=$?; ((ZSH_SUBSHELL == 0)) || return; trap - DEBUG; unsetopt xtrace verbose errexit nounset } 2>/dev/null
  local __oi_kept=$(command mktemp) __oi_name
  {
    builtin print -r -- "__oi_status=$__oi_exit __oi_number=$__oi_number"
    for __oi_name in ${(k)parameters}; do
      [[ ${parameters[$__oi_name]} == *(local|special)* || $__oi_name == __oi_* ]] || typeset -p -- $__oi_name
    done
    for __oi_name in ${(k)functions}; do
      [[ $__oi_name == __oi_* ]] || builtin print -r -- "functions[$__oi_name]=${(qq)functions[$__oi_name]}"
    done
    alias -L; alias -gL; alias -sL
    for __oi_name in ${(k)options[(R)on]}; do builtin print -r -- "setopt $__oi_name"; done
  } >$__oi_kept 2>/dev/null
  exec zsh -f $__oi_boot $__oi_nonce $__oi_control - $__oi_source $__oi_kept $__oi_output $__oi_input <&$__oi_input >&$__oi_output 2>&1
}
zshexit_functions=(__oi_leave) # not for `set -e`, which runs the trap alone
TRAPEXIT() { __oi_leave }
TRAPINT() { return 130 }
setopt debug_before_cmd

if [[ -n $__oi_left ]]; then
  source $__oi_left 2>/dev/null
  command rm -f -- $__oi_left
  __oi_end $__oi_status
fi

while builtin read -r -u $__oi_control __oi_number; do
  __oi_code=$(</dev/fd/$__oi_source)
  { source ${__oi_boot:h}/block.zsh } always { __oi_status=$?; (( TRY_BLOCK_INTERRUPT = 0, TRY_BLOCK_ERROR = 0 )) }
  { trap - DEBUG; TRAPEXIT() { __oi_leave }; unsetopt xtrace verbose errexit nounset } 2>/dev/null
  exec <&$__oi_input >&$__oi_output 2>&1
  __oi_end $__oi_status
done
zshexit_functions=()
trap - EXIT
