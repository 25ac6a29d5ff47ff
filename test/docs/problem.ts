// What is wrong in a page, and where.

export interface Problem {
  /** Below the repository's root. */
  path: string;
  line: number;
  message: string;
}

export const describeProblem = ({ path, line, message }: Problem): string => `${path}:${line}  ${message}`;
