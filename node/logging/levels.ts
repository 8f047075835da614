/** Levels by module: `info`, or `consensus:debug,p2p:none,*:info` as CometBFT's `log_level` has it. */

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'none'] as const;

/** A threshold: what is below it is not written. */
export type LogLevel = (typeof LEVELS)[number];

/** The threshold of a module. */
export type LevelPolicy = (module: string) => LogLevel;

/** True when something of `level` is written under the threshold. */
export function isEnabled(level: LogLevel, threshold: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(threshold);
}

/** Reads a policy. The configuration was validated before; what is not a level counts as `info`. */
export function levelPolicy(text: string): LevelPolicy {
  const byModule = new Map<string, LogLevel>();
  for (const part of text.split(',')) {
    const colon = part.indexOf(':');
    byModule.set(colon < 0 ? '*' : part.slice(0, colon), levelOf(part.slice(colon + 1)));
  }
  const fallback = byModule.get('*') ?? 'info';
  return (module) => byModule.get(module) ?? fallback;
}

function levelOf(text: string): LogLevel {
  return LEVELS.find((level) => level === text) ?? 'info';
}
