// The page of the ChatDrill: every field of spec and status, and what is refused in words.
import { ChatDrillSpec, ChatDrillStatus, DRILL_KIND, GROUP, VERSION } from '@parley/operator-api';
import { fields, rowsOf, rulesOf, type Field } from './chat-cluster-page.ts';
import { code, page, table } from './markdown.ts';

export function chatDrillPage(): string {
  return page(
    DRILL_KIND,
    `${code(`apiVersion: ${GROUP}/${VERSION}`)}. One fault in a ChatCluster, once: [how to run one and read its result](../operating/drills.md).`,
    '## spec',
    fields(rowsOf(ChatDrillSpec, 'spec', true)),
    '## What is refused besides',
    table(['Field', 'Rule'], rulesOf(ChatDrillSpec, 'spec')),
    '## status',
    fields(rowsOf(ChatDrillStatus as Field, 'status', true)),
  );
}
