-- Chat data. Works on MySQL >= 8.0.19 and MariaDB >= 10.11 with the same statements. No foreign keys: every hot query leads
-- with room_id, so that the tables can be sharded by it (spec 04 §4.1). Every statement is repeatable.
CREATE TABLE IF NOT EXISTS rooms (
  id BINARY(16) NOT NULL PRIMARY KEY,
  type VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(120) NULL,
  created_by BIGINT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  last_seq BIGINT NOT NULL DEFAULT 0,
  message_count BIGINT NOT NULL DEFAULT 0,
  last_message_at DATETIME(3) NULL,
  member_version BIGINT NOT NULL DEFAULT 0,
  direct_key VARCHAR(41) CHARACTER SET ascii COLLATE ascii_bin NULL,
  deleted_at DATETIME(3) NULL,
  UNIQUE KEY rooms_direct (direct_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS room_members (
  room_id BINARY(16) NOT NULL,
  user_id BIGINT NOT NULL,
  role VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  joined_seq BIGINT NOT NULL DEFAULT 0,
  joined_at DATETIME(3) NOT NULL,
  left_at DATETIME(3) NULL,
  hidden_at DATETIME(3) NULL,
  last_read_seq BIGINT NOT NULL DEFAULT 0,
  last_read_count BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (room_id, user_id),
  KEY room_members_user (user_id, state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The log: entries of every kind, dense by seq within a room. metadata is TEXT, not JSON: the column type differs between the
-- two servers and reorders keys, and nothing ever searches in it (ADR 0004).
CREATE TABLE IF NOT EXISTS messages (
  room_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  id BINARY(16) NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  message_no BIGINT NOT NULL,
  sender_id BIGINT NOT NULL,
  sender_name VARCHAR(120) NOT NULL,
  content TEXT NOT NULL,
  message_type VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  metadata TEXT NULL,
  client_msg_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (room_id, seq),
  UNIQUE KEY messages_id (id),
  UNIQUE KEY messages_client (room_id, sender_id, client_msg_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- pending is 1 while the invitation waits and NULL afterwards: a unique key ignores NULL, so there is one pending invitation a
-- room and user on both servers, and a new one can follow an answered one.
CREATE TABLE IF NOT EXISTS invitations (
  id BINARY(16) NOT NULL PRIMARY KEY,
  room_id BINARY(16) NOT NULL,
  user_id BIGINT NOT NULL,
  invited_by BIGINT NOT NULL,
  state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  pending TINYINT NULL,
  created_at DATETIME(3) NOT NULL,
  updated_at DATETIME(3) NOT NULL,
  UNIQUE KEY invitations_pending (room_id, user_id, pending),
  KEY invitations_user (user_id, state, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Events on their way to Kafka, written in the transaction of the change. For messages one row a room and batch.
CREATE TABLE IF NOT EXISTS outbox (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  topic VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload TEXT NOT NULL,
  created_at DATETIME(3) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- One row. The epoch names this lineage of the data; a restore from a backup gives it a new one, so that clients refetch.
CREATE TABLE IF NOT EXISTS lineage (
  id TINYINT NOT NULL PRIMARY KEY,
  epoch CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE=InnoDB;
INSERT IGNORE INTO lineage (id, epoch) VALUES (1, LEFT(SHA2(CONCAT(UUID(), RAND()), 256), 12));
