/** A process of its own for one stress run, with flags of its own: see matrix.ts. */
import { sensitivity, stress } from '../stress.ts';
import { answerMark, type ChildAnswer, type ChildTask } from './matrix.ts';

const { module, allowed, options } = JSON.parse(process.argv[2]!) as ChildTask;
const share = await sensitivity(options);
const result = await stress(module, {
  ...options,
  ...(allowed === null ? {} : { allowed: new Set(allowed) }),
});
const answer: ChildAnswer = {
  sensitivity: share,
  result: { ...result, seen: [...result.seen] },
};
process.stdout.write(`${answerMark}${JSON.stringify(answer)}\n`);
