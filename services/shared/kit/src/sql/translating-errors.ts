// Wraps an adapter so that errors of its driver become errors of the closed table, in one place for all of its methods.

/** The same object with every error of its methods passed through `translate`. */
export function translatingErrors<T extends object>(port: T, translate: (error: unknown) => unknown): T {
  const methods = Object.entries(port) as [string, (...args: unknown[]) => Promise<unknown>][];
  const wrapped = methods.map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (error) {
        throw translate(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}
