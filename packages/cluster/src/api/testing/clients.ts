import { constants } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, run } from '@updraft/kit';
import { stringify } from 'yaml';

/** The real client: UPDRAFT_TEST_KUBECTL, else the first `kubectl` on PATH. */
export const findKubectl = (): Promise<string | undefined> => findProgram('kubectl', 'UPDRAFT_TEST_KUBECTL');

/** A program that is named by a variable, else the first of that name on PATH. */
export async function findProgram(program: string, variable: string): Promise<string | undefined> {
  const named = process.env[variable];
  const folders = (process.env['PATH'] ?? '').split(':').map((folder) => path.join(folder, program));
  for (const file of named ? [named] : folders) {
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** Ansible with kubernetes.core, and the Python client it uses. */
export async function isAnsibleInstalled(): Promise<boolean> {
  try {
    const [doc, client] = await Promise.all([
      run('ansible-doc', ['-t', 'module', '-s', 'kubernetes.core.k8s']),
      run('/usr/bin/python3', ['-c', 'import kubernetes']),
    ]);
    return doc.code === 0 && client.code === 0;
  } catch (error) {
    if (codeOf(error) === 'PROGRAM_MISSING') return false;
    throw error;
  }
}

/** Runs tasks against a cluster. `recap` is the line of counts, blanks squeezed. */
export async function play(
  tools: { readonly kubeconfig: string; readonly dir: string },
  name: string,
  tasks: readonly object[],
): Promise<{ code: number | undefined; recap: string; output: string }> {
  const modules = ['k8s', 'k8s_info', 'k8s_scale', 'k8s_json_patch'].map((module) => [
    `kubernetes.core.${module}`,
    { kubeconfig: tools.kubeconfig },
  ]);
  const book = {
    hosts: 'localhost',
    connection: 'local',
    gather_facts: false,
    module_defaults: Object.fromEntries(modules) as object,
    vars: { ansible_python_interpreter: '/usr/bin/python3' },
    tasks,
  };
  const file = path.join(tools.dir, `${name}.yml`);
  await writeFile(file, stringify([book]));
  const env = { HOME: tools.dir, ANSIBLE_NOCOLOR: '1', ANSIBLE_LOCAL_TEMP: path.join(tools.dir, 'tmp') };
  const result = await run('ansible-playbook', [file], { env });
  const recap =
    /ok=\d+ +changed=\d+ +unreachable=\d+ +failed=\d+/.exec(result.stdout)?.[0].replaceAll(/ +/g, ' ') ?? '';
  return { code: result.code, recap, output: result.stdout };
}
