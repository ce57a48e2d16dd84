# The standalone server. See docs/operations.md.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The lock file has binaries for every platform: nothing is compiled.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ormconfig.ts ./
COPY scripts ./scripts
COPY src ./src
COPY examples ./examples
COPY schematics ./schematics
RUN npm run build && \
    npm uninstall --no-save --ignore-scripts --no-audit --no-fund jest @jest/globals @swc/core @swc/jest eslint \
      typescript-eslint prettier typescript esbuild openapi-typescript @redocly/openapi-core fast-check @nestjs/cli \
      @nestjs/schematics @angular-devkit/schematics cli-progress playwright-core axe-core vite preact \
      @preact/signals

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# SQLite's file and secrets that are made at the first start: keep this folder on a volume.
RUN mkdir data && chown node:node data && chmod 700 data
VOLUME /app/data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Not by npm: signals go to the server itself.
CMD ["node", "dist/src/main.js"]
