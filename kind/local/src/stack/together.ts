// Runs steps at once; when one fails the others are told to stop, and it throws only after all have ended: nothing goes on unseen.

export async function together(signal: AbortSignal, steps: ((signal: AbortSignal) => Promise<unknown>)[]): Promise<void> {
  const failure = new AbortController();
  const both = AbortSignal.any([signal, failure.signal]);
  let first: { reason: unknown } | undefined;
  await Promise.all(
    steps.map(async (step) => {
      try {
        await step(both);
      } catch (reason) {
        first ??= { reason };
        failure.abort();
      }
    }),
  );
  if (first) throw first.reason;
}
