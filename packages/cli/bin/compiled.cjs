// Runs a CommonJS bundle with its compiled code of an earlier run: a third of a short command's time is compiling.
'use strict';
const { readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');

/**
 * V8 itself refuses compiled code of another version or of other flags. Another text of the same length it does not
 * tell apart: so the text's first line names the build, and the compiled code is kept under that name.
 */
function runCompiled(file) {
  const text = readFileSync(file, 'utf8');
  const [, build = 'unnamed'] = /^\/\* build ([\w-]+) \*\//.exec(text) ?? [];
  const compiled = `${file}.${build}.compiled`;
  const source = `(function (require, module, exports, __dirname, __url) {${text}\n})`;
  const cachedData = readIfPresent(compiled);
  const script = new vm.Script(source, {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (cachedData === undefined || script.cachedDataRejected || process.env.UPDRAFT_COMPILE === '1') {
    // At the end: only functions that have run are in it.
    process.on('exit', () => keep(compiled, script.createCachedData()));
  }
  const module = { exports: {} };
  const run = script.runInThisContext();
  run(createRequire(file), module, module.exports, path.dirname(file), pathToFileURL(file).href);
}

function readIfPresent(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** In one step: another command may be reading it. */
function keep(file, data) {
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, data);
    renameSync(temporary, file);
  } catch {
    // Somebody else's installation: every run compiles for itself.
    rmSync(temporary, { force: true });
  }
}

module.exports = { runCompiled };
