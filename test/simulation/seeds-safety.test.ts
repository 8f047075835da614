import { test } from 'vitest';
import { expectSeeds } from './seeds.ts';

const LIMIT_MS = 900_000;

test('nothing unsafe happens while faults go on for ever', () => expectSeeds('safety', 1, 36), LIMIT_MS);
test('nodes survive being killed at any write and sync', () => expectSeeds('crash', 1, 84), LIMIT_MS);
test('real ed25519 signatures', () => expectSeeds('ed25519', 1, 20), LIMIT_MS);
test('bits turn in log, signing state and database records', () => expectSeeds('bitflip', 1, 20), LIMIT_MS);
test('validators come and go under faults', () => expectSeeds('validators', 1, 10), LIMIT_MS);
