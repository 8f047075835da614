/**
 * ABCI messages. CometBFT writes some with protobuf's own JSON mapping, defaults included
 * (`abci/types/types.go`), and the others field by field with empty ones left out.
 */
import type { PublicKey } from '../../../proto/gen/tendermint/crypto/keys.ts';
import type {
  Event,
  ExecTxResult,
  ResponseCheckTx,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseQuery,
  TxResult,
  ValidatorUpdate,
} from '../../../proto/gen/tendermint/abci/types.ts';
import type { ConsensusParams, EvidenceParams } from '../../../proto/gen/tendermint/types/params.ts';
import { base64Json, bytesJson, type Json, listOrNull } from '../../../light/json/json.ts';

const NANOS_PER_SECOND = 1_000_000_000n;

/** Fields that are not empty, under the names that they have in JSON. */
function present(fields: Readonly<Record<string, Json | undefined>>): Readonly<Record<string, Json>> {
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    const empty = value === undefined || value === null || value === '' || value === '0' || value === 0;
    if (!empty && !(Array.isArray(value) && value.length === 0)) kept[name] = value;
  }
  return kept;
}

/** An event within a result. */
function eventJson(event: Event): Json {
  return {
    type: event.type,
    attributes: event.attributes.map(({ key, value, index }) => ({ key, value, index })),
  };
}

/** An event of a block, or within an event: without attributes there is no list of them. */
export function blockEventJson(event: Event): Json {
  return event.attributes.length === 0 ? present({ type: event.type }) : eventJson(event);
}

export function execTxResultJson(result: ExecTxResult | ResponseCheckTx): Json {
  return {
    code: result.code,
    data: bytesJson(result.data),
    log: result.log,
    info: result.info,
    gas_wanted: result.gasWanted.toString(),
    gas_used: result.gasUsed.toString(),
    events: result.events.map(eventJson),
    codespace: result.codespace,
  };
}

/**
 * A transaction with its result, as events carry it: there, other than in answers, what is empty is left out.
 */
export function txResultJson(found: TxResult): Json {
  const { height, index, tx, result } = found;
  return {
    ...present({ height: height.toString(), index, tx: base64Json(tx) }),
    result: present({
      code: result.code,
      data: base64Json(result.data),
      log: result.log,
      info: result.info,
      gas_wanted: result.gasWanted.toString(),
      gas_used: result.gasUsed.toString(),
      events: result.events.map(blockEventJson),
      codespace: result.codespace,
    }),
  };
}

export function queryJson(response: ResponseQuery): Json {
  const { proofOps } = response;
  return {
    code: response.code,
    log: response.log,
    info: response.info,
    index: response.index.toString(),
    key: bytesJson(response.key),
    value: bytesJson(response.value),
    proofOps:
      proofOps === undefined
        ? null
        : {
            ops: proofOps.ops.map(({ type, key, data }) => ({
              type,
              key: bytesJson(key),
              data: bytesJson(data),
            })),
          },
    height: response.height.toString(),
    codespace: response.codespace,
  };
}

export function infoJson(response: ResponseInfo): Json {
  return present({
    data: response.data,
    version: response.version,
    app_version: response.appVersion.toString(),
    last_block_height: response.lastBlockHeight.toString(),
    last_block_app_hash: base64Json(response.lastBlockAppHash),
  });
}

function keyJson(key: PublicKey): Json {
  const [type, bytes] =
    key.secp256k1 === undefined
      ? (['Ed25519', key.ed25519 ?? new Uint8Array(0)] as const)
      : (['Secp256K1', key.secp256k1] as const);
  const value = { [type.toLowerCase()]: base64Json(bytes) };
  return { Sum: { type: `tendermint.crypto.PublicKey_${type}`, value } };
}

export function validatorUpdateJson(update: ValidatorUpdate): Json {
  const pubKey = keyJson(update.pubKey);
  return update.power === 0n ? { pub_key: pubKey } : { pub_key: pubKey, power: update.power.toString() };
}

/** The parameters that an application changed: only those that it set. */
export function paramUpdatesJson(params: ConsensusParams): Json {
  const { block, evidence, validator, version, abci } = params;
  return present({
    block: block && present({ max_bytes: block.maxBytes.toString(), max_gas: block.maxGas.toString() }),
    evidence: evidence && evidenceParamsJson(evidence),
    validator: validator && present({ pub_key_types: validator.pubKeyTypes }),
    version: version && present({ app: version.app.toString() }),
    abci: abci && present({ vote_extensions_enable_height: abci.voteExtensionsEnableHeight.toString() }),
  });
}

function evidenceParamsJson(evidence: EvidenceParams): Json {
  return {
    max_age_num_blocks: evidence.maxAgeNumBlocks.toString(),
    max_age_duration: durationNanos(evidence.maxAgeDuration),
    max_bytes: evidence.maxBytes.toString(),
  };
}

function durationNanos(duration: { readonly seconds: bigint; readonly nanos: number }): string {
  return (duration.seconds * NANOS_PER_SECOND + BigInt(duration.nanos)).toString();
}

/** The parameters of a height: all of them. */
export function consensusParamsJson(params: ConsensusParams): Json {
  const { block, evidence, validator, version, abci } = params;
  return {
    block: {
      max_bytes: (block?.maxBytes ?? 0n).toString(),
      max_gas: (block?.maxGas ?? 0n).toString(),
    },
    evidence:
      evidence === undefined
        ? { max_age_num_blocks: '0', max_age_duration: '0', max_bytes: '0' }
        : evidenceParamsJson(evidence),
    validator: { pub_key_types: validator?.pubKeyTypes ?? null },
    version: { app: (version?.app ?? 0n).toString() },
    abci: { vote_extensions_enable_height: (abci?.voteExtensionsEnableHeight ?? 0n).toString() },
  };
}

/** The results of a block as `block_results` has them. */
export function blockResultsJson(height: bigint, results: ResponseFinalizeBlock): Json {
  const { consensusParamUpdates } = results;
  return {
    height: height.toString(),
    txs_results: listOrNull(results.txResults, execTxResultJson),
    finalize_block_events: listOrNull(results.events, blockEventJson),
    validator_updates: listOrNull(results.validatorUpdates, validatorUpdateJson),
    consensus_param_updates:
      consensusParamUpdates === undefined ? null : paramUpdatesJson(consensusParamUpdates),
    app_hash: bytesJson(results.appHash),
  };
}

/** The results of a block as the event `NewBlock` has them. */
export function finalizeBlockJson(results: ResponseFinalizeBlock): Json {
  const { consensusParamUpdates } = results;
  return present({
    events: results.events.map(blockEventJson),
    tx_results: results.txResults.map(execTxResultJson),
    validator_updates: results.validatorUpdates.map(validatorUpdateJson),
    consensus_param_updates: consensusParamUpdates && paramUpdatesJson(consensusParamUpdates),
    app_hash: base64Json(results.appHash),
  });
}
