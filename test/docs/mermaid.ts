// Whether Mermaid itself can read a diagram.
import purify from 'dompurify';

let loaded: Promise<{ parse: (text: string) => Promise<unknown> }> | undefined;

/** Loaded when the first diagram is met: it takes seconds. */
function mermaid() {
  // Mermaid cleans labels with DOMPurify, which does nothing without a browser's window and then has no methods. No label of ours gets
  // into a page here: only the grammar counts.
  Object.assign(purify, { addHook: () => {}, sanitize: (text: string) => text });
  return (loaded ??= import('mermaid').then((module) => module.default));
}

export async function mermaidProblem(text: string): Promise<string[]> {
  try {
    await (await mermaid()).parse(text);
    return [];
  } catch (error) {
    return [`Mermaid cannot draw it: ${(error instanceof Error ? error.message : String(error)).replaceAll('\n', '\n    ')}`];
  }
}
