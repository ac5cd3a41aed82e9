import type { DocumentedRule } from './rule.ts';
import { RULES } from './rules/all.ts';

const ORIGIN = {
  compatible: 'as Hadolint 2.12',
  newer: 'of Hadolint after 2.12: on with --rules newest',
  own: 'Updraft’s own: on with --rules all',
} as const;

/** The page of a rule as text, or undefined when there is no such rule. ShellCheck's rules have their page elsewhere. */
export function explainRule(written: string): string | undefined {
  const code = written.trim().toUpperCase();
  if (/^SC\d{4}$/.test(code)) {
    return `${code} is ShellCheck’s, about a script inside RUN: https://www.shellcheck.net/wiki/${code}\n`;
  }
  if (code === 'DL1000') return PARSE_PAGE;
  const rule = RULES.find((known) => known.code === code);
  return rule === undefined ? undefined : pageText(rule);
}

const PARSE_PAGE = `DL1000 (error): the Dockerfile does not parse.

The line and column say where reading stopped. Nothing behind it is certain, so this finding cannot be ignored and
fails the lint whatever the threshold.
`;

function pageText({ code, severity, title, set = 'compatible', page }: DocumentedRule): string {
  const level = severity === 'ignore' ? 'off unless a severity is given' : severity;
  const settings =
    page.settings === undefined ? '' : `\nWith the settings ${JSON.stringify(page.settings)}.\n`;
  return `${code} (${level}; ${ORIGIN[set]}): ${title}

${page.why}
${settings}
Bad:
${indented(page.bad)}
Good:
${indented(page.good)}
To accept one finding: a line "# hadolint ignore=${code}" right above the instruction.
`;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('');
}
