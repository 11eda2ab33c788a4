#!/usr/bin/env bash
# Compilers for the examples of docs/integrating.md. Installed from Debian where one is missing and may be installed, and
# Node's gRPC from npm into .venv/node; where not, the test of that language says that it was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=()
need() { # need PACKAGES... -- COMMAND OR FILE...: the packages, unless everything is there
  local wanted=()
  while [ "$1" != -- ]; do wanted+=("$1"); shift; done
  shift
  for thing in "$@"; do
    [ -e "$thing" ] || command -v "$thing" >/dev/null || { packages+=("${wanted[@]}"); return; }
  done
}

if [ "$(uname)" = Linux ]; then
  mono=/usr/lib/mono/4.5
  need default-jdk-headless -- java javac
  need libgoogle-gson-java -- /usr/share/java/gson.jar
  need mono-mcs mono-runtime libmono-system-web-extensions4.0-cil libmono-i18n-cjk4.0-cil \
    -- mono mcs "$mono/System.Web.Extensions.dll" "$mono/I18N.CJK.dll"
  need fp-compiler fp-units-base fp-units-fcl -- fpc
  need nodejs npm -- node npm
fi

if [ "${#packages[@]}" -gt 0 ]; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    install=(apt-get install --quiet --quiet --yes --no-install-recommends "${packages[@]}")
    "${install[@]}" >/dev/null 2>&1 || { apt-get update --quiet --quiet && "${install[@]}" >/dev/null; } \
      || echo "${packages[*]} cannot be installed: examples in those languages will be skipped" >&2
  else
    echo "${packages[*]} are not installed: examples in those languages will be skipped" >&2
  fi
fi

# Beside the virtual environment, and gone with it; made again when the example asks for something else.
kept=.venv/node
if command -v npm >/dev/null && ! cmp --silent docs/examples/node/package.json "$kept/installed.json"; then
  mkdir -p "$kept"
  cp docs/examples/node/package.json "$kept/package.json"
  if npm install --prefix "$kept" --silent --no-audit --no-fund --no-package-lock --ignore-scripts --fetch-retries=1 \
    </dev/null; then
    cp "$kept/package.json" "$kept/installed.json"
  else
    echo "Node's gRPC cannot be installed: its example will be skipped" >&2
  fi
fi
