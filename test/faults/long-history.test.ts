// Long random runs, for the night. PARLEY_HISTORY_SECONDS makes them longer or shorter.
import { randomHistories } from './random-history.ts';

randomHistories(Number(process.env['PARLEY_HISTORY_SECONDS'] ?? 60));
