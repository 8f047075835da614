/** Gas of evidence: charged before the work, and running out of it is never taken for a verdict. */
import { expect, test } from 'vitest';
import { convict } from '../../attest/prove/convict.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { encodeFraud } from '../../modules/attribution/proof/shard/fraud-format.ts';
import { MsgConvictShard } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import {
  type AttributionLoop,
  attributionLoop,
  publishIndexOk,
  sourcesOf,
} from '../support/attribution-world.ts';
import { anyOf } from '../support/test-chain.ts';

const OUT_OF_GAS = ['sdk', 11];

/** A published shard that names somebody else as contributor, and the message that convicts it. */
function accused(loop: AttributionLoop) {
  const sources = sourcesOf(loop, { from: 0, count: 2 });
  const contributor = loop.chain.app.composition.addresses.toBytes(loop.attestor.address);
  const lie = shardInMemory(naiveShard(sources.map((source) => ({ ...source, contributor }))), {
    datanetId: 1n,
  });
  const content = (document: number): Uint8Array => sources[document]?.content ?? new Uint8Array(0);
  const fraud = convict({ honest: naiveShard(sources), accused: lie, content });
  if (fraud?.kind !== 'document-record') throw new RangeError('another fraud was expected');
  publishIndexOk(loop, loop.attestor, [lie.commitment]);
  const { address: challenger } = loop.challenger;
  return anyOf(MsgConvictShard, { challenger, shardId: 1n, proof: encodeFraud(fraud) });
}

test('with too little gas a true conviction ends out of gas, wherever that is; with enough it convicts', () => {
  const loop = attributionLoop({ gasPerHash: 500 });
  const { chain, challenger } = loop;
  const message = accused(loop);
  const outcome = (gas: bigint) => chain.deliver(chain.sign(challenger, [message], { gas }));
  const logs = new Set<string>();
  for (let gas = 25_000n; ; gas += 300n) {
    const { codespace, code, log } = outcome(gas);
    if (code === 0) break;
    expect([codespace, code], log).toEqual(OUT_OF_GAS);
    logs.add(/location: (.*?);/u.exec(log)?.[1] ?? log);
  }
  // While the record of the chain is read, which is in the middle of the verifier.
  expect([...logs]).toEqual(expect.arrayContaining(['attribution hashes', 'ReadFlat', 'ReadPerByte']));
});
