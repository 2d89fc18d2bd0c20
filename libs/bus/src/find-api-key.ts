/** Whose an API key is: services without the orchestrator's database ask it. */
import { ApiKeyReply, type ApiKeyRequest, subjects } from '@mailstream/contracts';
import { Compile } from 'typebox/compile';
import { BusError } from './errors.ts';
import type { Bus } from './port.ts';

const TIMEOUT_MS = 2_000;
const reply = Compile(ApiKeyReply);

/** Throws `BusError` when nobody answers. Only a digest travels: who listens cannot call with it. */
export function createFindApiKey(bus: Pick<Bus, 'request'>) {
  return async (digest: string): Promise<ApiKeyReply['key']> => {
    const question: ApiKeyRequest = { digest };
    const data = await bus.request(subjects.apiKey, question, TIMEOUT_MS);
    const answer: unknown = JSON.parse(new TextDecoder().decode(data));
    if (!reply.Check(answer))
      throw new BusError('bus.answer_failed', 'what was said of an API key makes no sense here');
    return answer.key;
  };
}
