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

/** `vendor_something = "SECRET"` in any language's writing. */
function assigned(vendor: string, secret: string): RegExp {
  return new RegExp(
    `${vendor}[a-z0-9_ .\\-,]{0,25}(?:=|>|:=|\\|\\|:|<=|=>|:).{0,5}['"](?<secret>${secret})['"]`,
    'gi',
  );
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
    // Keys are also found inside JSON, where line ends are written as \n.
    pattern:
      /-----\s{0,3}BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?\s{0,3}-----\s{0,8}(?<secret>[A-Za-z0-9=+/\\\s:,.]{32,16384}?)-----\s{0,3}END/g,
  },
  {
    id: 'slack-access-token',
    category: 'Slack',
    title: 'Slack token',
    severity: 'HIGH',
    keywords: ['xox'],
    pattern: /(?<![A-Za-z0-9])xox[abeoprs]-[0-9A-Za-z]{10,48}(?:-[0-9A-Za-z]{8,48}){0,4}/g,
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
    keywords: ['dockerc'],
    pattern: /\.(?:dockerconfigjson|dockercfg):\s{0,20}\|{0,2}\s{0,20}(?<secret>e[yw][A-Za-z0-9/+=]{8,})/gi,
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
  {
    id: 'shopify-token',
    category: 'Shopify',
    title: 'Shopify token',
    severity: 'HIGH',
    keywords: ['shpss_', 'shpat_', 'shpca_', 'shppa_'],
    pattern: /shp(?:ss|at|ca|pa)_[a-fA-F0-9]{32}/g,
  },
  {
    id: 'heroku-api-key',
    category: 'Heroku',
    title: 'Heroku API Key',
    severity: 'HIGH',
    keywords: ['heroku'],
    pattern: assigned('heroku', '[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}'),
  },
  {
    id: 'alibaba-access-key-id',
    category: 'Alibaba',
    title: 'Alibaba AccessKey ID',
    severity: 'HIGH',
    keywords: ['LTAI'],
    pattern: /(?<![0-9A-Za-z])LTAI[a-zA-Z0-9]{20}(?![0-9A-Za-z])/g,
  },
  {
    id: 'alibaba-secret-key',
    category: 'Alibaba',
    title: 'Alibaba Secret Key',
    severity: 'HIGH',
    keywords: ['alibaba'],
    pattern: assigned('alibaba', '[a-z0-9]{30}'),
  },
  {
    id: 'atlassian-api-token',
    category: 'Atlassian',
    title: 'Atlassian API token',
    severity: 'HIGH',
    keywords: ['atlassian'],
    pattern: assigned('atlassian', '[a-z0-9]{24}'),
  },
  {
    id: 'bitbucket-client-id',
    category: 'Bitbucket',
    title: 'Bitbucket client ID',
    severity: 'HIGH',
    keywords: ['bitbucket'],
    pattern: assigned('bitbucket', '[a-z0-9]{32}'),
  },
  {
    id: 'bitbucket-client-secret',
    category: 'Bitbucket',
    title: 'Bitbucket client secret',
    severity: 'HIGH',
    keywords: ['bitbucket'],
    pattern: assigned('bitbucket', '[a-z0-9_\\-]{64}'),
  },
  {
    id: 'dropbox-api-secret',
    category: 'Dropbox',
    title: 'Dropbox API secret/key',
    severity: 'HIGH',
    keywords: ['dropbox'],
    pattern: assigned('dropbox', '[a-z0-9]{15}'),
  },
  {
    id: 'dropbox-short-lived-api-token',
    category: 'Dropbox',
    title: 'Dropbox short lived API token',
    severity: 'HIGH',
    keywords: ['dropbox'],
    pattern: assigned('dropbox', 'sl\\.[a-z0-9\\-=_]{135}'),
  },
  {
    id: 'dropbox-long-lived-api-token',
    category: 'Dropbox',
    title: 'Dropbox long lived API token',
    severity: 'HIGH',
    keywords: ['dropbox'],
    pattern: assigned('dropbox', '[a-z0-9]{11}AAAAAAAAAA[a-z0-9\\-_=]{43}'),
  },
  {
    id: 'private-packagist-token',
    category: 'Private Packagist',
    title: 'Private Packagist token',
    severity: 'HIGH',
    keywords: ['packagist_uut_', 'packagist_ort_', 'packagist_out_'],
    pattern: /packagist_[ou][ru]t_[a-fA-F0-9]{68}/g,
  },
  {
    id: 'pulumi-api-token',
    category: 'Pulumi',
    title: 'Pulumi API token',
    severity: 'HIGH',
    keywords: ['pul-'],
    pattern: /pul-[a-f0-9]{40}/g,
  },
  {
    id: 'openai-project-api-key',
    category: 'OpenAI',
    title: 'OpenAI Project API Key',
    severity: 'CRITICAL',
    keywords: ['T3BlbkFJ'],
    pattern: /sk-proj-[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}/g,
  },
  {
    id: 'openai-service-account-key',
    category: 'OpenAI',
    title: 'OpenAI Service Account Key',
    severity: 'CRITICAL',
    keywords: ['T3BlbkFJ'],
    pattern: /sk-svcacct-[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}/g,
  },
];

/** Made up ones of manuals. */
export const EXAMPLES = /EXAMPLE|^A(?:KIA|SIA)(.)\1{10,}/;
