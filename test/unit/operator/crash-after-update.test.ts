// The operator is killed after every single write of an update.
import { sweep } from './crash-sweep.ts';

sweep('update', 'after');
