/** One packet of FLUTE: LCT (RFC 5651), ALC (RFC 5775) and the FEC payload ID of the schemes that DVB uses. */
export type AlcPacket = {
	readonly tsi: number;
	/** Decimal; TOIs are up to 112 bits wide. */
	readonly toi: string;
	readonly closesSession: boolean;
	readonly closesObject: boolean;
	readonly codepoint: number;
	readonly fdt?: {readonly version: number; readonly instanceId: number} | undefined;
	/** EXT_CENC of an FDT. */
	readonly contentEncoding?: number | undefined;
	readonly fti?: ObjectGeometry | undefined;
	/** EXT_TIME, Unix ms. */
	readonly senderTimeMs?: number | undefined;
	/** Undefined where the scheme's payload ID is not known. */
	readonly symbol?: {readonly block: number; readonly index: number} | undefined;
	readonly payload: Buffer;
};

/** FEC object transmission information, as far as the place of a symbol needs it. */
export type ObjectGeometry = {
	readonly encodingId: number;
	readonly transferLength: number;
	readonly symbolBytes: number;
	readonly blockSymbolsMax: number;
};

export type AlcProblem = 'version' | 'short' | 'header-length' | 'extension-length';
export type ParsedAlc = {readonly packet: AlcPacket} | {readonly problem: AlcProblem};

const extensions = {time: 2, fti: 64, fdt: 192, contentEncoding: 193} as const;
/** Seconds between 1900 and 1970. */
const ntpEpochS = 2_208_988_800;

type Header = {
	-readonly [Key in keyof Pick<AlcPacket, 'fdt' | 'contentEncoding' | 'fti' | 'senderTimeMs'>]: AlcPacket[Key];
};

export const parseAlc = (bytes: Buffer): ParsedAlc => {
	if (bytes.length < 8) {
		return {problem: 'short'};
	}
	const [first = 0, second = 0, words = 0, codepoint = 0] = bytes;
	if (first >> 4 !== 1) {
		return {problem: 'version'};
	}
	const cciBytes = 4 * (((first >> 2) & 3) + 1);
	const half = (second >> 4) & 1;
	const tsiBytes = 4 * (second >> 7) + 2 * half;
	const toiBytes = 4 * ((second >> 5) & 3) + 2 * half;
	const headerBytes = words * 4;
	// Of the RFC 3451 era: sender current time and expected residual time stand after the TOI.
	let at = 4 + cciBytes + tsiBytes + toiBytes + 4 * (((second >> 3) & 1) + ((second >> 2) & 1));
	if (headerBytes < at || headerBytes > bytes.length) {
		return {problem: 'header-length'};
	}
	const tsi = tsiBytes === 0 ? 0 : bytes.readUIntBE(4 + cciBytes, tsiBytes);
	const toiAt = 4 + cciBytes + tsiBytes;
	const toi = BigInt(`0x0${bytes.toString('hex', toiAt, toiAt + toiBytes)}`).toString();
	const header: Header = {};
	while (at < headerBytes) {
		const type = bytes.readUInt8(at);
		const length = type >= 128 ? 4 : bytes.readUInt8(at + 1) * 4;
		if (length === 0 || at + length > headerBytes) {
			return {problem: 'extension-length'};
		}
		readExtension(header, {type, codepoint, bytes: bytes.subarray(at, at + length)});
		at += length;
	}
	const flags = {closesSession: (second & 2) !== 0, closesObject: (second & 1) !== 0};
	return {packet: {tsi, toi, codepoint, ...flags, ...header, ...readPayload(bytes.subarray(headerBytes), codepoint)}};
};

const readExtension = (
	header: Header,
	{type, codepoint, bytes}: {readonly type: number; readonly codepoint: number; readonly bytes: Buffer},
): void => {
	if (type === extensions.fdt) {
		header.fdt = {version: bytes.readUInt8(1) >> 4, instanceId: bytes.readUInt32BE(0) & 0xf_ff_ff};
	} else if (type === extensions.contentEncoding) {
		header.contentEncoding = bytes.readUInt8(1);
	} else if (type === extensions.fti) {
		header.fti = readTransmissionInformation(bytes, codepoint);
	} else if (type === extensions.time && (bytes.readUInt16BE(2) & 0x8000) !== 0 && bytes.length >= 8) {
		const hasFraction = (bytes.readUInt16BE(2) & 0x4000) !== 0 && bytes.length >= 12;
		const fraction = hasFraction ? bytes.readUInt32BE(8) / 2 ** 32 : 0;
		header.senderTimeMs = Math.round((bytes.readUInt32BE(4) - ntpEpochS + fraction) * 1000);
	}
};

/** EXT_FTI of the schemes 0, 129 and 5 (RFC 5445, RFC 5510); RaptorQ's symbols have no place that we need. */
const readTransmissionInformation = (bytes: Buffer, encodingId: number): ObjectGeometry | undefined => {
	if (bytes.length < 12) {
		return undefined;
	}
	const transferLength = bytes.readUIntBE(2, 6);
	if (encodingId === 5) {
		return {encodingId, transferLength, symbolBytes: bytes.readUInt16BE(8), blockSymbolsMax: bytes.readUInt8(10)};
	}
	if (bytes.length < 16 || (encodingId !== 0 && encodingId !== 129)) {
		return undefined;
	}
	const blockSymbolsMax = encodingId === 0 ? bytes.readUInt32BE(12) : bytes.readUInt16BE(12);
	return {encodingId, transferLength, symbolBytes: bytes.readUInt16BE(10), blockSymbolsMax};
};

const readPayload = (bytes: Buffer, codepoint: number): Pick<AlcPacket, 'symbol' | 'payload'> => {
	const idBytes = codepoint === 129 ? 8 : 4;
	// A packet with flags alone has no symbol.
	if (bytes.length < idBytes) {
		return {payload: bytes.subarray(bytes.length)};
	}
	const payload = bytes.subarray(idBytes);
	switch (codepoint) {
		case 0:
		case 1:
			return {symbol: {block: bytes.readUInt16BE(0), index: bytes.readUInt16BE(2)}, payload};
		case 5:
			return {symbol: {block: bytes.readUIntBE(0, 3), index: bytes.readUInt8(3)}, payload};
		case 6:
			return {symbol: {block: bytes.readUInt8(0), index: bytes.readUIntBE(1, 3)}, payload};
		case 129:
			return {symbol: {block: bytes.readUInt32BE(0), index: bytes.readUInt16BE(6)}, payload};
		default:
			return {payload};
	}
};
