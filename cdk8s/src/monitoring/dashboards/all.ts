// Every dashboard.
import type { Dashboard } from '../dashboard.ts';
import { delivery } from './delivery.ts';
import { dependencies } from './dependencies.ts';
import { haproxyDashboard } from './haproxy.ts';
import { operatorDashboard } from './operator.ts';
import { overview } from './overview.ts';

export const dashboards: readonly Dashboard[] = [overview, delivery, haproxyDashboard, dependencies, operatorDashboard];
