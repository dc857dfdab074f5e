import type {DeliverySystem, Polarization, SatelliteTuning} from './tuner.ts';

/** One section of a table that may have several (ISO/IEC 13818-1 section 2.4.4.11, EN 300 468 section 5.1.1). */
export type TableSection = {
	readonly tableId: number;
	readonly extension: number;
	readonly version: number;
	/** False: of the table that will be valid next. */
	readonly current: boolean;
	readonly number: number;
	readonly last: number;
	readonly body: Buffer;
};

export type Descriptor = {readonly tag: number; readonly bytes: Buffer};

export type ProgramStream = {
	readonly streamType: number;
	readonly pid: number;
	readonly descriptors: readonly Descriptor[];
};

const headBytes = 8;
const crcBytes = 4;
const pidMask = 0x1fff;
const lengthMask = 0xfff;

/** Undefined for what is no table. The CRC is looked at before. */
export const readTableSection = (section: Buffer): TableSection | undefined => {
	if (section.length < headBytes + crcBytes || ((section[1] ?? 0) & 0x80) === 0) {
		return undefined;
	}
	const flags = section.readUInt8(5);
	return {
		tableId: section.readUInt8(0),
		extension: section.readUInt16BE(3),
		version: (flags >> 1) & 0x1f,
		current: (flags & 1) === 1,
		number: section.readUInt8(6),
		last: section.readUInt8(7),
		body: section.subarray(headBytes, -crcBytes),
	};
};

/** Cuts bytes at what each entry says of its length; what runs beyond the end is left out. */
const cut = <Entry>(
	bytes: Buffer,
	headSize: number,
	lengthOf: (head: Buffer) => number,
	read: (head: Buffer, rest: Buffer) => Entry,
): readonly Entry[] => {
	const entries: Entry[] = [];
	let at = 0;
	while (at + headSize <= bytes.length) {
		const head = bytes.subarray(at, at + headSize);
		const end = at + headSize + lengthOf(head);
		if (end > bytes.length) {
			break;
		}
		entries.push(read(head, bytes.subarray(at + headSize, end)));
		at = end;
	}
	return entries;
};

export const readDescriptors = (bytes: Buffer): readonly Descriptor[] =>
	cut(
		bytes,
		2,
		(head) => head.readUInt8(1),
		(head, rest) => ({tag: head.readUInt8(0), bytes: rest}),
	);

/** PAT: the PMT's PID of each programme; programme 0 is the NIT's. */
export const readProgramPids = (body: Buffer): ReadonlyMap<number, number> =>
	new Map(
		cut(
			body,
			4,
			() => 0,
			(head) => [head.readUInt16BE(0), head.readUInt16BE(2) & pidMask] as const,
		).filter(([program]) => program !== 0),
	);

/** PMT. */
export const readProgramStreams = (body: Buffer): readonly ProgramStream[] => {
	if (body.length < 4) {
		return [];
	}
	const infoBytes = body.readUInt16BE(2) & lengthMask;
	return cut(
		body.subarray(4 + infoBytes),
		5,
		(head) => head.readUInt16BE(3) & lengthMask,
		(head, rest) => ({
			streamType: head.readUInt8(0),
			pid: head.readUInt16BE(1) & pidMask,
			descriptors: readDescriptors(rest),
		}),
	);
};

const serviceDescriptor = 0x48;

/** SDT: the names of services. */
export const readServiceNames = (
	body: Buffer,
): readonly {readonly serviceId: number; readonly name: string; readonly provider: string}[] =>
	cut(
		body.subarray(3),
		5,
		(head) => head.readUInt16BE(3) & lengthMask,
		(head, rest) => {
			const bytes = readDescriptors(rest).find(({tag}) => tag === serviceDescriptor)?.bytes;
			const providerBytes = bytes?.[1] ?? 0;
			const nameAt = 2 + providerBytes;
			return {
				serviceId: head.readUInt16BE(0),
				name: readText(bytes?.subarray(nameAt + 1, nameAt + 1 + (bytes[nameAt] ?? 0))),
				provider: readText(bytes?.subarray(2, nameAt)),
			};
		},
	);

const controlEnd = 0x20;
const utf8Marker = 0x15;

/** EN 300 468 annex A, as far as names go: UTF-8 where it says so, else as Latin; control codes are left out. */
const readText = (bytes: Buffer | undefined): string => {
	const first = bytes?.[0];
	if (bytes === undefined || first === undefined) {
		return '';
	}
	const marked = first < controlEnd;
	const text = marked ? bytes.subarray(first === 0x10 ? 3 : 1) : bytes;
	const printable = text.toString(first === utf8Marker ? 'utf8' : 'latin1');
	return printable.replace(/\p{Cc}/gu, '').trim();
};

const satelliteDescriptor = 0x43;
const polarizationCodes: readonly Polarization[] = ['horizontal', 'vertical', 'left', 'right'];
const rollOffCodes = ['0.35', '0.25', '0.20'];
const modulationCodes: Readonly<Record<number, string>> = {1: 'QPSK', 2: '8PSK'};
const codeRates: Readonly<Record<number, string>> = {
	...{1: '1/2', 2: '2/3', 3: '3/4', 4: '5/6', 5: '7/8', 6: '8/9', 7: '3/5', 8: '4/5', 9: '9/10'},
};

/** NIT: the carriers of a network, from their satellite_delivery_system_descriptor (EN 300 468 section 6.2.13.2). */
export const readNetworkCarriers = (body: Buffer): readonly SatelliteTuning[] => {
	if (body.length < 2) {
		return [];
	}
	const loopAt = 4 + (body.readUInt16BE(0) & lengthMask);
	return cut(
		body.subarray(loopAt),
		6,
		(head) => head.readUInt16BE(4) & lengthMask,
		(_head, rest) => readDescriptors(rest),
	).flatMap((descriptors) =>
		descriptors.filter(({tag, bytes}) => tag === satelliteDescriptor && bytes.length >= 11).map(readCarrier),
	);
};

const readCarrier = ({bytes}: Descriptor): SatelliteTuning => {
	const flags = bytes.readUInt8(6);
	const second = (flags & 4) !== 0;
	const system: DeliverySystem = second ? 'DVB-S2' : 'DVB-S';
	return {
		system,
		// Eight digits with five places behind the point, of GHz.
		frequencyKhz: decimal(bytes.toString('hex', 0, 4)) * 10,
		polarization: polarizationCodes[(flags >> 5) & 3] ?? 'horizontal',
		// Seven digits with four places behind the point, of Msymbol/s.
		symbolRate: decimal(bytes.toString('hex', 7, 11).slice(0, 7)) * 100,
		modulation: modulationCodes[flags & 3],
		codeRate: codeRates[bytes.readUInt8(10) & 0xf],
		...(second ? {rollOff: rollOffCodes[(flags >> 3) & 3]} : {}),
	};
};

const decimal = (digits: string): number => (/^\d+$/u.test(digits) ? Number(digits) : 0);
