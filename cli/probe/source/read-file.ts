import {createReadStream} from 'node:fs';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import type {Analysis} from '#cli/probe/analysis.ts';
import {ipOfFrame} from '#cli/probe/packet/parse-ip.ts';
import {readCapture} from '#cli/probe/packet/read-capture.ts';
import {measureRate} from '#cli/probe/source/measure-rate.ts';

const portionBytes = 1024 * 1024;

export type ReadOptions = {
	readonly path: string;
	readonly signal: AbortSignal;
	readonly onProgress: (bytes: number) => void;
};

async function* counted({path, signal, onProgress}: ReadOptions): AsyncGenerator<Buffer> {
	let bytes = 0;
	for await (const portion of createReadStream(path, {highWaterMark: portionBytes, signal}) as AsyncIterable<Buffer>) {
		yield portion;
		bytes += portion.length;
		onProgress(bytes);
	}
}

/** @throws CodedError CLI_PROBE_CAPTURE */
export const readCaptureFile = async (analysis: Analysis, options: ReadOptions): Promise<void> => {
	for await (const {timeMs, linkType, bytes} of readCapture(counted(options))) {
		const ip = ipOfFrame(linkType, bytes);
		if (ip !== undefined) {
			analysis.takeIp(ip, timeMs);
		}
	}
};

/**
 * A file of transport packets or BBFRAMEs. Answers whether anything told the time.
 * @throws CodedError CLI_PROBE_STREAM when it is neither
 */
export const readStreamFile = async (
	analysis: Analysis,
	options: ReadOptions & {readonly bitRateBps?: number | undefined},
): Promise<{readonly hasClock: boolean}> => {
	const {path, signal, bitRateBps} = options;
	const bytesPerMs = bitRateBps === undefined ? await measureRate(path, {signal}) : bitRateBps / 8000;
	for await (const portion of counted(options)) {
		analysis.takeStream(portion, (position) => position / (bytesPerMs ?? 1));
	}
	if (analysis.carriers.every(({contents}) => contents.carrier === 'unknown')) {
		throw new CodedError<CliErrorCode>('CLI_PROBE_STREAM', {
			message: `${path} holds neither a capture, nor transport packets, nor BBFRAMEs. Say --samples for I/Q.`,
		});
	}
	return {hasClock: bytesPerMs !== undefined};
};
