#!/usr/bin/env node
import { callTool } from './client.ts';

await callTool('trivy', /^(TRIVY_\w+|DOCKER_\w+|CI|NO_COLOR|HOME)$/);
