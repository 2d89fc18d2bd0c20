/** For tests: a mailbox at a provider, and fetchers that bring it into the log, sound and unsound. */
import type { Bus, Fence, Outgoing } from '@mailstream/bus';
import {
  type AccountRef,
  type CursorAdvanced,
  type Envelope,
  EVENT_TYPES,
  envelope,
  subjects,
  uidToId,
  uuidv7,
} from '@mailstream/contracts';
import { at, flagged, gone, type Said, seen } from './testkit.ts';

interface Held {
  readonly messageId: string;
  readonly flags: readonly string[];
}

/** What a fetcher has in hand between asking the provider and publishing. */
export interface Fetched {
  readonly page: string;
  readonly messages: readonly Outgoing[];
  readonly fence: Fence;
}

export interface TestProvider {
  readonly at: AccountRef;
  readonly scopes: readonly string[];
  /** New mail, another flag, a deletion or a move; `random` decides. */
  change(random: () => number): void;
  /** What changed in a scope since the last cursor in the log; null: nothing. */
  fetch(bus: Bus, scope: string): Promise<Fetched | null>;
  /** Every copy that the provider holds, one line each. */
  truth(): string[];
}

const SCOPES = ['A', 'B'] as const;

export function createTestProvider(ref: AccountRef): TestProvider {
  const boxes = new Map(SCOPES.map((scope) => [scope as string, new Map<number, Held>()]));
  /** Uids that something happened to, in order: a cursor is a place in here. */
  const history = new Map(SCOPES.map((scope) => [scope as string, [] as number[]]));
  let nextUid = 1;
  let nextMessage = 1;

  function set(scope: string, uid: number, held: Held | null): void {
    history.get(scope)?.push(uid);
    if (held) boxes.get(scope)?.set(uid, held);
    else boxes.get(scope)?.delete(uid);
  }

  function add(scope: string, held: Held): void {
    set(scope, nextUid, held);
    nextUid += 1;
  }

  return {
    at: ref,
    scopes: SCOPES,

    change(random) {
      const scope = random() < 0.7 ? 'A' : 'B';
      const box = [...(boxes.get(scope) ?? [])];
      const [uid, held] = box[Math.floor(random() * box.length)] ?? [];
      const what = random();
      if (uid === undefined || held === undefined || what < 0.4) {
        add(scope, { messageId: `m${nextMessage}@example.com`, flags: [] });
        nextMessage += 1;
      } else if (what < 0.65) {
        const flags = ['answered', 'flagged', 'seen'].filter(() => random() < 0.5);
        set(scope, uid, { ...held, flags });
      } else {
        set(scope, uid, null);
        if (what < 0.85) add(scope === 'A' ? 'B' : 'A', held);
      }
    },

    async fetch(bus, scope) {
      const subject = subjects.cursor(ref, scope);
      const last = await bus.last('MAIL', subject);
      const head: Envelope<CursorAdvanced> | null = last && JSON.parse(Buffer.from(last.data).toString());
      const from = Number(head?.data.cursor ?? 0);
      const all = history.get(scope) ?? [];
      if (head && from === all.length) return null;
      const said = [...new Set(all.slice(from))].map((uid) => observation(scope, uid, from));
      const page = uuidv7();
      return {
        page,
        messages: pageMessages(ref, { scope, page, prev: head?.data.page ?? null, cursor: all.length, said }),
        fence: { subject, sequence: last?.sequence ?? 0n },
      };
    },

    truth: () =>
      [...boxes].flatMap(([scope, box]) =>
        [...box].map(([uid, { messageId, flags }]) => copyLine(scope, uidToId(uid), messageId, flags)),
      ),
  };

  function observation(scope: string, uid: number, from: number): Said {
    const held = boxes.get(scope)?.get(uid);
    if (!held) return gone(at(scope, uid));
    const flags = [...held.flags];
    // Of what the log knows, some providers tell the flags only.
    const isKnown = (history.get(scope)?.indexOf(uid) ?? 0) < from;
    if (isKnown && uid % 2 === 0) return flagged(at(scope, uid), flags);
    return seen(at(scope, uid), { messageId: held.messageId, subject: held.messageId }, { flags });
  }
}

/** As `truth` and the test of the view say it. */
export function copyLine(mailbox: string, id: string, messageId: string, flags: readonly string[]): string {
  return `${mailbox} ${id} ${messageId} ${flags.join()}`;
}

interface PageOf {
  readonly scope: string;
  readonly page: string;
  readonly prev: string | null;
  readonly cursor: unknown;
  readonly said: readonly Said[];
}

/** A page as a fetcher publishes it. */
export function pageMessages(ref: AccountRef, { scope, page, prev, cursor, said }: PageOf): Outgoing[] {
  const draft = { source: '/mailstream/test', time: new Date().toISOString(), ...ref, page };
  const closing: CursorAdvanced = {
    ...{
      scope,
      page,
      prev,
      cursor,
      origin: 'live',
      run: page,
      count: said.length,
      done: true,
      estimate: null,
    },
  };
  return [
    ...said.map((one, n) => ({
      subject: subjects.fact(ref, 'message.changed'),
      data: envelope<unknown>({ ...draft, id: `${page}.${n}`, ...one }),
    })),
    {
      subject: subjects.cursor(ref, scope),
      data: envelope({ ...draft, id: `${page}.end`, type: EVENT_TYPES.cursorAdvanced, data: closing }),
    },
  ];
}
