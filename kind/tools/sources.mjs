// Runs TypeScript sources without a build: node --conditions=parley-source --import ./kind/tools/sources.mjs FILE
import { register } from 'node:module';

register('./sources-hooks.mjs', import.meta.url);
