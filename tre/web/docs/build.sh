#!/bin/sh
# Brings Swagger UI into static/: one pinned version, whose package must have the digest that is written here.
set -eu

version=5.35.0
digest=U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==

static=$(cd "$(dirname "$0")" && pwd)/static
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent "swagger-ui-dist@$version" > /dev/null
package=swagger-ui-dist-$version.tgz
found=$(openssl dgst -sha512 -binary "$package" | openssl base64 -A)
[ "$found" = "$digest" ] || { echo "$package is not the package that was pinned: sha512-$found" >&2; exit 1; }
tar -xzf "$package"
gzip -9n < package/swagger-ui-bundle.js > "$static/swagger-ui-bundle.js.gz"
gzip -9n < package/swagger-ui.css > "$static/swagger-ui.css.gz"
cp package/LICENSE package/NOTICE package/swagger-ui-bundle.js.LICENSE.txt "$static/"
chmod 644 "$static"/*
