import path from 'node:path';

export interface ProjectFacts {
  readonly projectName: string;
  readonly projectPath: string;
  readonly projectUrl: string | undefined;
}

/** Which project this is: from the remote's address, or `local/<folder>` when there is none on a host. */
export function projectOf(root: string, remote: string | undefined): ProjectFacts {
  const parsed = remote === undefined ? undefined : parseRemote(remote);
  if (!parsed) {
    const name = tidy(path.basename(root)) || 'project';
    return { projectName: name, projectPath: `local/${name}`, projectUrl: undefined };
  }
  const { protocol, host, projectPath } = parsed;
  return {
    projectName: projectPath.split('/').at(-1) ?? projectPath,
    projectPath,
    // Without user and password: the address goes into logs.
    projectUrl: `${protocol}://${host}/${projectPath}`,
  };
}

interface Remote {
  readonly protocol: string;
  readonly host: string;
  readonly projectPath: string;
}

function parseRemote(remote: string): Remote | undefined {
  const url = /^(https?|ssh|git):\/\/(?:[^@/]*@)?([^/:]+)(:\d+)?\/(.+)$/.exec(remote);
  if (url) {
    const [, scheme = '', host = '', port = '', rest = ''] = url;
    const web = scheme.startsWith('http');
    return remoteOf(web ? scheme : 'https', web ? host + port : host, rest);
  }
  const short = /^(?:[^@/:]+@)?([^/:]{2,}):(?!\/\/)(.+)$/.exec(remote);
  return short ? remoteOf('https', short[1] ?? '', short[2] ?? '') : undefined;
}

function remoteOf(protocol: string, host: string, rest: string): Remote | undefined {
  const parts = rest
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .map(tidy)
    .filter(Boolean);
  if (parts.length === 0) return undefined;
  return { protocol, host, projectPath: parts.length === 1 ? `local/${parts[0]}` : parts.join('/') };
}

const tidy = (part: string): string => part.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '');
