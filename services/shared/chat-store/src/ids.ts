// Ids: UUIDv7 in BINARY(16), lower-case text on the wire.
import { parse, stringify, v7, validate } from 'uuid';

export const newId = (): string => v7();
export const isId = (text: string): boolean => validate(text);
export const toBinary = (id: string): Buffer => Buffer.from(parse(id));
export const fromBinary = (id: Buffer): string => stringify(id);
