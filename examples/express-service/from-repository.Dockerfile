# The shop with the packages of this repository, as compose.yaml builds it: the context is the repository's root.
# For a service of your own begin with the Dockerfile beside this one.

FROM node:24-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/tlog/package.json packages/tlog/
COPY packages/deedbox/package.json packages/deedbox/
COPY packages/ledger/package.json packages/ledger/
COPY examples/express-service/package.json examples/express-service/

FROM manifests AS build
RUN npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root \
    --workspace @deedbox/tlog --workspace deedbox --workspace @deedbox/ledger
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/setup/build.js scripts/setup/
COPY packages packages
RUN node --input-type=module --eval "import { ensureBuilt } from '/app/scripts/setup/build.js'; ensureBuilt('/app', process.execPath)"

FROM manifests AS production
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional --omit=peer \
    --workspace @deedbox/tlog --workspace deedbox --workspace @deedbox-examples/express-service

FROM node:24-slim
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /data --shell /usr/sbin/nologin app \
    && mkdir --mode 700 /data \
    && chown app:app /data
WORKDIR /app
COPY --from=production /app ./
COPY --from=build /app/packages/tlog/dist packages/tlog/dist
COPY --from=build /app/packages/deedbox/dist packages/deedbox/dist
COPY examples/express-service/server.ts examples/express-service/
ENV NODE_ENV=production \
    PORT=8000 \
    DEEDBOX_SPOOL=/data/spool
VOLUME /data
EXPOSE 8000
USER app
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/__lbheartbeat__`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node"]
CMD ["examples/express-service/server.ts"]
