import {signal} from '@preact/signals';

const tickMs = 10_000;

/** The time by which ages are told; it moves on its own, so that "2 min ago" does not stay. */
export const nowMs = signal(Date.now());

setInterval(() => {
	nowMs.value = Date.now();
}, tickMs);
