/** How a promise ends, as one word. */
import { BridgeError } from '@millrace/bridge';

/** Returns the code of the error that a promise rejects with, or `resolved`. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error) => (error instanceof BridgeError ? error.code : String(error)),
  );
