import type {Readable} from 'node:stream';
import {stripVTControlCharacters} from 'node:util';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';

/** What is kept of a console for the message of a failure. */
const linesKept = 4000;
const linesShown = 30;
const lineCharsMax = 2000;

type Waiting = {readonly pattern: RegExp; readonly found: (match: RegExpExecArray) => void};

export type SerialLog = {
	/**
	 * The first line that matches, of those after the last one that was waited for.
	 * @throws CodedError IMAGE_MACHINE_TIMEOUT, IMAGE_MACHINE_FAILED, each with the last lines of the console.
	 */
	readonly waitFor: (
		pattern: RegExp,
		options: {readonly timeoutMs: number; readonly signal: AbortSignal},
	) => Promise<RegExpExecArray>;
	readonly lines: () => readonly string[];
	/** The machine is gone: who waits is told. */
	readonly end: (reason: string) => void;
};

/** A serial console line by line, without the colours and the redrawing of GRUB and systemd. */
export const openSerialLog = (
	stream: Readable,
	{onLine}: {readonly onLine?: ((line: string) => void) | undefined} = {},
): SerialLog => {
	let lines: string[] = [];
	/** Lines that nobody has waited for yet begin here. */
	let position = 0;
	let rest = '';
	let ended: string | undefined;
	const waiting = new Set<Waiting>();
	const endings = new Set<(reason: string) => void>();
	const take = (raw: string): void => {
		const line = stripVTControlCharacters(raw).replaceAll('\r', '').slice(0, lineCharsMax);
		lines.push(line);
		onLine?.(line);
		if (lines.length > linesKept) {
			position = Math.max(0, position - (lines.length - linesKept));
			lines = lines.slice(-linesKept);
		}
		for (const each of waiting) {
			const match = each.pattern.exec(line);
			if (match !== null) {
				position = lines.length;
				each.found(match);
			}
		}
	};
	stream.setEncoding('utf8').on('data', (text: string) => {
		const parts = (rest + text).split('\n');
		rest = (parts.pop() ?? '').slice(-lineCharsMax);
		for (const part of parts) {
			take(part);
		}
	});
	const failure = (code: ImageErrorCode, message: string): CodedError<ImageErrorCode> =>
		new CodedError(code, {message: `${message}\nThe console's last lines:\n${lines.slice(-linesShown).join('\n')}`});
	return {
		lines: () => lines.slice(),
		end: (reason) => {
			ended = reason;
			for (const tell of endings) {
				tell(reason);
			}
		},
		waitFor: async (pattern, {timeoutMs, signal}) => {
			signal.throwIfAborted();
			for (const [index, line] of lines.slice(position).entries()) {
				const match = pattern.exec(line);
				if (match !== null) {
					position += index + 1;
					return match;
				}
			}
			if (ended !== undefined) {
				throw failure('IMAGE_MACHINE_FAILED', ended);
			}
			const {promise, resolve, reject} = Promise.withResolvers<RegExpExecArray>();
			const entry: Waiting = {pattern, found: resolve};
			const onEnd = (reason: string): void => reject(failure('IMAGE_MACHINE_FAILED', reason));
			const onAbort = (): void => reject(signal.reason);
			const timer = setTimeout(
				() => reject(failure('IMAGE_MACHINE_TIMEOUT', `Not within ${timeoutMs} ms on the console: ${pattern}`)),
				timeoutMs,
			);
			waiting.add(entry);
			endings.add(onEnd);
			signal.addEventListener('abort', onAbort, {once: true});
			try {
				return await promise;
			} finally {
				clearTimeout(timer);
				waiting.delete(entry);
				endings.delete(onEnd);
				signal.removeEventListener('abort', onAbort);
			}
		},
	};
};
