// Short random runs, for every change. PARLEY_HISTORY_SECONDS makes them longer.
import { randomHistories } from './random-history.ts';

randomHistories(Number(process.env['PARLEY_HISTORY_SECONDS'] ?? 8));
