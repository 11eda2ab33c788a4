#!/usr/bin/env bash
# PostgreSQL for the tests of the stores. Installed from Debian where it is missing and may be installed; where not, those
# tests say that they were skipped. The server that comes with the package is not started: a test starts its own.
set -euo pipefail

if compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo 'PostgreSQL is not installed: its tests will be skipped' >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
install=(apt-get install --quiet --quiet --yes --no-install-recommends postgresql)
"${install[@]}" >/dev/null 2>&1 || { apt-get update --quiet --quiet && "${install[@]}" >/dev/null; } \
  || echo 'PostgreSQL cannot be installed: its tests will be skipped' >&2
