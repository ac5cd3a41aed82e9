import { Fault, messageOf } from '@updraft/kit';
import type { Inventory, OperatingSystem, Package } from './inventory-types.ts';
import type { LanguageFile } from './packages/facts.ts';
import { ecosystemOf, parsePurl } from './purl.ts';
import type { Purl } from './purl.ts';
import { object, objects, text } from './json.ts';
import type { Json } from './json.ts';

export interface Sbom {
  readonly format: 'cyclonedx' | 'spdx';
  readonly inventory: Inventory;
  /** Components whose kind of package this scan does not know. */
  readonly unknown: number;
}

/**
 * The packages a bill of materials (CycloneDX or SPDX, as JSON) lists.
 * @throws Fault SBOM_INVALID when it is neither
 */
export function readSbom(content: string, name: string): Sbom {
  const root = parseRoot(content, name);
  if (root['bomFormat'] === 'CycloneDX') return cyclonedx(root, name);
  if (typeof root['spdxVersion'] === 'string') return spdx(root, name);
  throw invalid(name, 'it is neither CycloneDX nor SPDX in JSON');
}

function parseRoot(content: string, name: string): Json {
  try {
    return object(JSON.parse(content.replace(/^\uFEFF/, '')));
  } catch (error) {
    throw invalid(name, messageOf(error));
  }
}

function cyclonedx(root: Json, name: string): Sbom {
  const components = allComponents(root['components']);
  const system = components.find(({ type }) => type === 'operating-system');
  const os = system && { family: text(system['name']), version: text(system['version']) };
  const found = components
    .filter(({ type }) => type !== 'operating-system' && type !== 'file')
    .map((component) => toPackage(component['purl'], sourceOf(component), name));
  return { format: 'cyclonedx', ...collect(found, os) };
}

function allComponents(value: unknown): readonly Json[] {
  return objects(value).flatMap((component) => [component, ...allComponents(component['components'])]);
}

/** Scanners leave the source package in properties, as advisories of distributions speak of it. */
function sourceOf(component: Json): { name?: string; version?: string } {
  const values = new Map(
    objects(component['properties']).map(({ name, value }) => [text(name), text(value)]),
  );
  const name = values.get('aquasecurity:trivy:SrcName') ?? values.get('syft:metadata:source');
  const version = values.get('aquasecurity:trivy:SrcVersion') ?? values.get('syft:metadata:sourceVersion');
  return { ...(name !== undefined && { name }), ...(version !== undefined && { version }) };
}

function spdx(root: Json, name: string): Sbom {
  const found = objects(root['packages']).flatMap((one) => {
    const refs = objects(one['externalRefs']);
    const locator = refs.find(({ referenceType }) => referenceType === 'purl')?.['referenceLocator'];
    const source = /built package from: (\S+) (\S+)/.exec(text(one['sourceInfo']));
    const from = source === null ? {} : { name: source[1] ?? '', version: source[2] ?? '' };
    return locator === undefined ? [] : [toPackage(locator, from, name)];
  });
  return { format: 'spdx', ...collect(found, undefined) };
}

interface Found {
  readonly purl: Purl;
  readonly installed: Package | undefined;
}

const TYPES: Readonly<Record<string, 'os' | LanguageFile>> = {
  dpkg: 'os',
  apk: 'os',
  npm: 'node-pkg',
  pypi: 'python-pkg',
  go: 'gobinary',
};

function toPackage(
  written: unknown,
  source: { name?: string; version?: string },
  file: string,
): Found | undefined {
  const purl = typeof written === 'string' ? parsePurl(written) : undefined;
  if (purl === undefined) return undefined;
  const ecosystem = ecosystemOf(purl);
  if (ecosystem === undefined || purl.version === undefined) return { purl, installed: undefined };
  const isScoped = ecosystem === 'npm' || ecosystem === 'go';
  const name = isScoped && purl.namespace !== '' ? `${purl.namespace}/${purl.name}` : purl.name;
  const epoch = purl.qualifiers.get('epoch');
  const version = epoch === undefined ? purl.version : `${epoch}:${purl.version}`;
  const installed: Package = {
    ecosystem,
    name,
    version,
    source: { name: source.name ?? name, version: source.version ?? version },
    architecture: purl.qualifiers.get('arch'),
    type: TYPES[ecosystem] ?? 'os',
    path: file,
    layer: undefined,
  };
  return { purl, installed };
}

function collect(
  all: readonly (Found | undefined)[],
  stated: OperatingSystem | undefined,
): Pick<Sbom, 'inventory' | 'unknown'> {
  const found = all.filter((one) => one !== undefined);
  const packages = found.flatMap(({ installed }) => (installed === undefined ? [] : [installed]));
  const os = stated ?? found.map(({ purl }) => systemOf(purl)).find((one) => one !== undefined);
  const byKey = new Map(
    packages.map((one) => [`${one.ecosystem}\0${one.name}\0${one.version}\0${one.architecture}`, one]),
  );
  return { inventory: { os, packages: [...byKey.values()] }, unknown: found.length - packages.length };
}

/** `?distro=debian-12.9` of a distribution's package. */
function systemOf({ type, qualifiers }: Purl): OperatingSystem | undefined {
  if (type !== 'deb' && type !== 'apk') return undefined;
  const match = /^([a-z]+)-(\d[\w.]*)$/.exec(qualifiers.get('distro') ?? '');
  return match?.[1] === undefined ? undefined : { family: match[1], version: match[2] ?? '' };
}

function invalid(name: string, why: string): Fault {
  return new Fault('SBOM_INVALID', `${name} is no bill of materials: ${why}`);
}
