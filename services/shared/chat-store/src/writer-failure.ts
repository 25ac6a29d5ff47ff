// What went wrong with a transaction, as far as the writer's next step depends on it.
import { isDuplicate, isFromServer, mysqlFailure } from './connection/index.ts';

/** conflict: roll back and repeat · data: one message of the batch cannot be stored · connection: new connection, outcome unknown, repeat */
export type Failure = 'conflict' | 'data' | 'connection';

export function classify(error: unknown): Failure {
  const failure = mysqlFailure(error);
  // A unique key that another writer took between read and insert is a conflict too: the repeat finds the stored row.
  if (failure === 'conflict' || isDuplicate(error)) return 'conflict';
  // A server that is stopping, full or read-only: a new connection may help, another text does not.
  return failure === 'ours' && isFromServer(error) ? 'data' : 'connection';
}
