# Sourced by scripts/test: the programs that must be installed on the system.

# One line per program: its commands (any of them will do), the Debian packages that have it (none
# if Debian's may be too old), and what needs it.
system_programs() {
  cat <<'END'
R | r-base-core | the tests of code in R
chromium chromium-browser google-chrome | chromium fonts-dejavu-core | the tests in VS Code
luacheck | lua-check | the check of the Neovim client
sshd /usr/sbin/sshd | openssh-server | the tests over SSH, which start a server of their own on loopback
zsh | zsh | the tests of code in zsh
npm | | the VS Code client; it comes with Node.js 20 or later
END
}

# ensure_system [no-install] [COMMAND...]
# Checks that these programs are there (all of them if none is named), and installs those that are
# missing where this may be done. It says first which packages; with `no-install` it fails instead.
ensure_system() {
  local may_install=yes by_hand=no commands packages purpose missing=()
  if [ "${1:-}" = no-install ]; then
    may_install=no
    shift
  fi
  while IFS='|' read -r commands packages purpose; do
    if { [ $# -eq 0 ] || [[ " $* " = *" ${commands%% *} "* ]]; } && ! have_any $commands; then
      echo "Missing: ${commands%% *}, for$purpose." >&2
      missing+=($packages)
      [ "$packages" != " " ] || by_hand=yes
    fi
  done < <(system_programs)
  if [ $by_hand = no ] && [ ${#missing[@]} -eq 0 ]; then
    return
  fi
  if [ $may_install = no ]; then
    echo "Install these programs, or run this without --no-install." >&2
    return 1
  elif [ $by_hand = yes ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Install these programs, then run this again." >&2
    [ ${#missing[@]} -eq 0 ] || echo "On Debian and Ubuntu, as root: apt install ${missing[*]}" >&2
    return 1
  fi
  echo "Installing these packages on this system: ${missing[*]}" >&2
  {
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"
  } >&2
}

# have_any COMMAND...: whether one of these programs is installed.
have_any() {
  local command
  for command in "$@"; do
    if command -v "$command" >/dev/null; then
      return
    fi
  done
  return 1
}
