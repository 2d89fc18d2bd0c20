import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

it('tells what was counted, and what is true when it is asked', () => {
  const metrics = createMetrics();
  const letters = metrics.counter('letters_total', 'Letters.');
  letters.add({ to: 'ada' });
  letters.add({ to: 'ada' }, 2);
  let waiting = 1;
  metrics.observe('waiting', 'gauge', 'Who waits.', () => [[{ at: 'door' }, waiting]]);
  waiting = 7;
  expect(metrics.text()).toBe(
    [
      '# HELP letters_total Letters.',
      '# TYPE letters_total counter',
      'letters_total{to="ada"} 3',
      '# HELP waiting Who waits.',
      '# TYPE waiting gauge',
      'waiting{at="door"} 7',
      '',
    ].join('\n'),
  );
});
