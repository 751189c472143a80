// SPDX-License-Identifier: MIT
// Numbers that a seed determines (mulberry32), and choices made with them.

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  // From 0 to n - 1.
  below(n) {
    return Math.floor((this.next() / 2 ** 32) * n);
  }

  between(low, high) {
    return low + this.below(high - low + 1);
  }

  chance(probability) {
    return this.next() / 2 ** 32 < probability;
  }

  pick(items) {
    return items[this.below(items.length)];
  }

  some(items, probability) {
    return items.filter(() => this.chance(probability));
  }

  shuffled(items) {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  }

  uuid() {
    const hex = Array.from({ length: 4 }, () => this.next().toString(16).padStart(8, "0")).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}
