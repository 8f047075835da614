import { expect, test } from 'vitest';
import { measureSimulated, type SimulatedResult } from './simulated.ts';

const WIRES = { blockTimeMs: 1_000, latencyMinMs: 20, latencyMaxMs: 80 } as const;
/** In the ring of so many each has eight connections, as in a mesh of nine. */
const VALIDATORS = 21;
const DEGREE = 8;
/**
 * A node tells each peer of each vote at most, whether it sends it or says that it has it: its messages grow
 * with validators times connections. In a ring votes come over several hops, and cross on the way.
 */
const FACTOR = 1.5;

const perConnectionAndValidator = (result: SimulatedResult, validators: number): number =>
  result.messagesPerNode / (result.connections * validators);

test('on a ring, 21 validators decide with the messages of eight connections each', async () => {
  const mesh = await measureSimulated({ ...WIRES, validators: DEGREE + 1, heights: 2 });
  const result = await measureSimulated({ ...WIRES, validators: VALIDATORS, heights: 2 });
  expect(mesh.connections).toBe(DEGREE);
  expect(result.connections).toBe(DEGREE);
  expect(result.heights).toBe(2);
  const [small, large] = [
    perConnectionAndValidator(mesh, DEGREE + 1),
    perConnectionAndValidator(result, VALIDATORS),
  ];
  expect(large).toBeLessThan(FACTOR * small);
}, 60_000);
