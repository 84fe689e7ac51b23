# Sourced by scripts/test: the tools that check clients/neovim, and other versions of Neovim.
# Kept in .tools; made once.

stylua_version=2.5.2

# Prints the path of stylua.
find_stylua() {
  local folder=.tools/stylua-$stylua_version
  if [ ! -x "$folder/node_modules/.bin/stylua" ]; then
    need npm "the Neovim client's format" || return
    npm install --silent --no-save --prefix "$folder" "@johnnymorganz/stylua-bin@$stylua_version" >&2 || return
  fi
  echo "$folder/node_modules/.bin/stylua"
}

# Prints the path of luacheck; installed where this may be done.
find_luacheck() {
  if ! command -v luacheck >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends lua-check; } >&2 || return
  fi
  if ! command -v luacheck; then
    echo "luacheck is needed to test the Neovim client. Install it (on Debian and Ubuntu:" >&2
    echo "apt install lua-check; elsewhere: luarocks install luacheck)." >&2
    return 1
  fi
}

# Prints the programs to test with, separated by colons: the environment's own, and, where Debian's
# packages can be had, the oldest version that is supported and the newest.
find_neovims() {
  local programs suite
  programs=$(command -v nvim) || return
  if [ ! -f /usr/share/keyrings/debian-archive-keyring.gpg ] || ! command -v apt-get >/dev/null; then
    echo "Not Debian: the Neovim client is tested in Neovim 0.11 alone, not in 0.10 and 0.12." >&2
  else
    for suite in trixie sid; do
      debian_neovim "$suite" "$PWD/.tools/neovim-$suite" >&2 || return
      programs+=:$PWD/.tools/neovim-$suite/nvim
    done
  fi
  echo "$programs"
}

# debian_neovim SUITE FOLDER: Neovim of a Debian suite with all that it links to, apart from the system's.
debian_neovim() {
  local suite=$1 folder=$2 package lib
  if [ -x "$folder/nvim" ]; then
    return
  fi
  echo "Setting up Neovim from Debian $suite (once) ..."
  rm -rf "$folder"
  mkdir -p "$folder"/{lists/partial,archives/partial,root}
  apt_of_suite "$suite" "$folder" update || return
  apt_of_suite "$suite" "$folder" -y --download-only install neovim >/dev/null || return
  for package in "$folder"/archives/*.deb; do
    case $(basename "$package") in
      neovim* | libc6_* | libgcc-s1* | lib*lua* | lua-* | libmsgpack* | *tree-sitter* | lib[uv]* | libwasm*)
        dpkg-deb -x "$package" "$folder/root" || return
        ;;
    esac
  done
  lib=$(dirname "$(find "$folder/root/usr/lib" -name 'libc.so.6' -print -quit)")
  # Its own loader: it starts itself again by its path, so it cannot be run by `ld.so nvim`.
  patchelf --set-interpreter "$(find "$lib" -name 'ld-linux*' -print -quit)" \
    --force-rpath --set-rpath "$lib" "$folder/root/usr/bin/nvim" || return
  cat >"$folder/nvim" <<END
#!/bin/sh
VIMRUNTIME=$folder/root/usr/share/nvim/runtime exec $folder/root/usr/bin/nvim "\$@"
END
  chmod +x "$folder/nvim"
  rm -rf "$folder"/{lists,archives} "$folder/root/usr/share"/{doc,locale,man}
  "$folder/nvim" --version | head -1
}

# apt_of_suite SUITE FOLDER ARGUMENT...: apt-get that sees this suite alone, and nothing as installed.
apt_of_suite() {
  local suite=$1 folder=$2 mirror
  shift 2
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$folder/sources"
  : >"$folder/status"
  apt-get -qq -o Dir::Etc::sourcelist="$folder/sources" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$folder/lists" -o Dir::State::status="$folder/status" \
    -o Dir::Cache::archives="$folder/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@"
}
