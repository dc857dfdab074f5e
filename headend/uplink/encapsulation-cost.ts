/** What carries IP datagrams to a receiver. */
export type Encapsulation = 'mpe' | 'gse';

/** A transport packet and its header (ISO/IEC 13818-1, 2.4.3.2). */
export const tsPacketBytes = 188;
export const tsHeaderBytes = 4;
/** Table id to MAC address, and the CRC-32 (EN 301 192 section 7). */
const mpeSectionBytes = 12 + 4;
/** Each transport packet in which a section begins has one; sections are packed one behind the other. */
const pointerFieldBytes = 1;
/** Length and protocol type, and the six-byte label, of a datagram in one piece (TS 102 606-1 section 4.2). */
const gseHeaderBytes = 2 + 2 + 6;
/** A datagram cut in two: fragment id and total length before, a second header with its fragment id, and the CRC-32. */
const gseFragmentationBytes = 1 + 2 + (2 + 1) + 4;

/** Bits of one BBFRAME's data field by what they are for; fractions are means over many frames. */
export type DataFieldShares = {
	/** Headers of transport packets. */
	readonly transport: number;
	/** Section headers, pointers and checksums; GSE headers. */
	readonly encapsulation: number;
	/** IP datagrams. */
	readonly datagrams: number;
};

/** How a data field full of datagrams of one size divides. */
export const dataFieldShares = (options: {
	readonly encapsulation: Encapsulation;
	readonly dataFieldBits: number;
	readonly datagramBytes: number;
}): DataFieldShares => {
	const {encapsulation, dataFieldBits, datagramBytes} = options;
	if (encapsulation === 'mpe') {
		const transport = (dataFieldBits * tsHeaderBytes) / tsPacketBytes;
		const payload = dataFieldBits - transport;
		const datagrams = (payload * datagramBytes) / (datagramBytes + mpeSectionBytes + pointerFieldBytes);
		return {transport, encapsulation: payload - datagrams, datagrams};
	}
	// Frames are filled to the end: in the mean one datagram per frame is cut.
	const wholeBits = dataFieldBits - gseFragmentationBytes * 8;
	const datagrams = Math.max(0, (wholeBits * datagramBytes) / (datagramBytes + gseHeaderBytes));
	return {transport: 0, encapsulation: dataFieldBits - datagrams, datagrams};
};
