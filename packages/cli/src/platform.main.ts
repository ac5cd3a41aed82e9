import { PLATFORM_COMMANDS } from './commands/of-platform.ts';
import { runProgram } from './program.ts';

// Bundled apart: a command that only asks the daemon need not load all that reads a project's configuration.
void runProgram(PLATFORM_COMMANDS);
