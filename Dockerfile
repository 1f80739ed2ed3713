# The ledger. docs/guide/containers.md says how it is run.

FROM node:24-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/tlog/package.json packages/tlog/
COPY packages/deedbox/package.json packages/deedbox/
COPY packages/ledger/package.json packages/ledger/

FROM manifests AS build
RUN npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root \
    --workspace @deedbox/tlog --workspace deedbox --workspace @deedbox/ledger
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/setup/build.js scripts/setup/
COPY packages packages
RUN node --input-type=module --eval "import { ensureBuilt } from '/app/scripts/setup/build.js'; ensureBuilt('/app', process.execPath)"

FROM manifests AS production
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional --omit=peer \
    --workspace @deedbox/tlog --workspace deedbox --workspace @deedbox/ledger

FROM node:24-slim
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /data --shell /usr/sbin/nologin app \
    # A volume takes owner and mode from here.
    && mkdir --mode 700 /data \
    && chown app:app /data
WORKDIR /app
COPY --from=production /app ./
# For /metrics: an optional peer, which npm installs with what is for development only.
COPY --from=build /app/node_modules/prom-client node_modules/prom-client
COPY --from=build /app/node_modules/tdigest node_modules/tdigest
COPY --from=build /app/node_modules/bintrees node_modules/bintrees
COPY --from=build /app/node_modules/@opentelemetry/api node_modules/@opentelemetry/api
COPY --from=build /app/packages/tlog/dist packages/tlog/dist
COPY --from=build /app/packages/deedbox/dist packages/deedbox/dist
COPY --from=build /app/packages/deedbox/bin packages/deedbox/bin
COPY --from=build /app/packages/ledger/dist packages/ledger/dist

# Of this build: the repository's address, a release or nothing, the commit's hash, the address of the CI job.
ARG SOURCE=""
ARG VERSION=""
ARG COMMIT=""
ARG BUILD=""
RUN node --eval "const { SOURCE, VERSION, COMMIT, BUILD } = process.env; fs.writeFileSync('/app/version.json', JSON.stringify({ source: SOURCE, version: VERSION, commit: COMMIT, build: BUILD }))"

# All that is written is below /data and /tmp: the rest of the file system may be read-only.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DEEDBOX_DATA=/data/ledger \
    DEEDBOX_GUARD=/data/guard \
    XDG_CACHE_HOME=/tmp
VOLUME /data
EXPOSE 8000
USER app
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/__lbheartbeat__`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "packages/deedbox/bin/deedbox.js"]
CMD ["serve"]
