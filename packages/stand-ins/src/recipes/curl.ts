import type { Recipe } from '../types.ts';

/** Like the original: what is no program is for curl, so that a job's shell can be started through it. */
const ENTRYPOINT = `#!/bin/sh
set -e
case "\${1-}" in
  -*) set -- curl "$@" ;;
  *) command -v "\${1-}" > /dev/null 2>&1 || set -- curl "$@" ;;
esac
exec "$@"
`;

export const curlRecipe = (): Recipe => ({
  kind: 'dockerfile',
  name: 'curl:2',
  dockerfile: `FROM debian:bookworm-slim
RUN apt-get update \\
    && apt-get install -y --no-install-recommends curl \\
    && rm -rf /var/lib/apt/lists/* \\
    && groupadd --gid 101 curl_group \\
    && useradd --uid 100 --gid curl_group --create-home --home-dir /home/curl_user curl_user
COPY --chmod=755 entrypoint.sh /entrypoint.sh
USER curl_user
WORKDIR /home/curl_user
ENTRYPOINT ["/entrypoint.sh"]
CMD ["curl"]
`,
  files: { 'entrypoint.sh': ENTRYPOINT },
});
