import type { Recipe } from '../types.ts';

/**
 * The instruction stands in the same words in .gitlab/docker/ansible/Dockerfile, so that the builder's cache makes this
 * layer (0.9 GB) once for both; a test holds the two together.
 */
export const ansibleInstall = `RUN apt-get update \\
    && apt-get install -y --no-install-recommends \\
        ansible ansible-lint ca-certificates curl git openssh-client python3-kubernetes \\
    && rm -rf /var/lib/apt/lists/*`;

export const ansibleRecipe = (): Recipe => ({
  kind: 'dockerfile',
  name: 'ansible:1',
  dockerfile: `FROM debian:bookworm-slim\n${ansibleInstall}\nWORKDIR /workdir\nCMD ["bash"]\n`,
});
