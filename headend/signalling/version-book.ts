import {createHash} from 'node:crypto';
import type {Clock} from '#appliance/time/clock.ts';

export type VersionStamp = {readonly version: number; readonly changedMs: number};

/** A book's content, to be kept across restarts by who wants versions to stand still over them. */
export type VersionEntry = VersionStamp & {readonly name: string; readonly digest: string};

/**
 * Gives every named piece of signalling a version that grows when its content changes and at no other time: receivers
 * parse a list again only when its version differs.
 */
export type VersionBook = {
	readonly stamp: (name: string, content: string) => VersionStamp;
	readonly entries: () => readonly VersionEntry[];
};

/** Versions count seconds from here, so that they also grow over a restart that lost the book. 2024-01-01, Unix ms. */
const epochMs = 1_704_067_200_000;

/** Names that came and went are forgotten oldest first beyond this many. */
const entriesMax = 20_000;

export const createVersionBook = (options: {
	readonly clock: Clock;
	readonly entries?: readonly VersionEntry[];
}): VersionBook => {
	const {clock} = options;
	const book = new Map<string, VersionEntry>((options.entries ?? []).map((entry) => [entry.name, entry]));
	return {
		stamp: (name, content) => {
			const digest = createHash('sha256').update(content).digest('base64');
			const known = book.get(name);
			if (known?.digest === digest) {
				return known;
			}
			const changedMs = clock.nowMs();
			const seconds = Math.max(1, Math.floor((changedMs - epochMs) / 1000));
			const entry = {name, digest, changedMs, version: Math.max(seconds, (known?.version ?? 0) + 1)};
			book.delete(name);
			book.set(name, entry);
			const oldest = book.size > entriesMax ? book.keys().next().value : undefined;
			if (oldest !== undefined) {
				book.delete(oldest);
			}
			return entry;
		},
		entries: () => [...book.values()],
	};
};
