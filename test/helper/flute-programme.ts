import {createHash} from 'node:crypto';
import {gzipSync} from 'node:zlib';
import type {FluteFec, FluteSender, FluteSource} from '#native/flute/sender.ts';

export type ProgrammeObject = {
	readonly toi: number;
	readonly location: string;
	readonly sizeBytes: number;
	readonly source: FluteSource;
	/** Base64 of the SHA-256 that the FDT promises. */
	readonly digest?: string;
};

export type ProgrammeOptions = {
	readonly destination: {readonly group: string; readonly port: number};
	readonly tsi: number;
	readonly fec: FluteFec;
	readonly instanceId?: number;
	readonly livesMs?: number;
	readonly compressed?: boolean;
};

const ntpToUnixSeconds = 2_208_988_800;

export const plainFec: FluteFec = {
	encodingId: 0,
	symbolBytes: 1400,
	sourceBlockSymbolsMax: 1024,
	repairSymbolsPerBlock: 0,
};

/** A fifth more packets than the object needs, so that one in six may be lost of each block. */
export const repairedFec: FluteFec = {
	encodingId: 5,
	symbolBytes: 1400,
	sourceBlockSymbolsMax: 60,
	repairSymbolsPerBlock: 12,
};

/** An object of these bytes, with their digest. */
export const objectOf = (toi: number, location: string, bytes: Uint8Array): ProgrammeObject => ({
	toi,
	location,
	sizeBytes: bytes.length,
	source: {kind: 'bytes', bytes},
	digest: createHash('sha256').update(bytes).digest('base64'),
});

/** An FDT instance, written independently of the headend's code. */
export const writeFdt = (
	objects: readonly ProgrammeObject[],
	{fec, livesMs = 60_000}: Pick<ProgrammeOptions, 'fec' | 'livesMs'>,
): Buffer => {
	const files = objects.map(
		({toi, location, sizeBytes, digest}) =>
			`<File TOI="${toi}" Content-Location="${location}" Content-Length="${sizeBytes}"${
				digest === undefined ? '' : ` d:Content-Digest="sha-256=:${digest}:"`
			}/>`,
	);
	const expires = Math.ceil((Date.now() + livesMs) / 1000) + ntpToUnixSeconds;
	return Buffer.from(
		`<?xml version="1.0"?><FDT-Instance xmlns="urn:IETF:metadata:2005:FLUTE:FDT" xmlns:d="urn:dvb:metadata:ExtendedFileDeliveryTable:2022" Expires="${expires}" FEC-OTI-FEC-Encoding-ID="${fec.encodingId}" FEC-OTI-Encoding-Symbol-Length="${fec.symbolBytes}" FEC-OTI-Maximum-Source-Block-Length="${fec.sourceBlockSymbolsMax}">${files.join('')}</FDT-Instance>`,
	);
};

/** Sends the FDT instance on lane `main`. */
export const sendFdt = (
	sender: FluteSender,
	objects: readonly ProgrammeObject[],
	{destination, tsi, fec, instanceId = 1, livesMs, compressed = false}: ProgrammeOptions,
): void => {
	const xml = writeFdt(objects, {fec, ...(livesMs === undefined ? {} : {livesMs})});
	sender.enqueue({
		lane: 'main',
		destination,
		tsi,
		toi: 0,
		source: {kind: 'bytes', bytes: compressed ? gzipSync(xml) : xml},
		fec: plainFec,
		fdt: {instanceId, version: 1},
		...(compressed ? {contentEncoding: 'gzip'} : {}),
	});
};

/** Sends one transmission of the objects, each closed by the B flag. */
export const sendObjects = (
	sender: FluteSender,
	objects: readonly ProgrammeObject[],
	{destination, tsi, fec}: ProgrammeOptions,
): void => {
	for (const {toi, source, sizeBytes} of objects) {
		if (sizeBytes > 0) {
			sender.enqueue({lane: 'main', destination, tsi, toi, source, fec, closeObject: true});
		}
	}
};
