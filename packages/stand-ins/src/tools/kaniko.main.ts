#!/usr/bin/env node
import { callTool } from './client.ts';

await callTool('kaniko', /^(CI_REGISTRY\w*|DOCKER_\w+|SOURCE_DATE_EPOCH)$/);
