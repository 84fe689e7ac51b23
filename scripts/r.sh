# Sourced by scripts/test: R, to test the code that runs in it.

# Installs R where it is missing and this may be done.
ensure_r() {
  if ! command -v R >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Setting up R (once) ..." >&2
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends r-base-core; } >&2 || return
  fi
  if ! command -v R >/dev/null; then
    echo "R is needed to test the code that runs in it. Install it (on Debian and Ubuntu:" >&2
    echo "apt install r-base-core; elsewhere: https://www.r-project.org)." >&2
    return 1
  fi
}
