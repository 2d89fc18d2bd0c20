/** Ends processes of a running system the hard way, and measures how long it takes until mail flows again. */
import { SERVICES, type Stack, type UnitName } from '@mailstream/devstack';
import type { Churn } from './churn.ts';
import type { Mailbox, System } from './harness.ts';

export const UNITS: readonly UnitName[] = ['postgres', 'nats-server', ...SERVICES];

/** SIGKILL to these processes; `meanwhile` they are gone. Resolves when they are ready again, with the moment they were started at. */
export async function killAndRestart(
  stack: Stack,
  names: readonly UnitName[],
  meanwhile: () => Promise<void>,
): Promise<number> {
  await Promise.all(names.map((name) => stack.unit(name).kill()));
  await meanwhile();
  const startedAt = performance.now();
  await startUnits(stack, names);
  return startedAt;
}

/** Starts what has ended: the two servers first, as the services need them. */
export async function startUnits(stack: Stack, names: readonly UnitName[]): Promise<void> {
  const isServer = (name: UnitName) => name === 'postgres' || name === 'nats-server';
  for (const group of [names.filter(isServer), names.filter((name) => !isServer(name))])
    await Promise.all(group.map((name) => stack.unit(name).start()));
}

/** Something arrives at the mailbox; resolves when the API shows it, which nobody has asked for a look. Milliseconds since `from`. */
export async function untilMailFlows(
  { until, rest }: Pick<System, 'until' | 'rest'>,
  { account }: Mailbox,
  churn: Churn,
  from: number,
): Promise<number> {
  const subject = await churn.arrive();
  await until(
    `${subject} is in the view`,
    async () => {
      const { status, body } = await rest.call('GET', `/v1/messages?account=${account}&text=${subject}`);
      if (status !== 200 || !JSON.stringify(body).includes(subject))
        throw new Error(`${status} ${JSON.stringify(body).slice(0, 200)}`);
    },
    60_000,
  );
  return performance.now() - from;
}

/** Nobody but those we ended has ended: the outage of one process must not take another down. */
export function endedUnits(stack: Stack): string[] {
  return stack.units.flatMap((unit) => {
    const how = unit.child().ended();
    return how === undefined ? [] : [`${unit.name}: ${how}`];
  });
}
