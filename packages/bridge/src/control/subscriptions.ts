/**
 * Formats that tmux watches for us (`refresh-client -B`, tmux 3.2): it compares their values once a second and tells
 * those that differ. Kept here, so that they can be set up again on another connection.
 */
import type { SubscriptionChanged } from '@millrace/tmux-proto';
import type { CommandEncoder } from '@millrace/tmux-proto/commands';
import { apart } from '../errors.ts';

/** Learns a new value; `value` ends at its first line feed. */
export type SubscriptionListener = (changed: SubscriptionChanged) => void;

interface Subscription {
  readonly target: string;
  readonly format: string;
  readonly listener: SubscriptionListener;
}

/** The subscriptions of a session, by name. */
export class Subscriptions {
  readonly #all = new Map<string, Subscription>();
  #count = 0;

  /** Adds one; returns its name. */
  add(target: string, format: string, listener: SubscriptionListener): string {
    const name = `millrace-${++this.#count}`;
    this.#all.set(name, { target, format, listener });
    return name;
  }

  /** Removes one; returns whether it was there. */
  delete(name: string): boolean {
    return this.#all.delete(name);
  }

  /** Hands a value to its listener; returns false if the name is of none of ours. */
  changed(notification: SubscriptionChanged): boolean {
    const subscription = this.#all.get(notification.name);
    if (subscription !== undefined) apart(() => subscription.listener(notification), undefined);
    return subscription !== undefined;
  }

  /** Returns the lines that set all of them up. */
  lines(encoder: CommandEncoder): string[] {
    return [...this.#all.keys()].map((name) => this.line(name, encoder));
  }

  /** Returns the line that sets one up. */
  line(name: string, encoder: CommandEncoder): string {
    const { target, format } = this.#all.get(name)!;
    return encoder.subscribe(name, target, format);
  }
}
