/** Where the running stack is: what `npm start` wrote down, or what the environment says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { variable } from '../env.ts';
import { STATE_DIR } from '../paths.ts';
import { CliError } from './command.ts';

export interface Stack {
  /** The gateway's base URL. */
  readonly url: string;
  readonly token: string;
  readonly natsUrl: string;
}

/** What the commands need of the state file of `npm start`. */
const State = Type.Object({ url: Type.String(), natsUrl: Type.String(), tokenFile: Type.String() });

/** The environment wins, so that the same commands work against an installation elsewhere. Throws `CliError`. */
export function findStack(stateDir: string = STATE_DIR): Stack {
  const file = join(stateDir, 'run', 'state.json');
  const content: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  const state = Value.Check(State, content) ? content : null;
  const url = variable('MAILSTREAM_URL') ?? state?.url;
  const natsUrl = variable('NATS_URL') ?? state?.natsUrl;
  const token = variable('MAILSTREAM_API_TOKEN') ?? readToken(state?.tokenFile);
  if (url === undefined || natsUrl === undefined || token === undefined)
    throw new CliError(
      'Mailstream is not running here: start it with `npm start` (or set MAILSTREAM_URL, MAILSTREAM_API_TOKEN and NATS_URL)',
    );
  return { url, natsUrl, token };
}

function readToken(file: string | undefined): string | undefined {
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
