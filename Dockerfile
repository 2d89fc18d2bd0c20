# One image for everything: the command picks the service. See deploy/image/run.mjs. Node runs the TypeScript as it is; nothing is compiled.
#   docker build -t mailstream .                            the services and the command line
#   docker build -t mailstream-demo --target demo .         the same with the simulators of the demo mailboxes
# Behind a proxy that signs for the npm registry, name a Node image that trusts it: --build-arg NODE_IMAGE=…
ARG NODE_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npm install --global --no-audit --no-fund "$(node -p 'require("./package.json").packageManager')"
# From the lockfile alone, so that a change of source does not fetch anything again.
RUN pnpm fetch --prod --no-optional
COPY libs libs
COPY services services
COPY deploy/image deploy/image
RUN pnpm install --prod --no-optional --offline --frozen-lockfile \
      --filter '@mailstream/all-in-one...' --filter '@mailstream/client...' --filter @mailstream/devstack \
 && pnpm sbom --prod --no-optional --sbom-format spdx --sbom-type application --filter '@mailstream/all-in-one...' --out sbom.spdx.json

FROM packages AS demo-packages
RUN pnpm install --prod --no-optional --offline --frozen-lockfile \
      --filter '@mailstream/all-in-one...' --filter '@mailstream/client...' --filter @mailstream/devstack --filter @mailstream/simulators

FROM packages AS service-packages
RUN rm -rf libs/simulators

FROM ${BASE_IMAGE} AS base
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
# A number, because Kubernetes cannot tell of a name that it is not root. What has to be kept lies in /state, /keys and /nats-users.
RUN install -d -o 10001 -g 10001 /state /keys /nats-users
WORKDIR /app
# As little garbage kept as is good for 256 MB; the code as V8 compiled it, which saves a third of a start.
ENV NODE_ENV=production \
    NODE_OPTIONS="--max-semi-space-size=8 --max-old-space-size=1536" \
    NODE_COMPILE_CACHE=/app/.cache \
    MAILSTREAM_HTTP_HOST=0.0.0.0 \
    MAILSTREAM_HTTP_PORT=8080 \
    MAILSTREAM_ADMIN_HOST=0.0.0.0 \
    MAILSTREAM_ADMIN_PORT=9090
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/deploy/image/run.mjs"]
CMD ["mailstream", "help"]
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s CMD ["node", "/app/deploy/image/healthy.mjs"]

FROM base AS demo
COPY --from=demo-packages /app /app
RUN node deploy/image/compile.mjs
USER 10001:10001
LABEL org.opencontainers.image.title="mailstream-demo"

FROM base AS mailstream
ARG VERSION=0.1.0
ARG REVISION=unknown
COPY --from=service-packages /app /app
RUN node deploy/image/compile.mjs
USER 10001:10001
LABEL org.opencontainers.image.title="mailstream" \
      org.opencontainers.image.description="Mirrors mailboxes (Microsoft 365, Gmail, IMAP) into an event log and a Postgres view" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
