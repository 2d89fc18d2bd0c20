/** `keys status` and `keys rotate`: the keys that credentials are sealed under. */
import { type KeyStatus, KeysRotated, KeysStatus } from '@mailstream/contracts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { count, table } from '../format.ts';

const PATH = '/v1/keys';

export const keysStatus: Command = {
  name: 'keys status',
  summary: 'The keys that credentials are sealed under, and whether they are still needed',
  usage: `[--json]

  --json   the keys as the API gives them`,
  async run(args, context) {
    const { values } = parse(args, { json: { type: 'boolean' } });
    const { keys } = await context.api().get(KeysStatus, PATH);
    if (values.json) context.out(JSON.stringify(keys));
    else for (const line of keyTable(keys, context.width)) context.out(line);
    return keys.every(({ configured, inUse }) => configured || inUse === 0) ? 0 : 1;
  },
};

export const keysRotate: Command = {
  name: 'keys rotate',
  summary: 'Seal all credentials under the current key; may be interrupted and started again',
  usage: '',
  async run(args, context) {
    parse(args, {});
    const api = context.api();
    const failures = new Map<string, number>();
    let rewrapped = 0;
    let after: string | null = null;
    do {
      if (context.signal.aborted) {
        context.note(
          `interrupted after ${count(rewrapped, 'credential')}; \`keys rotate\` goes on where it was`,
        );
        return 130;
      }
      const batch: KeysRotated = await api.send(
        KeysRotated,
        'POST',
        `${PATH}/rotate`,
        after === null ? {} : { after },
      );
      rewrapped += batch.rewrapped;
      for (const { key, message } of batch.failed) {
        const why = `under "${key}": ${message}`;
        failures.set(why, (failures.get(why) ?? 0) + 1);
      }
      if (batch.rewrapped > 0)
        context.note(`${count(rewrapped, 'credential')} sealed under "${batch.current}" so far`);
      after = batch.next;
    } while (after !== null);
    for (const [why, times] of failures) context.note(`not done: ${count(times, 'credential')} ${why}`);
    const { keys } = await api.get(KeysStatus, PATH);
    for (const line of keyTable(keys, context.width)) context.out(line);
    return failures.size === 0 ? 0 : 1;
  },
};

export function keyTable(keys: readonly KeyStatus[], width: number): string[] {
  const rows = keys.map((key) => [key.id, String(key.inUse), verdictOn(key)]);
  return table(['KEY', 'IN USE', ''], rows, width);
}

function verdictOn({ current, configured, inUse }: KeyStatus): string {
  if (current) return 'current: seals what is new';
  if (!configured) return 'lost: put it back, or give these credentials again';
  return inUse === 0
    ? 'no longer needed: take it out of the configuration'
    : 'still needed: `keys rotate` seals these under the current key';
}
