-- Finds users by a part of their name without reading all of them. pg_trgm is a trusted extension: the owner of the database may create
-- it. Where the server has it not, or the role may not, the search works without the index, so this is no reason to refuse the database.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX IF NOT EXISTS users_name ON users USING gin (name gin_trgm_ops) WHERE disabled_at IS NULL;
EXCEPTION
  WHEN insufficient_privilege OR feature_not_supported OR undefined_file OR undefined_object THEN
    RAISE WARNING 'users are searched without an index: %', SQLERRM;
END
$$;
