# Sourced by the other scripts: finds a Python and keeps a virtual environment up to date.

# Prints the command of a Python that is new enough.
find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Python 3.11 or later is needed, and none was found. Install it, then run this again." >&2
  return 1
}

# make_venv FOLDER NAME INSTALL_ARGUMENT...
# Installs into the environment, unless nothing has changed since it was last done. Uses uv where
# it is installed, which is faster, and pip elsewhere.
make_venv() {
  local folder=$1 name=$2 python state
  shift 2
  state="$* $(cat pyproject.toml scripts/constraints.txt | cksum)"
  if [ "$(cat "$folder/installed" 2>/dev/null)" = "$state" ]; then
    return
  fi
  python=$(find_python)
  echo "Setting up $name (once) ..." >&2
  if uv --version >/dev/null 2>&1; then
    uv venv --quiet --seed --allow-existing --python "$(command -v "$python")" "$folder"
    uv pip install --quiet --python "$folder/bin/python" --constraints scripts/constraints.txt "$@"
  else
    install_by_pip "$python" "$folder" "$@"
  fi
  echo "$state" >"$folder/installed"
}

# install_by_pip PYTHON FOLDER INSTALL_ARGUMENT...
install_by_pip() {
  local python=$1 folder=$2
  shift 2
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python lacks the module venv. Install it (on Debian and Ubuntu: apt install python3-venv)." >&2
    return 1
  fi
  "$python" -m venv "$folder"
  "$folder/bin/python" -m pip install -qq --upgrade "pip>=25.1" # the first that knows groups
  "$folder/bin/python" -m pip install -qq --constraint scripts/constraints.txt "$@"
}
