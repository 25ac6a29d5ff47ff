// The operator is killed before every single write of a create.
import { sweep } from './crash-sweep.ts';

sweep('create', 'before');
