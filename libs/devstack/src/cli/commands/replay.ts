/** `replay`: sets a durable subscriber of the change stream to another place. */
import { Caller } from '@mailstream/contracts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { count } from '../format.ts';
import { startOf } from './changes.ts';

export const replay: Command = {
  name: 'replay',
  summary:
    'Set a durable subscriber back or forward: it gets what comes after that place, again if it had it',
  usage: `<subscriber> --from <place> [options]

  --from <place>   a sequence of CHANGES (the next is the first it gets), a time ago (30s, 10m, 2h, 7d), an RFC 3339
                   time, \`beginning\` or \`now\`
  --dry-run        only say how many changes that would be
  --json           {was, now, changes}: sequences as text`,
  async run(args, context) {
    const { values, positionals } = parse(
      args,
      { from: { type: 'string' }, 'dry-run': { type: 'boolean' }, json: { type: 'boolean' } },
      ['<subscriber>'],
    );
    const [name = ''] = positionals;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw new UsageError(`"${name}" is no name of a subscriber`);
    if (values.from === undefined) throw new UsageError('--from is missing');
    const to = placeOf(values.from, Date.now());
    const dryRun = values['dry-run'] === true;
    const { tenant } = await context.api().get(Caller, '/v1/caller');
    // Loaded here only: the other commands start in half the time without it.
    const [{ ChangesLostError, connectMailstream }, { AppError }] = await Promise.all([
      import('@mailstream/client'),
      import('@mailstream/runtime'),
    ]);
    try {
      await using mailstream = await connectMailstream({
        ...context.stack().nats(),
        name: 'mailstream-cli',
      });
      const moved = await mailstream.replay({ tenant, name, to, dryRun }, context.signal);
      if (!moved) throw new CliError(`nobody has subscribed as "${name}" yet`);
      const { was, now, changes } = moved;
      if (values.json) context.out(JSON.stringify({ was: String(was), now: String(now), changes }));
      else
        context.out(
          `${name} ${dryRun ? 'would go' : 'goes'} on after ${now} (it was at ${was}): ${count(changes, 'change')} of the tenant ${changes === 1 ? 'is' : 'are'} behind that`,
        );
      return 0;
    } catch (error) {
      if (error instanceof AppError || error instanceof ChangesLostError)
        throw new CliError(error.message, { cause: error });
      throw error;
    }
  },
};

/** The place that `--from` means. */
export function placeOf(
  from: string,
  now: number,
): 'beginning' | 'now' | { sequence: bigint } | { time: Date } {
  if (from === 'beginning' || from === 'now') return from;
  return /^[0-9]{1,16}$/.test(from) ? { sequence: BigInt(from) } : { time: startOf(from, now) };
}
