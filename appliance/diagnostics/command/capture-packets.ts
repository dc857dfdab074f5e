import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {PassThrough, type Readable} from 'node:stream';
import type {CommandArguments} from '#appliance/contract/fleet/command-schema.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {killGroup, toolEnvironment} from '#appliance/diagnostics/run-tool.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';

const snapshotBytes = 1600;
const stopGraceMs = 2000;
const beginMsMax = 10_000;
const errorTextMax = 1000;
/** Global header of a pcap file: a capture of no packets is as long as this. */
const pcapHeaderBytes = 24;

export type CaptureRequest = Omit<CommandArguments<'capture-packets'>, 'uploadUrl'>;

export type Capture = {
	/** A pcap file, cut between packets by tcpdump's end or at the bound of bytes. */
	readonly stream: Readable;
	/** Resolves when tcpdump is gone; rejects when it could not capture. */
	readonly ended: Promise<{readonly sizeBytes: number; readonly truncated: boolean}>;
};

/**
 * Captures with tcpdump until the time or the bytes are used up, whichever comes first; then it is interrupted, and
 * killed when it does not end. It never outlives the signal.
 */
export const capturePackets = (
	{interface: device, filter, seconds, bytesMax}: CaptureRequest,
	{signal}: {readonly signal: AbortSignal},
): Capture => {
	const child = spawn(
		'tcpdump',
		// `--` ends the options: the filter is an expression whatever it begins with. Without immediate mode the kernel
		// holds packets back for a second, and the last ones are lost with tcpdump's end.
		[
			'-i',
			device,
			'--immediate-mode',
			'-U',
			'-w',
			'-',
			'-s',
			`${snapshotBytes}`,
			'-n',
			'--',
			...(filter === '' ? [] : [filter]),
		],
		{stdio: ['ignore', 'pipe', 'pipe'], env: {...toolEnvironment}, detached: true, cwd: '/'},
	);
	const stream = new PassThrough();
	let sizeBytes = 0;
	let truncated = false;
	const stop = new AbortController();
	child.stdout.on('data', (chunk: Buffer) => {
		const kept = chunk.subarray(0, bytesMax - sizeBytes);
		sizeBytes += kept.length;
		if (kept.length > 0 && !stream.write(kept)) {
			child.stdout.pause();
			stream.once('drain', () => child.stdout.resume());
		}
		if (kept.length < chunk.length) {
			truncated = true;
			stop.abort();
		}
	});
	let errorText = '';
	// The time is that of capturing: a machine that is busy takes long to begin.
	const begun = Promise.withResolvers<void>();
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		errorText = (errorText + text).slice(0, errorTextMax);
		if (errorText.includes('listening on')) {
			begun.resolve();
		}
	});
	const closed = once(child, 'close') as Promise<[number | null]>;
	const run = async (): Promise<{readonly sizeBytes: number; readonly truncated: boolean}> => {
		try {
			void endAfter(child, {
				begun: begun.promise,
				durationMs: seconds * 1000,
				signal: AbortSignal.any([signal, stop.signal]),
			});
			const [code] = await closed;
			signal.throwIfAborted();
			if (code !== 0 && sizeBytes < pcapHeaderBytes) {
				throw failed(errorText.trim() || `it ended with ${code}`);
			}
			stream.end();
			return {sizeBytes, truncated};
		} catch (error) {
			const cause = signal.aborted || error instanceof CodedError ? error : failed(errorMessage(error), error);
			stream.destroy(cause as Error);
			throw cause;
		} finally {
			// Nobody waits for the end of a capture that is over.
			stop.abort();
			killGroup(child);
		}
	};
	// The stream tells the same failure to whoever reads it.
	stream.on('error', () => undefined);
	const ended = run();
	void ended.catch(() => undefined);
	return {stream, ended};
};

const endAfter = async (
	child: ReturnType<typeof spawn>,
	{
		begun,
		durationMs,
		signal,
	}: {readonly begun: Promise<void>; readonly durationMs: number; readonly signal: AbortSignal},
): Promise<void> => {
	await Promise.race([begun, sleep(beginMsMax, {signal}).catch(() => undefined)]);
	await sleep(durationMs, {signal}).catch(() => undefined);
	child.kill('SIGINT');
	// Unreferenced ends of a process that is gone do nothing.
	await sleep(stopGraceMs);
	killGroup(child);
};

const failed = (why: string, cause?: unknown): CodedError<DiagnosticsErrorCode> =>
	new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_COMMAND_FAILED', {
		message: `tcpdump cannot capture: ${why}`,
		cause,
	});
