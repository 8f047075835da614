import { toHex } from '../../core/bytes.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/cosmos/slashing/v1beta1/genesis.ts';
import type { ValidatorSigningInfo } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import { missedBlocks, setMissed } from './bitmap.ts';
import { paramsOf, signingInfoOf } from './liveness.ts';
import {
  DEFAULT_PARAMS,
  paramsOfWire,
  paramsToWire,
  problemOfGenesisParams,
  SIGNED_BLOCKS_WINDOW_MAX,
  validateParams,
} from './params.ts';
import type { SlashingCore } from './ports.ts';
import type { SlashingParams } from './types.ts';

interface MissedBlocks {
  readonly consensusAddress: Uint8Array;
  readonly indexes: readonly bigint[];
}

interface SlashingGenesis {
  readonly params: SlashingParams;
  readonly infos: ReadonlyMap<string, SigningInfoOf>;
  readonly missed: readonly MissedBlocks[];
}

interface SigningInfoOf {
  readonly consensusAddress: Uint8Array;
  readonly info: ValidatorSigningInfo;
}

/** Genesis of slashing, in x/slashing's shape. Staking's comes first: its validators' keys are noted. */
export function slashingGenesis(k: SlashingCore): GenesisHandler {
  return {
    defaults: () =>
      messageToJson(GenesisState, {
        params: paramsToWire(DEFAULT_PARAMS),
        signingInfos: [],
        missedBlocks: [],
      }),
    validate: (json) => void readGenesis(k, json),
    init(context, json) {
      writeGenesis(k, context, readGenesis(k, json));
      return [];
    },
    export: (context) => messageToJson(GenesisState, exportGenesis(k, context)),
  };
}

function readGenesis(k: SlashingCore, json: JsonReader): SlashingGenesis {
  const state = messageFromJson(GenesisState, json);
  const params = json.member('params').attempt(() => {
    const read = paramsOfWire(state.params);
    validateParams(read);
    return read;
  });
  const infos = readInfos(k, json.member('signing_infos').elements(), state);
  // A chain that has run goes on with what governance made of the parameters, which may be less.
  const problem = infos.size === 0 ? problemOfGenesisParams(params) : undefined;
  if (problem !== undefined) json.member('params').fail(problem);
  const missed = readMissed(json.member('missed_blocks').elements(), state, infos);
  checkCounters(json, { infos, missed });
  return { params, infos, missed };
}

function readInfos(
  k: SlashingCore,
  entries: readonly JsonReader[],
  state: GenesisState,
): ReadonlyMap<string, SigningInfoOf> {
  const infos = new Map<string, SigningInfoOf>();
  for (const [i, entry] of entries.entries()) {
    const { address = '', validatorSigningInfo: info } = state.signingInfos[i] ?? {};
    const consensusAddress = entry.member('address').attempt(() => k.addresses.consensus.toBytes(address));
    const place = entry.member('validator_signing_info');
    if (info === undefined) return place.fail('is missing');
    if (infos.has(address)) entry.member('address').fail(`${address} is listed twice`);
    if (info.address !== '' && info.address !== address)
      place.member('address').fail(`${info.address} is not the address of the entry`);
    if (info.indexOffset < 0n) place.member('index_offset').fail('is negative');
    if (info.missedBlocksCounter < 0n) place.member('missed_blocks_counter').fail('is negative');
    infos.set(address, { consensusAddress, info: { ...info, address } });
  }
  return infos;
}

/** The bits that are set, each within the longest window: a window may have become shorter. */
function readMissed(
  entries: readonly JsonReader[],
  state: GenesisState,
  infos: ReadonlyMap<string, SigningInfoOf>,
): readonly MissedBlocks[] {
  const missed = new Map<string, MissedBlocks>();
  for (const [i, entry] of entries.entries()) {
    const { address = '', missedBlocks: blocks = [] } = state.missedBlocks[i] ?? {};
    const known = infos.get(address) ?? entry.member('address').fail(`${address} has no signing info`);
    if (missed.has(address)) entry.member('address').fail(`${address} is listed twice`);
    const indexes = new Set(blocks.flatMap((block) => (block.missed ? [block.index] : [])));
    for (const index of indexes)
      if (index < 0n || index >= SIGNED_BLOCKS_WINDOW_MAX)
        entry.member('missed_blocks').fail(`${index} is not from 0 to ${SIGNED_BLOCKS_WINDOW_MAX - 1n}`);
    missed.set(address, { consensusAddress: known.consensusAddress, indexes: [...indexes] });
  }
  return [...missed.values()];
}

/** A counter that is not that of the bits would never come back to zero. */
function checkCounters(json: JsonReader, { infos, missed }: Pick<SlashingGenesis, 'infos' | 'missed'>): void {
  const counts = new Map(
    missed.map(({ consensusAddress, indexes }) => [toHex(consensusAddress), indexes.length]),
  );
  for (const [address, { consensusAddress, info }] of infos) {
    const count = counts.get(toHex(consensusAddress)) ?? 0;
    if (info.missedBlocksCounter !== BigInt(count))
      json
        .member('missed_blocks')
        .fail(`${address} has missed ${info.missedBlocksCounter} blocks, ${count} are listed`);
  }
}

function writeGenesis(k: SlashingCore, context: Context, { params, infos, missed }: SlashingGenesis): void {
  k.state.params.set(context, params);
  for (const { consensusAddress, info } of infos.values())
    k.state.signingInfos.set(context, consensusAddress, info);
  for (const { consensusKey, status } of [...k.staking.validators(context)]) {
    const { address, any } = consensusKey;
    k.state.publicKeys.set(context, address, any);
    // Those that are bonded in the document have not been told of: only gentxs bond in genesis.
    if (status === 'bonded') k.state.signingInfos.set(context, address, signingInfoOf(k, context, address));
  }
  for (const { consensusAddress, indexes } of missed)
    for (const index of indexes) setMissed(k.state.bitmaps, context, { consensusAddress, index }, true);
}

function exportGenesis(k: SlashingCore, context: ReadContext): GenesisState {
  const infos = [...k.state.signingInfos.iterate(context)];
  return {
    params: paramsToWire(paramsOf(k, context)),
    signingInfos: infos.map(([, info]) => ({ address: info.address, validatorSigningInfo: info })),
    missedBlocks: infos.map(([consensusAddress, { address }]) => ({
      address,
      missedBlocks: missedBlocks(k.state.bitmaps, context, consensusAddress).map((index) => ({
        index,
        missed: true,
      })),
    })),
  };
}
