import { messageOf, run, runOrThrow } from '@updraft/kit';
import type { Logger } from '@updraft/kit';

/** A base chain of somebody else (Docker, ufw) that drops what it does not know. */
export interface ForeignChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: 'forward' | 'input';
}

interface Ruleset {
  readonly nftables?: readonly {
    readonly chain?: { family: string; table: string; name: string; hook?: string; policy?: string };
    readonly rule?: { family: string; table: string; chain: string; handle: number; comment?: string };
  }[];
}

/** nft knows no way to quote other names. */
const PLAIN_NAME = /^[a-z_][a-z0-9_.-]*$/i;

/** Chains that would drop packets of pods: a packet has to pass the chains of every table. */
export function blockingChains(ruleset: Ruleset): ForeignChain[] {
  return (ruleset.nftables ?? []).flatMap(({ chain }) => {
    if (!chain || chain.policy !== 'drop' || (chain.family !== 'ip' && chain.family !== 'inet')) return [];
    const { family, table, name, hook } = chain;
    if (!PLAIN_NAME.test(table) || !PLAIN_NAME.test(name)) return [];
    return hook === 'forward' || hook === 'input' ? [{ family, table, name, hook }] : [];
  });
}

/** nft commands that let the bridge's packets through, at the front, marked so that they are found again. */
export function acceptRules(
  chains: readonly ForeignChain[],
  facts: { bridge: string; gateway: string; mark: string },
): string {
  const { bridge, gateway, mark } = facts;
  return chains
    .flatMap(({ family, table, name, hook }) => {
      const into = `insert rule ${family} ${table} ${name}`;
      const end = `accept comment "${mark}"\n`;
      return hook === 'input'
        ? [`${into} iifname "${bridge}" ip daddr ${gateway} ${end}`]
        : [`${into} iifname "${bridge}" ${end}`, `${into} oifname "${bridge}" ${end}`];
    })
    .join('');
}

/** nft commands that take the marked rules away again. */
export function removalRules(ruleset: Ruleset, mark: string): string {
  return (ruleset.nftables ?? [])
    .flatMap(({ rule }) =>
      rule?.comment === mark
        ? [`delete rule ${rule.family} ${rule.table} ${rule.chain} handle ${rule.handle}\n`]
        : [],
    )
    .join('');
}

/**
 * Lets pods through firewalls of others whose default is to drop. Chains of the older iptables are not visible to nft
 * and are left alone.
 */
export async function openForeignChains(
  facts: { bridge: string; gateway: string; mark: string },
  logger: Logger,
): Promise<void> {
  const ruleset = await readRuleset(logger);
  const chains = blockingChains(ruleset);
  if (chains.length === 0) return;
  await runOrThrow('nft', ['-f', '-'], { input: acceptRules(chains, facts) });
  logger.log(
    'info',
    'this host’s firewall drops by default; pods are let through until the platform goes down',
    {
      chains: chains.map(({ family, table, name }) => `${family} ${table} ${name}`),
    },
  );
}

/** Takes away what `openForeignChains` added, of this process or of an earlier one. */
export async function closeForeignChains(mark: string, logger: Logger): Promise<void> {
  const input = removalRules(await readRuleset(logger), mark);
  if (input !== '') await run('nft', ['-f', '-'], { input });
}

async function readRuleset(logger: Logger): Promise<Ruleset> {
  const output = await runOrThrow('nft', ['-j', 'list', 'ruleset']);
  try {
    return JSON.parse(output) as Ruleset;
  } catch (error) {
    logger.log('warn', 'the host’s firewall rules could not be read', { error: messageOf(error) });
    return {};
  }
}
