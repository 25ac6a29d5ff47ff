// The form of a golden sample.

/** One valid frame, and in a sentence or two when it is sent and to whom. */
export interface FrameSample<Frame = unknown> {
  about: string;
  frame: Frame;
}
