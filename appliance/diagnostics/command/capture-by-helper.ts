import {PassThrough} from 'node:stream';
import type {Capture, CaptureRequest} from '#appliance/diagnostics/command/capture-packets.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {connectHelper} from '#appliance/diagnostics/read-socket.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';

/** Of a pcap file, whichever order of bytes its machine has. */
const magics: readonly number[] = [0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1];
const magicBytes = 4;
const errorTextMax = 1000;

/**
 * As capturePackets, by a helper that may do it where this process may not. It answers with a pcap file, or with the reason
 * why there is none. The bound of bytes is kept here too: the helper sends one byte more, by which a cut is known.
 */
export const captureByHelper =
	(socketPath: string) =>
	(request: CaptureRequest, {signal}: {readonly signal: AbortSignal}): Capture => {
		const stream = new PassThrough();
		// The stream tells the same failure to whoever reads it.
		stream.on('error', () => undefined);
		const ended = capture({socketPath, request, stream, signal}).catch((error: unknown) => {
			const cause = signal.aborted
				? signal.reason
				: error instanceof CodedError
					? error
					: failed(errorMessage(error), error);
			stream.destroy(cause as Error);
			throw cause;
		});
		void ended.catch(() => undefined);
		return {stream, ended};
	};

const capture = async (options: {
	readonly socketPath: string;
	readonly request: CaptureRequest;
	readonly stream: PassThrough;
	readonly signal: AbortSignal;
}): Promise<{readonly sizeBytes: number; readonly truncated: boolean}> => {
	const {request, stream, signal} = options;
	const {interface: device, filter, seconds, bytesMax} = request;
	const socket = await connectHelper(options.socketPath, {signal});
	let head: Buffer = Buffer.alloc(0);
	let sizeBytes = 0;
	let truncated = false;
	try {
		// A line each: a filter may stand on several.
		socket.write(`${[device, seconds, bytesMax, filter.replaceAll(/\s+/gu, ' ')].join('\n')}\n`);
		for await (const chunk of socket as AsyncIterable<Buffer>) {
			if (head.length < magicBytes || !isCapture(head)) {
				head = Buffer.concat([head, chunk]).subarray(0, errorTextMax);
			}
			const kept = chunk.subarray(0, bytesMax - sizeBytes);
			sizeBytes += kept.length;
			truncated = kept.length < chunk.length;
			if (kept.length > 0 && !stream.write(kept)) {
				await Promise.race([drained(stream), closed(stream)]);
			}
			if (truncated) {
				break;
			}
		}
	} finally {
		socket.destroy();
	}
	signal.throwIfAborted();
	if (head.length < magicBytes || !isCapture(head)) {
		throw failed(head.toString('utf8').trim() || 'its unit ended without a word');
	}
	stream.end();
	return {sizeBytes, truncated};
};

const isCapture = (head: Buffer): boolean => magics.includes(head.readUInt32LE(0));

const drained = (stream: PassThrough): Promise<void> => new Promise((resolve) => stream.once('drain', () => resolve()));
const closed = (stream: PassThrough): Promise<void> => new Promise((resolve) => stream.once('close', () => resolve()));

const failed = (why: string, cause?: unknown): CodedError<DiagnosticsErrorCode> =>
	new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_COMMAND_FAILED', {
		message: `tcpdump cannot capture: ${why}`,
		cause,
	});
