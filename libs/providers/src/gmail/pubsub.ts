/** Pulls Gmail's notifications from a Pub/Sub subscription, for installations that the internet does not reach ("Pull subscriptions"). */

import { readText } from '@mailstream/runtime';
import Value from 'typebox/value';
import { field, listOf, parseJson, textOf } from '../json.ts';
import { postForm, TokenAnswer } from '../oidc.ts';
import { ProviderError } from '../provider.ts';
import { transportFailure } from '../transport.ts';
import type { NotificationQueue, Received } from '../webhook.ts';
import { readMessage } from './notification.ts';
import { type Answer, credentialRefused, refusalToPull } from './pubsub-errors.ts';
import type { PubSubConfig } from './push-config.ts';
import { createAssertion } from './service-account.ts';

const SCOPE = 'https://www.googleapis.com/auth/pubsub';
/** Google answers an empty pull after a minute and a half at most. */
const PULL_MS = 100_000;
const TIMEOUT_MS = 10_000;
const MOST = 100;
/** A token that ends sooner is not used any more, milliseconds. */
const MARGIN_MS = 60_000;

export function createPubSubQueue(config: PubSubConfig): NotificationQueue {
  const { subscription, pubsubUrl } = config;
  const api = { area: 'pubsub', origin: new URL(pubsubUrl).origin, setting: 'PUBSUB_BASE_URL' };
  let token: { readonly text: string; readonly until: number } | null = null;

  async function currentToken(): Promise<string> {
    if (token && Date.now() < token.until - MARGIN_MS) return token.text;
    const { keyFile, tokenUrl } = config;
    const form = await createAssertion({
      file: keyFile,
      setting: 'GOOGLE_PUBSUB_KEY_FILE',
      scope: SCOPE,
      tokenUrl,
    });
    const answer = await postForm(tokenUrl, form).catch((error: unknown) => {
      throw transportFailure(error, {
        ...api,
        origin: new URL(tokenUrl).origin,
        setting: 'GOOGLE_TOKEN_URL',
      });
    });
    if (!Value.Check(TokenAnswer, answer.body)) throw credentialRefused(answer);
    token = { text: answer.body.access_token, until: Date.now() + answer.body.expires_in * 1_000 };
    return token.text;
  }

  async function send(action: string, body: object, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${await currentToken()}`,
      'content-type': 'application/json',
      accept: 'application/json',
    };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const url = `${pubsubUrl}/v1/${subscription}:${action}`;
      const init = {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: limit,
      } as const;
      const response = await fetch(url, init);
      return { status: response.status, body: parseJson(await readText(response)) };
    } catch (error) {
      throw signal.aborted ? error : transportFailure(error, api);
    }
  }

  async function call(
    action: string,
    body: object,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const answer = await send(action, body, timeoutMs, signal);
    if (answer.status === 200) return answer.body;
    if (answer.status === 401) token = null;
    throw refusalToPull(answer, subscription);
  }

  return {
    provider: 'google',
    async receive(signal) {
      const body = await call('pull', { maxMessages: MOST }, PULL_MS, signal).catch((error: unknown) => {
        // Nothing came while we waited.
        if (error instanceof ProviderError && error.failure === 'timeout') return {};
        throw error;
      });
      return listOf(body, 'receivedMessages').flatMap(receivedIn);
    },
    async acknowledge(received, signal) {
      await call('acknowledge', { ackIds: received.map(({ receipt }) => receipt) }, TIMEOUT_MS, signal);
    },
  };
}

function receivedIn(item: unknown): Received[] {
  const receipt = textOf(item, 'ackId');
  return receipt === null ? [] : [{ receipt, notification: readMessage(field(item, 'message')) }];
}
