/** Tags of ASN.1 (X.690 section 8) that a revocation list is made of. */
const tags = {
	integer: 0x02,
	bitString: 0x03,
	octetString: 0x04,
	enumerated: 0x0a,
	utcTime: 0x17,
	generalizedTime: 0x18,
	sequence: 0x30,
	explicit0: 0xa0,
} as const;

export type DerKind = keyof typeof tags;

/** One value in DER: its tag, the length of what is in it, and that. */
export const der = (kind: DerKind, ...contents: readonly Uint8Array[]): Buffer => {
	const content = contents.length === 1 && contents[0] !== undefined ? contents[0] : Buffer.concat(contents);
	return Buffer.concat([Buffer.of(tags[kind], ...lengthOf(content.length)), content]);
};

/** X.690 section 10.1: as short as it can be. */
const lengthOf = (bytes: number): readonly number[] => {
	if (bytes < 0x80) {
		return [bytes];
	}
	const hex = bytes.toString(16);
	const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
	return [0x80 | octets.length, ...octets];
};

/** A number that is not negative, from its bytes: no zeros before it but the one that keeps the sign. */
export const derInteger = (bytes: Uint8Array): Buffer => {
	const first = bytes.findIndex((octet) => octet !== 0);
	const short = first === -1 ? Buffer.of(0) : Buffer.from(bytes.subarray(first));
	return der('integer', (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short);
};

/** RFC 5280 section 5.1.2.4: two digits of the year until 2049, four from then on, in whole seconds. */
export const derTime = (atMs: number): Buffer => {
	const digits = new Date(atMs).toISOString().replaceAll(/\.\d+|\D/gu, '');
	return digits < '2050'
		? der('utcTime', Buffer.from(`${digits.slice(2)}Z`))
		: der('generalizedTime', Buffer.from(`${digits}Z`));
};
