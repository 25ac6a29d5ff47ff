// PostgreSQL, and the migrations that every database shares.
export { migrate, type Migration, type MigrationDatabase, readMigrations } from './migrate.ts';
export { postgresError, postgresFailure, type PostgresFailure } from './postgres-failure.ts';
export { createPostgres, postgresMigrations, type PostgresPool } from './postgres.ts';
export { translatingErrors } from './translating-errors.ts';
