import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';

/** Offsets of a PE32+ image (Microsoft PE/COFF specification, sections 3 and 4). */
const peOffsetAt = 0x3c;
const coffBytes = 24;
const sectionCountAt = 6;
const optionalBytesAt = 20;
const imageBaseAt = 24;
const sectionAlignmentAt = 32;
const sectionBytes = 40;
const signature = 0x00_00_45_50;
const magicPe32Plus = 0x02_0b;

/**
 * Where objcopy must put each added section of a unified kernel image: behind the stub's own and behind each other, at
 * multiples of the stub's section alignment. Answers objcopy's arguments.
 * @throws CodedError IMAGE_STUB_INVALID when the stub is no PE32+ image.
 */
export const sectionArguments = (
	stub: Buffer,
	sections: readonly {readonly name: string; readonly file: string; readonly bytes: number}[],
): readonly string[] => {
	const {base, alignment, ends} = layoutOf(stub);
	const align = (address: bigint): bigint => ((address + alignment - 1n) / alignment) * alignment;
	let next = align(ends.reduce((last, end) => (end > last ? end : last), 0n));
	return sections.flatMap(({name, file, bytes}) => {
		const address = base + next;
		next = align(next + BigInt(bytes));
		return ['--add-section', `${name}=${file}`, '--change-section-vma', `${name}=0x${address.toString(16)}`];
	});
};

const layoutOf = (
	stub: Buffer,
): {readonly base: bigint; readonly alignment: bigint; readonly ends: readonly bigint[]} => {
	const pe = stub.length >= peOffsetAt + 4 ? stub.readUInt32LE(peOffsetAt) : Number.POSITIVE_INFINITY;
	const optional = pe + coffBytes;
	if (optional + sectionAlignmentAt + 4 > stub.length || stub.readUInt32LE(pe) !== signature) {
		throw stubInvalid('is no PE image');
	}
	if (stub.readUInt16LE(optional) !== magicPe32Plus) {
		throw stubInvalid('is not of PE32+');
	}
	const alignment = BigInt(stub.readUInt32LE(optional + sectionAlignmentAt));
	if (alignment === 0n || (alignment & (alignment - 1n)) !== 0n) {
		throw stubInvalid('has sections aligned to no power of two');
	}
	const first = optional + stub.readUInt16LE(pe + optionalBytesAt);
	const sectionCount = stub.readUInt16LE(pe + sectionCountAt);
	if (first + sectionCount * sectionBytes > stub.length) {
		throw stubInvalid('ends within its table of sections');
	}
	const ends = Array.from({length: sectionCount}, (_, index) => {
		const at = first + index * sectionBytes;
		return BigInt(stub.readUInt32LE(at + 8) + stub.readUInt32LE(at + 12));
	});
	return {base: stub.readBigUInt64LE(optional + imageBaseAt), alignment, ends};
};

const stubInvalid = (what: string): CodedError<ImageErrorCode> =>
	new CodedError('IMAGE_STUB_INVALID', {message: `The EFI stub ${what}.`});
