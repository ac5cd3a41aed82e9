import { exec } from 'node:child_process';
export const x = exec;
