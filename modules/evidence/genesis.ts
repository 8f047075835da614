import { toHex } from '../../core/bytes.ts';
import { AnyTypes } from '../../framework/any-types.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/cosmos/evidence/v1beta1/genesis.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { evidenceHash, type EvidenceState } from './state.ts';
import { EQUIVOCATION, EVIDENCE_TYPES } from './types.ts';

const TYPES = new AnyTypes(EVIDENCE_TYPES);

/** Genesis of evidence: `{ evidence }` as x/evidence writes it. */
export function evidenceGenesis(state: EvidenceState): GenesisHandler {
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create()),
    validate: (json) => void readGenesis(json),
    init(context, json) {
      for (const any of readGenesis(json)) state.evidence.set(context, evidenceHash(any), any);
      return [];
    },
    export: (context) =>
      messageToJson(
        GenesisState,
        { evidence: [...state.evidence.iterate(context)].map(([, any]) => any) },
        TYPES,
      ),
  };
}

function readGenesis(json: JsonReader): readonly Any[] {
  const { evidence } = messageFromJson(GenesisState, json, TYPES);
  const entries = json.member('evidence').elements();
  const seen = new Set<string>();
  for (const [i, any] of evidence.entries()) {
    const entry = entries[i] ?? json;
    // By itself: what a transaction may hold at most says nothing of how many there may be.
    entry.attempt(() => TYPES.check(GenesisState, { evidence: [any] }));
    const problem = EQUIVOCATION.problem(EQUIVOCATION.type.decode(any.value));
    if (problem !== undefined) entry.fail(problem);
    const hash = toHex(evidenceHash(any));
    if (seen.has(hash)) entry.fail('this evidence is listed twice');
    seen.add(hash);
  }
  return evidence;
}
