/** The package has no types of its own. */
declare module 'atomic-batcher' {
  /** Runs `run` with what was appended while the last run went on. */
  export default function batcher<T>(
    run: (items: T[], done: (error?: unknown) => void) => void,
  ): (item: T) => void;
}
