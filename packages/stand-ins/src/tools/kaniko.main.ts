#!/usr/bin/env node
import { callTool } from './client.ts';

// All of them: `--build-arg NAME` takes its value from any variable.
await callTool('kaniko', /^/);
