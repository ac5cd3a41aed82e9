import { runTool } from './client.ts';

await runTool('trivy', {
  env: [
    'TRIVY_*',
    'NO_COLOR',
    'CI_PROJECT_DIR',
    'CI_REGISTRY',
    'CI_REGISTRY_USER',
    'CI_REGISTRY_PASSWORD',
    'DOCKER_AUTH_CONFIG',
    'DOCKER_CONFIG',
  ],
});
