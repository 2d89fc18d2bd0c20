/** Which subjects a fold reads. */
import { partitionToken } from '@mailstream/contracts';

/** Of a partition, the facts with these endings. */
export function factFilters(partition: number, facts: readonly string[]): string[] {
  return facts.map((fact) => `mail.${partitionToken(partition)}.*.*.${fact}`);
}

/** The leases of all partitions of a fold. */
export function leaseFilter(fold: string): string {
  return `lease.${fold}.*`;
}
