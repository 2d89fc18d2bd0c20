#!/usr/bin/env bash
# Brings the stack of docker-compose.yml up, does what the README says to try, kills each container once and sees it come back, takes all down.
# Use: deploy/smoke.sh        (after deploy/image.sh; docker must run; KEEP=1 leaves the stack up)
set -euo pipefail
cd "$(dirname "$0")/.."
export COMPOSE_PROJECT_NAME=mailstream-smoke MAILSTREAM_PORT=${MAILSTREAM_PORT:-18080} NATS_PORT=${NATS_PORT:-14222} GRAFANA_PORT=${GRAFANA_PORT:-13000}
if docker compose version >/dev/null 2>&1; then compose() { docker compose "$@"; }; else compose() { docker-compose "$@"; }; fi
api=http://127.0.0.1:$MAILSTREAM_PORT
services=(orchestrator projector fetcher gateway)

say() { printf 'smoke: %s\n' "$*"; }
fail() {
  say "FAILED: $*"
  compose ps || true
  compose logs --tail 15 || true
  exit 1
}
down() { compose --profile observe --profile cli down -v --remove-orphans -t 30 >/dev/null 2>&1 || true; }
finish() { [ -n "${KEEP:-}" ] && return; say "taking it down"; down; }
trap finish EXIT

# until_true SECONDS WHAT COMMAND...: tries twice a second.
until_true() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "not in time: $what"
    sleep 0.5
  done
}
ready() { curl -sf -m 3 -o /dev/null "$api/readyz"; }
get() { curl -sf -m 10 -H "Authorization: Bearer $token" "$api$1"; }
cli() { compose run --rm -T cli "$@" </dev/null; }
live() { [ "$(get /v1/accounts | grep -o '"state":"live"' | wc -l)" -ge 2 ]; }
container() { compose ps -q "$1"; }
state() { docker inspect -f "$1" "$(container "$2")"; }
healthy() { [ "$(state '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$1" | sed s/running/healthy/)" = healthy ]; }
came_back() { [ "$(state '{{.State.StartedAt}}' "$1")" != "$2" ] && healthy "$1"; }
newest() { get '/v1/messages?limit=1' | sed -n 's/.*"receivedAt":"\([^"]*\)".*/\1/p'; }
newer_than() { [[ $(newest) > $1 ]]; }

down
started=$SECONDS
compose up -d
until_true 180 "the gateway answers" ready
say "up after $((SECONDS - started)) s"
token=$(compose exec -T demo cat /state/token </dev/null)
until_true 240 "both demo mailboxes are imported" live
say "both demo mailboxes imported after $((SECONDS - started)) s"

get '/v1/messages?limit=5' | grep -q '"subject"' || fail "no messages"
get /openapi.json | grep -q '"/v1/messages"' || fail "no description of the API"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$api/v1/messages")" = 401 ] || fail "callers without a token are let in"
replay=(replay nobody --from now --dry-run)
[[ $(cli "${replay[@]}" 2>&1) == *"nobody has subscribed"* ]] || fail "the operators' key does not open NATS"
[[ $(compose run --rm -T -e NATS_NKEY_SEED_FILE= cli "${replay[@]}" </dev/null 2>&1) == *uthorization* ]] || fail "NATS lets in who has no key"
cli messages --account demo | sed -n 1,3p
cli status
cli sync --account demo
cli doctor || fail "the doctor finds something"
before=$(newest)
until_true 60 "mail arrives" newer_than "$before"

for each in "${services[@]}" nats postgres demo; do
  since=$(state '{{.State.StartedAt}}' "$each")
  pid=$(state '{{.State.Pid}}' "$each")
  at=$SECONDS
  # From outside of it: what `docker kill` ends stays down.
  docker run --rm --pid host --user 0 --cap-add KILL --entrypoint sh "${MAILSTREAM_IMAGE:-mailstream:dev}" -c "kill -9 $pid"
  until_true 90 "$each comes back" came_back "$each" "$since"
  until_true 90 "the API answers after $each was killed" get '/v1/messages?limit=1'
  say "$each killed, back after $((SECONDS - at)) s"
done
before=$(newest)
until_true 120 "mail arrives after all were killed" newer_than "$before"

at=$SECONDS
compose stop -t 30 "${services[@]}" >/dev/null 2>&1
for each in "${services[@]}"; do
  [ "$(state '{{.State.ExitCode}}' "$each")" = 0 ] || fail "$each did not stop by itself"
done
say "the services stopped by themselves within $((SECONDS - at)) s"

for image in $(compose --profile observe config | sed -n 's/^ *image: *//p' | grep -E 'otel|prom|grafana'); do
  docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >/dev/null 2>&1 || { say "left out, cannot be had here: $image"; missing=1; }
done
if [ -z "${missing:-}" ]; then
  compose --profile observe up -d
  until_true 120 "Grafana answers" curl -sf -m 3 "http://127.0.0.1:$GRAFANA_PORT/api/health"
fi
say "all passed after $((SECONDS - started)) s"
