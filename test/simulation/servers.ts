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
    const onTheWay = (): Promise<void> => {
      const { scheduler } = machine.ports;
      return new Promise((resolve) => scheduler.after(scheduler.random.below(WAY_MS_MAX), resolve, owner));
    };
    const core = (): NonNullable<SimMachine['core']> => {
      if (machine.core === undefined || machine.owner.state !== 'running')
        throw failed('does not answer', 'light.no_response');
      return machine.core;
    };
    const blockAt = (wanted: bigint | undefined): LightBlock => {
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
      const { lightLie } = machine.options;
      return lightLie === undefined || height === trustedHeight ? block : falseBlock(lightLie, block);
    };
    return {
      provider: {
        chainId,
        name: url,
        async lightBlock(height) {
          await onTheWay();
          if (machine.options.lightLie === 'says nothing')
            throw failed('times out', 'light.no_response', height);
          const block = blockAt(height);
          await onTheWay();
          return block;
        },
        async reportEvidence(evidence) {
          await onTheWay();
          await core().evidence.add(evidence);
        },
      },
      async consensusParams(height) {
        await onTheWay();
        const params = core().stores.state.consensusParams(height);
        if (params === undefined) throw failed('does not have the parameters', 'light.not_found', height);
        return updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, params);
      },
    };
  };
}

/** How a server lies about headers; nobody but itself has signed what it makes up. */
export const LIGHT_LIES = ['says nothing', 'changes the app hash', 'changes the validators'] as const;

/** One of them. */
export type LightLie = (typeof LIGHT_LIES)[number];

function falseBlock(lie: LightLie, block: LightBlock): LightBlock {
  const instead = sha256(block.header.appHash);
  const change = lie === 'changes the app hash' ? { appHash: instead } : { nextValidatorsHash: instead };
  const header = { ...block.header, ...change };
  const blockId = { ...block.commit.blockId, hash: headerHash(header) };
  return { ...block, header, commit: { ...block.commit, blockId } };
}
