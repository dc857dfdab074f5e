import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';

const errorTailCharacters = 4000;

/** Runs ffmpeg to its end. `onProgress` hears the position in the output, 0..1 of `durationMs`. */
export const runFfmpeg = async (options: {
	readonly args: readonly string[];
	readonly cwd: string;
	readonly durationMs: number;
	readonly signal: AbortSignal;
	readonly onProgress?: (ratio: number) => void;
}): Promise<void> => {
	const {args, cwd, durationMs, signal, onProgress} = options;
	const child = spawn(
		'ffmpeg',
		['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', '-progress', 'pipe:1', ...args],
		{
			cwd,
			stdio: ['ignore', 'pipe', 'pipe'],
			signal,
			killSignal: 'SIGKILL',
		},
	);
	let errors = '';
	child.stderr.on('data', (chunk: Buffer) => {
		errors = (errors + chunk.toString()).slice(-errorTailCharacters);
	});
	createInterface({input: child.stdout}).on('line', (line) => {
		const microseconds = Number(/^out_time_us=(\d+)$/u.exec(line)?.[1] ?? Number.NaN);
		if (!Number.isNaN(microseconds)) {
			onProgress?.(Math.min(1, microseconds / 1000 / durationMs));
		}
	});
	let cause: unknown;
	try {
		const [code] = (await once(child, 'close')) as [number | null];
		if (code === 0) {
			return;
		}
		cause = new Error(errors.trim());
	} catch (error) {
		signal.throwIfAborted();
		cause = error;
	}
	throw new CodedError<DemoErrorCode>('DEMO_MEDIA_ENCODE_FAILED', {
		message: 'ffmpeg could not encode the sample; is Debian’s ffmpeg with libx264 installed?',
		cause,
		details: {errors: errors.trim()},
	});
};
