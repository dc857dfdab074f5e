import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';

/** One record of a capture file. */
export type CapturedFrame = {readonly timeMs: number; readonly linkType: number; readonly bytes: Buffer};

/** What a capture interface hands over at most; a longer record is a damaged file. */
const recordBytesMax = 256 * 1024;
const magics = {micro: 0xa1b2c3d4, nano: 0xa1b23c4d, next: 0x0a0d0d0a} as const;
const byteOrderMagic = 0x1a2b3c4d;
const classicHeaderBytes = 24;
const classicRecordBytes = 16;
/** Block types of pcapng that carry packets (draft-ietf-opsawg-pcapng section 4). */
const blocks = {section: 0x0a0d0d0a, interface: 1, simple: 3, enhanced: 6} as const;
const blockBytesMin = 12;
const interfacesMax = 64;

type Integers = {
	readonly u32: (bytes: Buffer, at: number) => number;
	readonly u16: (bytes: Buffer, at: number) => number;
};
const little: Integers = {u32: (bytes, at) => bytes.readUInt32LE(at), u16: (bytes, at) => bytes.readUInt16LE(at)};
const big: Integers = {u32: (bytes, at) => bytes.readUInt32BE(at), u16: (bytes, at) => bytes.readUInt16BE(at)};

const damaged = (message: string): CodedError<CliErrorCode> =>
	new CodedError('CLI_PROBE_CAPTURE', {message: `The capture file is damaged: ${message}`});

export const looksLikeCapture = (head: Buffer): boolean =>
	head.length >= 4 &&
	[head.readUInt32LE(0), head.readUInt32BE(0)].some(
		(magic) => magic === magics.micro || magic === magics.nano || magic === magics.next,
	);

/** Bytes of a file as whole pieces of any length. */
class PieceReader {
	readonly #source: AsyncIterator<Buffer>;
	#held: Buffer = Buffer.alloc(0);

	constructor(source: AsyncIterable<Buffer>) {
		this.#source = source[Symbol.asyncIterator]();
	}

	/** Undefined at the end; a piece that is cut there is left out, as a capture that was stopped has it. */
	async take(length: number): Promise<Buffer | undefined> {
		while (this.#held.length < length) {
			const next = await this.#source.next();
			if (next.done === true) {
				return undefined;
			}
			this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
		}
		const piece = this.#held.subarray(0, length);
		this.#held = this.#held.subarray(length);
		return piece;
	}
}

/**
 * Reads pcap and pcapng of either byte order.
 * @throws CodedError CLI_PROBE_CAPTURE
 */
export async function* readCapture(source: AsyncIterable<Buffer>): AsyncGenerator<CapturedFrame> {
	const reader = new PieceReader(source);
	const magic = await reader.take(4);
	if (magic === undefined) {
		throw damaged('it is empty.');
	}
	if (magic.readUInt32LE(0) === magics.next) {
		yield* readBlocks(reader);
		return;
	}
	const order = [little, big].find(({u32}) => u32(magic, 0) === magics.micro || u32(magic, 0) === magics.nano);
	const header = await reader.take(classicHeaderBytes - magic.length);
	if (order === undefined || header === undefined) {
		throw damaged('it has no header.');
	}
	const perMs = order.u32(magic, 0) === magics.nano ? 1e6 : 1e3;
	// The upper bits say what ends a frame, which nobody needs here.
	const linkType = order.u32(header, 16) & 0xff_ff;
	for (let record = await reader.take(classicRecordBytes); record; record = await reader.take(classicRecordBytes)) {
		const length = order.u32(record, 8);
		if (length > recordBytesMax) {
			throw damaged(`a record says that it has ${length} bytes.`);
		}
		const timeMs = order.u32(record, 0) * 1000 + order.u32(record, 4) / perMs;
		const bytes = await reader.take(length);
		if (bytes === undefined) {
			return;
		}
		yield {timeMs, linkType, bytes};
	}
}

type Interface = {readonly linkType: number; readonly unitsPerMs: number};

async function* readBlocks(reader: PieceReader): AsyncGenerator<CapturedFrame> {
	let order = little;
	let interfaces: Interface[] = [];
	let type: Buffer | undefined = Buffer.from([0x0a, 0x0d, 0x0d, 0x0a]);
	while (type !== undefined) {
		const size = await reader.take(4);
		if (size === undefined) {
			return;
		}
		const isSection = order.u32(type, 0) === blocks.section;
		const magic = isSection ? await reader.take(4) : undefined;
		if (magic !== undefined) {
			order = little.u32(magic, 0) === byteOrderMagic ? little : big;
			interfaces = [];
		}
		const length = order.u32(size, 0);
		if (length < blockBytesMin || length > recordBytesMax || length % 4 !== 0) {
			throw damaged(`a block says that it has ${length} bytes.`);
		}
		const body = await reader.take(length - 8 - (magic === undefined ? 0 : 4));
		if (body === undefined) {
			return;
		}
		const kind = order.u32(type, 0);
		if (kind === blocks.interface && interfaces.length < interfacesMax && body.length >= 12) {
			interfaces.push({linkType: order.u16(body, 0), unitsPerMs: unitsPerMsOf(body.subarray(8, -4), order)});
		} else if (kind === blocks.enhanced || kind === blocks.simple) {
			const frame = frameOf(body, {kind, order, interfaces});
			if (frame !== undefined) {
				yield frame;
			}
		}
		type = await reader.take(4);
	}
}

/** if_tsresol (option 9); microseconds without it. */
const unitsPerMsOf = (options: Buffer, order: Integers): number => {
	for (let at = 0; at + 4 <= options.length; ) {
		const [code, length] = [order.u16(options, at), order.u16(options, at + 2)];
		if (code === 0) {
			break;
		}
		if (code === 9 && length >= 1 && at + 4 < options.length) {
			const resolution = options.readUInt8(at + 4);
			const perSecond = (resolution & 0x80) === 0 ? 10 ** resolution : 2 ** (resolution & 0x7f);
			return perSecond / 1000;
		}
		at += 4 + Math.ceil(length / 4) * 4;
	}
	return 1000;
};

const frameOf = (
	body: Buffer,
	{
		kind,
		order,
		interfaces,
	}: {readonly kind: number; readonly order: Integers; readonly interfaces: readonly Interface[]},
): CapturedFrame | undefined => {
	if (kind === blocks.simple) {
		return {timeMs: 0, linkType: interfaces[0]?.linkType ?? 1, bytes: body.subarray(4, -4)};
	}
	if (body.length < 24) {
		return undefined;
	}
	const from = interfaces[order.u32(body, 0)];
	const length = order.u32(body, 12);
	if (from === undefined || length > body.length - 24) {
		return undefined;
	}
	const units = order.u32(body, 4) * 2 ** 32 + order.u32(body, 8);
	return {timeMs: units / from.unitsPerMs, linkType: from.linkType, bytes: body.subarray(20, 20 + length)};
};
