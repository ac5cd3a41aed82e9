import type { Finding } from '../finding.ts';
import { checkstyle } from './checkstyle.ts';
import { codeclimate, gitlabCodeclimate } from './codeclimate.ts';
import { codacy, json } from './json.ts';
import { sarif } from './sarif.ts';
import { sonarqube } from './sonarqube.ts';
import { gnu, tty } from './text.ts';

/** The findings of one file; `-` is standard input. */
export interface FileFindings {
  readonly file: string;
  readonly findings: readonly Finding[];
}

export type LintFormat =
  | 'tty'
  | 'json'
  | 'checkstyle'
  | 'codeclimate'
  | 'gitlab_codeclimate'
  | 'gnu'
  | 'codacy'
  | 'sonarqube'
  | 'sarif';

export type Formatter = (files: readonly FileFindings[]) => string;

export const FORMATTERS: Readonly<Record<LintFormat, Formatter>> = {
  tty,
  json,
  checkstyle,
  codeclimate,
  gitlab_codeclimate: gitlabCodeclimate,
  gnu,
  codacy,
  sonarqube,
  sarif,
};

export function isFormat(name: string): name is LintFormat {
  return Object.hasOwn(FORMATTERS, name);
}
