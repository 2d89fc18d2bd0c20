/** Makes streams again that are lost while we run; what was in them is made good by those who read them. */
import { type Bus, BusError, type TopologyOptions } from '@mailstream/bus';
import { STREAMS, type StreamName } from '@mailstream/contracts';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';

export interface TopologyDeps {
  readonly bus: Pick<Bus, 'ensureTopology' | 'state'>;
  readonly logger: Logger;
  readonly options: TopologyOptions;
}

const LOOK_MS = 3_000;

export function createTopologyKeeper({ bus, logger, options }: TopologyDeps): Part {
  async function isGone(stream: StreamName): Promise<boolean> {
    try {
      await bus.state(stream);
      return false;
    } catch (error) {
      if (error instanceof BusError && error.code === 'bus.no_stream') return true;
      throw error;
    }
  }

  return {
    name: 'topology',
    async run(signal) {
      while (!signal.aborted) {
        await pause(LOOK_MS, signal);
        try {
          const gone: StreamName[] = [];
          for (const { name } of Object.values(STREAMS)) if (await isGone(name)) gone.push(name);
          if (gone.length === 0) continue;
          logger.error({ streams: gone }, 'streams are gone: they are made again, empty');
          await bus.ensureTopology(options);
        } catch (error) {
          logger.warn({ err: error }, `the streams could not be looked at: ${messageOf(error)}`);
        }
      }
    },
  };
}
