import {createReadStream} from 'node:fs';
import {parseAlc} from '#cli/probe/packet/parse-alc.ts';
import {parseIp} from '#cli/probe/packet/parse-ip.ts';
import {openLinkDecoder} from '#native/link/link.ts';

/** So much of a file tells its rate: eight seconds of a transponder. */
const measuredBytesMax = 64 * 1024 * 1024;
/** Positions are as fine as this. */
const portionBytes = 64 * 1024;
/** EXT_TIME may have whole seconds only; over less than this its steps would be the result. */
const spanMinMs = 4000;

/** Bytes per millisecond of a stream of constant rate, by its sender's own clock; undefined where nothing tells it. */
export const measureRate = async (
	path: string,
	{signal}: {readonly signal: AbortSignal},
): Promise<number | undefined> => {
	const decoder = openLinkDecoder({input: 'stream'});
	let first: {readonly position: number; readonly timeMs: number} | undefined;
	let last = first;
	const stream = createReadStream(path, {end: measuredBytesMax - 1, highWaterMark: portionBytes, signal});
	for await (const bytes of stream as AsyncIterable<Buffer>) {
		const {datagrams} = decoder.write(bytes);
		let at = 0;
		for (const [index, length] of datagrams.lengths.entries()) {
			const timeMs = senderTimeOf(datagrams.bytes.subarray(at, at + length));
			at += length;
			// The moments at which it steps, because between them it stands still.
			if (timeMs !== undefined && timeMs !== last?.timeMs) {
				last = {position: datagrams.positions[index] ?? 0, timeMs};
				first ??= last;
			}
		}
	}
	const spanMs = (last?.timeMs ?? 0) - (first?.timeMs ?? 0);
	return spanMs < spanMinMs ? undefined : ((last?.position ?? 0) - (first?.position ?? 0)) / spanMs;
};

const senderTimeOf = (bytes: Buffer): number | undefined => {
	const ip = parseIp(bytes, 0);
	const alc = ip.kind === 'udp' ? parseAlc(ip.datagram.payload) : undefined;
	return alc !== undefined && 'packet' in alc ? alc.packet.senderTimeMs : undefined;
};
