import { base } from '../../tsup.base.ts';

export default base({
  entry: {
    index: 'src/index.ts',
    worker: 'src/ring/worker.ts',
    cli: 'src/cli/main.ts',
    contender: 'src/bench/contenders/process.ts',
    'memory-probe': 'src/cli/demo/memory-probe.ts',
    'sinks/xterm': 'src/sinks/xterm.ts',
    'sinks/ghostty': 'src/sinks/ghostty.ts',
    'sinks/asciicast': 'src/sinks/asciicast.ts',
    'sinks/websocket': 'src/sinks/websocket.ts',
    'sinks/conformance': 'src/sinks/conformance.ts',
    'web/index': 'src/web/index.ts',
  },
});
