import { numberAt, recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import { isLabel } from './problems.ts';
import type { Problems } from './problems.ts';
import { EPHEMERAL_FIELD, validateEphemeral } from './validate-ephemeral.ts';
import { validateHooks } from './validate-hooks.ts';
import { validateDescendingPath, validateVolumePaths } from './validate-paths.ts';
import { validateSysctls } from './validate-sysctls.ts';

const HIGHEST_PORT = 65_535;

/** @param claimed volumes that a controller adds to each pod (`volumeClaimTemplates`) */
export function validatePodSpec(
  path: string,
  spec: Members,
  problems: Problems,
  claimed: readonly string[] = [],
): void {
  const containers = recordsAt(spec, 'containers');
  if (containers.length === 0) problems.required(`${path}.containers`);
  const volumes = new Set([...validateVolumes(path, spec, problems), ...claimed]);
  const names = new Set<string>();
  for (const list of ['initContainers', 'containers']) {
    for (const [index, container] of recordsAt(spec, list).entries()) {
      const at = `${path}.${list}[${index}]`;
      validateName(at, textAt(container, 'name'), { problems, names });
      validateContainer(at, container, { problems, volumes, init: list === 'initContainers' });
    }
  }
  validateEphemerals(path, spec, { problems, volumes, names });
  problems.oneOf(`${path}.restartPolicy`, spec['restartPolicy'], ['Always', 'OnFailure', 'Never']);
  problems.oneOf(`${path}.dnsPolicy`, spec['dnsPolicy'], [
    'ClusterFirstWithHostNet',
    'ClusterFirst',
    'Default',
    'None',
  ]);
  problems.notNegative(`${path}.terminationGracePeriodSeconds`, spec['terminationGracePeriodSeconds']);
  validateHooks(path, spec, problems);
  validateSysctls(path, spec, problems);
}

function validateEphemerals(
  path: string,
  spec: Members,
  pod: { readonly problems: Problems; readonly volumes: ReadonlySet<string>; readonly names: Set<string> },
): void {
  const { problems, volumes, names } = pod;
  const others = new Set(names);
  const containers = recordsAt(spec, EPHEMERAL_FIELD);
  if (containers.length > 0 && path.endsWith('.template.spec'))
    problems.forbidden(`${path}.${EPHEMERAL_FIELD}`, 'ephemeral containers not allowed in pod template');
  for (const [index, container] of containers.entries()) {
    const at = `${path}.${EPHEMERAL_FIELD}[${index}]`;
    validateName(at, textAt(container, 'name'), { problems, names });
    validateContainer(at, container, { problems, volumes, init: false });
    validateEphemeral(at, container, { problems, others });
  }
}

function validateName(
  path: string,
  name: string | undefined,
  seen: { readonly problems: Problems; readonly names: Set<string> },
): void {
  if (!name) return seen.problems.required(`${path}.name`);
  const why = isLabel(name);
  if (why) seen.problems.invalid(`${path}.name`, name, why);
  if (seen.names.has(name)) seen.problems.duplicate(`${path}.name`, name);
  seen.names.add(name);
}

function validateVolumes(path: string, spec: Members, problems: Problems): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [index, volume] of recordsAt(spec, 'volumes').entries()) {
    validateName(`${path}.volumes[${index}]`, textAt(volume, 'name'), { problems, names });
    validateVolumePaths(`${path}.volumes[${index}]`, volume, problems);
    const sources = Object.keys(volume).filter((key) => key !== 'name');
    if (sources.length > 1) {
      problems.forbidden(
        `${path}.volumes[${index}].${sources[1]}`,
        'may not specify more than 1 volume type',
      );
    }
  }
  return names;
}

interface ContainerContext {
  readonly problems: Problems;
  readonly volumes: ReadonlySet<string>;
  readonly init: boolean;
}

function validateContainer(path: string, container: Members, context: ContainerContext): void {
  const { problems } = context;
  const image = textAt(container, 'image');
  if (!image) problems.required(`${path}.image`);
  else if (image.trim() !== image)
    problems.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace');
  problems.oneOf(`${path}.imagePullPolicy`, container['imagePullPolicy'], [
    'Always',
    'IfNotPresent',
    'Never',
  ]);
  for (const [index, port] of recordsAt(container, 'ports').entries()) {
    validatePort(`${path}.ports[${index}].containerPort`, numberAt(port, 'containerPort'), problems);
    problems.oneOf(`${path}.ports[${index}].protocol`, port['protocol'], ['SCTP', 'TCP', 'UDP']);
  }
  for (const [index, variable] of recordsAt(container, 'env').entries()) {
    if (!textAt(variable, 'name')) problems.required(`${path}.env[${index}].name`);
    if (variable['value'] && variable['valueFrom'] !== undefined) {
      problems.invalid(
        `${path}.env[${index}].valueFrom`,
        '',
        'may not be specified when `value` is not empty',
      );
    }
  }
  validateMounts(path, container, context);
  if (context.init && container['restartPolicy'] !== 'Always') {
    for (const probe of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
      if (container[probe] !== undefined) {
        problems.forbidden(
          `${path}.${probe}`,
          'may not be set for init containers without restartPolicy=Always',
        );
      }
    }
  }
  validateProbes(path, container, problems);
  validateResources(`${path}.resources`, recordAt(container, 'resources'), problems);
}

function validateMounts(path: string, container: Members, context: ContainerContext): void {
  const targets = new Set<string>();
  for (const [index, mount] of recordsAt(container, 'volumeMounts').entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    const name = textAt(mount, 'name') ?? '';
    const target = textAt(mount, 'mountPath');
    if (!name) context.problems.required(`${at}.name`);
    else if (!context.volumes.has(name)) context.problems.notFound(`${at}.name`, name);
    if (!target) context.problems.required(`${at}.mountPath`);
    else if (targets.has(target)) context.problems.invalid(`${at}.mountPath`, target, 'must be unique');
    else targets.add(target);
    for (const key of ['subPath', 'subPathExpr'])
      validateDescendingPath(`${at}.${key}`, textAt(mount, key), context.problems);
  }
}

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];

function validateProbes(path: string, container: Members, problems: Problems): void {
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (container[kind] === undefined) continue;
    const probe = recordAt(container, kind);
    const at = `${path}.${kind}`;
    const handlers = HANDLERS.filter((handler) => probe[handler] !== undefined);
    if (handlers.length === 0) problems.required(at, 'must specify a handler type');
    if (handlers.length > 1)
      problems.forbidden(`${at}.${handlers[1]}`, 'may not specify more than 1 handler type');
    for (const key of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'failureThreshold']) {
      problems.notNegative(`${at}.${key}`, probe[key]);
    }
    if (kind !== 'readinessProbe' && (numberAt(probe, 'successThreshold') ?? 1) !== 1) {
      problems.invalid(`${at}.successThreshold`, probe['successThreshold'], 'must be 1');
    }
  }
}

function validateResources(path: string, resources: Members, problems: Problems): void {
  for (const list of ['limits', 'requests']) {
    for (const [name, value] of Object.entries(recordAt(resources, list))) {
      if (String(value).startsWith('-')) {
        problems.invalid(`${path}.${list}.${name}`, value, 'must be greater than or equal to 0');
      }
    }
  }
}

export function validatePort(field: string, port: number | undefined, problems: Problems): void {
  if (port === undefined) problems.required(field);
  else if (port < 1 || port > HIGHEST_PORT) {
    problems.invalid(field, port, `must be between 1 and ${HIGHEST_PORT}, inclusive`);
  }
}
