/** What every signer must do, wherever its key is. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { NIL_BLOCK_ID } from '../../../consensus/types/block-id.ts';
import { addressOf, type VerifySignature } from '../../../consensus/types/public-key.ts';
import { proposalSignBytes, voteSignBytes } from '../../../consensus/types/sign-bytes.ts';
import { fromUtf8, toBase64, toHex } from '../../../core/bytes.ts';
import { parseObject } from '../json.ts';
import type { KeyType } from '../ports.ts';
import type { PrivValidator } from '../priv-validator.ts';
import { block, CHAIN, proposal, vote } from './requests.ts';
import type { Rig, StartRig } from './rigs.ts';

/** How the suite is run. */
export interface ComplianceOptions {
  readonly keyType?: KeyType;
  readonly start: StartRig;
  readonly verify: VerifySignature;
  /** Sequences of the property test. */
  readonly runs: number;
}

const at = (height: bigint, round: number) => ({ height, round });

/** Registers the tests of the suite under a name. */
export function compliance(name: string, options: ComplianceOptions): void {
  const rigs: Rig[] = [];
  const start = async (): Promise<Rig> => {
    const rig = await options.start(options.keyType ?? 'ed25519');
    rigs.push(rig);
    return rig;
  };
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.close();
  });
  guard(name, options, start);
  disk(name, start);
  test(
    `${name}: whatever is asked and whenever the power fails, one value at most is signed at one step`,
    { timeout: 60_000 },
    () => neverTwice(options, start),
  );
}

function guard(name: string, { verify }: ComplianceOptions, start: () => Promise<Rig>): void {
  test(`${name}: signatures verify against the canonical bytes`, async () => {
    const { signer } = await start();
    const signed = await signer.signVote(CHAIN, vote('prevote', at(1n, 0)));
    expect(verify(signer.publicKey, voteSignBytes(CHAIN, signed), signed.signature)).toBe(true);
    const proposed = await signer.signProposal(CHAIN, proposal(2n, 0));
    expect(verify(signer.publicKey, proposalSignBytes(CHAIN, proposed), proposed.signature)).toBe(true);
    expect(signer.address).toEqual(addressOf(signer.publicKey));
    expect(signed).toMatchObject(vote('prevote', at(1n, 0)));
  });

  test(`${name}: steps go forward only, also after a restart`, async () => {
    const { signer, restart } = await start();
    await signer.signProposal(CHAIN, proposal(5n, 1));
    await signer.signVote(CHAIN, vote('prevote', at(5n, 1)));
    await signer.signVote(CHAIN, vote('precommit', at(5n, 1)));
    for (const each of [() => signer, restart]) {
      const signed = await each();
      const refusals = [
        () => signed.signVote(CHAIN, vote('prevote', at(5n, 1))),
        () => signed.signProposal(CHAIN, proposal(5n, 1)),
        () => signed.signVote(CHAIN, vote('precommit', at(5n, 0))),
        () => signed.signVote(CHAIN, vote('precommit', at(4n, 9))),
      ];
      for (const refused of refusals) await expect(refused()).rejects.toThrow('it has signed a later step');
    }
  });

  test(`${name}: another block at the same step is refused, nil too, also after a restart`, async () => {
    const { signer, restart } = await start();
    await signer.signVote(CHAIN, vote('precommit', at(1n, 0)));
    for (const each of [() => signer, restart]) {
      const signed = await each();
      for (const blockId of [block('b'), NIL_BLOCK_ID]) {
        const refusal = signed.signVote(CHAIN, vote('precommit', at(1n, 0), { blockId }));
        await expect(refusal).rejects.toThrow('it has signed something else there');
      }
    }
  });

  test(`${name}: the same, or the same at another time, gets the first signature and time`, async () => {
    const { signer, restart } = await start();
    const first = await signer.signVote(CHAIN, vote('prevote', at(1n, 0)));
    for (const each of [() => signer, restart]) {
      const again = await each();
      expect(await again.signVote(CHAIN, vote('prevote', at(1n, 0)))).toEqual(first);
      expect(await again.signVote(CHAIN, vote('prevote', at(1n, 0), { seconds: 2000n }))).toEqual(first);
    }
    const firstProposal = await signer.signProposal(CHAIN, proposal(2n, 1));
    const later = { ...proposal(2n, 1), timestamp: { seconds: 5000n, nanos: 1 } };
    expect(await signer.signProposal(CHAIN, later)).toEqual(firstProposal);
    await expect(signer.signProposal(CHAIN, { ...later, polRound: 0 })).rejects.toThrow('something else');
  });

  test(`${name}: of two requests at the same moment one is signed`, async () => {
    const { signer } = await start();
    const answers = await Promise.allSettled([
      signer.signVote(CHAIN, vote('prevote', at(1n, 0))),
      signer.signVote(CHAIN, vote('prevote', at(1n, 0), { blockId: block('b') })),
    ]);
    const [first, second] = answers;
    expect(first?.status).toBe('fulfilled');
    // Not only refused, but because the first one was signed: they were not handled at the same time.
    expect(second?.status === 'rejected' && String(second.reason)).toContain('something else');
  });
}

function disk(name: string, start: () => Promise<Rig>): void {
  test.each([0, 1, 2])(
    `${name}: when step %i of writing the state fails, no signature leaves, nor any later one`,
    async (steps) => {
      const { signer, files, restart } = await start();
      await signer.signVote(CHAIN, vote('prevote', at(1n, 0)));
      files.stepsLeft = steps;
      const asked = signer.signVote(CHAIN, vote('precommit', at(1n, 0)));
      await expect(asked).rejects.toThrow('could not be written');
      files.stepsLeft = Number.POSITIVE_INFINITY;
      const later = signer.signVote(CHAIN, vote('precommit', at(9n, 0)));
      await expect(later).rejects.toThrow('signs nothing more until it is restarted');
      files.crash(false);
      const restarted = await restart();
      await restarted.signVote(CHAIN, vote('precommit', at(9n, 0)));
    },
  );

  test(`${name}: a state that only the page cache holds is made durable before it is used again`, async () => {
    const { signer, files, restart } = await start();
    files.stepsLeft = 2; // written and renamed; the directory is not synced
    const cutOff = signer.signVote(CHAIN, vote('prevote', at(3n, 0)));
    await expect(cutOff).rejects.toThrow('could not be written');
    files.crash(true); // the process is killed, the machine goes on
    const first = await (await restart()).signVote(CHAIN, vote('prevote', at(3n, 0)));
    files.crash(false); // the power fails
    const restarted = await restart();
    const other = restarted.signVote(CHAIN, vote('prevote', at(3n, 0), { blockId: block('b') }));
    await expect(other).rejects.toThrow('something else');
    expect(await restarted.signVote(CHAIN, vote('prevote', at(3n, 0)))).toEqual(first);
  });

  test(`${name}: killed between the write and the answer, it gives the same signature after a restart`, async () => {
    const { signer, files, restart } = await start();
    const died = files.dieOnceDurable();
    signer.signVote(CHAIN, vote('prevote', at(3n, 0))).catch(() => undefined);
    await died;
    const onDisk = parseObject(fromUtf8((await files.read('/v/state.json')) ?? new Uint8Array(0)));
    const restarted = await restart();
    const other = restarted.signVote(CHAIN, vote('prevote', at(3n, 0), { blockId: block('b') }));
    await expect(other).rejects.toThrow('something else');
    const again = await restarted.signVote(CHAIN, vote('prevote', at(3n, 0), { seconds: 7777n }));
    expect(toBase64(again.signature)).toBe(onDisk['signature']);
    expect(again.timestamp.seconds).toBe(1000n);
  });
}

const step = fc.record({
  kind: fc.constantFrom('proposal', 'prevote', 'precommit'),
  height: fc.bigInt(1n, 3n),
  round: fc.nat(2),
  block: fc.constantFrom('a', 'b', 'nil'),
  seconds: fc.bigInt(1n, 3n),
});
const power = fc.record({ kind: fc.constant('power failure'), steps: fc.nat(3), keepRenames: fc.boolean() });
const event = fc.oneof({ weight: 6, arbitrary: step }, { weight: 1, arbitrary: power });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Signs one request; what its signature is over, by place. */
async function signStep(
  signer: PrivValidator,
  request: Step,
): Promise<readonly [string, string] | undefined> {
  const { kind, height, round, seconds } = request;
  const blockId = request.block === 'nil' ? NIL_BLOCK_ID : block(request.block);
  const place = `${height}/${round}/${kind}`;
  try {
    if (kind === 'proposal') {
      const asked = { ...proposal(height, round, blockId), timestamp: { seconds, nanos: 0 } };
      const signed = await signer.signProposal(CHAIN, asked);
      return [place, toHex(proposalSignBytes(CHAIN, signed))];
    }
    const type = kind === 'prevote' ? kind : 'precommit';
    const signed = await signer.signVote(CHAIN, vote(type, { height, round }, { blockId, seconds }));
    return [place, toHex(voteSignBytes(CHAIN, signed))];
  } catch {
    return undefined;
  }
}

async function neverTwice({ runs }: ComplianceOptions, start: () => Promise<Rig>): Promise<void> {
  let signatures = 0;
  const sequences = fc.array(event, { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(sequences, async (events) => {
      const rig = await start();
      let { signer } = rig;
      const signed = new Map<string, string>();
      for (const [index, each] of events.entries()) {
        if ('steps' in each) {
          rig.files.stepsLeft = each.steps;
          const next = events[index + 1];
          if (next !== undefined && !('steps' in next)) record(signed, await signStep(signer, next));
          rig.files.crash(each.keepRenames);
          signer = await rig.restart();
        } else {
          record(signed, await signStep(signer, each));
        }
      }
      signatures += signed.size;
      await rig.close();
    }),
    { numRuns: runs },
  );
  expect(signatures).toBeGreaterThan(runs); // a signer that refuses everything would pass as well
}

function record(signed: Map<string, string>, one: readonly [string, string] | undefined): void {
  if (one === undefined) return;
  const [place, bytes] = one;
  expect(signed.get(place) ?? bytes).toBe(bytes);
  signed.set(place, bytes);
}
