# The build runs on the machine's own platform and compiles for the wanted one, so no emulation is needed.
FROM --platform=$BUILDPLATFORM node:20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY . .
ARG TARGETARCH
RUN npm run build -- ${TARGETARCH:+linux-$(echo $TARGETARCH | sed s/amd64/x64/)} --out /image/claviger
RUN mkdir -p -m 0700 /image/volume/data

# Slim Debian holds what the machine code inside needs: libstdc++ and libgcc.
FROM debian:bookworm-slim
ARG VERSION=unversioned
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Claviger" \
      org.opencontainers.image.description="Put API keys in front of any MCP server." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image/claviger /usr/local/bin/claviger
COPY --from=build --chown=8484:8484 /image/volume/ /
# HOME: where a stdio server that is an npm package keeps its download between restarts
ENV CLAVIGER_HOST=0.0.0.0 \
    CLAVIGER_DATA_DIR=/data \
    HOME=/data
USER 8484:8484
WORKDIR /data
VOLUME /data
EXPOSE 8484
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s CMD ["claviger", "healthcheck"]
ENTRYPOINT ["claviger"]
CMD ["serve"]
