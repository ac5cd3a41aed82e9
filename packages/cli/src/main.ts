import { COMMANDS } from './commands/index.ts';
import { runProgram } from './program.ts';

// No top-level await: the command is bundled as CommonJS.
void runProgram(COMMANDS);
