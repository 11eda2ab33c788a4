#!/usr/bin/env bash
# strace for the test of the order of writing. Installed from Debian where it is missing and may be installed; where not,
# that test says that it was skipped.
set -euo pipefail

if command -v strace >/dev/null || [ "$(uname)" != Linux ]; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo 'strace is not installed: the test of the order of writing will be skipped' >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
install=(apt-get install --quiet --quiet --yes --no-install-recommends strace)
"${install[@]}" >/dev/null 2>&1 || { apt-get update --quiet --quiet && "${install[@]}" >/dev/null; } \
  || echo 'strace cannot be installed: the test of the order of writing will be skipped' >&2
