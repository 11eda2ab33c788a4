#!/bin/sh
# ./install.sh [FOLDER]: install the sidecar without a network. PYTHON names the Python to use.
set -eu
cd "$(dirname "$0")"
wanted=$(cut -d' ' -f1 FOR)
for python in "${PYTHON:-python$wanted}" python3; do
  if command -v "$python" >/dev/null 2>&1; then
    exec "$python" install.py "$@"
  fi
done
echo "Python $wanted is not installed; install it, or name it: PYTHON=/path/to/python$wanted ./install.sh" >&2
exit 1
