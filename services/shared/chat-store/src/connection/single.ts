// Connections of their own: of the writer's lanes, of locks, of the programs that migrate and restore.
import callbackMysql, { type RowDataPacket } from 'mysql2';
import mysql, { type Connection } from 'mysql2/promise';
import { driverOptions, limited } from './driver.ts';
import { mysqlLimits, type MysqlLimits } from './limits.ts';
import { openSession } from './session.ts';

/** A connection of mysql2 with promises. */
export type MysqlConnection = Connection;

/** What the writer needs of a connection: complete texts of several statements, and the news of its end. */
export interface TextConnection {
  /** Answers of all statements of the text. Rejects when the time for a statement is over; the outcome is unknown then. */
  run(sql: string): Promise<unknown>;
  onLost(handle: (error: Error) => void): void;
  end(): Promise<void>;
  destroy(): void;
}

/**
 * A connection for the writer alone, whose text is built with the driver's escape only. The callback interface, because the one with
 * promises takes a stack trace for each call; no search for placeholders, because the text has none.
 */
export async function connectWriter(url: string, limits: MysqlLimits = mysqlLimits()): Promise<TextConnection> {
  const connection = callbackMysql.createConnection({
    ...driverOptions(url, limits),
    multipleStatements: true,
    queryFormat: (sql: string) => sql,
  });
  const run = (sql: string) =>
    new Promise<unknown>((resolve, reject) => {
      connection.query({ sql, timeout: limits.statementMs }, (error, answers) => (error ? reject(error) : resolve(answers)));
    });
  try {
    await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
    await openSession(run, limits);
  } catch (error) {
    // Otherwise its socket stays, one more with each try, for as long as the server takes connections and does not answer.
    connection.destroy();
    throw error;
  }
  return {
    run,
    onLost: (handle) => connection.on('error', handle),
    end: () => new Promise((resolve) => connection.end(() => resolve())),
    destroy: () => connection.destroy(),
  };
}

/** How one connection outside of a pool is opened. */
export interface SingleOptions {
  /** Several statements in one text: for migrations only. */
  multipleStatements?: boolean;
  limits?: MysqlLimits;
}

/** `query` ends within the limit, and the connection with it. */
export async function connectMysql(
  url: string,
  { multipleStatements = false, limits = mysqlLimits() }: SingleOptions = {},
): Promise<Connection> {
  const raw = await mysql.createConnection({ ...driverOptions(url, limits), multipleStatements });
  const connection = limited(raw, limits.statementMs);
  try {
    await openSession(async (sql) => (await connection.query<RowDataPacket[]>(sql))[0], limits);
  } catch (error) {
    raw.destroy();
    throw error;
  }
  return connection;
}
