/** The demo's four panes on a private tmux server: made once, watched by one session after the other. */
import { connect } from '../../connect.ts';
import type { Session } from '../../session.ts';
import { type NullSink, nullSink } from '../../sinks/null.ts';
import type { Sink } from '../../sinks/sink.ts';
import type { PrivateServer } from '../private-server.ts';
import { EchoMeter } from './echo.ts';
import { type DemoProgram, demoPrograms } from './programs.ts';

/** A pane of the demo while a session watches it. */
export interface WatchedPane {
  readonly program: DemoProgram;
  readonly id: number;
  readonly sink: NullSink;
}

/** A session over the demo's panes. */
export interface Watch {
  readonly session: Session;
  readonly panes: readonly WatchedPane[];
  readonly echo: EchoMeter;
}

const sessionName = 'demo';

/** Which programs run in the panes. */
export class LivePanes {
  readonly #server: PrivateServer;
  readonly #tmux: string;
  readonly #signal: AbortSignal;
  readonly #commands: Partial<Record<DemoProgram['name'], string>>;
  readonly #ids = new Map<DemoProgram['name'], number>();

  /** @param commands - other programs for some of the panes */
  constructor(
    server: PrivateServer,
    tmux: string,
    signal: AbortSignal,
    commands: Partial<Record<DemoProgram['name'], string>> = {},
  ) {
    this.#commands = commands;
    this.#server = server;
    this.#tmux = tmux;
    this.#signal = signal;
  }

  /** Connects, makes what isn't there yet, and starts to watch and to type. */
  async watch(worker: boolean, recordTo?: string): Promise<Watch> {
    const sinks = new Map<number, Sink>();
    const session = await connect({
      tmux: this.#tmux,
      socketPath: this.#server.socketPath,
      configFile: '/dev/null',
      session: sessionName,
      create: { command: demoPrograms[3]!.command },
      worker,
      signal: this.#signal,
      sink: (pane) => {
        const sink = nullSink();
        sinks.set(pane, sink);
        return sink;
      },
      ...(recordTo === undefined ? {} : { recordTo }),
    });
    if (this.#ids.size === 0) await this.#makePanes(session);
    const echo = new EchoMeter(session.clock);
    const echoId = this.#ids.get('echo')!;
    session.panes.get(echoId)!.pipe(echo);
    echo.start(session, echoId);
    await this.#panesSeen(session);
    return {
      session,
      echo,
      panes: demoPrograms.map((program) => {
        const id = this.#ids.get(program.name)!;
        return { program, id, sink: sinks.get(id) as NullSink };
      }),
    };
  }

  async #makePanes(session: Session): Promise<void> {
    await session.command('set-option', '-g', 'status', 'off');
    // The guardian reads this if the server should stop to answer.
    const pid = await session.command('display-message', '-p', '#{pid}');
    this.#server.serverPid(Number(pid.lines[0]));
    const first = await session.command('display-message', '-p', '#{pane_id}');
    this.#ids.set('echo', paneNumber(first.lines[0]));
    for (const program of demoPrograms.slice(0, 3)) {
      const made = await session.command(
        'split-window',
        '-d',
        '-P',
        '-F',
        '#{pane_id}',
        '-t',
        sessionName,
        this.#commands[program.name] ?? program.command,
      );
      this.#ids.set(program.name, paneNumber(made.lines[0]));
      await session.command('select-layout', '-t', sessionName, 'tiled');
    }
  }

  /** Waits until the session has met every pane, so that each has its sink. */
  async #panesSeen(session: Session): Promise<void> {
    const missing = (): boolean => [...this.#ids.values()].some((id) => !session.panes.has(id));
    for (let tries = 0; missing() && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

const paneNumber = (id: string | undefined): number => Number(id?.slice(1) ?? Number.NaN);
