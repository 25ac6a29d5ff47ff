// What an error of MySQL means, and that chat, core and the worker draw the same conclusion from it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mysqlError, mysqlFailure, noSpace, type MysqlFailure } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import { classify } from '../../../services/shared/chat-store/src/writer-failure.ts';
import { isPassing } from '../../../services/worker/src/consumers/failure.ts';

const server = (errno: number, code: string, message = code, sqlState = 'HY000') =>
  Object.assign(new Error(message), { errno, code, sqlState });

const CASES: Record<MysqlFailure, readonly Error[]> = {
  conflict: [
    server(1213, 'ER_LOCK_DEADLOCK', 'Deadlock found', '40001'),
    server(1205, 'ER_LOCK_WAIT_TIMEOUT', 'Lock wait timeout exceeded'),
    server(1020, 'ER_CHECKREAD', 'Record has changed since last read'),
  ],
  'not now': [
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', errno: -111, fatal: true }),
    Object.assign(new Error('Query inactivity timeout'), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' }),
    Object.assign(new Error('no free connection within 3000 ms'), { code: 'ETIMEDOUT' }),
    new Error('Queue limit reached.'),
    server(1040, 'ER_CON_COUNT_ERROR', 'Too many connections', '08004'),
    server(1203, 'ER_TOO_MANY_USER_CONNECTIONS', 'More than max_user_connections', '42000'),
    server(1053, 'ER_SERVER_SHUTDOWN', 'Server shutdown in progress', '08S01'),
    server(1927, 'ER_CONNECTION_KILLED', 'Connection was killed', '70100'),
    server(1317, 'ER_QUERY_INTERRUPTED', 'Query execution was interrupted', '70100'),
  ],
  full: [
    server(1021, 'ER_DISK_FULL', 'Disk full (/tmp/#sql); waiting for someone to free some space'),
    server(1114, 'ER_RECORD_FILE_FULL', "The table 'messages' is full"),
    server(1026, 'ER_ERROR_ON_WRITE', "Error writing file 'binlog' (errno: 28 - No space left on device)"),
    server(1030, 'ER_GET_ERRNO', 'Got error 28 "No space left on device" from storage engine InnoDB'),
    server(1030, 'ER_GET_ERRNO', 'Got error 122 "Disk quota exceeded" from storage engine InnoDB'),
    server(1180, 'ER_ERROR_DURING_COMMIT', 'Got error 28 "No space left on device" during COMMIT'),
    server(3, 'EE_WRITE', "Error writing file './x' (OS errno 28 - No space left on device)"),
    server(20, 'EE_DISK_FULL', "Disk is full writing './x' (OS errno 28 - No space left on device). Waiting for someone to free space..."),
  ],
  'read only': [
    server(1290, 'ER_OPTION_PREVENTS_STATEMENT', 'The server is running with the --read-only option'),
    server(1836, 'ER_READ_ONLY_MODE', 'Running in read-only mode'),
    server(1792, 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', 'Cannot execute statement in a READ ONLY transaction', '25006'),
  ],
  ours: [
    server(1064, 'ER_PARSE_ERROR', 'You have an error in your SQL syntax', '42000'),
    server(1406, 'ER_DATA_TOO_LONG', "Data too long for column 'sender_name'", '22001'),
    // What people write is in the words of some errors: it must not look like a full disk.
    server(1366, 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD', "Incorrect string value: 'No space left on device (errno: 28)'"),
    server(1062, 'ER_DUP_ENTRY', "Duplicate entry 'error 28' for key 'messages_client'", '23000'),
    new TypeError('x is not a function'),
  ],
};

describe('an error of MySQL', () => {
  for (const [meaning, errors] of Object.entries(CASES) as [MysqlFailure, readonly Error[]][]) {
    for (const error of errors) {
      test(`${meaning}: ${error.message}`, () => {
        assert.equal(mysqlFailure(error), meaning);
        const told = mysqlError(error);
        const code = told instanceof AppError ? told.code : 'as it is';
        assert.equal(code, meaning === 'ours' ? 'as it is' : meaning === 'conflict' ? 'overloaded' : 'unavailable', 'core');
        assert.equal(isPassing(error), meaning !== 'ours', 'worker');
        assert.equal(noSpace(error), meaning === 'full' ? error.message : undefined, 'what chat tells the operator');
        const duplicate = (error as { errno?: number }).errno === 1062;
        const data = meaning === 'ours' && 'sqlState' in error && !duplicate;
        assert.equal(classify(error), meaning === 'conflict' || duplicate ? 'conflict' : data ? 'data' : 'connection', 'writer');
      });
    }
  }
});
