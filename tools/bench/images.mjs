// Images: building, pushing, pulling, and a container's whole life, beside docker, buildah and bare runc where they are
// installed and can be started. A peer gets the same base image, context and registry, in the same run.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { root } from '../setup.mjs';
import { home, median, row, timed, updraftFile, updraftIn } from './measure.mjs';

/** A name that no registry knows: what every builder starts from is the very same image. */
const BASE = 'updraft-bench-base:1';
const FILES = 2000;
const FILE_BYTES = 30_000;
/** No two rounds of any builder have a command in common: what was not built before is cold. */
const dockerfile = (round) => `FROM ${BASE}
LABEL made.by=bench
ENV STAGE=build
ARG GREETING=hello
WORKDIR /app
RUN echo "$GREETING ${round}" > /greeting
RUN mkdir -p /srv/data && echo "data ${round}" > /srv/data/file
COPY . /app
RUN find /app -type f | wc -l > /count
RUN cp /count /count2
RUN echo end > /end
CMD ["cat", "/count"]
`;

const say = (text) => process.stderr.write(`${text}\n`);

/** Half of it can be compressed, as source code and binaries together can. */
function content(seed) {
  const noise = [];
  for (let part = 0; part * 32 < FILE_BYTES / 2; part += 1)
    noise.push(createHash('sha256').update(`${seed} ${part}`).digest());
  return Buffer.concat([Buffer.concat(noise), Buffer.alloc(FILE_BYTES / 2, `${seed} and so on\n`)]);
}

/** New content everywhere: nothing that was built before is of use. */
function fill(context, round) {
  mkdirSync(context, { recursive: true });
  writeFileSync(path.join(context, 'Dockerfile'), dockerfile(round));
  for (let index = 0; index < FILES; index += 1) {
    const folder = path.join(context, `src/d${index % 40}`);
    if (index < 40) mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `f${index}`), content(`${round} ${index}`));
  }
}

const touch = (context, round) => writeFileSync(path.join(context, 'src/d7/f7'), content(`touched ${round}`));

/** Builds, pushes and how to end it: the same four things of every builder. */
function updraftBuilder(project, context) {
  return {
    name: 'updraft',
    build: () => updraftIn(project, 'image', 'build', '--context', context, '-t', 'bench:1').ms,
    push: (host) => updraftIn(project, 'image', 'push', 'bench:1', `${host}/bench:updraft`, '--insecure').ms,
    login: (host) => {
      const args = ['image', 'login', host, '--insecure', '-u', 'user', '--password-stdin'];
      const env = { ...process.env, UPDRAFT_HOME: home };
      timed(updraftFile, args, { input: 'secret', env });
    },
    close: () => undefined,
  };
}

const installed = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

const DOCKER_DAEMON = 'dockerd';

/** A daemon of its own, which meets no other one and changes nothing of the host's network. */
async function dockerBuilder(dir, context, archive) {
  if (!installed(DOCKER_DAEMON)) return absent('docker', 'is not installed');
  const home = path.join(dir, 'docker');
  mkdirSync(home, { recursive: true });
  const socket = `unix://${home}/docker.sock`;
  const at = (name) => path.join(home, name);
  const folders = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
  const alone = ['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=overlay2'];
  const daemon = spawn(DOCKER_DAEMON, ['--host', socket, ...folders, ...alone], { stdio: 'ignore' });
  const ended = new Promise((resolve) => daemon.once('close', resolve));
  const env = { ...process.env, DOCKER_HOST: socket, DOCKER_BUILDKIT: '1', DOCKER_CONFIG: at('config') };
  const client = process.env.DOCKER ?? 'docker';
  const docker = (...args) => timed(client, args, { env });
  const close = async () => {
    daemon.kill('SIGTERM');
    await ended;
  };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (spawnSync(client, ['info'], { env, stdio: 'ignore' }).status === 0) break;
    if (daemon.exitCode !== null || attempt === 99) {
      await close();
      return absent('docker', 'cannot be started');
    }
    await sleep(200);
  }
  docker('load', '--input', archive);
  return {
    name: 'docker',
    build: () => docker('build', '--network=host', '--tag', 'bench:1', context).ms,
    login: (host) => {
      const auth = Buffer.from(LOGIN).toString('base64');
      mkdirSync(at('config'), { recursive: true });
      writeFileSync(path.join(at('config'), 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
    },
    push: (host) => {
      docker('tag', 'bench:1', `${host}/bench:docker`);
      return docker('push', '--quiet', `${host}/bench:docker`).ms;
    },
    close,
  };
}

const LOGIN = 'user:secret';

async function buildahBuilder(dir, context, archive) {
  if (!installed('buildah')) return absent('buildah', 'is not installed');
  const home = path.join(dir, 'buildah');
  const storage = ['--root', path.join(home, 'root'), '--runroot', path.join(home, 'run')];
  // Its own limits are above what an unprivileged machine allows.
  const limits = ['--ulimit', 'nofile=1024:4096', '--ulimit', 'nproc=4096:4096'];
  const buildah = (...args) => timed('buildah', [...storage, '--storage-driver', 'overlay', ...args]);
  const build = () =>
    buildah('bud', '--layers', '--isolation=chroot', ...limits, '--tag', 'bench:1', context).ms;
  try {
    buildah('pull', `docker-archive:${archive}`);
    build();
  } catch (error) {
    unmountAll(path.join(home, 'root/overlay'));
    return absent('buildah', `does not work here: ${String(error.message).slice(-200)}`);
  }
  return {
    name: 'buildah',
    build,
    login: () => undefined,
    push: (host) =>
      buildah('push', '--creds', LOGIN, '--tls-verify=false', 'bench:1', `docker://${host}/bench:buildah`).ms,
    close: () => unmountAll(path.join(home, 'root/overlay')),
  };
}

/** Storage mounts its own folder, and leaves what it was killed with. */
const unmountAll = (folder) => spawnSync('umount', ['--recursive', folder], { stdio: 'ignore' });

function absent(name, why) {
  say(`${name} ${why}: no ratio to it`);
  return undefined;
}

/** A registry that knows none of the builders: it runs in a process of its own. */
async function startRegistry() {
  const registry = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./registry.ts', import.meta.url))],
    {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => registry.once('close', resolve));
  const host = await new Promise((resolve, reject) => {
    registry.stdout.once('data', (text) => resolve(String(text).trim()));
    registry.once('close', () => reject(new Error('the registry did not start')));
  });
  return {
    host,
    close: async () => {
      registry.stdin.end();
      await ended;
    },
  };
}

/** Median times of one builder, all of it in turn. */
function measureBuilder(builder, context, host, rounds) {
  builder.login(host);
  say(`building with ${builder.name}`);
  const times = { cold: [], cached: [], touched: [], pushed: [] };
  for (let round = 0; round < rounds; round += 1) {
    fill(context, `${builder.name} ${round}`);
    // Files that were just written are not believed to stay as they are.
    spawnSync('sleep', ['1.2']);
    times.cold.push(builder.build());
    if (round === 0) builder.push(host);
    builder.build();
    times.cached.push(median(builder.build, 5));
    touch(context, `${builder.name} ${round}`);
    times.touched.push(builder.build());
    fill(context, `${builder.name} pushed ${round}`);
    times.pushed.push(builder.build() + builder.push(host));
  }
  const result = Object.fromEntries(Object.entries(times).map(([what, all]) => [what, middle(all)]));
  say(
    `${builder.name}: ${JSON.stringify(result, (_, value) => (typeof value === 'number' ? Math.round(value) : value))}`,
  );
  return result;
}

const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** What the figure is to be: a part of the peer's, or without the peer what it takes on a machine like this. */
const BUILDS = [
  ['cold', 'build of 12 instructions, 60 MB in 2,000 files', { docker: 0.8, buildah: 0.5 }, 2800],
  ['cached', 'the same, nothing changed', {}, 150],
  ['touched', 'the same, one file changed', { docker: 0.5 }, 1300],
  ['pushed', 'the same, built and pushed compressed', { docker: 0.6 }, 4500],
];

function buildRows(own, peers) {
  for (const [key, what, parts, alone] of BUILDS) {
    if (peers.length === 0) row(what, own[key], alone);
    for (const { name, times } of peers) {
      const part = parts[name];
      const goal = part === undefined ? alone : Math.round(times[key] * part);
      row(what, own[key], goal, { ms: times[key], what: name });
    }
  }
}

/** The embedded registry shows the builder's store: what is measured is the command's start and the name. */
function measureEmbedded(project) {
  const { registry, ingress } = JSON.parse(updraftIn(project, 'status', '--json').stdout);
  // Where the ingress has another port than 80, its domain tells it.
  const name = `registry.${ingress.domain.split(':')[0]}:${registry.address.split(':')[1]}/bench/app:1`;
  const start = median(() => updraftIn(project, 'image', 'list').ms, 7);
  const compared = { ms: start, what: 'image list' };
  const goal = Math.round(start + 20);
  row(
    'push to the embedded registry',
    median(() => updraftIn(project, 'image', 'push', 'bench:1', name).ms, 7),
    goal,
    compared,
  );
  row(
    'pull from the embedded registry',
    median(() => updraftIn(project, 'image', 'pull', name).ms, 7),
    goal,
    compared,
  );
}

function measureContainer() {
  const script = path.join(root, 'packages/pods/bench/cycle.ts');
  const { stdout } = timed(process.execPath, ['--import', 'tsx', script], { cwd: root });
  const [, own, bare] =
    /exit of \/bin\/true[^\n]* ([\d.]+) ms[^]*by hand[^\n]* ([\d.]+) ms/.exec(stdout) ?? [];
  row('start and exit of /bin/true', Number(own), Math.round(Number(bare) * 1.2), {
    ms: Number(bare),
    what: 'mount and runc run by hand',
  });
}

function makeBase(dir, project) {
  const folder = path.join(dir, 'base');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'Dockerfile'), 'FROM debian:bookworm-slim\nLABEL bench=base\n');
  updraftIn(project, 'image', 'build', '--context', folder, '-t', BASE);
}

export async function measureImages(project) {
  const dir = mkdtempSync(path.join(tmpdir(), 'updraft-bench-images-'));
  const context = path.join(dir, 'context');
  const archive = path.join(dir, 'base.tar');
  const running = [];
  try {
    makeBase(dir, project);
    updraftIn(project, 'image', 'save', BASE, '-o', archive);
    fill(context, 'first');
    const registry = await startRegistry();
    running.push(registry);
    const measured = async (builder) => {
      if (builder === undefined) return [];
      running.push(builder);
      return [{ name: builder.name, times: measureBuilder(builder, context, registry.host, 3) }];
    };
    const [own] = await measured(updraftBuilder(project, context));
    const docker = await measured(await dockerBuilder(dir, context, archive));
    const buildah = await measured(await buildahBuilder(dir, context, archive));
    buildRows(own.times, [...docker, ...buildah]);
    measureEmbedded(project);
    measureContainer();
  } finally {
    for (const each of running.toReversed()) await each.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
