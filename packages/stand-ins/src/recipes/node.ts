import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fetchPackage } from '../npm.ts';
import type { PrepareContext, Recipe } from '../types.ts';

/** `latest` and `lts` of Node's own release plan at the time of writing. */
const CURRENT = '26';
const LTS = '24';

/** npm that comes with each Node; newer ones refuse to run on it. */
const NPM_OF: Readonly<Record<string, string>> = {
  '18': '10',
  '20': '10',
  '22': '10',
  '24': '11',
  '26': '11',
};

/** The major version that a tag of `node` means; undefined for alpine and for what is no version. */
export function nodeMajor(tag: string | undefined): string | undefined {
  const name = (tag ?? 'latest').replace(/-?(bookworm|trixie|bullseye)?(-slim)?$/, '');
  if (name === '' || name === 'latest' || name === 'current') return CURRENT;
  if (name === 'lts') return LTS;
  const major = /^(\d+)(\.\d+){0,2}$/.exec(name)?.[1];
  return major !== undefined && major in NPM_OF ? major : undefined;
}

const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'x64', arm64: 'arm64' };

/** Like the original: words that are no program are for node. */
const ENTRYPOINT = `#!/bin/sh
set -e
case "\${1-}" in
  -*) set -- node "$@" ;;
  '') ;;
  *) if ! command -v "$1" > /dev/null 2>&1 || { [ -f "$1" ] && [ ! -x "$1" ]; }; then set -- node "$@"; fi ;;
esac
exec "$@"
`;

export const nodeRecipe = (major: string): Recipe => ({
  kind: 'dockerfile',
  name: `node:${major}-1`,
  dockerfile: `FROM debian:bookworm-slim
ARG NODE_VERSION
COPY node/bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN chmod 755 /usr/local/bin/node \\
    && ln -s node /usr/local/bin/nodejs \\
    && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
    && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
    && chmod 755 /usr/local/lib/node_modules/npm/bin/*.js \\
    && groupadd --gid 1000 node \\
    && useradd --uid 1000 --gid node --shell /bin/bash --create-home node \\
    && node --version && npm --version
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/
ENV NODE_VERSION=$NODE_VERSION
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
`,
  files: { 'docker-entrypoint.sh': ENTRYPOINT },
  prepare: (context) => fetchNode(major, context),
});

async function fetchNode(major: string, { dir, onLog }: PrepareContext): Promise<Record<string, string>> {
  const architecture = ARCHITECTURE[process.arch] ?? process.arch;
  await mkdir(dir, { recursive: true });
  onLog(`Fetching Node ${major} from npm`);
  const node = await fetchPackage(`node-linux-${architecture}@${major}`, path.join(dir, 'node'));
  await fetchPackage(`npm@${NPM_OF[major] ?? 'latest'}`, path.join(dir, 'npm'));
  return { NODE_VERSION: node.version };
}
