// What other packages may use of auth: its configuration schema (for generated manifests), its migrations and its composition root (for tests).
export { authConfig, type AuthConfig } from './config.ts';
export { userMigrations } from './migrations.ts';
export { startAuth } from './service.ts';
