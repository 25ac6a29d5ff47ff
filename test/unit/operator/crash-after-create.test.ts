// The operator is killed after every single write of a create.
import { sweep } from './crash-sweep.ts';

sweep('create', 'after');
