import type { SimulationOptions } from './network.ts';

/**
 * The run that a seed stands for: 4 to 7 validators, as many faulty ones as may be (an equivocator among
 * them in two of three runs, the others down), light to heavy loss, and in every second run correct nodes
 * that crash and come back.
 */
export function scenarioOf(seed: number): SimulationOptions {
  const nodes = 4 + (seed % 4);
  const faulty = Math.floor((nodes - 1) / 3);
  const byzantine = seed % 3 === 0 ? 0 : 1;
  const lossPercent = [5, 20, 40][Math.floor(seed / 4) % 3] ?? 5;
  return {
    seed,
    nodes,
    byzantine,
    down: faulty - byzantine,
    restarts: seed % 2 === 0,
    lossPercent,
    healMs: 8000,
    targetHeight: 4n,
  };
}
