/** The session that a command attaches to, as `connect` takes it. */
import type { ConnectOptions } from '../options.ts';

/** Which server, and which of its sessions. */
export type Target = Pick<ConnectOptions, 'socketName' | 'socketPath' | 'session'>;
