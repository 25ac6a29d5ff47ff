-- Webhooks: endpoints that get events by HTTP, and the log of what they got. secret is kept as it is: signing needs it.
-- claimed_until: one worker at a time delivers to an endpoint, which keeps its order; the claim of a dead worker runs out.
CREATE TABLE IF NOT EXISTS webhooks (
  id BINARY(16) NOT NULL PRIMARY KEY,
  url VARCHAR(2048) NOT NULL,
  secret VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  events TEXT NOT NULL,
  room_id BINARY(16) NULL,
  created_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  disabled_at DATETIME(3) NULL,
  disabled_reason VARCHAR(500) NULL,
  failures INT NOT NULL DEFAULT 0,
  claimed_by VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  claimed_until DATETIME(3) NULL,
  created_at DATETIME(3) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- state: pending, delivered, failed. Rows are delivered in the order of their ids. Only the newest ones are kept.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  webhook_id BINARY(16) NOT NULL,
  event_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  body MEDIUMTEXT NOT NULL,
  state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  attempts INT NOT NULL DEFAULT 0,
  next_at DATETIME(3) NOT NULL,
  last_error VARCHAR(500) NULL,
  created_at DATETIME(3) NOT NULL,
  UNIQUE KEY webhook_deliveries_event (webhook_id, event_id),
  KEY webhook_deliveries_state (state, webhook_id, id),
  KEY webhook_deliveries_webhook (webhook_id, id),
  KEY webhook_deliveries_age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
