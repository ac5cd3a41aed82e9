import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Recipe } from '../types.ts';

export type Tool = 'kaniko' | 'hadolint' | 'trivy';

/**
 * Where each original has its program, and whether its image starts with it. Kaniko's debug image has its shell in a folder of
 * its own, which scripts name.
 */
const PROGRAMS: Readonly<Record<Tool, { readonly target: string; readonly config: string }>> = {
  kaniko: {
    target: '/kaniko/executor',
    config:
      'RUN mkdir -p /busybox /kaniko/.docker && ln -s /bin/sh /busybox/sh\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/kaniko DOCKER_CONFIG=/kaniko/.docker',
  },
  // The base is Node's image; its entry point is not the tool's.
  hadolint: { target: '/bin/hadolint', config: 'ENTRYPOINT []\nCMD ["/bin/hadolint", "-"]' },
  trivy: { target: '/usr/local/bin/trivy', config: 'ENTRYPOINT ["trivy"]' },
};

/** A Node program that asks the daemon, under the name and at the place of the original. */
export function toolRecipe(tool: Tool): Recipe {
  const { target, config } = PROGRAMS[tool];
  return {
    kind: 'dockerfile',
    name: `${tool}:1`,
    tool: `${tool}.mjs`,
    dockerfile: `FROM node:24-bookworm-slim
COPY --chmod=755 tool.mjs ${target}
${config}
${tool === 'kaniko' ? 'ENTRYPOINT ["/kaniko/executor"]\nWORKDIR /workspace\n' : ''}`,
    prepare: async ({ dir, toolsDir }) => {
      await mkdir(dir, { recursive: true });
      await copyFile(path.join(toolsDir, `${tool}.mjs`), path.join(dir, 'tool.mjs'));
      return {};
    },
  };
}
