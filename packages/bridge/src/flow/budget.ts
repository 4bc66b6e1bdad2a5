/**
 * How many bytes a group of pipes may hold together, and who gives way when it is too many.
 *
 * ```text
 *   pipe ─┬─▶ viewer's budget      each pipe books what it holds (waiting and under way) with every budget it
 *         └─▶ session's budget     is in; the booking follows each read and each delivery, not each record
 * ```
 *
 * G1: `bytes` is the sum of what its members hold, as of their last booking.
 * G2: a budget that is over its limit makes the member that holds most give way: it skips, or its session pauses.
 * G3: whoever was paused for a budget goes on when the budget has fallen to three quarters of its limit.
 *
 * Cost: a booking is an addition and a comparison; only a budget that is over looks at its members.
 */

/** A pipe, as a budget sees it. */
export interface BudgetMember {
  /** Bytes that it has booked. */
  readonly heldBytes: number;
  /** Whether it has anything left to give: not if it skips already. */
  readonly canGiveWay: boolean;
  /** Makes room: drops what waits if it may, else has its session pause. Returns whether it has made room at once. */
  giveWay(): boolean;
  /** Learns that a budget it was paused for has room again. */
  roomAgain(): void;
}

/** A limit that several pipes share. */
export class ByteBudget {
  /** Bytes booked now. */
  bytes = 0;
  /** Most of them (bytes); may change at any time. */
  bytesMax: number;
  readonly #members: Set<BudgetMember> = new Set();
  readonly #paused: Set<BudgetMember> = new Set();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Whether somebody who was paused for it must wait on. */
  get hasRoom(): boolean {
    return this.bytes <= this.bytesMax - (this.bytesMax >> 2);
  }

  /** Takes a member in. */
  add(member: BudgetMember): void {
    this.#members.add(member);
  }

  /** Lets a member go; it has booked everything out. */
  delete(member: BudgetMember): void {
    this.#members.delete(member);
    this.#paused.delete(member);
  }

  /** Books that a member holds `difference` bytes more, or less (G1). */
  book(difference: number): void {
    this.bytes += difference;
    if (difference < 0 && this.#paused.size > 0 && this.hasRoom) {
      const paused = [...this.#paused]; // G3
      this.#paused.clear();
      for (const member of paused) member.roomAgain();
    }
  }

  /** Makes room if it is over its limit (G2). */
  enforce(): void {
    while (this.bytes > this.bytesMax) {
      let largest: BudgetMember | undefined;
      for (const member of this.#members) {
        if (!member.canGiveWay) continue;
        if (largest === undefined || member.heldBytes > largest.heldBytes) largest = member;
      }
      if (largest === undefined) return;
      if (!largest.giveWay()) {
        this.#paused.add(largest);
        // Of those that hold as much, another is next.
        this.#members.delete(largest);
        this.#members.add(largest);
        return;
      }
    }
  }
}
