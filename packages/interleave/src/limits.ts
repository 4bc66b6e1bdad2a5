/** A limit that whoever runs other people's checks sets from outside: the mutation gate, for a broken program. */

/** Holds for all checks of this thread (count). */
export const outerLimits: { states: number } = { states: Number.POSITIVE_INFINITY };
