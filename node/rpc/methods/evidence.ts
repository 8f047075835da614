/** Evidence from outside: a light client reports the attack that it has seen. */
import { type Evidence, evidenceHash } from '../../../consensus/types/evidence.ts';
import { LedgerError, messageOf } from '../../../core/errors.ts';
import { JsonField } from '../../../light/json/field.ts';
import { hexJson } from '../../../light/json/json.ts';
import { readEvidence } from '../../../light/json/read-block.ts';
import { type Method, method } from '../method.ts';
import type { RpcPorts } from '../ports.ts';

/** The method that feeds the evidence pool. */
export function evidenceMethods({ evidence: pool }: RpcPorts): readonly Method[] {
  return [
    method({
      name: 'broadcast_evidence',
      params: { evidence: 'json' },
      call: ({ evidence: given }) => {
        if (given === undefined) throw new LedgerError('rpc.evidence', 'no evidence was provided');
        const evidence = readEvidence(new JsonField(given, 'evidence'));
        add(pool, evidence);
        return { hash: hexJson(evidenceHash(evidence)) };
      },
    }),
  ];
}

function add(pool: RpcPorts['evidence'], evidence: Evidence): void {
  let outcome: ReturnType<typeof pool.add>;
  try {
    outcome = pool.add(evidence);
  } catch (error) {
    throw new LedgerError('rpc.evidence', `failed to add evidence: ${messageOf(error)}`);
  }
  if (outcome === 'full')
    throw new LedgerError(
      'rpc.evidence',
      'failed to add evidence: the pool is full; send it again after some blocks',
    );
}
