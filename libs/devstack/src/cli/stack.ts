/** Where the running stack is: what `npm start` wrote down, or what the environment says. */
import { readFileSync } from 'node:fs';
import type { ConnectOptions } from '@mailstream/client';
import { variable } from '../env.ts';
import { readRunState } from '../state.ts';
import { CliError } from './errors.ts';

export interface Stack {
  /** The gateway's base URL. */
  readonly url: string;
  /** A token or an API key. */
  readonly token: string;
  /** Throws `CliError` when it is not known where NATS is. */
  nats(): Pick<ConnectOptions, 'natsUrl' | 'nkeySeed' | 'caFile'>;
}

/** The environment wins, so that the same commands work against an installation elsewhere. Throws `CliError`. */
export function findStack(): Stack {
  const state = readRunState();
  const url = variable('MAILSTREAM_URL') ?? state?.url;
  const natsUrl = variable('NATS_URL') ?? state?.natsUrl;
  const tokenFile = variable('MAILSTREAM_TOKEN_FILE') ?? state?.tokenFile;
  const token = variable('MAILSTREAM_TOKEN') ?? (tokenFile && readFileSync(tokenFile, 'utf8').trim());
  if (url === undefined || token === undefined)
    throw new CliError(
      'Mailstream is not running here: start it with `npm start` (or set MAILSTREAM_URL and MAILSTREAM_TOKEN)',
    );
  return { url, token, nats: () => natsOf(natsUrl) };
}

function natsOf(natsUrl: string | undefined): ReturnType<Stack['nats']> {
  if (natsUrl === undefined) throw new CliError('this needs NATS: set NATS_URL');
  const seedFile = variable('NATS_NKEY_SEED_FILE');
  const caFile = variable('NATS_CA_FILE');
  return {
    natsUrl,
    ...(seedFile !== undefined && { nkeySeed: readFileSync(seedFile, 'utf8').trim() }),
    ...(caFile !== undefined && { caFile }),
  };
}
