/** The names of the changes, apart from the code that makes them: its types name the compiler's, which differ by version. */

/** Kinds of change. */
export type MutationOperator =
  /** An atomic load or store becomes a plain one. */
  | 'plain-access'
  /** A plain store becomes an atomic one. */
  | 'atomic-access'
  /** A store, or a read-modify-write whose result is ignored, is left out. */
  | 'drop-store'
  /** A notify is left out. */
  | 'drop-notify'
  /** A notify is made twice. */
  | 'repeat-notify'
  /** A notify of all wakes one. */
  | 'notify-one'
  /** A notify goes to the word beside. */
  | 'notify-elsewhere'
  /** The value that a wait compares with is loaded at the wait, not before. */
  | 'late-load'
  /** A wait doesn't happen. */
  | 'drop-wait'
  /** A compareExchange becomes a store that always succeeds. */
  | 'compare-exchange-to-store'
  /** A compareExchange is taken for successful. */
  | 'ignore-compare-exchange'
  /** A read-modify-write becomes a load and a store. */
  | 'split-read-modify-write'
  /** Two neighbouring statements that reach memory change places. */
  | 'swap-statements'
  /** An index is one more; a comparison includes or excludes its limit. */
  | 'index-off-by-one'
  /** A mask is half as wide. */
  | 'mask-off-by-one'
  /** An atomic access goes to the word beside. */
  | 'wrong-word'
  /** An atomic load goes to another word that the source names: the own index instead of the peer's. */
  | 'other-word'
  /** A condition under which the function or loop is left is taken for false. */
  | 'drop-recheck'
  /** A condition is taken for true. */
  | 'skip-condition';
