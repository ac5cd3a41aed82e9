import type { RequiredSecret } from '../pipeline.ts';
import { isText } from '../tree.ts';
import { variableValue } from './common.ts';
import { filledText, flag, mapOf, mapped, oneOrList, record, report } from './readers.ts';
import type { Reader } from './readers.ts';

/** A provider and whether a file is wanted; the name is the key it stands under. */
type SecretDefinition = Omit<RequiredSecret, 'name'>;

export const textOr =
  <T>(reader: Reader<T>): Reader<T | string> =>
  (tree, scope) =>
    isText(tree) ? filledText(tree, scope) : reader(tree, scope);

const engine = record({ name: filledText, path: filledText }, { required: ['name', 'path'] });
const vault = record(
  { engine, path: filledText, field: filledText },
  { required: ['engine', 'path', 'field'] },
);

const PROVIDERS = {
  vault: textOr(vault),
  gcp_secret_manager: record({ name: filledText, version: variableValue }, { required: ['name'] }),
  azure_key_vault: record({ name: filledText, version: variableValue }, { required: ['name'] }),
  aws_secrets_manager: textOr(
    record({
      secret_id: filledText,
      version_id: filledText,
      version_stage: filledText,
      region: filledText,
      role_arn: filledText,
      role_session_name: filledText,
      field: filledText,
    }),
  ),
  gitlab_secrets_manager: record({ name: filledText, source: filledText }, { required: ['name'] }),
};

const secretFields = record({ ...PROVIDERS, file: flag, token: filledText });

const secret: Reader<SecretDefinition> = mapped(secretFields, (read, tree, scope) => {
  const given = Object.keys(PROVIDERS).filter((key) => tree.kind === 'map' && tree.entries.has(key));
  const [provider] = given;
  if (provider === undefined || given.length > 1) {
    const code = provider === undefined ? 'missing-keyword' : 'conflicting-keywords';
    const message = `${scope.keyword} must name exactly one of ${Object.keys(PROVIDERS).join(', ')}`;
    return report(scope, code, tree.at, message);
  }
  if (provider === 'gcp_secret_manager' && read.token === undefined) {
    report(scope, 'missing-keyword', tree.at, `${scope.keyword}:token is missing`);
  }
  return { provider, file: read.file ?? true };
});

const toList = (definitions: ReadonlyMap<string, SecretDefinition>): readonly RequiredSecret[] =>
  [...definitions].map(([name, definition]) => ({ name, ...definition }));

export const secrets: Reader<readonly RequiredSecret[]> = mapped(mapOf(secret), toList);

const audience = mapped(oneOrList(filledText, { min: 1 }), (all, tree, scope) =>
  new Set(all).size === all.length
    ? all
    : report(scope, 'invalid-value', tree.at, `${scope.keyword} names an audience twice`),
);
const token: Reader<SecretDefinition> = mapped(record({ aud: audience }, { required: ['aud'] }), () => ({
  provider: 'id_token',
  file: false,
}));

export const idTokens: Reader<readonly RequiredSecret[]> = mapped(mapOf(token), toList);
