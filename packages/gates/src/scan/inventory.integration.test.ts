import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run, runOrThrow } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectFolder } from './inventory.ts';
import type { Ecosystem } from './inventory-types.ts';

/** The inventory against what the package managers themselves say of the same files. */
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gates-agreement-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function inventory(root: string, ecosystem: Ecosystem): Promise<ReadonlySet<string>> {
  const { packages } = (await inspectFolder(root)).inventory;
  return new Set(
    packages.filter((one) => one.ecosystem === ecosystem).map(({ name, version }) => `${name} ${version}`),
  );
}

const STATUS = '/var/lib/dpkg/status';

describe('the inventory agrees', () => {
  it.skipIf(!existsSync(STATUS))('with dpkg-query -W', async () => {
    await mkdir(path.join(folder, 'var/lib/dpkg'), { recursive: true });
    await copyFile(STATUS, path.join(folder, STATUS));
    const format = '${db:Status-Status} ${Package} ${Version} ${source:Package} ${source:Version}\n';
    const lines = (await runOrThrow('dpkg-query', ['-W', `-f=${format}`])).trim().split('\n');
    const installed = lines
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length));
    const { packages } = (await inspectFolder(folder)).inventory;
    const found = packages.map(({ name, version, source }) =>
      [name, version, source.name, source.version].join(' '),
    );
    expect(installed.length).toBeGreaterThan(50);
    expect(new Set(found)).toEqual(new Set(installed));
  });

  interface Tree {
    readonly version?: string;
    readonly resolved?: string;
    readonly dependencies?: Readonly<Record<string, Tree>>;
  }

  interface Listed {
    readonly name: string;
    readonly version: string | undefined;
    readonly isLink: boolean;
  }

  function flatten({ dependencies = {} }: Tree): readonly Listed[] {
    return Object.entries(dependencies).flatMap(([name, tree]) => [
      { name, version: tree.version, isLink: tree.resolved?.startsWith('file:') ?? false },
      ...flatten(tree),
    ]);
  }

  it('with npm ls --all', async () => {
    // Run from the repository, whose own modules are as good as any. Its workspaces are links, and no installed packages.
    const { stdout } = await run('npm', ['ls', '--all', '--json', '--loglevel=silent']);
    const tree = flatten(JSON.parse(stdout) as Tree);
    const workspaces = new Set(tree.filter(({ isLink }) => isLink).map(({ name }) => name));
    const listed = tree
      .filter(({ name, version }) => version !== undefined && !workspaces.has(name))
      .map(({ name, version }) => `${name} ${version}`);
    const { inventory: found } = await inspectFolder('.', {
      isSkipped: (place) => !/^node_modules(?:\/|$)/.test(place),
    });
    const installed = found.packages
      .filter(({ ecosystem }) => ecosystem === 'npm')
      .map(({ name, version }) => `${name} ${version}`);
    expect(listed.length).toBeGreaterThan(50);
    expect(new Set(installed)).toEqual(new Set(listed));
  }, 60_000);

  it('with pip list', async ({ skip }) => {
    const { code, stdout } = await run('python3', [
      '-m',
      'pip',
      'list',
      '--format=json',
      '--path',
      ...(await sitePackages()),
    ]);
    if (code !== 0) skip('there is no pip here');
    const listed = JSON.parse(stdout) as readonly { readonly name: string; readonly version: string }[];
    const found = new Set<string>();
    for (const place of await sitePackages())
      for (const one of await inventory(place, 'pypi')) found.add(canonical(one));
    expect(found).toEqual(new Set(listed.map(({ name, version }) => canonical(`${name} ${version}`))));
  }, 60_000);
});

async function sitePackages(): Promise<readonly string[]> {
  const script =
    'import sys, os; print("\\n".join(p for p in sys.path if p.endswith("-packages") and os.path.isdir(p)))';
  const { stdout } = await run('python3', ['-c', script]);
  return stdout.trim().split('\n').filter(Boolean);
}

const canonical = (text: string): string => text.toLowerCase().replaceAll(/[-_.]+(?=[^ ]* )/g, '-');
