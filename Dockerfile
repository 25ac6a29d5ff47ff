# Two images of Parley from one file:
#   docker build --target services -t parley/services:0.1.0 .   chat, core, auth, gateway, worker, canary, certificates, backups and the migrations; the command chooses
#   docker build --target operator -t parley/operator:0.1.0 .   the operator; no native code
# The layers with packages depend on the package.json files and the lockfile alone: a change of sources installs nothing again.
ARG NODE_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY services/shared/protocol/package.json services/shared/protocol/
COPY services/shared/kit/package.json services/shared/kit/
COPY services/shared/live/package.json services/shared/live/
COPY services/shared/chat-store/package.json services/shared/chat-store/
COPY services/chat/package.json services/chat/
COPY services/core/package.json services/core/
COPY services/auth/package.json services/auth/
COPY services/gateway/package.json services/gateway/
COPY services/worker/package.json services/worker/
COPY services/canary/package.json services/canary/
COPY services/certificates/package.json services/certificates/
COPY services/backups/package.json services/backups/
COPY operator/api/package.json operator/api/
COPY operator/package.json operator/
COPY operator/plugin/package.json operator/plugin/
COPY cdk8s/package.json cdk8s/
COPY kind/package.json kind/

# No package runs a script (.npmrc): uWebSockets.js carries programs for every platform, of which the one for this processor and Node stays;
# @node-rs/argon2 has a package for each, of which npm takes the right one. Types and source maps of packages are for development only.
FROM manifests AS services-packages
RUN npm ci --omit=dev --no-audit --no-fund --loglevel=error \
      -w services/chat -w services/core -w services/auth -w services/gateway -w services/worker -w services/canary -w services/certificates \
      -w services/backups \
 && find node_modules/uWebSockets.js -name '*.node' ! -name "$(node -p '`uws_linux_${process.arch}_${process.versions.modules}.node`')" -delete \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.?ts' -o -name '*.map' \) -delete \
 && rm -rf cdk8s operator kind package-lock.json .npmrc

FROM manifests AS operator-packages
RUN npm ci --omit=dev --no-audit --no-fund --loglevel=error -w operator \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.?ts' -o -name '*.map' \) -delete \
 && find services -mindepth 1 -maxdepth 1 ! -name shared -exec rm -rf {} + \
 && rm -rf kind package-lock.json .npmrc

FROM manifests AS build
RUN npm ci --no-audit --no-fund --loglevel=error
COPY tsconfig.json ./
COPY kind/tools/build.mjs kind/tools/
COPY services ./services
COPY cdk8s ./cdk8s
COPY operator ./operator
RUN node kind/tools/build.mjs --force && find services cdk8s operator -name src -type d -prune -exec rm -rf {} +

FROM ${NODE_IMAGE} AS services
# V8 lets the space for new objects grow to 32 MB in a storm of connects and keeps it: 2 kB for each of 15,000 idle sockets. A small one
# costs no measurable CPU (npm run bench).
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=2
WORKDIR /app
COPY --from=services-packages /app ./
COPY --from=build /app/services ./services
# uWebSockets.js is the one that services/chat/uws-pins.json knows, and loads on this system; each start of chat looks again.
RUN node -e "import('/app/services/chat/dist/sockets/uws.js').then(({ uws }) => uws().App())"
USER 1000
EXPOSE 8080 8081 8082 8084 9464
CMD ["node", "--enable-source-maps", "services/chat/dist/main.js"]

FROM ${NODE_IMAGE} AS operator
# V8 would let the heap grow to more than twice of what is in it before it looks for what can go: 270 MB with 50 ChatClusters, 175 MB
# with this (npm run bench:operator). The operator hardly computes.
ENV NODE_ENV=production
WORKDIR /app
COPY --from=operator-packages /app ./
COPY --from=build /app/cdk8s ./cdk8s
COPY --from=build /app/operator ./operator
# What it has in common with the services: admin port, log, exit codes.
COPY --from=build /app/services/shared ./services/shared
USER 1000
EXPOSE 9464
CMD ["node", "--optimize-for-size", "operator/dist/main.js"]
