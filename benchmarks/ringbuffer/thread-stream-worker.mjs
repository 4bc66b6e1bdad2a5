/** What thread-stream writes to: counts characters, and says so in shared memory. */
import { EventEmitter } from 'node:events';

class Sink extends EventEmitter {
  #arrived;

  constructor(counter) {
    super();
    this.#arrived = new Int32Array(counter);
  }

  write(text) {
    Atomics.add(this.#arrived, 0, text.length);
    return true;
  }

  end() {
    this.emit('close');
  }
}

export default ({ counter }) => new Sink(counter);
