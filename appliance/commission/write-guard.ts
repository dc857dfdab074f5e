import {isIP} from 'node:net';
import {hostname} from 'node:os';
import type {Context} from 'koa';
import type {ConsoleCode} from '#appliance/commission/console-code.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {HttpErrorCode} from '#appliance/http/create-app.ts';

/** Of everybody in the home together: a technician writes a handful. */
const writesPerMinuteMax = 12;
const minuteMs = 60_000;

const refuse = (code: HttpErrorCode, message: string): never => {
	throw new CodedError(code, {message});
};

/**
 * A name that a stranger's page may have had resolved to this box (DNS rebinding) is none of the box's: its address, its
 * own name, and what mDNS calls it are.
 */
export const isOwnHost = (host: string, ownName: string = hostname()): boolean => {
	const name = host.toLowerCase().replace(/:\d{1,5}$/u, '');
	const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
	return (
		isIP(address) !== 0 ||
		name === 'localhost' ||
		name === ownName.toLowerCase() ||
		/^[a-z0-9-]{1,63}\.local$/u.test(name)
	);
};

/** A page of another origin can send neither our media type nor its own absence of an origin. */
export const requireSameOrigin = (context: Context): void => {
	const origin = context.get('Origin');
	const site = context.get('Sec-Fetch-Site');
	const isForeign = origin !== `http://${context.host}` || (site !== '' && site !== 'same-origin');
	if (isForeign || context.is('application/json') !== 'application/json') {
		refuse('HTTP_FORBIDDEN', 'Only the page of this box itself may write to it.');
	}
};

export type WriteGuard = {
	/** @throws CodedError HTTP_TOO_MANY_REQUESTS. Asked before anything is read. */
	readonly admit: () => void;
	/** @throws CodedError HTTP_FORBIDDEN or HTTP_TOO_MANY_REQUESTS, unless the box is nobody's or the code right. */
	readonly allow: (given: string | undefined) => Promise<void>;
	/** @throws CodedError as `allow`, unless the code is right, whosever the box is. */
	readonly prove: (given: string | undefined) => Promise<void>;
};

export const createWriteGuard = (options: {
	readonly code: ConsoleCode;
	readonly codeNeeded: () => Promise<boolean>;
	readonly monotonicMs: () => number;
}): WriteGuard => {
	const {code, codeNeeded, monotonicMs} = options;
	let writesMs: readonly number[] = [];
	const prove = async (given: string | undefined, missing: string): Promise<void> => {
		if (given === undefined || given === '') {
			return refuse('HTTP_FORBIDDEN', missing);
		}
		const verdict = await code.take(given);
		if (verdict === 'too-many') {
			refuse('HTTP_TOO_MANY_REQUESTS', 'Too many wrong codes; try again in a quarter of an hour.');
		}
		if (verdict === 'wrong') {
			refuse('HTTP_FORBIDDEN', 'The code is not the one that the console shows now.');
		}
	};
	return {
		admit: () => {
			const nowMs = monotonicMs();
			writesMs = writesMs.filter((atMs) => nowMs - atMs < minuteMs);
			if (writesMs.length >= writesPerMinuteMax) {
				refuse('HTTP_TOO_MANY_REQUESTS', 'Too much was written in the last minute; wait a little.');
			}
			writesMs = [...writesMs, nowMs];
		},
		allow: async (given) => {
			if (await codeNeeded()) {
				await prove(given, 'This box is somebody’s, or may be: it needs the code that its console shows.');
			}
		},
		prove: async (given) =>
			await prove(given, 'Only who stands at the box does this: it needs the code of its console.'),
	};
};
