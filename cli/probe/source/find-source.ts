import {open, stat} from 'node:fs/promises';
import {isIPv4, isIPv6} from 'node:net';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import {looksLikeCapture} from '#cli/probe/packet/read-capture.ts';

export type SampleFormat = 'float' | 'integer';

export type Source =
	| {readonly kind: 'capture'; readonly path: string; readonly sizeBytes: number}
	/** Transport packets or BBFRAMEs; which of them, the decoder sees. */
	| {readonly kind: 'stream'; readonly path: string; readonly sizeBytes: number}
	| {readonly kind: 'samples'; readonly path: string; readonly sizeBytes: number; readonly format: SampleFormat}
	| {readonly kind: 'tuner'; readonly adapter: number; readonly frontend: number}
	| {readonly kind: 'multicast'; readonly group: string; readonly port: number; readonly source?: string | undefined};

const headBytes = 4096;
/** As recorders name files of interleaved I and Q. */
const sampleFormats: Readonly<Record<string, SampleFormat>> = {
	cf32: 'float',
	fc32: 'float',
	cfile: 'float',
	cs16: 'integer',
	sc16: 'integer',
	iq: 'integer',
};

const unknown = (message: string, cause?: unknown): CodedError<CliErrorCode> =>
	new CodedError('CLI_PROBE_SOURCE_UNKNOWN', {message, cause});

/** `239.1.1.1:5000`, `udp://[ff05::1]:5000`, `rtp://10.0.0.1@232.1.1.1:5000` with the source that is joined. */
export const parseMulticast = (text: string): Extract<Source, {kind: 'multicast'}> | undefined => {
	const match = /^(?:(?:udp|rtp):\/\/)?(?:([\d.a-f:]+)@)?(?:\[([\da-f:.]+)\]|([\d.]+)):(\d{1,5})$/iu.exec(text);
	const group = match?.[2] ?? match?.[3];
	const port = Number(match?.[4]);
	if (group === undefined || !(isIPv4(group) || isIPv6(group)) || !(port >= 1 && port <= 65_535)) {
		return undefined;
	}
	return {kind: 'multicast', group, port, source: match?.[1]};
};

/** `tuner:0`, `tuner:0/1`: the kernel's adapter, and which of its frontends. */
export const parseTuner = (text: string): Extract<Source, {kind: 'tuner'}> | undefined => {
	const [, adapter, frontend = '0'] = /^tuner:(\d{1,3})(?:\/(\d{1,3}))?$/u.exec(text) ?? [];
	return adapter === undefined ? undefined : {kind: 'tuner', adapter: Number(adapter), frontend: Number(frontend)};
};

/**
 * Sees what a source is, files by their first bytes and samples by their name.
 * @throws CodedError CLI_PROBE_SOURCE_UNKNOWN
 */
export const findSource = async (text: string, samples?: SampleFormat): Promise<Source> => {
	const live = parseTuner(text) ?? parseMulticast(text);
	if (live !== undefined) {
		return live;
	}
	try {
		const {size: sizeBytes} = await stat(text);
		await using file = await open(text);
		const {buffer, bytesRead} = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
		if (bytesRead === 0) {
			throw unknown(`${text} is empty.`);
		}
		const head = buffer.subarray(0, bytesRead);
		const format = samples ?? sampleFormats[text.split('.').at(-1)?.toLowerCase() ?? ''];
		if (format !== undefined) {
			return {kind: 'samples', path: text, sizeBytes, format};
		}
		return {kind: looksLikeCapture(head) ? 'capture' : 'stream', path: text, sizeBytes};
	} catch (error) {
		if (error instanceof CodedError) {
			throw error;
		}
		throw unknown(
			`${text} is no file that can be read (${errorMessage(error)}), no group such as 239.255.1.1:5001, and no tuner such as tuner:0.`,
			error,
		);
	}
};
