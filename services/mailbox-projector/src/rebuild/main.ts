/** The process behind `mailstream rebuild view`: as the owner of the tables, beside services that go on. */
import { parseArgs } from 'node:util';
import { connectBus } from '@mailstream/bus';
import { AppError, createLogger, readEnv, readNatsEnv } from '@mailstream/runtime';
import { dropRebuild, rebuildView } from './rebuild.ts';
import { progressLine, resultLines } from './report.ts';

const { values } = parseArgs({
  options: {
    'accept-differences': { type: 'boolean', default: false },
    drop: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const note = (line: string) => process.stderr.write(`${line}\n`);
const stop = new AbortController();
const end = () => stop.abort(new AppError('rebuild.interrupted', 'conflict', INTERRUPTED));
const INTERRUPTED = 'interrupted: the same command goes on from here, --drop takes away what was built';
process.once('SIGINT', end).once('SIGTERM', end);

try {
  process.exitCode = await work();
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  note(`mailstream: ${error.message} (${error.code})`);
  process.exitCode = 1;
}

/** Returns the exit code: 2 when the tables differ, so that a script can tell. */
async function work(): Promise<number> {
  const env = readEnv();
  const ownerUrl = env.optional('MIGRATION_DATABASE_URL') ?? env.string('DATABASE_URL');
  const nats = readNatsEnv(env);
  env.check();
  const logger = createLogger('rebuild', 'silent');
  if (values.drop) {
    const was = await dropRebuild({ ownerUrl, logger });
    say(was ? 'dropped: nothing is left of the rebuild' : 'there was nothing to drop');
    return 0;
  }
  const bus = await connectBus({ ...nats, name: 'mailstream rebuild', logger });
  const started = performance.now();
  try {
    const result = await rebuildView(
      {
        ...{ bus, ownerUrl, logger },
        acceptDifferences: values['accept-differences'],
        onProgress: (progress) => note(progressLine(progress)),
      },
      stop.signal,
    );
    const seconds = (performance.now() - started) / 1000;
    if (values.json) say(JSON.stringify({ ...result, seconds }));
    else for (const line of resultLines(result, seconds)) say(line);
    return result.swapped ? 0 : 2;
  } finally {
    await bus.close();
  }
}
