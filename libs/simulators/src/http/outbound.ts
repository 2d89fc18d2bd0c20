/** Calls to the tested application's webhooks, timed by the virtual clock. */
import type { Clock } from '../clock.ts';

export interface OutboundReply {
  /** 0 when nobody answered, or not in time. */
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** Virtual milliseconds. */
  readonly tookMs: number;
}

export interface Outbound {
  /** Never throws. */
  post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    timeoutMs: number,
  ): Promise<OutboundReply>;
  /** Calls that wait for an answer. */
  inFlight(): number;
  /** Breaks off what is under way. */
  close(): void;
}

export function createOutbound(clock: Clock): Outbound {
  const running = new Set<AbortController>();
  return {
    post: async (url, headers, body, timeoutMs) => {
      const started = clock.now();
      const controller = new AbortController();
      const cancel = clock.at(started + timeoutMs, () => controller.abort());
      running.add(controller);
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers,
          body,
          redirect: 'manual',
          signal: controller.signal,
        });
        const text = await response.text();
        const type = response.headers.get('content-type') ?? '';
        return { status: response.status, contentType: type, text, tookMs: clock.now() - started };
      } catch {
        return { status: 0, contentType: '', text: '', tookMs: clock.now() - started };
      } finally {
        cancel();
        running.delete(controller);
      }
    },
    inFlight: () => running.size,
    close: () => {
      for (const controller of running) controller.abort();
    },
  };
}
