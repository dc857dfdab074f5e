import {gzipSync} from 'node:zlib';
import type {CapturedPayload} from '#test/helper/write-capture.ts';

export const sampleSymbolBytes = 100;
const ntpToUnixSeconds = 2_208_988_800;

type LctFields = {
	readonly tsi: number;
	readonly toi: number;
	readonly codepoint?: number;
	readonly extensions?: readonly Buffer[];
	readonly payloadId: Buffer;
	readonly payload: Buffer;
};

/** LCT with a 32-bit TSI and TOI, written independently of what reads it. */
export const lctPacket = ({tsi, toi, codepoint = 0, extensions = [], payloadId, payload}: LctFields): Buffer => {
	const head = Buffer.alloc(16);
	const words = 4 + extensions.reduce((sum, each) => sum + each.length, 0) / 4;
	head.set([0x10, 0xa0, words, codepoint]);
	head.writeUInt32BE(tsi, 8);
	head.writeUInt32BE(toi, 12);
	return Buffer.concat([head, ...extensions, payloadId, payload]);
};

const compactId = (index: number): Buffer => Buffer.from([0, 0, index >> 8, index & 255]);

/** Source symbols of an object of one block, Compact No-Code. */
export const symbolPackets = (tsi: number, toi: number, bytes: Buffer): readonly Buffer[] =>
	Array.from({length: Math.ceil(bytes.length / sampleSymbolBytes)}, (_, index) =>
		lctPacket({
			...{tsi, toi, payloadId: compactId(index)},
			payload: bytes.subarray(index * sampleSymbolBytes, (index + 1) * sampleSymbolBytes),
		}),
	);

export type SampleFile = {
	readonly toi: number;
	readonly uri: string;
	readonly bytes: Buffer;
	readonly contentType?: string;
};

export const sampleFdt = (files: readonly SampleFile[], expiresMs = Date.now() + 3_600_000): string =>
	`<FDT-Instance xmlns="urn:IETF:metadata:2005:FLUTE:FDT" Expires="${Math.ceil(expiresMs / 1000) + ntpToUnixSeconds}" FEC-OTI-FEC-Encoding-ID="0" FEC-OTI-Encoding-Symbol-Length="${sampleSymbolBytes}" FEC-OTI-Maximum-Source-Block-Length="65535">${files
		.map(
			({toi, uri, bytes, contentType = 'application/octet-stream'}) =>
				`<File TOI="${toi}" Content-Location="${uri}" Content-Length="${bytes.length}" Content-Type="${contentType}"/>`,
		)
		.join('')}</FDT-Instance>`;

/** One FDT instance, compressed, in as many packets as it takes. */
export const fdtPackets = (tsi: number, instanceId: number, xml: string, version = 1): readonly Buffer[] => {
	const body = gzipSync(xml);
	const fdt = Buffer.from([192, (version << 4) | (instanceId >> 16), (instanceId >> 8) & 255, instanceId & 255]);
	const cenc = Buffer.from([193, 3, 0, 0]);
	const fti = Buffer.alloc(16);
	fti.set([64, 4]);
	fti.writeUIntBE(body.length, 2, 6);
	fti.writeUInt16BE(sampleSymbolBytes, 10);
	fti.writeUInt32BE(65_535, 12);
	return Array.from({length: Math.ceil(body.length / sampleSymbolBytes)}, (_, index) =>
		lctPacket({
			...{tsi, toi: 0, extensions: [fdt, fti, cenc], payloadId: compactId(index)},
			payload: body.subarray(index * sampleSymbolBytes, (index + 1) * sampleSymbolBytes),
		}),
	);
};

/** Packets of one group, so many milliseconds apart. */
export const captured = (
	packets: readonly Buffer[],
	{
		group = '239.255.1.1',
		port = 5001,
		startMs = 0,
		stepMs = 1,
	}: {group?: string; port?: number; startMs?: number; stepMs?: number} = {},
): readonly CapturedPayload[] =>
	packets.map((payload, index) => ({group, port, payload, timeMs: startMs + index * stepMs}));
