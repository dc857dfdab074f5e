/** One UDP datagram of a stream, wherever it came from. */
export type Datagram = {
	readonly timeMs: number;
	/** Undefined where only the payload was given to us. */
	readonly source?: string | undefined;
	readonly group: string;
	readonly port: number;
	readonly payload: Buffer;
	/** With IP and UDP headers. */
	readonly wireBytes: number;
};

export type ParsedIp =
	| {readonly kind: 'udp'; readonly datagram: Datagram}
	| {readonly kind: 'fragment'}
	| {readonly kind: 'other'}
	| {readonly kind: 'malformed'};

const udp = 17;
const udpHeaderBytes = 8;
const ipv6HeaderBytes = 40;
/** Of IPv6, that may stand before UDP: hop-by-hop, routing and destination options. */
const extensionHeaders = new Set([0, 43, 60]);
const ipv6Fragment = 44;
const extensionsMax = 8;

/** Link types of capture files (tcpdump.org) and where their IP begins. */
const etherTypeAt: Readonly<Record<number, number>> = {1: 12, 113: 14, 276: 0};
const rawLinkTypes = new Set([12, 14, 101, 228, 229]);
const vlanTypes = new Set([0x8100, 0x88a8]);
const vlansMax = 2;

/** The IP datagram in a captured frame; undefined where there is none that we know. */
export const ipOfFrame = (linkType: number, frame: Buffer): Buffer | undefined => {
	if (rawLinkTypes.has(linkType)) {
		return frame;
	}
	if (linkType === 0) {
		return frame.subarray(4);
	}
	let at = etherTypeAt[linkType];
	if (at === undefined || frame.length < at + 2) {
		return undefined;
	}
	for (let vlans = 0; vlans < vlansMax && frame.length >= at + 6 && vlanTypes.has(frame.readUInt16BE(at)); vlans += 1) {
		at += 4;
	}
	const type = frame.readUInt16BE(at);
	// SLL2 has its type in front of the rest of its header of twenty bytes.
	const payload = frame.subarray(linkType === 276 ? 20 : at + 2);
	return type === 0x0800 || type === 0x86dd ? payload : undefined;
};

export const parseIp = (bytes: Buffer, timeMs: number): ParsedIp => {
	const version = (bytes[0] ?? 0) >> 4;
	if (version === 4) {
		return parseIpv4(bytes, timeMs);
	}
	return version === 6 ? parseIpv6(bytes, timeMs) : {kind: 'malformed'};
};

const parseIpv4 = (bytes: Buffer, timeMs: number): ParsedIp => {
	const headerBytes = ((bytes[0] ?? 0) & 15) * 4;
	if (headerBytes < 20 || bytes.length < headerBytes) {
		return {kind: 'malformed'};
	}
	const total = bytes.readUInt16BE(2);
	if (total < headerBytes || total > bytes.length) {
		return {kind: 'malformed'};
	}
	// More fragments, or a later one.
	if ((bytes.readUInt16BE(6) & 0x3fff) !== 0) {
		return {kind: 'fragment'};
	}
	if (bytes[9] !== udp) {
		return {kind: 'other'};
	}
	const [source, group] = [12, 16].map((at) => [...bytes.subarray(at, at + 4)].join('.'));
	return parseUdp(bytes.subarray(headerBytes, total), {timeMs, source, group: group ?? '', wireBytes: total});
};

const parseIpv6 = (bytes: Buffer, timeMs: number): ParsedIp => {
	if (bytes.length < ipv6HeaderBytes) {
		return {kind: 'malformed'};
	}
	const total = ipv6HeaderBytes + bytes.readUInt16BE(4);
	if (total > bytes.length) {
		return {kind: 'malformed'};
	}
	let next = bytes.readUInt8(6);
	let at = ipv6HeaderBytes;
	for (let headers = 0; extensionHeaders.has(next) && headers < extensionsMax; headers += 1) {
		if (at + 8 > total) {
			return {kind: 'malformed'};
		}
		next = bytes.readUInt8(at);
		at += 8 + bytes.readUInt8(at + 1) * 8;
	}
	if (next !== udp || at > total) {
		return {kind: next === ipv6Fragment ? 'fragment' : 'other'};
	}
	const [source, group] = [8, 24].map((from) => ipv6Text(bytes.subarray(from, from + 16)));
	return parseUdp(bytes.subarray(at, total), {timeMs, source, group: group ?? '', wireBytes: total});
};

/** The shortest form is what people and configurations write. */
const ipv6Text = (bytes: Buffer): string => {
	const words = Array.from({length: 8}, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':');
	return URL.canParse(`http://[${words}]/`) ? new URL(`http://[${words}]/`).hostname.slice(1, -1) : words;
};

const parseUdp = (bytes: Buffer, facts: Omit<Datagram, 'port' | 'payload'>): ParsedIp => {
	if (bytes.length < udpHeaderBytes) {
		return {kind: 'malformed'};
	}
	const length = bytes.readUInt16BE(4);
	if (length < udpHeaderBytes || length > bytes.length) {
		return {kind: 'malformed'};
	}
	const port = bytes.readUInt16BE(2);
	return {kind: 'udp', datagram: {...facts, port, payload: bytes.subarray(udpHeaderBytes, length)}};
};
