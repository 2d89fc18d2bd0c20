/** Everything that was published on MAIL and CHANGES, judged by the contract. */
import type { Bus } from '@mailstream/bus';
import { DeadLetter, validatorOf } from '@mailstream/contracts';
import { Value } from 'typebox/value';

const ROOTS = { MAIL: 'mail.>', CHANGES: 'changes.>' } as const;

const READ_MS = 60_000;

export interface Published {
  /** Events that are not what their schema says, and were not parked either. */
  readonly problems: readonly string[];
  /** One event of each type. */
  readonly examples: ReadonlyMap<string, unknown>;
}

/** Reads what is stored by now. */
export async function readPublished(bus: Bus): Promise<Published> {
  const parked = new Set<string>();
  for await (const { data } of stored(bus, 'DEAD', 'dead.>')) {
    const letter: unknown = JSON.parse(Buffer.from(data).toString());
    if (Value.Check(DeadLetter, letter)) parked.add(`${letter.stream} ${letter.sequence}`);
  }
  const problems: string[] = [];
  const examples = new Map<string, unknown>();
  for (const stream of ['MAIL', 'CHANGES'] as const)
    for await (const { sequence, subject, data } of stored(bus, stream, ROOTS[stream])) {
      if (parked.has(`${stream} ${sequence}`)) continue;
      const { type, event, problem } = judge(Buffer.from(data).toString());
      if (problem) problems.push(`${stream} ${sequence} (${subject}): ${problem}`);
      else examples.set(type, event);
    }
  return { problems, examples };
}

function judge(text: string): { type: string; event: unknown; problem: string | null } {
  const event: unknown = parse(text);
  const type = typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : '';
  const validator = validatorOf(type);
  if (!validator) return { type, event, problem: `no event of the contract: ${text.slice(0, 200)}` };
  const [flaw] = validator.Errors(event);
  return { type, event, problem: flaw ? `${type}${flaw.instancePath} ${flaw.message}` : null };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function* stored(bus: Bus, stream: 'MAIL' | 'CHANGES' | 'DEAD', filter: string) {
  const last = await bus.last(stream, filter);
  if (!last) return;
  const late = AbortSignal.timeout(READ_MS);
  for await (const some of bus.read(stream, filter, 1n, late)) {
    yield* some;
    if (some.some(({ sequence }) => sequence >= last.sequence)) return;
  }
  throw new Error(`${stream} could not be read to its end within ${READ_MS} ms`);
}
