import type { Clock } from '@updraft/kit';
import type { WebSocket } from 'ws';
import type { KubeStatus } from '../status.ts';
import { Channels } from './channels.ts';
import type { CommandStreams, RemoteCommand } from './remote-command.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;

const wordsOf = ({ status, message = '' }: KubeStatus) => (status === 'Success' ? '' : message);

/** The streams of a command over the channel protocols. */
export function channelStreams(remote: RemoteCommand, socket: WebSocket, clock: Clock): CommandStreams {
  const channels = new Channels(socket, [STDIN, STDOUT, STDERR, ERROR, RESIZE], clock, [STDIN]);
  /** What a client says where nobody listens is let go. */
  const output = (number: number) => channels.open(number).resume();
  const input = (number: number, wanted: boolean) => (wanted ? channels.open(number) : void output(number));
  return {
    stdin: input(STDIN, remote.stdin),
    stdout: remote.stdout ? output(STDOUT) : undefined,
    stderr: remote.stderr ? output(STDERR) : undefined,
    resize: input(RESIZE, remote.terminal),
    error: output(ERROR),
    // Before the fourth version it was told in words, and only what went wrong.
    ...(/^v[45]\./.test(socket.protocol) ? {} : { statusText: wordsOf }),
    closed: channels.closed,
    isOver: () => channels.isOver,
    close: () => channels.close(),
  };
}
