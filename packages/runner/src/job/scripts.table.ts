import type { Job } from '@updraft/gitlab-ci';
import type { Outcome } from './outcome.ts';

/** A job's script, and what it must come to in every shell. */
export interface ScriptCase {
  readonly title: string;
  readonly job: Partial<Pick<Job, 'beforeScript' | 'script' | 'afterScript' | 'timeoutSeconds'>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly outcome?: Outcome['kind'];
  readonly exitCode?: number;
  /** Only in shells that know pipefail. */
  readonly pipefail?: true;
  /** All of what the scripts print, without the echoed commands. */
  readonly prints?: string;
  /** A part of the log as the user sees it. */
  readonly shows?: readonly string[];
  readonly hides?: readonly string[];
}

const failed = (exitCode: number) => ({ outcome: 'failed' as const, exitCode });

export const SCRIPT_CASES: readonly ScriptCase[] = [
  { title: 'one command', job: { script: ['echo one'] }, prints: 'one\n', shows: ['$ echo one\none\n'] },
  {
    title: 'a command of several lines is echoed by its first',
    job: { script: ['echo one\necho two'] },
    shows: ['$ echo one # collapsed multi-line command\none\ntwo\n'],
  },
  {
    title: 'blanks around a command are not shown',
    job: { script: ['\n  echo one\n\n'] },
    shows: ['$ echo one\none\n'],
  },
  { title: 'an empty command is an empty line', job: { script: ['', 'echo one'] }, shows: ['\n$ echo one'] },
  {
    title: 'directory, variables, functions and options carry from before_script to script',
    job: {
      beforeScript: ['mkdir -p sub && cd sub', 'export A=1 B=2', 'f() { echo "in f"; }', 'set -u'],
      script: ['basename "$PWD"', 'echo "$A$B"', 'f', 'case $- in *u*) echo set;; esac'],
    },
    prints: 'sub\n12\nin f\nset\n',
  },
  {
    title: 'the first failing command ends it',
    job: { script: ['false', 'echo never'] },
    ...failed(1),
    prints: '',
  },
  {
    title: 'a failing middle line ends it',
    job: { script: ['echo a\nfalse\necho b'] },
    ...failed(1),
    prints: 'a\n',
  },
  {
    title: 'a failing before_script keeps the script from running',
    job: { beforeScript: ['exit 4'], script: ['echo no'] },
    ...failed(4),
    prints: '',
  },
  { title: 'exit gives its code', job: { script: ['exit 3', 'echo never'] }, ...failed(3) },
  { title: 'exit 0 ends it early and well', job: { script: ['exit 0', 'false'] }, prints: '' },
  { title: 'a command’s own code is kept', job: { script: ['sh -c "exit 77"'] }, ...failed(77) },
  { title: 'exit 255', job: { script: ['exit 255'] }, ...failed(255) },
  { title: 'a command that is not there is 127', job: { script: ['no-such-program'] }, ...failed(127) },
  {
    title: 'a program that may not be executed is 126',
    job: { script: ['echo x > f', './f'] },
    ...failed(126),
  },
  { title: 'a signal is 128 and its number', job: { script: ["sh -c 'kill -9 $$'"] }, ...failed(137) },
  {
    title: 'a condition may fail',
    job: { script: ['if false; then echo a; else echo b; fi', 'false || echo c'] },
    prints: 'b\nc\n',
  },
  { title: 'a negated success as last command fails the job', job: { script: ['! true'] }, ...failed(1) },
  {
    title: 'an and-list that stops halfway as last command fails the job',
    job: { script: ['false && true'] },
    ...failed(1),
  },
  { title: 'errexit can be switched off', job: { script: ['set +e', 'false', 'echo on'] }, prints: 'on\n' },
  {
    title: 'a pipeline fails with its first command',
    job: { script: ['false | cat', 'echo never'] },
    pipefail: true,
    ...failed(1),
    prints: '',
  },
  {
    title: 'a failing pipeline in an assignment',
    job: { script: ['X=$(false)', 'echo never'] },
    ...failed(1),
    prints: '',
  },
  {
    title: 'dollars, quotes and backslashes reach the shell as written',
    job: { script: [String.raw`printf '%s\n' '$X' "a\"b" \$Y 'c\d' '%d'`] },
    prints: '$X\na"b\n$Y\nc\\d\n%d\n',
  },
  {
    title: 'quotes in an echoed command',
    job: { script: [`echo "it's" 'a "b"'`] },
    shows: [`$ echo "it's" 'a "b"'\nit's a "b"\n`],
  },
  {
    title: 'a job variable is a variable of the shell, not of the text',
    job: { script: ['X=inner', 'echo "$X"'] },
    variables: { X: 'outer' },
    prints: 'inner\n',
  },
  {
    title: 'values are not read again by the shell',
    job: { script: ['echo "$V"'] },
    variables: { V: '$(echo bad) `echo bad` $$HOME' },
    prints: '$(echo bad) `echo bad` $$HOME\n',
  },
  {
    title: 'values of several lines',
    job: { script: ['echo "$V"'] },
    variables: { V: 'one\ntwo\n\nthree' },
    prints: 'one\ntwo\n\nthree\n',
  },
  { title: 'a here-document', job: { script: ['cat <<EOF\na\n  b $((1+1))\nEOF'] }, prints: 'a\n  b 2\n' },
  {
    title: 'a comment at the end of a command does not swallow the next',
    job: { script: ['echo a # not b', 'echo c'] },
    prints: 'a\nc\n',
  },
  { title: 'a continued line', job: { script: ['echo a \\\n  b'] }, prints: 'a b\n' },
  {
    title: 'a loop over several items of the list',
    job: { script: ['for x in 1 2; do', 'echo $x', 'done'] },
    shows: ['1\n', '2\n'],
  },
  {
    title: 'standard input is empty',
    job: { script: ['cat', 'if read x; then echo got; else echo none; fi'] },
    prints: 'none\n',
  },
  {
    title: 'standard error is in the log',
    job: { script: ['echo out', 'echo err >&2'] },
    shows: ['out\n', 'err\n'],
  },
  {
    title: 'unusual characters',
    job: { script: ["printf '%s\\n' 'ä 漢字 🚀 \u00a0'"] },
    prints: 'ä 漢字 🚀 \u00a0\n',
  },
  {
    title: 'bytes that are no UTF-8 do not end the log',
    job: { script: [String.raw`printf 'a\377b\n'; echo on`] },
    prints: 'a\uFFFDb\non\n',
  },
  {
    title: 'a trap at the end is heard',
    job: { script: ["trap 'echo bye' EXIT", 'exit 5'] },
    ...failed(5),
    prints: 'bye\n',
  },
  { title: 'noclobber is off', job: { script: ['echo 1 > f', 'echo 2 > f', 'cat f'] }, prints: '2\n' },
  { title: 'a syntax error fails the job', job: { script: ['echo a', 'if then'] }, outcome: 'failed' },
  {
    title: 'a process in the background does not hold the job',
    job: { script: ['sleep 300 &', 'echo on'] },
    prints: 'on\n',
  },
  {
    title: 'after_script: a new shell in the project folder that knows how it went',
    job: {
      script: ['mkdir -p sub; cd sub; export A=1; f() { :; }'],
      afterScript: ['basename "$PWD"', 'echo "${A-unset} $CI_JOB_STATUS"'],
    },
    shows: ['project\n', 'unset success\n'],
  },
  {
    title: 'after_script runs after a failure, and its own changes nothing',
    job: { script: ['exit 9'], afterScript: ['echo "after: $CI_JOB_STATUS"', 'exit 1'] },
    ...failed(9),
    shows: ['after: failed\n', 'after_script failed'],
  },
  {
    title: 'a failing after_script leaves a good job good',
    job: { script: ['true'], afterScript: ['exit 1', 'echo never'] },
    hides: ['\nnever'],
  },
  {
    title: 'AFTER_SCRIPT_IGNORE_ERRORS',
    job: { script: ['true'], afterScript: ['exit 6'] },
    variables: { AFTER_SCRIPT_IGNORE_ERRORS: 'false' },
    ...failed(6),
  },
  {
    title: 'a time-out ends it, and after_script runs',
    job: {
      script: ['echo start; sleep 300', 'echo never'],
      afterScript: ['echo "after: $CI_JOB_STATUS"'],
      timeoutSeconds: 1,
    },
    outcome: 'timedOut',
    shows: ['start\n', 'ERROR: ended after 1 s', 'after: failed\n'],
    hides: ['\nnever'],
  },
  {
    title: 'RUNNER_SCRIPT_TIMEOUT',
    job: { script: ['sleep 300'] },
    variables: { RUNNER_SCRIPT_TIMEOUT: '1s' },
    outcome: 'timedOut',
  },
  {
    title: 'CI_DEBUG_TRACE shows what the shell does',
    job: { script: ['X=ab; : "traced-$X"'] },
    variables: { CI_DEBUG_TRACE: 'true' },
    shows: ['traced-ab'],
  },
  {
    title: 'the exit-code check of GitLab’s runner',
    job: { script: ['set +e', 'false', 'echo never'] },
    variables: { FF_ENABLE_BASH_EXIT_CODE_CHECK: 'true' },
    ...failed(1),
    prints: '',
  },
  {
    title: 'section markers are taken out',
    job: {
      script: [
        String.raw`printf 'section_start:1560896352:a_b[collapsed=true]\r\033[0KHeading\n'; echo in; printf 'section_end:1560896353:a_b\r\033[0K\n'`,
      ],
    },
    shows: ['\nHeading\nin\n'],
  },
  {
    title: 'a changed PATH is the script’s, not ours',
    job: { script: ['echo "$PATH"', 'echo on'] },
    variables: { PATH: '/nowhere' },
    prints: '/nowhere\non\n',
  },
];
