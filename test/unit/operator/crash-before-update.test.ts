// The operator is killed before every single write of an update.
import { sweep } from './crash-sweep.ts';

sweep('update', 'before');
