#!/usr/bin/env bash
# Builds the image and the one of the demo, and prints what they weigh, what is in them, and how long a service takes to start.
# Use: deploy/image.sh        (TAG=… names another tag than "dev"; docker must run)
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${TAG:-dev}
scratch=$(mktemp -d)
network=mailstream-image-$$
cleanup() {
  docker rm -f "$network-nats" "$network-gateway" >/dev/null 2>&1 || true
  docker network rm "$network" >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap cleanup EXIT

build=(--network=host --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
# Behind a proxy that signs for the npm registry the builder has to trust it as this machine does.
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  cp "$NODE_EXTRA_CA_CERTS" "$scratch/ca.pem"
  printf 'FROM node:24-bookworm-slim\nCOPY ca.pem /ca.pem\nENV NODE_EXTRA_CA_CERTS=/ca.pem npm_config_cafile=/ca.pem\n' >"$scratch/Dockerfile"
  docker build --quiet --tag mailstream-build-node "$scratch" >/dev/null
  build+=(--build-arg NODE_IMAGE=mailstream-build-node)
fi
docker build "${build[@]}" --tag "mailstream:$tag" .
docker build "${build[@]}" --target demo --tag "mailstream-demo:$tag" .

hardened=(--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)
milliseconds() { date +%s%3N; }

started=$(milliseconds)
docker run --rm "${hardened[@]}" "mailstream:$tag" mailstream help >/dev/null
help_ms=$(($(milliseconds) - started))

docker network create "$network" >/dev/null
docker run -d --name "$network-nats" --network "$network" --network-alias nats nats:2.15 -js >/dev/null
docker create --name "$network-gateway" --network "$network" "${hardened[@]}" \
  -e NATS_URL=nats://nats:4222 -e MAILSTREAM_JWT_KEY="$(head -c 48 /dev/urandom | base64)" "mailstream:$tag" gateway >/dev/null
started=$(milliseconds)
docker start "$network-gateway" >/dev/null
address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$network-gateway")
for _ in $(seq 600); do curl -sf -o /dev/null "http://$address:8080/readyz" && break; sleep 0.05; done
curl -sf -o /dev/null "http://$address:8080/readyz" || { docker logs "$network-gateway" >&2; exit 1; }
gateway_ms=$(($(milliseconds) - started))

# By name, not by path: what the image must not have.
docker run --rm --entrypoint sh "mailstream:$tag" -c \
  'id -u; for tool in npm npx pnpm yarn corepack gcc make git curl; do ! command -v $tool || exit 1; done; ! ls -d /app/libs/simulators /app/libs/testing 2>/dev/null' >"$scratch/inside"
docker run --rm --entrypoint cat "mailstream:$tag" /app/sbom.spdx.json >"$scratch/sbom.json"

megabytes() { echo $(($(docker image inspect -f '{{.Size}}' "$1") / 1000000)); }
printf '%-28s %s\n' \
  'user' "$(cat "$scratch/inside")" \
  'size' "$(megabytes "mailstream:$tag") MB, of which the base image $(megabytes debian:bookworm-slim) MB" \
  'size of the demo image' "$(megabytes "mailstream-demo:$tag") MB" \
  'packages in its SBOM' "$(grep -c '"SPDXID": "SPDXRef-Package' "$scratch/sbom.json")" \
  'start of the command line' "$help_ms ms" \
  'start of a gateway' "$gateway_ms ms until /readyz"
