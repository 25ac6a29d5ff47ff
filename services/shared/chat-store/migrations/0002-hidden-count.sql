-- How many active members have hidden the room: the writer looks for rows to un-hide only when there are some. Adding a column has
-- no IF NOT EXISTS on MySQL, so the statement is made only when it is needed.
SET @add_hidden_count = IF(
  EXISTS (
    SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'rooms' AND column_name = 'hidden_count'
  ),
  'DO 0',
  'ALTER TABLE rooms ADD COLUMN hidden_count BIGINT NOT NULL DEFAULT 0'
);
PREPARE add_hidden_count FROM @add_hidden_count;
EXECUTE add_hidden_count;
DEALLOCATE PREPARE add_hidden_count;
