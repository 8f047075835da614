import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CONSENSUS_PARAMS, updateConsensusParams } from '../consensus/types/params.ts';
import { addressOf } from '../consensus/types/public-key.ts';
import { toBase64, utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { validateConsensusParams } from '../modules/consensus/params.ts';
import { ConsensusParams } from '../proto/gen/tendermint/types/params.ts';
import { buildGenesis, microDenomMetadata } from './build.ts';
import { type GenesisDocument, parseGenesis } from './document.ts';
import { encodeGenesis, genesisHash, initChainRequest } from './encode.ts';

const key = Uint8Array.from(sha256(utf8('validator')));

const document: GenesisDocument = buildGenesis({
  chainId: 'test-1',
  genesisTime: { seconds: 1_700_000_000n, nanos: 5 },
  accounts: [
    { address: 'open1alice', coins: [{ denom: 'uopen', amount: 10n }] },
    { address: 'open1bob', coins: [{ denom: 'uopen', amount: 5n }] },
  ],
  validators: [{ pubKey: key, power: 10n, name: 'val0' }],
  denomMetadata: [microDenomMetadata('uopen')],
});

type Edit = (json: Record<string, unknown>) => void;

function edited(edit: Edit): string {
  const json: Record<string, unknown> = JSON.parse(encodeGenesis(document));
  edit(json);
  return JSON.stringify(json);
}

describe('consensus parameters', () => {
  it('that the module takes never stop the engine', () => {
    const edge = (good: bigint, ...others: readonly bigint[]): fc.Arbitrary<bigint> =>
      fc.oneof(
        { weight: 4, arbitrary: fc.constant(good) },
        fc.constantFrom(...others),
        fc.bigInt(-(1n << 65n), 1n << 65n),
      );
    const params = fc.record({
      block: fc.record({
        maxBytes: edge(4_194_304n, -1n, 0n, 842n, 843n, 22_020_096n, 22_020_097n),
        maxGas: edge(-1n, -2n, 0n, 1_000n),
      }),
      evidence: fc.record({
        maxAgeNumBlocks: edge(1_000n, 0n, 1n),
        maxAgeDuration: fc.record({
          seconds: edge(1n, -1n, 0n, 9_223_372_036n, 9_223_372_037n),
          nanos: fc.constantFrom(0, 0, 1, 999_999_999, -1, 1_000_000_000),
        }),
        maxBytes: edge(800n, -1n, 0n, 843n),
      }),
      validator: fc.record({
        pubKeyTypes: fc.oneof(
          fc.constant(['ed25519']),
          fc.array(fc.constantFrom('ed25519', 'secp256k1', 'x'), { maxLength: 10 }),
        ),
      }),
      version: fc.record({ app: edge(0n, 1n) }),
      abci: fc.record({ voteExtensionsEnableHeight: edge(0n, 1n, 1_000n) }),
    });
    let taken = 0;
    fc.assert(
      fc.property(params, (candidate) => {
        if (problemOf(() => validateConsensusParams(candidate)) !== undefined) return;
        taken++;
        expect(updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, candidate)).toEqual(candidate);
        expect(ConsensusParams.decode(ConsensusParams.encode(candidate))).toEqual(candidate);
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});

function problemOf(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('genesis document', () => {
  it('survives being written and read', () => {
    expect(parseGenesis(encodeGenesis(document))).toEqual(document);
  });

  it('has one hash, however it is laid out', () => {
    const relaid = JSON.stringify(JSON.parse(encodeGenesis(document)));
    expect(genesisHash(parseGenesis(relaid))).toEqual(genesisHash(document));
    expect(genesisHash({ ...document, chainId: 'test-2' })).not.toEqual(genesisHash(document));
  });

  it('is read in the shape of the SDK too', () => {
    const text = edited((json) => {
      const { consensus_params: params, validators } = json;
      json['consensus'] = { params, validators };
      json['initial_height'] = 1;
      json['app_hash'] = null;
      json['app_name'] = 'simd';
      delete json['consensus_params'];
      delete json['validators'];
    });
    expect(parseGenesis(text)).toEqual(document);
  });

  it('states the supply of what it gives out', () => {
    expect(document.appState['bank']).toMatchObject({ supply: [{ denom: 'uopen', amount: '15' }] });
  });

  it('has validators of both kinds of keys, and the parameter that allows them', () => {
    const compressed = new Uint8Array(33).fill(2);
    const mixed = buildGenesis({
      chainId: 'test-1',
      genesisTime: document.genesisTime,
      accounts: [],
      validators: [
        { keyType: 'secp256k1', pubKey: compressed, power: 10n, name: 'val0' },
        { pubKey: key, power: 10n, name: 'val1' },
      ],
    });
    expect(mixed.consensusParams.validator).toEqual({ pubKeyTypes: ['ed25519', 'secp256k1'] });
    expect(mixed.validators.map(({ address }) => address)).toEqual([
      addressOf({ type: 'secp256k1', bytes: compressed }),
      addressOf({ type: 'ed25519', bytes: key }),
    ]);
    const text = encodeGenesis(mixed);
    expect(JSON.parse(text).validators[0].pub_key.type).toBe('tendermint/PubKeySecp256k1');
    expect(parseGenesis(text)).toEqual(mixed);
    expect(initChainRequest(mixed).validators.map(({ pubKey }) => pubKey)).toEqual([
      { ed25519: undefined, secp256k1: compressed },
      { ed25519: key, secp256k1: undefined },
    ]);
    expect(() => parseGenesis(text.replace('"ed25519",', ''))).toThrow(
      'consensus_params: Validator.PubKeyTypes must name ed25519: there are validators with such keys',
    );
  });

  it('becomes the request that starts the application', () => {
    const request = initChainRequest(document);
    expect(request.chainId).toBe('test-1');
    expect(request.validators).toEqual([{ pubKey: { ed25519: key, secp256k1: undefined }, power: 10n }]);
  });

  const validator = (change: object): Edit => {
    const good = { pub_key: { type: 'tendermint/PubKeyEd25519', value: toBase64(key) }, power: '10' };
    return (json) => {
      json['validators'] = [{ ...good, ...change }];
    };
  };

  it.each<[string, Edit, string]>([
    ['no chain id', (json) => delete json['chain_id'], 'chain_id: is missing'],
    ['a long chain id', (json) => (json['chain_id'] = 'x'.repeat(51)), 'chain_id: is longer than 50'],
    ['an empty chain id', (json) => (json['chain_id'] = ''), 'chain_id: is empty'],
    ['a bad time', (json) => (json['genesis_time'] = 'yesterday'), 'genesis_time: not an RFC 3339 time'],
    ['a negative height', (json) => (json['initial_height'] = '-1'), 'initial_height: is negative'],
    ['a misspelt member', (json) => (json['chainid'] = 'x'), 'chainid: is not a known field'],
    ['a list as app_state', (json) => (json['app_state'] = []), 'app_state: is not an object'],
    ['a bad app hash', (json) => (json['app_hash'] = 'xyz0'), 'app_hash: not a hexadecimal digit'],
    [
      'an odd key type',
      validator({ pub_key: { type: 'x', value: '' } }),
      'validators[0].pub_key.type: x keys',
    ],
    [
      'keys that no validator has',
      (json) => (json['consensus_params'] = { validator: { pub_key_types: ['ed25519', 'bls12381'] } }),
      'consensus_params: params.Validator.PubKeyTypes[1], bls12381, is an unknown pubkey type',
    ],
    [
      'a key of a kind that is not allowed',
      validator({
        pub_key: { type: 'tendermint/PubKeySecp256k1', value: toBase64(new Uint8Array(33).fill(2)) },
      }),
      'consensus_params: Validator.PubKeyTypes must name secp256k1',
    ],
    [
      'a key of the other length',
      validator({ pub_key: { type: 'tendermint/PubKeySecp256k1', value: toBase64(key) } }),
      'validators[0].pub_key.value: has 32 bytes, a key of secp256k1 has 33',
    ],
    [
      'a short key',
      validator({ pub_key: { type: 'tendermint/PubKeyEd25519', value: 'AAAA' } }),
      'validators[0].pub_key.value: has 3 bytes',
    ],
    ['a wrong address', validator({ address: 'AA' }), 'validators[0].address: is not the address of the key'],
    ['no power', validator({ power: '0' }), 'validators[0].power: is 0'],
    [
      'too much power',
      validator({ power: '9223372036854775807' }),
      'validators[0].power: total voting power',
    ],
    [
      'the same validator twice',
      (json) => {
        const { validators } = json;
        json['validators'] = Array.isArray(validators) ? [...validators, ...validators] : [];
      },
      'validators[1]: has the key of an earlier validator',
    ],
    [
      'blocks of no size',
      (json) => (json['consensus_params'] = { block: { max_bytes: '0', max_gas: '-1' } }),
      'consensus_params: block.MaxBytes must be -1 or greater than 0',
    ],
    [
      'blocks that cannot hold their own commit',
      (json) => (json['consensus_params'] = { block: { max_bytes: '800', max_gas: '-1' } }),
      'consensus_params: block.MaxBytes must be greater than 842, the size of an empty block. Got 800',
    ],
    [
      'blocks that nobody could fetch',
      (json) => (json['consensus_params'] = { block: { max_bytes: '22020097', max_gas: '-1' } }),
      'consensus_params: block.MaxBytes must be at most 22020096, what other nodes can fetch. Got 22020097',
    ],
    [
      'evidence that leaves no room for the rest of its block',
      (json) => (json['consensus_params'] = { block: { max_bytes: '1048576', max_gas: '-1' } }),
      'consensus_params: evidence.MaxBytes must be from 0 to 1047734, what block.MaxBytes leaves. Got 1048576',
    ],
    [
      'gas beyond 64 bits',
      (json) => (json['consensus_params'] = { block: { max_bytes: '-1', max_gas: `1${'0'.repeat(30)}` } }),
      'consensus_params: block.MaxGas must be -1 (no limit) or from 0 to 9223372036854775807. Got 1000',
    ],
    [
      'vote extensions',
      (json) => (json['consensus_params'] = { abci: { vote_extensions_enable_height: '1' } }),
      'consensus_params: ABCI.VoteExtensionsEnableHeight must be 0',
    ],
    [
      'a negative version',
      (json) => (json['consensus_params'] = { version: { app: '-1' } }),
      'consensus_params: version.App must be from 0',
    ],
    [
      'a height without end',
      (json) => (json['initial_height'] = `1${'0'.repeat(30)}`),
      'initial_height: is larger',
    ],
    [
      'a number that is none',
      (json) => (json['consensus_params'] = { block: { max_bytes: '1e3', max_gas: '-1' } }),
      'consensus_params.block.max_bytes: is not an integer',
    ],
  ])('refuses %s', (_, edit, message) => {
    expect(() => parseGenesis(edited(edit))).toThrow(message);
  });

  it('refuses what is not JSON or nested without end', () => {
    expect(() => parseGenesis('{')).toThrow('document: is not JSON');
    expect(() => parseGenesis(`${'['.repeat(100)}${']'.repeat(100)}`)).toThrow('is nested deeper than 64');
  });
});
