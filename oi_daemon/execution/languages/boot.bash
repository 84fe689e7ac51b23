# What a bash runs besides the blocks, in parts: each begins with `### name`. `shell_script.py` fills in
# the words in at-signs, which are quoted where they need to be.
#
# Bash reads a script, named "bash", that never ends: before each block, the daemon appends `before` to it,
# then the block, then `after`, whose last line waits for the next block. So a block is run as the script
# that it is, and nothing stands around it: no loop, no function, no `.`. Between its commands, only traps
# run. They need no functions, and the one variable (__oi) and the option -T are hidden from commands that
# would show them. Names that begin with __oi_ are variables that are unset before the block goes on.
# `\builtin` is said because a block may define functions and aliases.
#
# stdout and stderr are one pipe, with marks in it, see `marks.py`. Descriptors: 250 is that pipe, 251 the
# standard input and 252 the control socket, because a block may redirect 0, 1 and 2.
# This is written for bash 3.2 too.

### start
\exec 250>&1 251<&0 252<&@CONTROL@ @CONTROL@<&- @ANSWERS@<&- @SCRIPT@<&-
\builtin cd -- @CWD@; \builtin unset OLDPWD
\builtin set +o posix; \builtin shopt -s expand_aliases
@READY@
\builtin trap : INT; @WAIT@

### ready: the traps that stay from block to block. After EXIT, bash would handle crashes of subshells otherwise.
@CRASHES@
\builtin trap -- @LEAVE@ EXIT

### crash: for a signal that means a crash; the EXIT trap alone would exit in silence
\builtin printf "[The shell was killed (SIG@SIGNAL@). Its variables are kept.]\n" >&250; \builtin exit $((128 + $(\builtin kill -l @SIGNAL@)))

### wait: for a line from the daemon, which has appended a block before; at end of file the daemon is gone
until \builtin read -r -u 252 _; do (($? > 128)) || { \builtin trap - EXIT; \builtin exit; }; done

### reset: an error while it assigns to LINENO is what makes bash count on from there; the block begins at line 1
{ : $((LINENO = -@LINES@, 1 / 0)); } 2>/dev/null

### before
__oi=(0 [5]=@LOOK@); [[ -s @FOLDER@/return ]] || \builtin set -T; \builtin trap -- @INTERRUPT@ INT
\builtin eval @BEGIN@"$__oi_status" && :

### begin: what `before` does last; it leaves the exit status of the block before
\builtin unset __oi_status; \builtin trap -- @DEBUG@ DEBUG;

### after: an empty line comes first, in case the block ends with a backslash. There are no quotes, and all
# brackets are closed, so that what a block leaves open stays open, and is an error.
{ __oi_status=$? __oi_number=@NUMBER@; \builtin trap : INT; \builtin trap - DEBUG; \builtin set +Teuxvn; \builtin set +o posix; IFS= \builtin read -rd \~ __oi_code <@FOLDER@/after; } @HUSH@>/dev/null 2>&1; \exec <&251 >&250 2>&1; \builtin eval \\builtin\ eval\ \"\$__oi_code\"

### after_all: what `after` does last
[[ ${__oi-} == stopped ]] || \builtin printf '\x1e@NONCE@X%d\x1f' "$__oi_status"
\builtin shopt -u extdebug; @COOL@
\builtin unset __oi __oi_code
if ((__oi_status)); then __oi_status="(exit $__oi_status) && :"; else __oi_status=; fi
@END@

### end: of a block, also after it has left the shell
\builtin trap : INT
\builtin printf '\x1e@NONCE@E%d\x1f' "$__oi_number"; \builtin unset __oi_number
@WAIT@

### debug: before each command. Mark its line, or look closer at a command that may concern us (`look`).
# Most of the time that this takes is spent on parsing it, so it is short. It is a list, because bash closes
# the pipes of `<(...)` after a command that is in none.
case $BASH_COMMAND in ex*|se*|ty*|de*|*[-pP!D]*) ! __oi[6]=$? __oi[3]=${_-};; *) ((++__oi<5001));; esac && @SHOW@ || { \builtin eval "${__oi[5]}"; : "${__oi[3]-}"; ! [[ ${__oi[2]-} ]]; }

### look: the same for a command that may concern us, with `watch` for one that does.
# A trap takes much longer than a builtin command, so it is removed after 5,000 commands (`hot`).
if case $BASH_COMMAND in
\\builtin\ trap*) ;;
exit*|exec\ *|*trap*|*read\ *-[ps]*|*read\ *-?[ps]*|*read\ *-??[ps]*|set*|*\ -p*|declare|declare\ -?|typeset|typeset\ -?|*compgen*|*shopt*|*\$-*|*\$\{[-!]*|*\$\{\#-*|*SHELLOPTS*|*XTRACEFD*) ! :;;
*) ((__oi > 5000 ? 0 : ++__oi < 5001));;
esac; then @SHOW@; else __oi_status=${__oi[6]-$?}; IFS= \builtin read -rd "" __oi_code <@FOLDER@/watch || \builtin eval "$__oi_code"; fi

### show: mark the line that runs. The last argument is the user's `$_`, which bash sets to the last one of each command.
if [[ @SHOWN@ ]]; then \builtin printf "\x1e@NONCE@L%d\x1f%.0s" "${LINENO#-}" "${_-}" >&250; fi

### block: what the rest must know of the block that runs
__oi_number=@NUMBER@ __oi_debug=@DEBUG@ __oi_look=@LOOK@ __oi_show=@SHOW@

### read_block
IFS= \builtin read -rd '' __oi_code <@FOLDER@/block || :; \builtin eval "$__oi_code"

### interrupt: for SIGINT. End a `read`, and skip what is left of the block.
{ \exec </dev/null; \builtin shopt -s extdebug; \builtin set -T; __oi[0]=0; \builtin trap -- @SKIP@ DEBUG; } 2>&-

### skip: a DEBUG trap that skips all commands, until `after` begins, or until its second command
{ case $BASH_COMMAND in __oi_status=\$\?\ * | \\builtin\ trap\ :\ INT) \builtin trap - DEBUG; __oi[0]=stopped;; *) @SKIP_ONE@;; esac; } 2>&-

### skip_one: leave all loops, and skip the command: with extdebug, a status of 1 does that. A `for` and a `select`
# must not be skipped, or they go on with the next word; after a `break`, nothing follows that would skip them.
# A `for ((` ends by being skipped, and a `break` would end another loop; a `while ((` needs the `break`.
case $BASH_COMMAND in
for\ *|select\ *) \builtin break 9999; ! :;;
\(\(*) if ((++__oi > 20)); then \builtin break 9999; fi; ! :;;
*) ! \builtin break 9999;;
esac

### leave_trap: for EXIT. The user's own action is kept before it, as a comment. Many empty lines stand
# between, because bash runs a DEBUG trap before these commands too, but with the command that was run last.
{ __oi_left=$?;
\builtin trap - DEBUG; \builtin set +xv; } 2>/dev/null; . @FOLDER@/leave

### leave: the shell exits. A new bash in the same process gets its state, as the script that it reads.
\builtin trap - RETURN ERR
\builtin trap : INT
\builtin set +Teuvn
__oi_do=leave
@FIND_ACTIONS@
if [[ $__oi_exit ]]; then
  (\builtin eval "(exit $__oi_left)"$'\n'"$__oi_exit"; \builtin exit "$__oi_left")
  __oi_left=$?
fi
@READ_BLOCK@
\builtin printf -v __oi_left_as '__oi_status="(exit %d) && :" __oi_number=%d' "$__oi_left" "$__oi_number"
\builtin trap - EXIT INT ABRT BUS FPE ILL SEGV
\builtin set +o posix
@COOL@
\builtin printf '\x1e@NONCE@X%d\x1f' "$__oi_left" >&250
\builtin shopt -u extdebug
{
  \builtin printf '#%8191s\n\\exec 2>/dev/null\n\\builtin cd -- %q\n' '' "$PWD"
  \builtin shopt -p
  \builtin declare -p
  \builtin declare -f
  \builtin declare -Fx
  \builtin alias -p
  \builtin trap -p
  \builtin printf '\\builtin set --'
  (($# == 0)) || \builtin printf ' %q' "$@"
  \builtin printf '\n\\builtin unset "${!__oi@}"\n\\exec 2>&1\n'
  IFS= \builtin read -rd '' __oi_code <@FOLDER@/end
  \builtin printf '%s\n%s\n' "$__oi_left_as" "$__oi_code"
} >|@FOLDER@/bash 2>/dev/null
\exec <&251 >&250 2>&1
\builtin cd -- @FOLDER@ && \exec "$BASH" --noprofile --norc bash

### watch: a command that may concern us. It is joined to one line too, and so are its parts that follow.
# exit, exec: leave all functions first, because their variables are not to be kept; then exit
# trap: done by us, and ours are put back, with the new actions in them
# debug: the user's own DEBUG trap replaces ours, or would print it (set -v), until the block ends
# list: shows the user's traps only
# hide: the command sees a shell without us; the next one brings us back
# __oi[2] says that the command is to be skipped. BASH_COMMAND is another one in a subshell.
@READ_BLOCK@; \builtin eval "$__oi_show";
\builtin unset __oi_code; ((++__oi)); __oi_do= __oi_command=$BASH_COMMAND;
case $__oi_command in
exit | exit\ *) ((BASH_SUBSHELL)) || [[ ! ${FUNCNAME-} ]] || __oi_do=exit ;;
exec\ [!-]* | exec\ -[acl]*)
  if ((!BASH_SUBSHELL)) && { ! \builtin shopt -q execfail || (@IS_FOUND@) 2>/dev/null; }; then
    __oi_do=${__oi_command#exec };
    case ${__oi_do#"${__oi_do%%[!0-9]*}"} in [\<\>\&{]*) __oi_do= ;; *) __oi_do=exec ;; esac;
  fi;
  ;;
trap | trap\ -p* | builtin\ trap | builtin\ trap\ -p* | command\ trap | command\ trap\ -p*) [[ $__oi_command == *[\<\>]* ]] || { __oi_do=list; @AS_USER@ >/dev/null || :; } ;;
trap*DEBUG* | *\ trap\ *DEBUG*) ((BASH_SUBSHELL)) || __oi_do=debug ;;
trap\ * | builtin\ trap* | command\ trap*) if ((!BASH_SUBSHELL)); then __oi_do=trap; @AS_USER@; fi ;;
*read\ *-*[ps]*) @ASK@ ;;
set\ -*v* | set\ -o\ verbose* | *XTRACEFD*) __oi_do=debug ;;
set\ -n* | set\ -[a-zA-Z]n* | set\ -o\ noexec*) if ((!BASH_SUBSHELL)); then __oi_do=exit __oi_command='exit 0'; fi ;;
set | set\ * | declare* | typeset* | readonly* | *compgen* | *shopt* | *\$-* | *\$\{[-!]* | *\$\{\#-* | *SHELLOPTS*) __oi_do=hide ;;
esac;
((__oi < 5001)) || __oi_do=hot;
case $__oi_do in
ex*)
  @FIND_ACTIONS@;
  if [[ $__oi_do == exec ]]; then
    (\builtin trap - DEBUG; @AS_USER@) && __oi_status=0 || __oi_status=$?;
  else
    (\builtin trap - DEBUG; \builtin eval "(exit $__oi_status)"$'\n'"$__oi_command") && __oi_status=0 || __oi_status=$?;
    (\builtin trap - DEBUG; \builtin eval "(exit $__oi_status)"$'\n'"$__oi_exit"; \builtin exit "$__oi_status") && __oi_status=0 || __oi_status=$?;
  fi;
  \builtin trap -- @LEAVE@ EXIT;
  \builtin trap -- "{ if [[ \${FUNCNAME-} ]]; then "@SKIP_ONE_QUOTED@"; else \\builtin shopt -u extdebug; \\builtin exit $__oi_status; fi; } 2>&-" DEBUG;
  \builtin shopt -s extdebug;
  __oi[2]=skip;
  ;;
trap)
  @FIND_ACTIONS@;
  \builtin printf -v __oi_exit %q "$__oi_exit";
  \builtin trap -- "#$__oi_exit"@LEAVE@ EXIT;
  \builtin trap -- "${__oi_int:+$__oi_int$'\n'}"@INTERRUPT@ INT;
  \builtin trap -p RETURN >|@FOLDER@/return;
  if [[ $__oi_return && ! ${__oi[7]-} ]]; then __oi_do=x; \builtin set +T; else __oi_do=xT; fi;
  @ONCE@;
  \builtin shopt -s extdebug;
  @TIDY@;
  __oi[2]=skip;
  ;;
debug)
  \builtin trap - DEBUG;
  [[ ${__oi[7]-} ]] || \builtin set +T;
  @TIDY@;
  \builtin unset __oi;
  ;;
list)
  @FIND_ACTIONS@;
  __oi_do=xT;
  @ONCE@;
  \builtin shopt -s extdebug;
  @TIDY@;
  __oi[2]=skip;
  ;;
hot)
  @TIDY@;
  IFS= \builtin read -rd '' __oi_code <@FOLDER@/hot || :;
  \builtin eval "$__oi_code";
  ;;
hide)
  __oi_do=HT;
  [[ $- == *T* ]] || __oi_do=H;
  @ONCE@;
  [[ ${__oi[7]-} ]] || \builtin set +T;
  @TIDY@;
  \builtin unset __oi;
  ;;
*) @TIDY@ ;;
esac;

### once: a DEBUG trap for the next command alone, which sets options and then ours again (`back`)
[[ $- != *E* ]] || __oi_do=E$__oi_do;
[[ ! ${__oi[7]-} ]] || __oi_do=U$__oi_do;
\builtin trap -- "{ __oi_status=\$? __oi=(${__oi[0]} _$__oi_do '' \"\${_-}\"); IFS= \\builtin read -rd '' __oi_code <"@FOLDER@"/back || :; \\builtin eval \"\$__oi_code\"; : \"\${__oi[3]-}\"; ! [[ \${__oi[2]-} ]]; } 253>&2 2>&-" DEBUG;

### back: `|| :` is there for `set -e`
\builtin unset __oi_code;
case ${__oi[1]}.$- in *H*.*T*) __oi[7]=T;; *H*.*) __oi[7]=;; *U*.*) __oi[7]=T;; esac;
case ${__oi[1]} in *x*) \builtin shopt -u extdebug;; esac;
case ${__oi[1]} in *T*) [[ ! ${__oi[7]-} && -s @FOLDER@/return ]] || \builtin set -T;; esac;
case ${__oi[1]} in *E*) \builtin set -E;; esac;
__oi=("${__oi[0]}" '' '' "${__oi[3]}" '' '' '' "${__oi[7]-}");
@READ_BLOCK@; __oi[5]=$__oi_look;
case $- in *x*) \builtin trap -- "{ $__oi_debug; } 253>&2 2>&-" DEBUG;; *) \builtin trap -- "$__oi_debug" DEBUG;; esac;
\builtin eval "\builtin unset __oi_code __oi_number __oi_debug __oi_look __oi_show; if (($__oi_status)); then (exit $__oi_status) || { $__oi_debug; }; else $__oi_debug; fi" || :

### as_user: run the command, with its own stderr. It is 253 while the user traces the block, see `back`.
if [[ -e /dev/fd/253 ]]; then \builtin eval "$__oi_command" 2>&253 253>&-; else \builtin eval "$__oi_command"; fi;

### find_actions: the user's own actions for EXIT and INT; whether there is one for RETURN and DEBUG. Print them all for `list`.
__oi_exit= __oi_int= __oi_return= __oi_debug=;
\builtin trap -p >|@FOLDER@/own;
IFS= \builtin read -rd '' __oi_word <@FOLDER@/own || :;
\builtin eval "__oi_words=($__oi_word)";
for ((__oi_i = 0; __oi_i < ${#__oi_words[@]}; __oi_i += 4)); do
  __oi_word=${__oi_words[__oi_i + 2]} __oi_signal=${__oi_words[__oi_i + 3]};
  case $__oi_signal$__oi_word in
  EXIT*__oi_left*)
    __oi_word=${__oi_word%%$'\n'*};
    \builtin eval "__oi_word=${__oi_word#?}";
    __oi_exit=$__oi_word;
    ;;
  EXIT*) __oi_exit=$__oi_word ;;
  SIGINT*@INTERRUPT@)
    __oi_word=${__oi_word%@INTERRUPT@};
    __oi_word=${__oi_word%$'\n'} __oi_int=$__oi_word;
    ;;
  SIGINT*) __oi_int=$__oi_word ;;
  DEBUG*__oi[_[]* | *'[The shell was killed (SIG'*) __oi_word= ;;
  DEBUG*) __oi_debug=1 ;;
  RETURN*) __oi_return=1 ;;
  *) [[ $__oi_word ]] || __oi_signal=${__oi_signal:+-$__oi_signal} ;;
  esac;
  if [[ $__oi_do == list && ($__oi_word || $__oi_signal == -*) ]]; then
    __oi_signal=${__oi_signal#-};
    if [[ "$__oi_command " != *trap\ -p\ * || "$__oi_command " == *[\ G]"${__oi_signal#SIG}"\ * ]]; then
      \builtin printf "trap -- '%s' %s\n" "${__oi_word//\'/\'\\\'\'}" "$__oi_signal";
    fi;
  fi;
done;

### tidy
\builtin unset __oi_status __oi_number __oi_debug __oi_look __oi_show __oi_command __oi_do __oi_exit __oi_int __oi_return __oi_debug __oi_words __oi_i __oi_word __oi_signal;

### is_found: whether the program is there that the `exec` would run
\builtin trap - DEBUG;
\builtin eval "set -- ${__oi_command#exec }";
while [[ ${1-} == -* ]]; do [[ $1 != -*a ]] || \builtin shift; \builtin shift; done;
\builtin type -P -- "${1-}" >/dev/null

### ask: before a `read` that prompts or hides its input. Request a line, because
# bash itself prompts only on a terminal. In a subshell, so that all names are free.
(
  \builtin trap - DEBUG;
  [[ $__oi_command =~ ^([A-Za-z_]+=[^\ ]*\ )?read\  && $__oi_command != *[\`\<\>]* ]] || \builtin exit 0;
  [[ -p /dev/fd/0 && /dev/fd/0 -ef /dev/fd/251 && $__oi_command != *'$('* ]] || \builtin exit 0;
  \builtin eval "set -- ${__oi_command#*read }";
  prompt= password=false characters=0 OPTIND=1;
  while \builtin getopts :ersa:d:i:n:N:p:t:u: option; do
    case $option in
    p) prompt=$OPTARG ;;
    s) password=true ;;
    n | N) characters=$OPTARG ;;
    t | u) \builtin exit 0 ;;
    esac;
  done;
  [[ $prompt || $password == true ]] || \builtin exit 0;
  prompt=${prompt//\\/\\\\} prompt=${prompt//\"/\\\"} prompt=${prompt//[[:cntrl:]]/ };
  number=${BASHPID-$RANDOM};
  \builtin printf '{"number":%d,"input":"%s","password":%s,"stdin":true,"characters":%d}\n' "$number" "$prompt" "$password" "$characters" >&252;
  \builtin printf '\x1e@NONCE@D%d\x1f' "$number" >&250;
) || :;

### hot: after 5,000 commands, there are no marks any more, but where recursion may be endless (`deep`)
\builtin unset __oi_code
__oi=(0 '' '' '' hot "${__oi[5]-}")
if ((${#FUNCNAME[@]} > 100)); then \builtin trap -- @DEEP@ DEBUG
elif [[ -e @FOLDER@/exec ]]; then \builtin trap -- @COLD@ DEBUG
else \builtin trap - DEBUG; fi
trap() { # the trap on EXIT stays ours
  \builtin trap "$@" || \builtin return
  [[ $BASH_SUBSHELL == 0 && "$(\builtin trap -p EXIT)" != *__oi_left* ]] || \builtin return 0
  local __oi_do=trap __oi_exit __oi_int __oi_return __oi_debug __oi_words __oi_i __oi_word __oi_signal
  @FIND_ACTIONS@
  \builtin printf -v __oi_exit %q "$__oi_exit"
  \builtin trap -- "#$__oi_exit"@LEAVE@ EXIT
}

### cold: a DEBUG trap for `exec` alone, which would end the shell. It costs much, so it is there only if the
# blocks until now have one that is more than redirections.
case $BASH_COMMAND in exec\ *) __oi[6]=$? __oi[3]=${_-}; \builtin eval "${__oi[5]}"; : "${__oi[3]-}"; ! [[ ${__oi[2]-} ]];; esac

### deep: a DEBUG trap that ends endless recursion, before it ends the shell
if ((${#FUNCNAME[@]} > 3000)); then
\builtin printf "bash: line $LINENO: $FUNCNAME: maximum function nesting level exceeded (3000)\n" >&2;
\builtin shopt -s extdebug; \builtin trap -- @UNWIND@ DEBUG; ! :;
elif ((${#FUNCNAME[@]} < 50)); then \builtin trap - DEBUG; fi

### unwind: skips all commands, until no function runs
{ if [[ ${FUNCNAME-} ]]; then @SKIP_ONE@; else \builtin shopt -u extdebug; \builtin trap - DEBUG; fi; } 2>&-

### cool: undo `hot`
[[ ${__oi[4]-} != hot ]] || \builtin unset -f trap
