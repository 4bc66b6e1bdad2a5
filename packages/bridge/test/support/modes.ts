/** Where a session receives and parses, and how records come from there: what they do is the same. */
export const modes = [{ worker: false }, { worker: true }, { worker: 'message' }] as const;

/** Those with a worker. */
export const workerModes = [{ worker: true }, { worker: 'message' }] as const;
