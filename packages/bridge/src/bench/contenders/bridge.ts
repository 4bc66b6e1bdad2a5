/** The contender that uses this library as its guide says: a viewer per link, the pane that has the keyboard focused. */
import { connect } from '../../connect.ts';
import { BridgeError } from '../../errors.ts';
import { createViewer, type Viewer as ShownViewer } from '../../flow/viewer.ts';
import type { Pane } from '../../pane.ts';
import type { Session } from '../../session.ts';
import type { Sink } from '../../sinks/sink.ts';
import type { ContenderPlan } from '../plan.ts';
import type { Contender, PaneRole, Viewer } from './viewer.ts';

/** Returns a pane's sink: at once where the viewer accepts at once. */
export const sinkOf = (viewer: Viewer, role: PaneRole): Sink => ({
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

/** Connects, and sends both panes to the viewer: without loss if it accepts at once, else current. */
export async function openBridge(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const session = await connect({
    tmux: plan.tmux,
    socketPath: plan.socketPath,
    worker: plan.kind === 'bridge-worker',
    closeTimeoutMs: 500,
  });
  const panes = { flood: paneOf(session, plan.floodPane), echo: paneOf(session, plan.echoPane) };
  const show = (sink: (role: PaneRole) => Sink): ShownViewer => {
    const shown = createViewer();
    for (const role of ['flood', 'echo'] as const) shown.pipe(panes[role], sink(role));
    shown.focus(panes.echo);
    return shown;
  };
  if (plan.stalledViewer) show(stalledSink);
  let shown: ShownViewer | undefined;
  if (!viewer.immediate) shown = show((role) => sinkOf(viewer, role));
  else for (const role of ['flood', 'echo'] as const) panes[role].pipe(sinkOf(viewer, role));
  return {
    type: (text) => {
      panes.echo.type(text).catch(() => {});
    },
    queuedBytes: () => shown?.stats.waitingBytes ?? 0,
    snapshots: () => shown?.pipes.reduce((sum, pipe) => sum + pipe.stats.resyncs, 0) ?? 0,
    stop: async () => {
      await session.close();
    },
  };
}

function paneOf(session: Session, id: number): Pane {
  const pane = session.panes.get(id);
  if (pane === undefined) throw new BridgeError('ERR_TMUX_PROTOCOL', `no such pane: %${id}`);
  return pane;
}
