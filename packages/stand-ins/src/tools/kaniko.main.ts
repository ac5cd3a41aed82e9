import { runTool } from './client.ts';

await runTool('kaniko', {
  env: [
    'CI_PROJECT_DIR',
    'CI_REGISTRY',
    'CI_REGISTRY_USER',
    'CI_REGISTRY_PASSWORD',
    'DOCKER_AUTH_CONFIG',
    'DOCKER_CONFIG',
    'KANIKO_DIR',
    'SOURCE_DATE_EPOCH',
  ],
});
