import { mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StillProject } from './still-project.ts';

describe('the copy of a job’s project folder', () => {
  let dir: string;
  let project: string;
  beforeEach(async () => {
    dir = await realpath(await mkdtemp(path.join(tmpdir(), 'updraft-still-')));
    project = path.join(dir, 'project');
    await mkdir(path.join(project, 'sub'), { recursive: true });
    await mkdir(path.join(project, '.git'));
    await writeFile(path.join(project, 'sub/a'), '1');
    await writeFile(path.join(dir, 'secret'), 'host');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));
  const make = () =>
    new StillProject({ projectDir: '/builds/x', hostProjectDir: project }, path.join(dir, 'tools'));

  it('stays as it was, is made once and goes', async () => {
    const still = make();
    const place = await still.place('/builds/x/sub');
    await writeFile(path.join(project, 'sub/a'), '2');
    expect(await readFile(path.join(await still.place('/builds/x/sub'), 'a'), 'utf8')).toBe('1');
    expect(await readdir(path.join(place, '..'))).toEqual(['sub']);
    await still.remove();
    expect(await readdir(path.join(dir, 'tools'))).toEqual([]);
  });

  it('leads nowhere else, whatever links the job makes', async () => {
    await symlink(dir, path.join(project, 'out'));
    const still = make();
    const place = await still.place('/builds/x/out/secret');
    await expect(readFile(place)).rejects.toThrow('ENOENT');
    await expect(still.place('/etc/passwd')).rejects.toThrow('is not in the project folder');
    await expect(still.place('/builds/x/../y')).rejects.toThrow('is not in the project folder');
    await still.remove();
  });

  it('makes nothing when nobody asks', async () => {
    await make().remove();
    await expect(readdir(path.join(dir, 'tools'))).rejects.toThrow('ENOENT');
  });
});
