/** Events as subscribers get them (CometBFT v0.38 `types/events.go`). */
import { unreachable } from '../../../core/errors.ts';
import type { EventData, EventMessage } from '../../events.ts';
import { blockEventJson, finalizeBlockJson, txResultJson } from './abci.ts';
import {
  blockIdJson,
  blockJson,
  evidenceJson,
  headerJson,
  validatorJson,
  voteJson,
} from '../../../light/json/print.ts';
import { type Json, listOrNull } from '../../../light/json/json.ts';

function typed(name: string, value: Json): Json {
  return { type: `tendermint/event/${name}`, value };
}

/** The data of an event. */
export function eventDataJson(data: EventData): Json {
  switch (data.type) {
    case 'NewBlock':
      return typed('NewBlock', {
        block: blockJson(data.block),
        block_id: blockIdJson(data.blockId),
        result_finalize_block: finalizeBlockJson(data.results),
      });
    case 'NewBlockHeader':
      return typed('NewBlockHeader', { header: headerJson(data.header) });
    case 'NewBlockEvents':
      return typed('NewBlockEvents', {
        height: data.height.toString(),
        events: listOrNull(data.events, blockEventJson),
        num_txs: data.numTxs.toString(),
      });
    case 'NewEvidence':
      return typed('NewEvidence', {
        height: data.height.toString(),
        evidence: evidenceJson(data.evidence),
      });
    case 'Tx':
      return typed('Tx', { TxResult: txResultJson(data.result) });
    case 'ValidatorSetUpdates':
      return typed('ValidatorSetUpdates', { validator_updates: data.validators.map(validatorJson) });
    case 'Vote':
      return typed('Vote', { Vote: voteJson(data.vote) });
    case 'NewRoundStep':
      return typed('RoundState', {
        height: data.height.toString(),
        round: data.round,
        step: data.step,
      });
    default:
      return unreachable(data, 'event');
  }
}

const texts = new WeakMap<EventMessage, { readonly data: string; readonly events: string }>();

/**
 * The JSON text of a subscription's event. Data and attributes are written once, however many subscribers
 * there are.
 */
export function eventText(message: EventMessage, query: string): string {
  let parts = texts.get(message);
  if (parts === undefined) {
    parts = {
      data: JSON.stringify(eventDataJson(message.data)),
      events: JSON.stringify(Object.fromEntries(message.events)),
    };
    texts.set(message, parts);
  }
  return `{"query":${JSON.stringify(query)},"data":${parts.data},"events":${parts.events}}`;
}
