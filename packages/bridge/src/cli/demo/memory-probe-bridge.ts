/** What a program with the bridge loads: the package's entries, as its users import them. */
export { connect } from '../../index.ts';
export { xtermSink } from '../../sinks/xterm.ts';
