import type { Severity } from '../severity.ts';

/** A kind of secret. `pattern` has a group `secret` where not all of it is one. */
export interface SecretRule {
  readonly id: string;
  readonly category: string;
  readonly title: string;
  readonly severity: Severity;
  /** One of these is in every file that can match: a cheap first look. */
  readonly keywords: readonly string[];
  readonly pattern: RegExp;
  /** Only files with such a path. */
  readonly path?: RegExp;
}

/** With the original's ids, so that ignore files and reports agree. */
export const SECRET_RULES: readonly SecretRule[] = [
  {
    id: 'aws-access-key-id',
    category: 'AWS',
    title: 'AWS Access Key ID',
    severity: 'CRITICAL',
    keywords: ['AKIA', 'AGPA', 'AIDA', 'AROA', 'AIPA', 'ANPA', 'ANVA', 'ASIA', 'A3T'],
    pattern:
      /(?<![A-Za-z0-9])(?<secret>(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16})(?![A-Za-z0-9])/g,
  },
  {
    id: 'aws-secret-access-key',
    category: 'AWS',
    title: 'AWS Secret Access Key',
    severity: 'CRITICAL',
    keywords: ['key', 'KEY', 'Key'],
    pattern:
      /(?:aws)?_?secret_?(?:access)?_?key["']?[ \t]{0,20}(?::|=>|=)[ \t]{0,20}["']?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
  },
  {
    id: 'github-pat',
    category: 'GitHub',
    title: 'GitHub Personal Access Token',
    severity: 'CRITICAL',
    keywords: ['ghp_'],
    pattern: /(?<![A-Za-z0-9_])ghp_[0-9A-Za-z]{36}(?![0-9A-Za-z])/g,
  },
  {
    id: 'github-oauth',
    category: 'GitHub',
    title: 'GitHub OAuth Access Token',
    severity: 'CRITICAL',
    keywords: ['gho_'],
    pattern: /(?<![A-Za-z0-9_])gho_[0-9A-Za-z]{36}(?![0-9A-Za-z])/g,
  },
  {
    id: 'github-app-token',
    category: 'GitHub',
    title: 'GitHub App Token',
    severity: 'CRITICAL',
    keywords: ['ghu_', 'ghs_'],
    pattern: /(?<![A-Za-z0-9_])gh[us]_[0-9A-Za-z]{36}(?![0-9A-Za-z])/g,
  },
  {
    id: 'github-refresh-token',
    category: 'GitHub',
    title: 'GitHub Refresh Token',
    severity: 'CRITICAL',
    keywords: ['ghr_'],
    pattern: /(?<![A-Za-z0-9_])ghr_[0-9A-Za-z]{76}(?![0-9A-Za-z])/g,
  },
  {
    id: 'github-fine-grained-pat',
    category: 'GitHub',
    title: 'GitHub Fine-grained personal access tokens',
    severity: 'CRITICAL',
    keywords: ['github_pat_'],
    pattern: /(?<![A-Za-z0-9_])github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9])/g,
  },
  {
    id: 'gitlab-pat',
    category: 'GitLab',
    title: 'GitLab Personal Access Token',
    severity: 'CRITICAL',
    keywords: ['glpat-'],
    pattern: /(?<![A-Za-z0-9_])glpat-[0-9A-Za-z_-]{20}(?![0-9A-Za-z])/g,
  },
  {
    id: 'hugging-face-access-token',
    category: 'HuggingFace',
    title: 'Hugging Face Access Token',
    severity: 'CRITICAL',
    keywords: ['hf_'],
    pattern: /(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{34,40}(?![A-Za-z0-9])/g,
  },
  {
    id: 'gcp-service-account',
    category: 'Google',
    title: 'Google (GCP) Service-account',
    severity: 'CRITICAL',
    keywords: ['service_account'],
    pattern: /"type"[ \t]{0,20}:[ \t]{0,20}"service_account"/g,
  },
  {
    id: 'npm-access-token',
    category: 'Npm',
    title: 'npm access token',
    severity: 'CRITICAL',
    keywords: ['npm_'],
    pattern: /(?<![A-Za-z0-9_])npm_[0-9A-Za-z]{36}(?![0-9A-Za-z])/g,
  },
  {
    id: 'stripe-secret-token',
    category: 'Stripe',
    title: 'Stripe Secret Key',
    severity: 'CRITICAL',
    keywords: ['sk_test_', 'sk_live_', 'rk_live_'],
    pattern: /(?<![A-Za-z0-9_])(?:sk_test|sk_live|rk_live)_[0-9A-Za-z]{10,99}/g,
  },
  {
    id: 'private-key',
    category: 'AsymmetricPrivateKey',
    title: 'Asymmetric Private Key',
    severity: 'HIGH',
    keywords: ['PRIVATE KEY'],
    pattern:
      /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?<secret>[A-Za-z0-9+/=\s:,.-]{64,8192}?)-----END/g,
  },
  {
    id: 'slack-access-token',
    category: 'Slack',
    title: 'Slack token',
    severity: 'HIGH',
    keywords: ['xox'],
    pattern: /(?<![A-Za-z0-9])xox[abeoprs]-[0-9A-Za-z]{10,48}(?:-[0-9A-Za-z]{10,48}){1,4}/g,
  },
  {
    id: 'pypi-upload-token',
    category: 'PyPI',
    title: 'PyPI upload token',
    severity: 'HIGH',
    keywords: ['pypi-AgEI'],
    pattern: /pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,1000}/g,
  },
  {
    id: 'dockerconfig-secret',
    category: 'Docker',
    title: 'Dockerconfig secret exposed',
    severity: 'HIGH',
    keywords: ['auth'],
    path: /(?:^|\/)(?:config\.json|\.dockercfg|\.dockerconfigjson)$/,
    pattern: /"auth"[ \t]{0,20}:[ \t]{0,20}"(?<secret>[A-Za-z0-9+/=]{8,})"/g,
  },
];

/** Made up ones of manuals. */
export const EXAMPLES = /EXAMPLE|^A(?:KIA|SIA)(.)\1{10,}/;
