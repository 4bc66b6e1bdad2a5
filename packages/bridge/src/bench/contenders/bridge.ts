/** The contender that uses this library, as its README says: one pipe per pane and viewer, `latest`. */
import { connect } from '../../connect.ts';
import type { Pipe } from '../../deliver/pipe.ts';
import { BridgeError } from '../../errors.ts';
import type { Session } from '../../session.ts';
import type { Sink } from '../../sinks/sink.ts';
import type { ContenderPlan } from '../plan.ts';
import type { Contender, PaneRole, Viewer } from './viewer.ts';

/** What may wait for a viewer: about 8 ms of a link of 2 MB/s. */
const bytesHigh = 16_384;

const sinkOf = (viewer: Viewer, role: PaneRole): Sink => ({
  write(bytes) {
    if (!viewer.immediate) {
      return new Promise<void>((resolve) => viewer.deliver(role, bytes, resolve));
    }
    viewer.deliver(role, bytes);
    return undefined;
  },
});

/** Accepts one write and never says so. */
const stalledSink = (): Sink => ({ write: () => new Promise<void>(() => {}) });

const roles: readonly PaneRole[] = ['flood', 'echo'];

/** Connects, and pipes both panes to the viewer. */
export async function openBridge(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const session = await connect({
    tmux: plan.tmux,
    socketPath: plan.socketPath,
    worker: plan.kind === 'bridge-worker',
    closeTimeoutMs: 500,
  });
  const number = { flood: plan.floodPane, echo: plan.echoPane };
  const pipeAll = (sink: (role: PaneRole) => Sink): Pipe[] =>
    roles.map((role) =>
      paneOf(session, number[role]).pipe(
        sink(role),
        viewer.immediate ? {} : { policy: 'latest', bytesHigh },
      ),
    );
  if (plan.stalledViewer) pipeAll(stalledSink);
  const pipes = pipeAll((role) => sinkOf(viewer, role));
  const echo = paneOf(session, plan.echoPane);
  return {
    type: (text) => {
      echo.type(text).catch(() => {});
    },
    queuedBytes: () => pipes.reduce((sum, pipe) => sum + pipe.stats.pendingBytes, 0),
    stop: async () => {
      await session.close();
    },
  };
}

function paneOf(session: Session, id: number): ReturnType<Session['panes']['get']> & object {
  const pane = session.panes.get(id);
  if (pane === undefined) throw new BridgeError('ERR_TMUX_PROTOCOL', `no such pane: %${id}`);
  return pane;
}
