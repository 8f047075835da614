import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newValidatorSet } from '../../consensus/proposer.ts';
import { addressOf, publicKeyToMessage } from '../../consensus/types/public-key.ts';
import { validatorsHash } from '../../consensus/types/validator-set.ts';
import type { PublicKey, ValidatorSet } from '../../consensus/types/validator.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { VALIDATOR_PROOF_PROTOCOL } from '../../p2p/channels.ts';
import { DEFAULT_LIMITS, type Network, type NetworkOptions, silentLogger } from '../../p2p/network.ts';
import { libp2pWorld, memoryWorld, type World } from '../../p2p/testing.ts';
import { systemTimers, type Timers } from '../../p2p/timers.ts';
import {
  encodeProofRequest,
  encodeProofResponse,
  PROOF_NONCE_BYTES,
  type ProofParties,
  proofSignBytes,
} from '../../p2p/validator-proof.ts';
import { machine } from '../environment.ts';
import { DEFAULT_VALIDATOR_PEERS, type ProvingSigner, type ValidatorPeersOptions } from './ports.ts';
import { ValidatorPeers } from './validator-peers.ts';

const CHAIN = 'test-chain';
const PROTOCOL = VALIDATOR_PROOF_PROTOCOL.name;
const limits = DEFAULT_VALIDATOR_PEERS;

interface Key {
  readonly publicKey: PublicKey;
  sign(bytes: Uint8Array): Uint8Array;
}

function keyOf(name: string, type: PublicKey['type'] = 'ed25519'): Key {
  const signer = machine.makeSigner(sha256(utf8(name)), type);
  return { publicKey: { type, bytes: signer.publicKey }, sign: (bytes) => signer.sign(bytes) };
}

function signerOf(key: Key): ProvingSigner {
  return {
    publicKey: key.publicKey,
    signValidatorProof: async (chainId, parties) => key.sign(proofSignBytes(chainId, parties)),
  };
}

function setOf(...keys: readonly Key[]): ValidatorSet {
  return newValidatorSet(keys.map(({ publicKey }) => ({ publicKey, votingPower: 10n })));
}

const ALICE = keyOf('alice');
const BOB = keyOf('bob', 'secp256k1');
const EVE = keyOf('eve');

interface Member {
  readonly network: Network;
  readonly peers: ValidatorPeers;
  /** The set after a block. */
  become(set: ValidatorSet): Promise<void>;
}

interface MemberOptions extends Partial<ValidatorPeersOptions> {
  readonly key?: Key;
  readonly signer?: ProvingSigner;
  readonly network?: Partial<NetworkOptions>;
}

/** A node whose network is started. */
async function member(
  world: World,
  set: ValidatorSet,
  { key = keyOf('nobody'), signer = signerOf(key), network: rest, ...options }: MemberOptions = {},
  timers: Timers = systemTimers,
): Promise<Member> {
  let validators = set;
  const network = await world.create({ protocols: [VALIDATOR_PROOF_PROTOCOL], ...rest });
  const peers = new ValidatorPeers(
    {
      network,
      signer,
      validators: () => validators,
      verify: machine.verify,
      randomBytes: machine.randomBytes,
      timers,
      log: silentLogger,
    },
    { chainId: CHAIN, prove: true, limits, ...options },
  );
  await network.start();
  peers.start();
  const become = async (next: ValidatorSet): Promise<void> => {
    validators = next;
    await peers.onCommit({ block: { header: { nextValidatorsHash: validatorsHash(next) } } });
  };
  return { network, peers, become };
}

/** Begins to dial; on virtual time it is done only when somebody waits. */
function join(network: Network, to: Pick<Member, 'network'>): void {
  void network.dial(to.network.listenAddresses()[0] ?? '').catch(() => undefined);
}

describe.each([
  ['memory', memoryWorld],
  ['libp2p', libp2pWorld],
] as const)('%s', (_name, makeWorld) => {
  let world: World;

  beforeEach(() => {
    world = makeWorld();
  });
  afterEach(() => world.close());

  test('validators prove their keys to each other, of either type; others are not preferred', async () => {
    const set = setOf(ALICE, BOB);
    const alice = await member(world, set, { key: ALICE });
    const bob = await member(world, set, { key: BOB });
    const eve = await member(world, set, { key: EVE });
    join(bob.network, alice);
    join(eve.network, alice);
    await world.until('both are there', () => alice.network.peers().length === 2);
    await world.until('all were asked', () =>
      [alice, bob, eve].every(({ peers, network }) => peers.metrics.proved === network.peers().length),
    );
    const { network, peers } = alice;
    expect(network.peers()).toHaveLength(2);
    expect(network.isPreferred(bob.network.nodeId)).toBe(true);
    expect(bob.network.isPreferred(network.nodeId)).toBe(true);
    expect(network.isPreferred(eve.network.nodeId)).toBe(false);
    expect(peers.validatorOf(bob.network.nodeId)).toEqual(addressOf(BOB.publicKey));
    expect(peers.validatorOf(eve.network.nodeId)).toBeUndefined();
  });

  test('the key is compared with every new set; a proof is worth one session', async () => {
    const alice = await member(world, setOf(ALICE));
    const bob = await member(world, setOf(ALICE), { key: BOB });
    const { nodeId } = bob.network;
    join(bob.network, alice);
    await world.until('it is asked', () => alice.peers.metrics.proved === 1);
    expect(alice.network.isPreferred(nodeId)).toBe(false);
    await alice.become(setOf(ALICE, BOB));
    expect(alice.network.isPreferred(nodeId)).toBe(true);
    await alice.become(setOf(ALICE));
    expect(alice.network.isPreferred(nodeId)).toBe(false);
    expect(alice.network.peers()).toHaveLength(1);
    await alice.become(setOf(ALICE, BOB));
    bob.network.disconnect(alice.network.nodeId, 'a pause');
    await world.until('it is gone', () => alice.network.peers().length === 0);
    expect(alice.network.isPreferred(nodeId)).toBe(false);
  });

  test('where the places are taken, a validator gets in and a stranger is sent away', async () => {
    const places = { ...DEFAULT_LIMITS, inboundPeersMax: 1, inboundProbationMax: 1 };
    const full = await member(world, setOf(ALICE, BOB), { network: { limits: places } });
    const first = await member(world, setOf(ALICE), { key: keyOf('first') });
    join(first.network, full);
    await world.until('the place is taken', () => full.network.peers().length === 1);
    const eve = await member(world, setOf(ALICE), { key: EVE });
    join(eve.network, full);
    await world.until('the stranger is sent away', () => full.network.metrics.disconnected === 1);
    expect(full.network.peers().map(({ id }) => id)).toEqual([first.network.nodeId]);
    for (const key of [ALICE, BOB]) {
      const validator = await member(world, setOf(ALICE), { key });
      join(validator.network, full);
      await world.until('it is preferred', () => full.network.isPreferred(validator.network.nodeId));
    }
    expect(full.network.peers()).toHaveLength(3);
    expect(full.network.metrics.disconnected).toBe(1);
  });
});

describe('liars', () => {
  let world: ReturnType<typeof memoryWorld>;
  let node: Member;

  beforeEach(async () => {
    world = memoryWorld();
    node = await member(world, setOf(ALICE), {}, world.timers);
  });
  afterEach(() => world.close());

  async function connect(network: Network, to: Member): Promise<void> {
    join(network, to);
    await world.until('connected', () => network.peers().some(({ id }) => id === to.network.nodeId));
  }

  /** A peer that answers in its own way; resolves when the node has judged the answer. */
  async function answers(
    answer: (asked: Uint8Array, liar: Network) => Promise<Uint8Array>,
  ): Promise<Network> {
    const liar = await world.create({ protocols: [VALIDATOR_PROOF_PROTOCOL] });
    let answered = false;
    liar.serve(PROTOCOL, async (_peer, bytes) => {
      const response = await answer(bytes.slice(2), liar);
      answered = true;
      return response;
    });
    await liar.start();
    join(liar, node);
    await world.until('it answered', () => answered);
    await world.timers.advance(1_000);
    return liar;
  }

  function proofOf(key: Key, parties: ProofParties, chainId: string = CHAIN): Uint8Array {
    const signature = key.sign(proofSignBytes(chainId, parties));
    return encodeProofResponse({ publicKey: publicKeyToMessage(key.publicKey), signature });
  }

  const partiesOf = (nonce: Uint8Array, liar: Network): ProofParties => ({
    prover: liar.nodeId,
    asker: node.network.nodeId,
    nonce,
  });

  test('an honest answer in this way is taken: the other cases differ in one thing', async () => {
    const honest = await answers(async (nonce, self) => proofOf(ALICE, partiesOf(nonce, self)));
    expect(node.network.isPreferred(honest.nodeId)).toBe(true);
  });

  const wrong: readonly (readonly [string, (nonce: Uint8Array, liar: Network) => Uint8Array])[] = [
    ['of another prover', (nonce, liar) => proofOf(ALICE, { ...partiesOf(nonce, liar), prover: 'node7' })],
    ['for another asker', (nonce, liar) => proofOf(ALICE, { ...partiesOf(nonce, liar), asker: 'node7' })],
    [
      'for another nonce',
      (_nonce, liar) => proofOf(ALICE, partiesOf(new Uint8Array(PROOF_NONCE_BYTES), liar)),
    ],
    ['of another chain', (nonce, liar) => proofOf(ALICE, partiesOf(nonce, liar), 'other-chain')],
    [
      'of a key that did not sign it',
      (nonce, liar) => {
        const signature = EVE.sign(proofSignBytes(CHAIN, partiesOf(nonce, liar)));
        return encodeProofResponse({ publicKey: publicKeyToMessage(ALICE.publicKey), signature });
      },
    ],
    ['of random bytes', () => machine.randomBytes(100)],
    [
      'of a key of another length',
      () =>
        encodeProofResponse({
          publicKey: { ed25519: new Uint8Array(3), secp256k1: undefined },
          signature: new Uint8Array(64),
        }),
    ],
    ['that is too long for the protocol to carry', () => new Uint8Array(103).fill(0x0a)],
  ];
  test.each(wrong)('a proof %s is a ban', async (_what, answer) => {
    const liar = await answers(async (nonce, self) => answer(nonce, self));
    expect(node.network.isPreferred(liar.nodeId)).toBe(false);
    expect(node.network.standing(liar.nodeId).bannedForMs).toBeGreaterThan(0);
  });

  test('who passes the question on to a validator gets a proof of no use', async () => {
    const alice = await member(world, setOf(ALICE), { key: ALICE }, world.timers);
    const thief = await world.create({ protocols: [VALIDATOR_PROOF_PROTOCOL] });
    await thief.start();
    await connect(thief, alice);
    let stolen: Uint8Array | undefined;
    thief.serve(PROTOCOL, async (peer, bytes) => {
      if (peer.id !== node.network.nodeId) return encodeProofResponse(undefined);
      stolen = await thief.request(alice.network.nodeId, PROTOCOL, bytes, { timeoutMs: 1_000 });
      return stolen;
    });
    join(thief, node);
    await world.until('it answered', () => stolen !== undefined);
    await world.timers.advance(1_000);
    expect(stolen?.length).toBeGreaterThan(64);
    expect(node.network.isPreferred(thief.nodeId)).toBe(false);
    expect(node.network.standing(thief.nodeId).bannedForMs).toBeGreaterThan(0);
  });

  test('a true proof of a key that is not in the set is worth nothing, and no fault', async () => {
    const eve = await answers(async (nonce, self) => proofOf(EVE, partiesOf(nonce, self)));
    expect(node.network.isPreferred(eve.nodeId)).toBe(false);
    expect(node.network.standing(eve.nodeId)).toEqual({ points: 0, bannedForMs: 0 });
  });

  test('one key makes one peer preferred: the last that proved it', async () => {
    const prove = async (nonce: Uint8Array, self: Network): Promise<Uint8Array> =>
      proofOf(ALICE, partiesOf(nonce, self));
    const first = await answers(prove);
    const second = await answers(prove);
    expect(node.network.isPreferred(first.nodeId)).toBe(false);
    expect(node.network.isPreferred(second.nodeId)).toBe(true);
    await node.become(setOf(ALICE, EVE));
    expect(node.network.isPreferred(first.nodeId)).toBe(false);
    expect(node.network.peers()).toHaveLength(2);
  });

  test('who asks too often is answered a few times, then banned; malformed questions are a ban', async () => {
    const alice = await member(world, setOf(ALICE), { key: ALICE }, world.timers);
    const asker = await world.create({ protocols: [VALIDATOR_PROOF_PROTOCOL] });
    await asker.start();
    await connect(asker, alice);
    const ask = (bytes: Uint8Array): Promise<number> =>
      asker.request(alice.network.nodeId, PROTOCOL, bytes, { timeoutMs: 1_000 }).then(
        ({ length }) => length,
        () => -1,
      );
    const question = encodeProofRequest(machine.randomBytes(PROOF_NONCE_BYTES));
    const lengths: number[] = [];
    for (let i = 0; i < limits.questionsPerSessionMax + 6; i++) {
      const asked = ask(question).then((length) => lengths.push(length));
      await world.timers.advance(100);
      await asked;
    }
    const proofs = lengths.filter((length) => length > 64);
    expect(proofs).toHaveLength(limits.answersBurstMax);
    expect(lengths.slice(limits.answersBurstMax).every((length) => length <= 0)).toBe(true);
    expect(alice.peers.metrics.given).toBe(limits.answersBurstMax);
    expect(alice.network.standing(asker.nodeId).bannedForMs).toBeGreaterThan(0);

    const other = await world.create({ protocols: [VALIDATOR_PROOF_PROTOCOL] });
    await other.start();
    await connect(other, alice);
    const refused = other.request(alice.network.nodeId, PROTOCOL, new Uint8Array(34), { timeoutMs: 1_000 });
    const failed = expect(refused).rejects.toThrow();
    await world.timers.advance(1_000);
    await failed;
    expect(alice.network.standing(other.nodeId).bannedForMs).toBeGreaterThan(0);
  });

  test('who comes back often is no liar, but is not answered each time', async () => {
    const alice = await member(world, setOf(ALICE), { key: ALICE }, world.timers);
    const visitor = await member(world, setOf(ALICE), {}, world.timers);
    const seen: boolean[] = [];
    for (let i = 0; i < 5; i++) {
      await connect(visitor.network, alice);
      await world.timers.advance(500);
      seen.push(visitor.network.isPreferred(alice.network.nodeId));
      visitor.network.disconnect(alice.network.nodeId, 'a pause');
      await world.timers.advance(500);
    }
    expect(seen).toEqual([true, true, true, false, false]);
    for (const [one, other] of [[alice, visitor] as const, [visitor, alice] as const])
      expect(one.network.standing(other.network.nodeId)).toEqual({ points: 0, bannedForMs: 0 });
    await connect(visitor.network, alice);
    await world.timers.advance(2 * limits.askAgainMs);
    expect(visitor.network.isPreferred(alice.network.nodeId)).toBe(true);
  });

  test('signatures are bounded for all peers together; who got none asks again', async () => {
    const few = { ...limits, proofsPerSecondMax: 2 };
    const alice = await member(world, setOf(ALICE), { key: ALICE, limits: few }, world.timers);
    const askers: Member[] = [];
    for (let i = 0; i < 5; i++) {
      const asker = await member(world, setOf(ALICE), {}, world.timers);
      join(asker.network, alice);
      askers.push(asker);
    }
    const knowing = (): number =>
      askers.filter(({ network }) => network.isPreferred(alice.network.nodeId)).length;
    await world.timers.advance(900);
    expect(knowing()).toBe(2);
    expect(alice.peers.metrics).toMatchObject({ given: 2, refused: 3 });
    await world.timers.advance(2.5 * limits.askAgainMs);
    expect(knowing()).toBe(5);
    expect(askers.every(({ peers }) => peers.metrics.asked <= limits.asksPerSessionMax)).toBe(true);
  });

  test('a node that shall not prove, or whose signer cannot, gives no proof and is not at fault', async () => {
    const silent = await member(world, setOf(ALICE), { key: ALICE, prove: false }, world.timers);
    const remote = await member(
      world,
      setOf(ALICE),
      { signer: { publicKey: ALICE.publicKey } },
      world.timers,
    );
    const broken: ProvingSigner = {
      publicKey: ALICE.publicKey,
      signValidatorProof: () => Promise.reject(new Error('no disk')),
    };
    const failing = await member(world, setOf(ALICE), { signer: broken }, world.timers);
    for (const { network } of [silent, remote, failing]) {
      join(network, node);
      await world.timers.advance(3 * limits.askAgainMs);
      expect(node.network.isPreferred(network.nodeId)).toBe(false);
      expect(node.network.standing(network.nodeId)).toEqual({ points: 0, bannedForMs: 0 });
    }
    expect(node.peers.metrics.asked).toBe(3 * limits.asksPerSessionMax);
  });
});
