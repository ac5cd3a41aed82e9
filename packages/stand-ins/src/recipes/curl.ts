import type { Recipe } from '../types.ts';

export const curlRecipe = (): Recipe => ({
  kind: 'dockerfile',
  name: 'curl:1',
  dockerfile: `FROM debian:bookworm-slim
RUN apt-get update \\
    && apt-get install -y --no-install-recommends curl \\
    && rm -rf /var/lib/apt/lists/* \\
    && groupadd --gid 101 curl_group \\
    && useradd --uid 100 --gid curl_group --create-home --home-dir /home/curl_user curl_user
USER curl_user
WORKDIR /home/curl_user
ENTRYPOINT ["curl"]
`,
});
