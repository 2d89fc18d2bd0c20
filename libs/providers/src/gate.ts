/** How many requests may be under way on one mailbox at a time: shared by all sessions of an account in this process. */

export interface Gates {
  /**
   * Waits, in order of asking, until `weight` more requests may run on the mailbox of `account`; returns how to say that they are over.
   * Rejects when `signal` aborts first.
   */
  enter(account: string, weight: number, signal: AbortSignal): Promise<() => void>;
}

interface Waiter {
  readonly weight: number;
  go(): void;
}

interface Gate {
  running: number;
  readonly waiting: Waiter[];
}

/** `limit`: requests at a time; a call that weighs more runs alone. */
export function createGates(limit: number): Gates {
  const gates = new Map<string, Gate>();

  const admit = (account: string, gate: Gate) => {
    for (let next = gate.waiting[0]; next; next = gate.waiting[0]) {
      if (gate.running > 0 && gate.running + next.weight > limit) return;
      gate.waiting.shift();
      gate.running += next.weight;
      next.go();
    }
    if (gate.running === 0) gates.delete(account);
  };

  return {
    enter(account, weight, signal) {
      const gate = gates.get(account) ?? { running: 0, waiting: [] };
      gates.set(account, gate);
      return new Promise((resolve, reject) => {
        const leave = () => {
          gate.running -= weight;
          admit(account, gate);
        };
        const waiter: Waiter = {
          weight,
          go() {
            signal.removeEventListener('abort', giveUp);
            resolve(leave);
          },
        };
        const giveUp = () => {
          gate.waiting.splice(gate.waiting.indexOf(waiter), 1);
          admit(account, gate);
          reject(signal.reason);
        };
        gate.waiting.push(waiter);
        if (signal.aborted) return giveUp();
        signal.addEventListener('abort', giveUp, { once: true });
        admit(account, gate);
      });
    },
  };
}
