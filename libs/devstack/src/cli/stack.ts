/** Where the running stack is: what `npm start` wrote down, or what the environment says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { variable } from '../env.ts';
import { STATE_DIR } from '../paths.ts';
import { CliError } from './command.ts';

export interface Stack {
  /** The gateway's base URL. */
  readonly url: string;
  readonly token: string;
  readonly natsUrl: string;
}

/** The environment wins over the state file, so that the same commands work against an installation elsewhere. Throws `CliError`. */
export function findStack(stateDir: string = STATE_DIR): Stack {
  const state = readState(join(stateDir, 'run', 'state.json'));
  const url = variable('MAILSTREAM_URL') ?? state.url;
  const token = variable('MAILSTREAM_API_TOKEN') ?? readToken(state.tokenFile);
  const natsUrl = variable('NATS_URL') ?? state.natsUrl;
  if (url === undefined || token === undefined || natsUrl === undefined)
    throw new CliError(
      'Mailstream is not running here: start it with `npm start` (or set MAILSTREAM_URL, MAILSTREAM_API_TOKEN and NATS_URL)',
    );
  return { url, token, natsUrl };
}

interface State {
  readonly url?: string;
  readonly natsUrl?: string;
  readonly tokenFile?: string;
}

function readState(file: string): State {
  if (!existsSync(file)) return {};
  const state: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const text = (key: string) => {
    const value = typeof state === 'object' && state !== null ? Object.entries(state).find(([k]) => k === key)?.[1] : null;
    return typeof value === 'string' ? { [key]: value } : {};
  };
  return { ...text('url'), ...text('natsUrl'), ...text('tokenFile') };
}

function readToken(file: string | undefined): string | undefined {
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
