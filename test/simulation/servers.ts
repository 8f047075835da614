/** The RPC servers that a state sync trusts, each a node of the simulation: it may be down, behind, or lie. */
import { DEFAULT_CONSENSUS_PARAMS, updateConsensusParams } from '../../consensus/types/params.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { sha256 } from '../../core/hash.ts';
import { ServedBlocks } from '../../node/served-blocks.ts';
import type { OpenServer } from '../../node/trusted-chain.ts';
import { providerError } from '../../light/provider.ts';
import type { Owner } from './scheduler.ts';
import type { SimMachine } from './machine.ts';

const WAY_MS_MAX = 15;
/**
 * So long a client waits for an answer, with all its attempts. A node's waits 16 s, and snapshots are there for
 * many minutes; those here for four seconds, in which three headers are asked for.
 */
const ANSWER_MS_MAX = 300;
const OFTEN_PERCENT = 50;

/** Who asks, and whom. */
export interface ServerPorts {
  readonly owner: Owner;
  readonly machines: () => readonly SimMachine[];
  /** About this one nobody lies: the operator has asked several. */
  readonly trustedHeight: bigint;
}

/** The client of `http://<machine>`. */
export function simulatedServers({ owner, machines, trustedHeight }: ServerPorts): OpenServer {
  return (url, { chainId }) => {
    const machine = machines().find(({ name }) => url === `http://${name}`);
    if (machine === undefined) throw new RangeError(`no machine at ${url}`);
    const failed = (message: string, code: Parameters<typeof providerError>[0], height?: bigint): Error =>
      providerError(code, message, { provider: url, height });
    const { scheduler } = machine.ports;
    const after = (ms: number): Promise<void> =>
      new Promise((resolve) => scheduler.after(ms, resolve, owner));
    const onTheWay = (): Promise<void> => after(scheduler.random.below(WAY_MS_MAX));
    const { lightLie, liesNowAndThen = false } = machine.options;
    /** How it lies this time. */
    const lieNow = (): LightLie | undefined =>
      liesNowAndThen && !scheduler.random.percent(OFTEN_PERCENT) ? undefined : lightLie;
    const arrives = async (lie: LightLie | undefined, height?: bigint): Promise<void> => {
      await onTheWay();
      if (lie === 'answers late') await after(scheduler.random.below(ANSWER_MS_MAX));
      if (lie !== 'says nothing') return;
      await after(ANSWER_MS_MAX);
      throw failed('times out', 'light.no_response', height);
    };
    const core = (): NonNullable<SimMachine['core']> => {
      if (machine.core === undefined || machine.owner.state !== 'running')
        throw failed('does not answer', 'light.no_response');
      return machine.core;
    };
    const blockAt = (wanted: bigint | undefined, lie: LightLie | undefined): LightBlock => {
      const { stores } = core();
      const last = stores.blocks.range().height;
      const height = wanted ?? last;
      if (height > last) throw failed(`is at height ${last}`, 'light.height_too_high', height);
      const source = new ServedBlocks(stores, { error: () => undefined });
      const [header, commit, validators] = [
        source.header(height),
        source.commit(height),
        source.validators(height),
      ];
      if (header === undefined || commit === undefined || validators === undefined)
        throw failed('does not have it', 'light.not_found', height);
      const block = { header, commit, validators };
      return lie === undefined || height === trustedHeight ? block : falseBlock(lie, block);
    };
    return {
      provider: {
        chainId,
        name: url,
        async lightBlock(height) {
          const lie = lieNow();
          await arrives(lie, height);
          const block = blockAt(height, lie);
          await onTheWay();
          return block;
        },
        async reportEvidence(evidence) {
          await onTheWay();
          await core().evidence.add(evidence);
        },
      },
      async consensusParams(height) {
        await arrives(lieNow(), height);
        const params = core().stores.state.consensusParams(height);
        if (params === undefined) throw failed('does not have the parameters', 'light.not_found', height);
        return updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, params);
      },
    };
  };
}

/** How a server lies about headers; nobody but itself has signed what it makes up. */
export const LIGHT_LIES = [
  'says nothing',
  'answers late',
  'changes the app hash',
  'changes the validators',
] as const;

/** One of them. */
export type LightLie = (typeof LIGHT_LIES)[number];

function falseBlock(lie: LightLie, block: LightBlock): LightBlock {
  if (lie !== 'changes the app hash' && lie !== 'changes the validators') return block;
  const instead = sha256(block.header.appHash);
  const change = lie === 'changes the app hash' ? { appHash: instead } : { nextValidatorsHash: instead };
  const header = { ...block.header, ...change };
  const blockId = { ...block.commit.blockId, hash: headerHash(header) };
  return { ...block, header, commit: { ...block.commit, blockId } };
}
