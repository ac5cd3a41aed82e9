#!/usr/bin/env node
import { callTool } from './client.ts';

await callTool('hadolint', /^(HADOLINT_\w+|NO_COLOR|XDG_CONFIG_HOME|HOME)$/);
