/** Delta links: opaque tokens of which the server remembers only the last few of each line. */
import { createHmac } from 'node:crypto';
import { badRequest, GraphFault } from './errors.ts';

export interface Generations<State> {
  /** Begins a line of tokens for a feed; a feed has a few at most, the oldest is forgotten. */
  open(feed: string): Line<State>;
  /** What was stored under a token of this feed, and its line. Throws 400 for no token of ours, 410 for one that is forgotten. */
  redeem(feed: string, token: string): { readonly line: Line<State>; readonly state: State };
  /** Forgets the tokens of a feed. */
  expire(feed: string): void;
  /** Forgets every token there is. */
  expireAll(): void;
}

export interface Line<State> {
  /** Stores a state and returns its token. Makes the fourth last token of the line useless. */
  issue(state: State): string;
}

const KEPT_GENERATIONS = 4;
const KEPT_LINES = 8;
const PADDING = 'Hq7-Zs_0kW.'.repeat(12);

interface StoredLine<State> extends Line<State> {
  readonly number: number;
  readonly states: Map<number, State>;
  highest: number;
}

export function createGenerations<State>(seed: number): Generations<State> {
  const feeds = new Map<string, StoredLine<State>[]>();
  let lines = 0;
  const sign = (payload: string) =>
    createHmac('sha256', `simulator ${seed}`).update(payload).digest('hex').slice(0, 24);

  // The plus, minus, underscore and dot catch clients that decode and encode links again.
  const write = (feed: string, line: number, generation: number) => {
    const payload = Buffer.from(`${feed}|${line}|${generation}`).toString('base64url');
    return `${payload}+${PADDING}${sign(payload)}`;
  };
  const read = (token: string) => {
    const [payload, rest] = token.split('+');
    if (payload === undefined || rest !== PADDING + sign(payload)) throw badRequest('Badly formed token.');
    const [feed, line, generation] = Buffer.from(payload, 'base64url').toString().split('|');
    return { feed, line: Number(line), generation: Number(generation) };
  };
  const gone = (generation: number, line: StoredLine<State> | undefined) => {
    const known = line ? [...line.states.keys()].toReversed() : [];
    return new GraphFault(
      410,
      'SyncStateNotFound',
      `The sync state generation is not found; generation=${generation};[highest=${line?.highest ?? generation}]` +
        `${known.map((number) => `[${number}]`).join('')}.`,
    );
  };

  return {
    open: (feed) => {
      const states = new Map<number, State>();
      const line: StoredLine<State> = {
        number: ++lines,
        states,
        highest: 0,
        issue: (state) => {
          const generation = ++line.highest;
          states.set(generation, state);
          states.delete(generation - KEPT_GENERATIONS);
          return write(feed, line.number, generation);
        },
      };
      feeds.set(feed, [...(feeds.get(feed) ?? []), line].slice(-KEPT_LINES));
      return line;
    },
    redeem: (feed, token) => {
      const asked = read(token);
      if (asked.feed !== feed) throw badRequest('Badly formed token.');
      const line = feeds.get(feed)?.find((candidate) => candidate.number === asked.line);
      const state = line?.states.get(asked.generation);
      if (!line || state === undefined) throw gone(asked.generation, line);
      return { line, state };
    },
    expire: (feed) => {
      feeds.delete(feed);
    },
    expireAll: () => feeds.clear(),
  };
}
